"""`least_squares`: Levenberg-Marquardt, trust-region reflective and dogbox on JAX."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.optimize import OptimizeResult

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, example_point, flat_start, need_callable, users
from sci.optimize.leastsq import run_lm
from sci.optimize.lsq_options import (
    EPS,
    TERMINATION,
    Region,
    loss_example,
    plain_region,
    positive_scale,
    prepare_bounds,
    prepare_loss,
    prepare_region,
    run_region,
)
from solvers.least_squares import LM

__all__ = ["least_squares"]

# MINPACK's codes in least_squares' numbering; 6 to 8 (a tolerance below rounding) as the test they belong to.
_COMMON = {0: -1, 1: 2, 2: 3, 3: 4, 4: 1, 5: 0, 6: 2, 7: 3, 8: 1}
_OPTIONS = (
    "ftol",
    "xtol",
    "gtol",
    "x_scale",
    "loss",
    "f_scale",
    "diff_step",
    "tr_solver",
    "tr_options",
    "jac_sparsity",
    "max_nfev",
    "verbose",
    "callback",
    "workers",
)


def _prepare(call: Call) -> None:
    need_callable(call, "fun")
    method = call["method"]
    if method not in ("trf", "dogbox", "lm"):
        raise ValueError(f"`method` must be 'trf', 'dogbox' or 'lm', got {method!r}.")
    if not callable(call["jac"]) and call["jac"] not in ("2-point", "3-point", "cs"):
        raise ValueError(f"`jac` must be '2-point', '3-point', 'cs' or callable, got {call['jac']!r}.")
    call["given"] = callable(call["jac"])
    call["jac"] = call["jac"] if call["given"] else None
    _start(call)
    call["args"] = tuple(call["args"])  # unlike its siblings, least_squares takes any sequence
    bind_arguments(call, "fun", "jac", kwargs="kwargs")
    options = {name: call[name] for name in _OPTIONS}
    if method == "lm":
        _prepare_lm(call, options)
    else:
        prepare_region(call, options, call["bounds"], call["x0"].size, "x0")
        call["diag"] = None


def _prepare_lm(call: Call, options: dict[str, Any]) -> None:
    prepare_loss(call, options)
    if call["loss_name"] != "linear":
        raise ValueError("method='lm' supports only 'linear' loss function.")
    for name, plain in (("jac_sparsity", None), ("callback", None), ("verbose", 0)):
        if options[name] is not plain and options[name] != plain:
            raise HostRoute(Reason.OPTION, f"{name}={options[name]!r}")
    n = call["x0"].size
    if prepare_bounds(call["bounds"], n)[2]:
        raise ValueError("Method 'lm' doesn't support bounds.")
    maxfev = options["max_nfev"]
    if maxfev is not None and maxfev <= 0:
        raise ValueError(f"`max_nfev` must be None or positive integer, got {maxfev!r}.")
    for name in ("ftol", "xtol", "gtol"):
        tolerance = call[name]
        if tolerance is None or (not is_jax(tolerance) and tolerance < EPS):
            raise ValueError(
                f"All tolerances must be higher than machine epsilon ({EPS:.2e}) for method 'lm', "
                f"got {name}={tolerance!r}."
            )
    call["maxfev"] = 100 * n if maxfev is None else int(maxfev)
    scale = options["x_scale"]
    by_jacobian = scale is None or (isinstance(scale, str) and scale == "jac")
    plain_region(call)
    call["diag"] = None if by_jacobian else 1 / positive_scale(scale, n)


def _start(call: Call) -> None:
    x0 = call["x0"]
    if np.ndim(x0) > 1:
        raise ValueError(f"`x0` must have at most 1 dimension, got {np.ndim(x0)}.")
    if np.iscomplexobj(x0):
        raise ValueError("`x0` must be real.")
    flat_start(call)


def _finish(call: Call, out: dict[str, Any]) -> OptimizeResult:
    lm = call["method"] == "lm"
    status = _COMMON[int(out["status"])] if lm else int(out["status"])
    if status == -1:
        raise ValueError("Residuals are not finite in the initial point.")
    mask = out["side"].astype(int)
    return OptimizeResult(
        x=out["x"],
        cost=out["cost"],
        fun=out["fun"],
        jac=out["jac"],
        grad=out["grad"],
        optimality=out["optimality"],
        active_mask=mask.astype(float) if call["method"] == "trf" and call["lower"] is None else mask,
        nfev=int(out["nfev"]),
        njev=int(out["njev"]) if call["given"] or not lm else None,
        status=status,
        message=TERMINATION[status],
        success=status > 0,
    )


def _finish_jax(call: Call, out: dict[str, Any]) -> OptimizeResult:
    status = out["status"]
    if call["method"] == "lm":
        status = jnp.asarray([_COMMON[k] for k in range(9)])[status]
    names = ("x", "cost", "fun", "jac", "grad", "optimality", "nfev", "njev")
    return OptimizeResult(
        {name: out[name] for name in names}, active_mask=out["side"], status=status, success=status > 0
    )


_TIMES = np.linspace(0.0, 2.0, 9)
_DATA = 2.5 * np.exp(-1.3 * _TIMES) + 0.01 * np.cos(7 * _TIMES)


@users
def _shifted(p: Any, shift: Any, rate: Any) -> Any:
    return p[0] * np.exp(-p[1] * rate * _TIMES) + shift - _DATA


_TIGHT: dict[str, Any] = {"rtol": 1e-6, "atol": 1e-7, "grad_rtol": 1e-4, "grad": ("args",), "vmap": ("args", "x0")}
_CLOSE = {"args": np.array([0.1, 1.2]), "ftol": 1e-14, "xtol": 1e-14, "gtol": 1e-14}


def _examples() -> list[Example]:
    start = np.array([1.0, 1.0])
    bounded = {"bounds": ([0.0, 0.0], [2.0, 9.0]), "loss": "soft_l1", "f_scale": 0.5, "method": "trf"}
    return [
        Example((_shifted, start), _CLOSE | options, output=lambda r: (r["x"], r["cost"], r["fun"]), **_TIGHT)
        for options in ({"method": "lm"}, bounded)
    ]


@implements(
    "scipy.optimize.least_squares",
    callables={
        "fun": example_point,
        "jac": example_point,
        "rho": loss_example(lambda call: call["fun"](call["x0"], *call["args"])),
    },
    trees=("args",),
    dtypes={"x0": "float", "args": "keep", "maxfev": "keep"},
    static=("method", "by_jacobian", "loss_name"),
    prepare=_prepare,
    finish=_finish,
    finish_jax=_finish_jax,
    examples=_examples,
    note="sparse Jacobians, callbacks, verbose, tr_options.",
)
def least_squares(
    fun,
    x0,
    args,
    jac,
    method,
    ftol,
    xtol,
    gtol,
    maxfev,
    diag,
    lower,
    upper,
    scale,
    by_jacobian,
    loss_name,
    rho,
    f_scale,
):
    """Solve a nonlinear least-squares problem, within bounds and with robust losses.

    Without a callable `jac` the exact Jacobian of `fun` is used. ``tr_solver="lsmr"`` solves the same subproblem
    exactly. The solution, the residuals and the Jacobian are differentiable with respect to `args`, the bounds and
    what `fun` closes over, by the implicit function theorem with the full Hessian; a variable at an active bound
    moves with it. With JAX arrays the result is an `OptimizeResult` of arrays.

    References
    ----------
    J. J. More, "The Levenberg-Marquardt algorithm: implementation and theory", 1978. M. A. Branch, T. F. Coleman,
    Y. Li, "A subspace, interior, and conjugate gradient method for large-scale bound-constrained minimization
    problems", 1999. C. Voglis, I. E. Lagaris, "A rectangular trust region dogleg approach", 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import least_squares
    >>> t = np.linspace(0, 1, 8)
    >>> fit = least_squares(lambda p: p[0] * np.exp(-p[1] * t) - 2 * np.exp(-t / 2), np.ones(2), bounds=(0, 5))
    >>> fit.x.round(6).tolist()
    [2.0, 0.5]
    """
    eps = jnp.finfo(x0.dtype).eps

    def residuals(x, *a):
        out = jnp.atleast_1d(as_array(fun(x, *a)))
        if out.ndim != 1:
            raise ValueError(f"`fun` must return at most 1-d array_like. f0.shape: {out.shape}")
        if method == "lm" and out.size < x.size:
            raise ValueError(
                "Method 'lm' doesn't work when the number of residuals is less than the number of variables."
            )
        return out

    if method == "lm":
        tolerances = (jnp.maximum(jnp.asarray(value, x0.dtype), eps) for value in (ftol, xtol, gtol))
        return run_lm(residuals, x0, args, jac, LM(*tolerances, maxfev, 100.0, diag), error=ValueError, costs=True)

    def jacobian(x, *a):
        matrix = jnp.atleast_2d(as_array(jac(x, *a)))
        expected = (residuals(x, *a).size, x.size)
        if matrix.shape != expected:
            raise ValueError(f"The return value of `jac` has wrong shape: expected {expected}, actual {matrix.shape}.")
        return matrix

    region = Region(lower, upper, scale, by_jacobian, loss_name, rho, f_scale)
    given = None if jac is None else jacobian
    return run_region(residuals, x0, args, given, method, (ftol, xtol, gtol, maxfev), region)
