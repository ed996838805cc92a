"""`least_squares` and `leastsq`: Levenberg-Marquardt on JAX; the other methods on SciPy."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import scipy.linalg
from scipy.optimize import OptimizeResult

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, example_point, flat_start, need_callable, users, warn_user
from solvers.least_squares import LM
from solvers.least_squares import least_squares as engine

__all__ = ["covariance", "least_squares", "leastsq", "minpack_info", "minpack_message", "run_lm"]

_TOL = 1.49012e-8
# MINPACK's codes in least_squares' numbering; 6 to 8 (a tolerance below rounding) as the test they belong to.
_COMMON = {0: -1, 1: 2, 2: 3, 3: 4, 4: 1, 5: 0, 6: 2, 7: 3, 8: 1}
_TERMINATION = {
    -1: "Improper input parameters status returned from `leastsq`",
    0: "The maximum number of function evaluations is exceeded.",
    1: "`gtol` termination condition is satisfied.",
    2: "`ftol` termination condition is satisfied.",
    3: "`xtol` termination condition is satisfied.",
    4: "Both `ftol` and `xtol` termination conditions are satisfied.",
}


def minpack_message(status: int, call: Call) -> str:
    """MINPACK's words for its codes, as `leastsq` gives them."""
    f, x, g = call["ftol"], call["xtol"], call["gtol"]
    both = "Both actual and predicted relative reductions in the sum of squares\n  are at most"
    return {
        0: "Improper input parameters.",
        1: f"{both} {f:f}",
        2: f"The relative error between two consecutive iterates is at most {x:f}",
        3: f"{both} {f:f} and the relative error between two consecutive iterates is at \n  most {x:f}",
        4: f"The cosine of the angle between func(x) and any column of the\n  Jacobian is at most {g:f} in "
        "absolute value",
        5: f"Number of calls to function has reached maxfev = {call['maxfev']}.",
        6: f"ftol={f:f} is too small, no further reduction in the sum of squares\n  is possible.",
        7: f"xtol={x:f} is too small, no further improvement in the approximate\n  solution is possible.",
        8: f"gtol={g:f} is too small, func(x) is orthogonal to the columns of\n  the Jacobian to machine precision.",
    }[status]


def run_lm(
    fun: Any, x0: Any, args: Any, jac: Any, method: LM, col_deriv: bool = False, error: Any = TypeError
) -> dict[str, Any]:
    """The engine on SciPy's conventions: residuals of at most one axis, at least as many as parameters."""

    def residuals(x, *a):
        out = jnp.atleast_1d(as_array(fun(x, *a)))
        if out.ndim != 1 or out.size < x.size:
            raise TypeError(
                f"Improper input: func input vector length N={x.size} must not exceed func output vector length "
                f"M={out.shape[0]}, and func must return one axis; it returns shape {out.shape}"
            )
        return out

    def derivative(x, *a):
        matrix = jnp.atleast_2d(as_array(jac(x, *a)))
        matrix = matrix.T if col_deriv else matrix
        expected = (residuals(x, *a).size, x.size)
        if matrix.shape != expected:
            raise error(
                f"there is a mismatch between the input and output shape of the Jacobian: its shape should be "
                f"{expected} but it is {matrix.shape}"
            )
        return matrix

    result = engine.__wrapped__(residuals, x0, args, method, jac=None if jac is None else derivative)
    return result._asdict()


# --- least_squares ---------------------------------------------------------------------------


