"""`minimize`: BFGS on JAX; the other methods on SciPy."""

from __future__ import annotations

import inspect
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.optimize import OptimizeResult, OptimizeWarning

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, register_result
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, example_point, need_callable, unknown_options, users, warn_user
from solvers.minimize import BFGS
from solvers.minimize import minimize as engine

__all__ = ["minimize"]

register_result(OptimizeResult)

_LINE_SEARCH = ("c1", "c2", "norm", "xrtol", "gtol", "hess_inv0")
_DIFFERENCES = ("eps", "finite_diff_rel_step", "workers")  # without meaning beside an exact gradient
_OPTIONS = frozenset(("disp", "maxiter", "return_all", *_LINE_SEARCH, *_DIFFERENCES))
_MESSAGES = {
    0: "Optimization terminated successfully.",
    1: "Maximum number of iterations has been exceeded.",
    2: "Desired error not necessarily achieved due to precision loss.",
    3: "NaN result encountered.",
    99: "`callback` raised `StopIteration`.",
}
_FIRST_CAPACITY = 256


def _start(x0: Any) -> Any:
    """The start as SciPy takes it: a vector of floating numbers."""
    if is_jax(x0):
        x0 = jnp.atleast_1d(jnp.asarray(x0))
    else:
        x0 = np.atleast_1d(np.asarray(x0))
        # Also from single precision: SciPy's integer identity matrix makes its iterates double after one step.
        if x0.dtype.kind in "iuf":
            x0 = x0.astype(float)
    if x0.ndim != 1:
        raise ValueError("'x0' must only have one dimension.")
    return x0


def _prepare(call: Call) -> None:
    need_callable(call, "fun")
    call["x0"] = _start(call["x0"])
    method = call["method"]
    constrained = not (isinstance(call["constraints"], (tuple, list)) and len(call["constraints"]) == 0)
    if callable(method) or (method is not None and method.lower() != "bfgs"):
        raise HostRoute(Reason.METHOD, f"method={getattr(method, '__name__', method)!r}")
    if call["bounds"] is not None or constrained:
        raise HostRoute(Reason.OPTION, "bounds" if call["bounds"] is not None else "constraints")
    if call["callback"] is not None and not call.numpy:
        raise HostRoute(Reason.CALLBACK, "a callback in the JAX world")
    if call["x0"].size == 0:
        raise HostRoute(Reason.SHAPE, "an empty start")

    jac = call["jac"]
    call["has_value"] = jac is True
    call["jac"] = jac if callable(jac) else None
    bind_arguments(call, "fun", "jac")
    options = dict(call["options"] or {})
    if call["tol"] is not None:
        options.setdefault("gtol", call["tol"])
    call["unknown"] = unknown_options(options, _OPTIONS)
    call["gtol"] = options.get("gtol", 1e-5)
    call["norm"] = float(options.get("norm", np.inf))
    call["xrtol"] = options.get("xrtol", 0.0)
    call["c1"], call["c2"] = options.get("c1", 1e-4), options.get("c2", 0.9)
    call["hess_inv0"] = _positive_definite(options.get("hess_inv0"), call)
    maxiter = options.get("maxiter")
    call["maxiter"] = 200 * call["x0"].size if maxiter is None else int(maxiter)
    call["disp"], call["return_all"] = bool(options.get("disp")), bool(options.get("return_all"))
    call["capacity"] = min(_FIRST_CAPACITY, call["maxiter"] + 1) if call["return_all"] else 0
    call["pause"] = call["state"] = None
    call["keep_state"] = False


def _positive_definite(matrix: Any, call: Call) -> Any:
    if matrix is None or not call.numpy:
        return matrix
    matrix = np.asarray(matrix, float)
    try:
        if not np.allclose(matrix, matrix.T, rtol=0, atol=0):
            raise np.linalg.LinAlgError
        np.linalg.cholesky(matrix)
    except (np.linalg.LinAlgError, ValueError):
        raise ValueError("'hess_inv0' matrix isn't positive definite.") from None
    return matrix


def _validate(call: Call) -> None:
    if call.numpy and not 0 < call["c1"] < call["c2"] < 1:
        raise ValueError("'c1' and 'c2' do not satisfy'0 < c1 < c2 < 1'.")
    if call["unknown"]:
        warn_user(call["unknown"], OptimizeWarning)
    if call["hess"] is not None:
        warn_user("Method BFGS does not use Hessian information (hess).", RuntimeWarning)
    if call["hessp"] is not None:
        warn_user("Method BFGS does not use Hessian-vector product information (hessp).", RuntimeWarning)


def _drive(call: Call, run: Any) -> OptimizeResult:
    """NumPy world: run at once, or one iteration at a time under a callback; build SciPy's result."""
    if call["callback"] is None:
        out, status = run(), None
        while call["capacity"] and out["nit"] >= call["capacity"]:
            out = run(capacity=min(4 * call["capacity"], call["maxiter"] + 1))
        vectors = list(out["path"][: out["nit"] + 1])
    else:
        out, status, vectors = _with_callback(call, run)
    status = int(out["status"]) if status is None else status
    result = OptimizeResult(
        fun=out["fun"],
        jac=out["jac"],
        hess_inv=out["hess_inv"],
        nfev=int(out["nfev"]),
        njev=int(out["njev"]),
        status=status,
        success=status == 0,
        message=_MESSAGES[status],
        x=out["x"],
        nit=int(out["nit"]),
    )
    if call["return_all"]:
        result["allvecs"] = vectors
    if call["disp"]:
        _report(result)
    return result


