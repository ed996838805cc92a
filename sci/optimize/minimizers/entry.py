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
from sci.optimize.minimizers.methods import METHODS
from sci.optimize.minimizers.outcome import drive, finish_jax
from sci.optimize.minimizers.prepare import prepare, validate
from solvers.implicit import value_and_gradient
from solvers.minimize import minimize as engine

__all__ = ["minimize", "solver"]

register_result(OptimizeResult)


def solver(method: str, settings: dict[str, Any], fixed: tuple[tuple[str, Any], ...], pause: Any) -> Any:
    """The engine of a method with its options."""
    made = METHODS[method].engine(**settings, **dict(fixed))
    return dataclasses.replace(made, pause=pause)


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
            args=(_bowl, start, centre),
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
    },
    trees=("args", "state", "bounds", "settings"),
    dtypes={"x0": "float", "args": "keep", "state": "keep", "pause": "keep", "bounds": "keep", "settings": "keep"},
    static=("method", "fixed", "capacity", "has_value", "keep_state"),
    prepare=prepare,
    validate=validate,
    drive=drive,
    finish_jax=finish_jax,
    examples=_examples,
    note="methods Nelder-Mead, Powell, COBYLA, COBYQA, a method that is a function; TNC and trust-constr run on SciPy "
    "with the compiled objective and exact derivatives; keep_feasible; sparse constraints; callbacks on JAX arrays.",
)
def minimize(
    fun, x0, args, jac, hess, hessp, eq, ineq, bounds, settings, pause, state,
    method, fixed, capacity, has_value, keep_state,
):  # fmt: skip
    """Minimise a scalar function of several variables.

    Native methods: BFGS, CG, Newton-CG, L-BFGS-B, SLSQP, dogleg, trust-ncg, trust-krylov, trust-exact. Derivatives
    that are not given, or asked for by one of SciPy's finite-difference strings, are exact: ``nfev`` and ``njev``
    count the algorithm's own evaluations, one value and one gradient each. The methods that need a gradient or
    Hessian in SciPy run without one here. Jacobians of constraints are always exact; a given one is not called.

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
            raise ValueError("The user-provided objective function must return a scalar value.")
        return (value, as_array(out[1])) if has_value else value

    if method not in METHODS:
        return _derivatives(lambda x: objective(x, *args).reshape(()), x0, method)

    def wrapped(function):
        return None if function is None else lambda *x: as_array(function(*x))

    parts = [f for f in (eq, ineq) if f is not None]

    def constraints(x, *args):
        return jnp.concatenate([as_array(f(x)).ravel() for f in parts])

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
        capacity=capacity,
        state=state,
        keep_state=keep_state,
    )
    return result._asdict()


def _derivatives(objective: Any, x: Any, what: str) -> dict[str, Any]:
    """What SciPy's algorithms ask for at one point."""
    if what == "hessian":
        return {"hess": jax.jacfwd(lambda x: value_and_gradient(objective, x)[1])(x)}
    value, gradient = value_and_gradient(objective, x)
    return {"fun": value, "jac": gradient}