def _prepare(call: Call) -> None:
    need_callable(call, "fun")
    if call["method"] != "lm":
        raise HostRoute(Reason.METHOD, f"method={call['method']!r}")
    for name, plain in (("loss", "linear"), ("jac_sparsity", None), ("callback", None), ("verbose", 0)):
        if call[name] is not plain and call[name] != plain:
            raise HostRoute(Reason.OPTION, f"{name}={call[name]!r}")
    bounds = call["bounds"]
    if not (isinstance(bounds, tuple) and len(bounds) == 2 and np.all(np.isinf(bounds[0]) & np.isinf(bounds[1]))):
        raise HostRoute(Reason.OPTION, "bounds")
    if not callable(call["jac"]) and call["jac"] not in ("2-point", "3-point", "cs"):
        raise ValueError(f"`jac` must be '2-point', '3-point', 'cs' or callable, got {call['jac']!r}.")
    call["given"] = callable(call["jac"])
    call["jac"] = call["jac"] if call["given"] else None
    if call["max_nfev"] is not None and call["max_nfev"] <= 0:
        raise ValueError(f"`max_nfev` must be None or positive integer, got {call['max_nfev']!r}.")
    _start(call)
    call["args"] = tuple(call["args"])  # unlike its siblings, least_squares takes any sequence
    bind_arguments(call, "fun", "jac", kwargs="kwargs")
    for name in ("ftol", "xtol", "gtol"):
        tolerance = call[name]
        if tolerance is None or (not is_jax(tolerance) and tolerance < np.finfo(float).eps):
            raise ValueError(
                "All tolerances must be higher than machine epsilon "
                f"({np.finfo(float).eps:.2e}) for method 'lm', got {name}={tolerance!r}."
            )
    n = call["x0"].size
    call["maxfev"] = 100 * n if call["max_nfev"] is None else int(call["max_nfev"])
    call["diag"] = _inverse_scale(call["x_scale"], n)


def _start(call: Call) -> None:
    x0 = call["x0"]
    if np.ndim(x0) > 1:
        raise ValueError(f"`x0` must have at most 1 dimension, got {np.ndim(x0)}.")
    flat_start(call)


def _inverse_scale(scale: Any, n: int) -> Any:
    if scale is None or (isinstance(scale, str) and scale == "jac"):
        return None
    if is_jax(scale):
        return 1 / jnp.broadcast_to(scale, (n,))
    try:
        scale = np.asarray(scale, float)
        valid = np.isfinite(scale).all() and (scale > 0).all()
    except (ValueError, TypeError):
        valid = False
    if not valid:
        raise ValueError("`x_scale` must be 'jac' or array_like with positive numbers.")
    if scale.shape not in ((), (n,)):
        raise ValueError(f"Inconsistent shapes between `x_scale` {scale.shape} and `x0` {(n,)}.")
    return np.broadcast_to(1 / scale, (n,)).copy()


def _finish(call: Call, out: dict[str, Any]) -> OptimizeResult:
    if out["status"] == 0:
        raise ValueError("Residuals are not finite in the initial point.")
    status = _COMMON[int(out["status"])]
    gradient = out["jac"].T @ out["fun"]
    return OptimizeResult(
        x=out["x"],
        cost=0.5 * (out["fun"] @ out["fun"]),
        fun=out["fun"],
        jac=out["jac"],
        grad=gradient,
        optimality=np.abs(gradient).max(),
        active_mask=np.zeros(out["x"].shape, int),
        nfev=int(out["nfev"]),
        njev=int(out["njev"]) if call["given"] else None,
        status=status,
        message=_TERMINATION[status],
        success=status > 0,
    )


def _finish_jax(call: Call, out: dict[str, Any]) -> OptimizeResult:
    table = jnp.asarray([_COMMON[k] for k in range(9)])
    gradient = out["jac"].T @ out["fun"]
    status = table[out["status"]]
    return OptimizeResult(
        x=out["x"],
        cost=0.5 * jnp.sum(out["fun"] ** 2),
        fun=out["fun"],
        jac=out["jac"],
        grad=gradient,
        optimality=jnp.max(jnp.abs(gradient)),
        active_mask=jnp.zeros(out["x"].shape, jnp.int32),
        nfev=out["nfev"],
        njev=out["njev"],
        status=status,
        success=status > 0,
    )


_TIMES = np.linspace(0.0, 2.0, 9)
_DATA = 2.5 * np.exp(-1.3 * _TIMES) + 0.01 * np.cos(7 * _TIMES)