def _with_callback(call: Call, run: Any) -> tuple[dict[str, Any], int | None, list[Any]]:
    """Iterate with the user's callback in between; SciPy's two signatures, and its StopIteration."""
    callback = call["callback"]
    takes_result = set(inspect.signature(callback).parameters) == {"intermediate_result"}
    state = BFGS(hess_inv0=call["hess_inv0"]).init(None, call["x0"])
    vectors, nit = [call["x0"].copy()], 0
    while True:
        out = run(state=state, pause=nit + 1, keep_state=True, capacity=0)
        state = out["state"]
        if out["nit"] > nit:
            nit = int(out["nit"])
            vectors.append(out["x"].copy())
            try:
                if takes_result:
                    callback(intermediate_result=OptimizeResult(x=out["x"].copy(), fun=out["fun"]))
                else:
                    callback(out["x"].copy())
            except StopIteration:
                return out, 99, vectors
        if out["status"] != -1:
            return out, None, vectors


def _report(result: OptimizeResult) -> None:
    if result.success:
        print(result.message)
    else:
        warn_user(result.message, OptimizeWarning)
    print(f"         Current function value: {result.fun:f}")
    print(f"         Iterations: {result.nit:d}")
    print(f"         Function evaluations: {result.nfev:d}")
    print(f"         Gradient evaluations: {result.njev:d}")


def _finish_jax(call: Call, out: dict[str, Any]) -> OptimizeResult:
    names = ("fun", "jac", "hess_inv", "nfev", "njev", "status", "success", "x", "nit")
    result = OptimizeResult({name: out[name] for name in names})
    if call["return_all"]:
        result["allvecs"] = out["path"]
    return result


@users
def _bowl(x: Any, centre: Any) -> Any:
    return np.sum((x - centre) ** 2) + (x[0] + x[1]) ** 2


@users
def _bowl_slope(x: Any, centre: Any) -> Any:
    return 2 * (x - centre) + 2 * (x[0] + x[1])


def _examples() -> list[Example]:
    centre = np.array([1.0, -0.5])
    return [
        Example(
            args=(_bowl, np.array([0.5, 2.0]), centre),
            # With the gradient, because without it SciPy does not move at all from a start in single precision.
            kwargs={"jac": _bowl_slope, "options": {"gtol": 1e-11}},
            grad=("args",),
            vmap=("args", "x0"),
            output=lambda r: r["x"],
            rtol=1e-6,
            atol=1e-7,
            # SciPy returns None as the minimum of None; from inf it moves on to NaN, ours stays and says so.
            skip_odd=("object", "inf"),
        ),
    ]


@implements(
    "scipy.optimize.minimize",
    callables={"fun": example_point, "jac": example_point},
    trees=("args", "state"),
    dtypes={"x0": "float", "args": "keep", "state": "keep", "maxiter": "keep", "pause": "keep"},
    static=("norm", "capacity", "has_value", "keep_state"),
    prepare=_prepare,
    validate=_validate,
    drive=_drive,
    finish_jax=_finish_jax,
    examples=_examples,
    note="methods other than BFGS, bounds, constraints; callbacks on JAX arrays.",
)
def minimize(
    fun, x0, args, jac, gtol, xrtol, c1, c2, hess_inv0, maxiter, pause, state, norm, capacity, has_value, keep_state
):
    """Minimise a scalar function of several variables (BFGS).

    Without `jac`, or with one of SciPy's finite-difference strings, the exact gradient of `fun` is used:
    ``nfev`` and ``njev`` count the algorithm's own evaluations, one value and one gradient each.

    The result's ``x`` and ``fun`` are differentiable with respect to `args` and what `fun` closes over, by the
    implicit function theorem, to any order. With JAX arrays the result is an `OptimizeResult` of arrays without
    ``message``; ``allvecs`` (option ``return_all``) is then an array padded with zeros behind row ``nit``.

    References
    ----------
    J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., Springer, 2006, chapter 6.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import minimize
    >>> result = minimize(lambda x: (x[0] - 1) ** 2 + (x[1] - x[0]) ** 2, np.zeros(2))
    >>> bool(result.success), result.x.round(4).tolist()
    (True, [1.0, 1.0])
    """
    method = BFGS(gtol, xrtol, c1, c2, hess_inv0, maxiter, pause, norm)

    def objective(x, *args):
        out = fun(x, *args)
        value = as_array(out[0] if has_value else out)
        if value.size != 1:
            raise ValueError("The user-provided objective function must return a scalar value.")
        return (value, as_array(out[1])) if has_value else value

    def gradient(x, *args):
        return as_array(jac(x, *args))

    result = engine.__wrapped__(
        objective,
        x0,
        args,
        method,
        jac=True if has_value else None if jac is None else gradient,
        capacity=capacity,
        state=state,
        keep_state=keep_state,
    )
    return result._asdict()
