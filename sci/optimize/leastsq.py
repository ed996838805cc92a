"""`leastsq`, and MINPACK's conventions that `curve_fit` shares."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import scipy.linalg

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, warn_user
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, example_point, flat_start, need_callable, users
from solvers.least_squares import LM
from solvers.least_squares import least_squares as engine

__all__ = ["covariance", "leastsq", "minpack_info", "minpack_message", "run_lm"]


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
    fun: Any, x0: Any, args: Any, jac: Any, method: LM, col_deriv: bool = False, error: Any = TypeError, costs=False
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
    out = result._asdict()
    if costs:
        return out | {"grad": out["jac"].T @ out["fun"]}
    return {name: value for name, value in out.items() if name not in ("cost", "optimality", "side")}


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


_TIMES = np.linspace(0.0, 2.0, 9)
_DATA = 2.5 * np.exp(-1.3 * _TIMES) + 0.01 * np.cos(7 * _TIMES)


@users
def _decay(p: Any, data: Any) -> Any:
    return p[0] * np.exp(-p[1] * _TIMES) - data


_TIGHT: dict[str, Any] = {"rtol": 1e-6, "atol": 1e-7, "grad_rtol": 1e-4, "grad": ("args",), "vmap": ("args", "x0")}


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