@users
def _decay(p: Any, data: Any) -> Any:
    return p[0] * np.exp(-p[1] * _TIMES) - data


@users
def _shifted(p: Any, shift: Any, rate: Any) -> Any:
    return p[0] * np.exp(-p[1] * rate * _TIMES) + shift - _DATA


_TIGHT: dict[str, Any] = {"rtol": 1e-6, "atol": 1e-7, "grad_rtol": 1e-4, "grad": ("args",), "vmap": ("args", "x0")}


@implements(
    "scipy.optimize.least_squares",
    callables={"fun": example_point, "jac": example_point},
    trees=("args",),
    dtypes={"x0": "float", "args": "keep", "maxfev": "keep"},
    prepare=_prepare,
    finish=_finish,
    finish_jax=_finish_jax,
    examples=lambda: [
        Example(
            args=(_shifted, np.array([1.0, 1.0])),
            kwargs={"method": "lm", "args": np.array([0.1, 1.2]), "ftol": 1e-14, "xtol": 1e-14, "gtol": 1e-14},
            output=lambda r: (r["x"], r["cost"], r["fun"]),
            **_TIGHT,
        )
    ],
    note="methods trf (the default) and dogbox, bounds, robust losses, sparse Jacobians, callbacks.",
)
def least_squares(fun, x0, args, jac, ftol, xtol, gtol, maxfev, diag):
    """Solve a nonlinear least-squares problem (``method="lm"``).

    Without a callable `jac` the exact Jacobian of `fun` is used. The solution, the residuals and the Jacobian are
    differentiable with respect to `args` and what `fun` closes over, by the implicit function theorem on
    ``J^T r = 0`` with the full Hessian. With JAX arrays the result is an `OptimizeResult` of arrays.

    References
    ----------
    J. J. More, "The Levenberg-Marquardt algorithm: implementation and theory", 1978.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import least_squares
    >>> t = np.linspace(0, 1, 8)
    >>> fit = least_squares(lambda p: p[0] * np.exp(-p[1] * t) - 2 * np.exp(-t / 2), np.ones(2), method="lm")
    >>> fit.x.round(6).tolist()
    [2.0, 0.5]
    """
    eps = jnp.finfo(x0.dtype).eps

    def tolerance(value):
        return jnp.maximum(jnp.asarray(value, x0.dtype), eps)

    def residuals(x, *a):
        out = jnp.atleast_1d(as_array(fun(x, *a)))
        if out.ndim != 1:
            raise ValueError(f"`fun` must return at most 1-d array_like. f0.shape: {out.shape}")
        if out.size < x.size:
            raise ValueError(
                "Method 'lm' doesn't work when the number of residuals is less than the number of variables."
            )
        return out

    method = LM(tolerance(ftol), tolerance(xtol), tolerance(gtol), maxfev, 100.0, diag)
    return run_lm(residuals, x0, args, jac, method, error=ValueError)


# --- leastsq ---------------------------------------------------------------------------------


def _prepare_leastsq(call: Call) -> None:
    need_callable(call, "func")
    flat_start(call)
    call["fun"], call["jac"] = call["func"], call["Dfun"]
    bind_arguments(call, "fun", "jac")
    call["col_deriv"] = bool(call["col_deriv"])
    n = call["x0"].size
    if not call["maxfev"]:
        call["maxfev"] = (200 if call["jac"] is None else 100) * (n + 1)
    if call["diag"] is not None and not is_jax(call["diag"]):
        call["diag"] = np.asarray(call["diag"], float)
        if call["diag"].shape != (n,) or not (call["diag"] > 0).all():
            raise HostRoute(Reason.OPTION, "diag is not a vector of positive numbers")


def covariance(jac: np.ndarray) -> tuple[np.ndarray | None, np.ndarray, np.ndarray, np.ndarray]:
    """Inverse of ``J^T J``, or None where it is singular; and the pivoted QR it is made from."""
    q, r, pivots = scipy.linalg.qr(jac, mode="economic", pivoting=True)
    inverse, info = scipy.linalg.lapack.dtrtri(r)
    if info != 0 or not np.isfinite(inverse).all():
        return None, q, r, pivots
    inverse[pivots] = inverse.copy()
    return inverse @ inverse.T, q, r, pivots


