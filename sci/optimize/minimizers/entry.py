"""`minimize`, registered."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import OptimizeResult

from sci.bridge import Call, Example, as_array, implements, register_result
from sci.optimize._shared import example_point, users
from sci.optimize.minimizers.methods import METHODS, OPTIMISTIX
from sci.optimize.minimizers.outcome import drive, finish_jax
from sci.optimize.minimizers.prepare import prepare, validate
from solvers.minimize import minimize as engine

__all__ = ["minimize", "solver"]

register_result(OptimizeResult)


def solver(method: str, settings: dict[str, Any], fixed: tuple[tuple[str, Any], ...], pause: Any) -> Any:
    """The engine of a method with its options."""
    made = METHODS[method].engine(**settings, **dict(fixed))
    return made if method == OPTIMISTIX else dataclasses.replace(made, pause=pause)


def _example_product(call: Call) -> tuple[Any, ...]:
    return (call["x0"], call["x0"], *call["args"])


def _example_constraint(call: Call) -> tuple[Any, ...]:
    return (call["x0"],)


@users
def _bowl(x: Any, centre: Any) -> Any:
    return np.sum((x - centre) ** 2) + (x[0] + x[1]) ** 2


@users
def _bowl_slope(x: Any, centre: Any) -> Any:
    return 2 * (x - centre) + 2 * (x[0] + x[1])


@users
def _on_line(x: Any, level: Any = 0.4) -> Any:
    return x[0] - 2 * x[1] - level


def _examples() -> list[Example]:
    centre = np.array([1.0, -0.5])
    shared: dict[str, Any] = {
        "grad": ("args",),
        "vmap": ("args", "x0"),
        "output": lambda r: r["x"],
        "rtol": 1e-6,
        "atol": 1e-7,
        # SciPy returns None as the minimum of None; from inf it moves on to NaN, ours stays and says so.
        "skip_odd": ("object", "inf"),
    }
    start = np.array([0.5, 2.0])
    return [
        Example(
            args=(_bowl, start, centre),
            # With the gradient, because without it SciPy does not move at all from a start in single precision.
            kwargs={"jac": _bowl_slope, "options": {"gtol": 1e-11}},
            **shared,
        ),
        Example(
            args=(_bowl, start, centre),
            kwargs={"jac": _bowl_slope, "bounds": [(None, 0.5), (-6.0, 5)], "options": {"gtol": 1e-10, "ftol": 0.0}},
            **shared | {"skip_odd": ("object", "inf", "nan")},
        ),
        Example(
            # Whole numbers: SciPy's SLSQP refuses a start in single precision, ours does not.
            args=(_bowl, np.array([1, 2]), centre),
            kwargs={
                "jac": _bowl_slope,
                "constraints": [{"type": "eq", "fun": _on_line}, {"type": "ineq", "fun": _on_line, "args": (-3.0,)}],
                "options": {"ftol": 1e-12},
            },
            **shared | {"skip_odd": ("object", "inf", "nan"), "float32": False},
        ),
    ]


@implements(
    "scipy.optimize.minimize",
    callables={
        "fun": example_point,
        "jac": example_point,
        "hess": example_point,
        "hessp": _example_product,
        "eq": _example_constraint,
        "ineq": _example_constraint,
        "eq_jac": _example_constraint,
        "ineq_jac": _example_constraint,
    },
    trees=("args", "state", "bounds", "settings"),
    dtypes={"x0": "float", "args": "keep", "state": "keep", "pause": "keep", "bounds": "keep", "settings": "keep"},
    static=("method", "fixed", "capacity", "has_value", "keep_state"),
    prepare=prepare,
    validate=validate,
    drive=drive,
    finish_jax=finish_jax,
    examples=_examples,
    note="method COBYQA, with the compiled objective; a method that is a function; keep_feasible; sparse constraints; "
    "constraints under a method that takes none; callbacks on JAX arrays.",
)
def minimize(
    fun, x0, args, jac, hess, hessp, eq, ineq, eq_jac, ineq_jac, bounds, settings, pause, state,
    method, fixed, capacity, has_value, keep_state,
):  # fmt: skip
    """Minimise a scalar function of several variables.

    Native methods: Nelder-Mead, Powell, CG, BFGS, Newton-CG, L-BFGS-B, TNC, COBYLA, SLSQP, trust-constr, dogleg,
    trust-ncg, trust-krylov, trust-exact; also a minimiser object of optimistix. Derivatives that are not given, or
    asked for by one of SciPy's finite-difference strings, are exact: ``nfev`` and ``njev`` count the algorithm's own
    evaluations, one value and one gradient each. The methods that need a gradient or Hessian in SciPy run without one
    here. Jacobians of constraints are exact unless given; Hessians of constraints are always exact, and so is the
    Hessian in place of a `HessianUpdateStrategy`, and under trust-constr, up to 200 variables, of a sparse one.

    What differs by method. TNC takes exact products with the Hessian, which do not count as evaluations, so that many
    conjugate gradients are free: ``maxCGit < 0`` is ``min(50, n)``; its line search is More and Thuente's, and one
    that fails where less than `ftol` was left to gain is a success. COBYLA
    minimises its linear models by an interior point: same method and counters as SciPy's, not the same iterates.
    trust-constr is a primal-dual interior point with exact second derivatives and a line search: ``cg_niter`` is zero
    and ``tr_radius`` the length of the next step; a success by `xtol` needs a gradient of the Lagrangian below 1e-5,
    relatively. Nelder-Mead and Powell take SciPy's path.

    The result's ``x`` and ``fun`` are differentiable with respect to `args` and what `fun` closes over, by the
    implicit function theorem, to any order; variables at an active bound follow the bound, active constraints hold.
    With JAX arrays the result is an `OptimizeResult` of arrays without ``message``; ``allvecs`` (option
    ``return_all``) is then an array padded with zeros behind row ``nit``, and L-BFGS-B has no ``hess_inv``.

    References
    ----------
    J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., Springer, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import minimize
    >>> result = minimize(lambda x: (x[0] - 1) ** 2 + (x[1] - x[0]) ** 2, np.zeros(2))
    >>> bool(result.success), result.x.round(4).tolist()
    (True, [1.0, 1.0])
    """

    def objective(x, *args):
        out = fun(x, *args)
        value = as_array(out[0] if has_value else out)
        if value.size != 1:
            kind = ValueError if method in METHODS else TypeError  # as SciPy, whose COBYQA converts by float()
            raise kind("The user-provided objective function must return a scalar value.")
        return (value, as_array(out[1])) if has_value else value

    if method not in METHODS:
        return {"fun": objective(x0, *args).reshape(())}

    def wrapped(function):
        return None if function is None else lambda *x: as_array(function(*x))

    parts = [f for f in (eq, ineq) if f is not None]

    def constraints(x, *args):
        return jnp.concatenate([as_array(f(x)).ravel() for f in parts])

    def normals(x, *args):
        tables = [_rows_with(f, given, x) for f, given in ((eq, eq_jac), (ineq, ineq_jac)) if f is not None]
        return jnp.concatenate(tables)

    given = eq_jac is not None or ineq_jac is not None
    result = engine.__wrapped__(
        objective,
        x0,
        args,
        solver(method, settings, fixed, pause),
        jac=True if has_value else wrapped(jac),
        hess=wrapped(hess),
        hessp=wrapped(hessp),
        bounds=bounds,
        constraints=constraints if parts else None,
        constraints_jac=normals if given else None,
        capacity=capacity,
        state=state,
        keep_state=keep_state,
    )
    return result._asdict()


def _rows_with(function: Any, given: Any, x: Any) -> Any:
    """Jacobian of a constraint function: the rows that the user gave, the others exactly."""
    exact = jax.jacfwd(lambda x: as_array(function(x)).ravel())(x)
    if given is None:
        return exact
    table = as_array(given(x))
    if table.shape != (exact.shape[0], exact.shape[1] + 1):
        rows, columns = table.shape[0], table.shape[1] - 1
        raise ValueError(f"jac of the constraints has shape {(rows, columns)}; allowed is {exact.shape}")
    return jnp.where(table[:, -1:] > 0, table[:, :-1], exact)