def minpack_info(out: dict[str, Any], q: np.ndarray, r: np.ndarray, pivots: np.ndarray) -> dict[str, Any]:
    """The ``infodict`` of MINPACK: the pivoted QR factors of the final Jacobian."""
    m, n = out["jac"].shape
    fjac = np.zeros((n, m))
    fjac[:, :n] = r.T
    return {
        "fvec": out["fun"],
        "nfev": int(out["nfev"]),
        "fjac": fjac,
        "ipvt": pivots.astype(np.int32),
        "qtf": q.T @ out["fun"],
    }


def _finish_leastsq(call: Call, out: dict[str, Any]) -> Any:
    status = int(out["status"])
    message = minpack_message(status, call)
    if call["full_output"]:
        inverse, q, r, pivots = covariance(out["jac"]) if status else (None, *(np.zeros((0, 0)),) * 3)
        if status == 0:
            raise TypeError("Improper input parameters: the residuals are not finite at x0.")
        info = minpack_info(out, q, r, pivots)
        if call["jac"] is not None:
            info["njev"] = int(out["njev"])
        return out["x"], inverse if status in (1, 2, 3, 4) else None, info, message, status
    if status in (5, 6, 7, 8):
        warn_user(message, RuntimeWarning)
    elif status == 0:
        raise TypeError("Improper input parameters: the residuals are not finite at x0.")
    return out["x"], status


def _finish_leastsq_jax(call: Call, out: dict[str, Any]) -> Any:
    if not call["full_output"]:
        return out["x"], out["status"]
    r = jnp.linalg.qr(out["jac"], mode="r")
    inverse = jnp.linalg.inv(r)
    info = {"fvec": out["fun"], "nfev": out["nfev"], "njev": out["njev"], "fjac": out["jac"]}
    return out["x"], inverse @ inverse.T, info, None, out["status"]


@implements(
    "scipy.optimize.leastsq",
    callables={"fun": example_point, "jac": example_point},
    trees=("args",),
    dtypes={"x0": "float", "args": "keep", "maxfev": "keep"},
    static=("col_deriv",),
    prepare=_prepare_leastsq,
    finish=_finish_leastsq,
    finish_jax=_finish_leastsq_jax,
    examples=lambda: [
        Example(
            args=(_decay, np.array([1.0, 1.0]), _DATA),
            kwargs={"ftol": 1e-14, "xtol": 1e-14},
            output=lambda r: r[0],
            skip_odd=("nan", "inf"),  # MINPACK returns NaN as a success; ours raises TypeError
            **_TIGHT,
        )
    ],
)
def leastsq(fun, x0, args, jac, ftol, xtol, gtol, maxfev, factor, diag, col_deriv):
    """Minimise the sum of squares of a set of equations (MINPACK's Levenberg-Marquardt).

    Without `Dfun` the exact Jacobian of `func` is used; `epsfcn` has no meaning then, and ``nfev`` counts no
    evaluations for differences. Residuals that are not finite at `x0` raise TypeError.
    The solution is differentiable with respect to `args` and what `func` closes over. With JAX arrays
    ``mesg`` is None and the infodict holds ``fvec``, ``nfev``, ``njev`` and the Jacobian as ``fjac``.

    References
    ----------
    J. J. More, "The Levenberg-Marquardt algorithm: implementation and theory", 1978.

    Examples
    --------
    >>> from sci.optimize import leastsq
    >>> x, status = leastsq(lambda x: 2 * (x - 3) ** 2 + 1, 0)
    >>> x.round(4).tolist()
    [3.0]
    """
    return run_lm(fun, x0, args, jac, LM(ftol, xtol, gtol, maxfev, factor, diag, False), col_deriv)
