"""Options that `least_squares` and `curve_fit` share: bounds, scales, losses, tolerances; and the engine behind."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import Bounds

from sci.bridge import Call, HostRoute, Reason, as_array, warn_user
from sci.bridge.worlds import is_jax
from solvers.least_squares import LOSSES, TRF, Dogbox, Loss
from solvers.least_squares import least_squares as engine

__all__ = ["TERMINATION", "Region", "prepare_bounds", "prepare_loss", "prepare_region", "run_region"]

EPS = float(np.finfo(float).eps)
TERMINATION = {
    -1: "Improper input parameters status returned from `leastsq`",
    0: "The maximum number of function evaluations is exceeded.",
    1: "`gtol` termination condition is satisfied.",
    2: "`ftol` termination condition is satisfied.",
    3: "`xtol` termination condition is satisfied.",
    4: "Both `ftol` and `xtol` termination conditions are satisfied.",
}


class Region(NamedTuple):
    """The options of the bounded methods that `prepare_region` makes entries of a call, parameters of the bodies."""

    lower: Any
    upper: Any
    scale: Any
    by_jacobian: bool
    loss_name: str
    rho: Any
    f_scale: Any


def prepare_bounds(bounds: Any, n: int) -> tuple[Any, Any, bool]:
    """Lower and upper bounds of n variables, and whether any is finite. SciPy's errors for wrong ones."""
    if isinstance(bounds, Bounds):
        pair = (bounds.lb, bounds.ub)
    elif len(bounds) == 2:
        pair = tuple(bounds)
    else:
        raise ValueError(f"`bounds` must contain 2 elements, got {len(bounds)}.")
    if is_jax(pair):
        return jnp.broadcast_to(jnp.asarray(pair[0]), (n,)), jnp.broadcast_to(jnp.asarray(pair[1]), (n,)), True
    low, high = (np.asarray(b, float) for b in pair)
    lower, upper = (np.resize(b, n) if b.ndim == 0 else b for b in (low, high))
    if lower.shape != (n,) or upper.shape != (n,):
        raise ValueError(f"Inconsistent shapes between bounds {lower.shape}, {upper.shape} and `x0` {(n,)}.")
    if (lower >= upper).any():
        raise ValueError("Each lower bound must be strictly less than each upper bound.")
    return lower, upper, bool((np.isfinite(lower) | np.isfinite(upper)).any())


def _tolerances(call: Call, options: dict[str, Any]) -> None:
    for name in ("ftol", "xtol", "gtol"):
        value = options.pop(name, 1e-8)
        if value is None:
            value = 0.0
        elif not is_jax(value) and value < EPS:
            warn_user(
                f"Setting `{name}` below the machine epsilon ({EPS:.2e}) effectively disables the corresponding "
                "termination condition.",
                UserWarning,
            )
        call[name] = value
    given = [call[name] for name in ("ftol", "xtol", "gtol")]
    if not is_jax(given) and max(given) < EPS:
        raise ValueError(f"At least one of the tolerances must be higher than machine epsilon ({EPS:.2e}).")


def prepare_loss(call: Call, options: dict[str, Any]) -> None:
    """The loss as a name, or as a callable to trace."""
    loss = options.pop("loss", "linear")
    if not callable(loss) and loss not in (*LOSSES, "linear"):
        raise ValueError(f"`loss` must be one of {['linear', *LOSSES]} or a callable, got {loss!r}.")
    call["loss_name"], call["rho"] = ("callable", loss) if callable(loss) else (loss, None)
    call["f_scale"] = options.pop("f_scale", 1.0)


def positive_scale(scale: Any, n: int) -> Any:
    """``x_scale`` as an array of n positive numbers."""
    if is_jax(scale):
        return jnp.broadcast_to(scale, (n,))
    try:
        scale = np.asarray(scale, float)
        valid = np.isfinite(scale).all() and (scale > 0).all()
    except (ValueError, TypeError):
        valid = False
    if not valid:
        raise ValueError("`x_scale` must be 'jac' or array_like with positive numbers.")
    if scale.shape not in ((), (n,)):
        raise ValueError(f"Inconsistent shapes between `x_scale` {scale.shape} and `x0` {(n,)}.")
    return np.broadcast_to(scale, (n,)).copy()


def prepare_region(call: Call, options: dict[str, Any], bounds: Any, n: int, start: str) -> None:
    """Take the options of the bounded methods out of `options` into entries of `call`.

    Parameters
    ----------
    call : Call
        ``call[start]`` is the start, checked against the bounds.
    options : dict
        Of `least_squares`' options those given; what stays in it was not known.
    bounds : Bounds or pair of array_like
    n : int
        Number of variables.
    start : str
    """
    for name, plain in (("jac_sparsity", None), ("callback", None), ("verbose", 0), ("tr_options", {})):
        value = options.pop(name, plain)
        if value is not None and value != plain:
            raise HostRoute(Reason.OPTION, f"{name}={value!r}")
    options.pop("diff_step", None)
    options.pop("workers", None)
    solver = options.pop("tr_solver", None)
    if solver not in (None, "exact", "lsmr"):
        raise ValueError(f"`tr_solver` must be None, 'exact' or 'lsmr', got {solver!r}.")
    prepare_loss(call, options)
    maxfev = options.pop("max_nfev", None)
    if maxfev is not None and maxfev <= 0:
        raise ValueError(f"`max_nfev` must be None or positive integer, got {maxfev!r}.")
    call["maxfev"] = 100 * n if maxfev is None else int(maxfev)
    lower, upper, bounded = prepare_bounds(bounds, n)
    x0 = call[start]
    if bounded and not is_jax((lower, upper, x0)) and not ((x0 >= lower) & (x0 <= upper)).all():
        raise ValueError(f"Initial guess is outside of provided bounds: {x0}")
    call["lower"], call["upper"] = (lower, upper) if bounded else (None, None)
    scale = options.pop("x_scale", None)
    call["by_jacobian"] = isinstance(scale, str) and scale == "jac"
    call["scale"] = None if scale is None or call["by_jacobian"] else positive_scale(scale, n)
    _tolerances(call, options)


def plain_region(call: Call) -> None:
    """The same entries where they have no meaning (method 'lm')."""
    call.update(lower=None, upper=None, scale=None, by_jacobian=False, loss_name="linear", rho=None, f_scale=1.0)


def loss_example(residuals: Any) -> Any:
    """Example argument of a user's loss: as many numbers as there are residuals."""

    def example(call: Call) -> tuple[Any, ...]:
        size = jax.eval_shape(lambda: as_array(residuals(call))).size
        return (np.linspace(0.1, 2.0, size) if call.numpy else jnp.linspace(0.1, 2.0, size),)

    return example


def _loss(name: str, rho: Any, f_scale: Any) -> Loss | None:
    if name == "linear":
        return None
    if name != "callable":
        return Loss(LOSSES[name], f_scale)

    def checked(z):
        out = as_array(rho(z))
        if out.shape != (3, z.size):
            raise ValueError(f"The return value of `loss` callable has wrong shape: {out.shape}, not {(3, z.size)}.")
        return out[0], out[1], out[2]

    return Loss(checked, f_scale)


def run_region(
    residuals: Any, x0: Any, args: Any, jac: Any, method: str, tolerances: tuple[Any, ...], region: Region
) -> dict[str, Any]:
    """Run TRF or dogbox.

    Parameters
    ----------
    residuals, jac : callable
    x0 : (n,) array
    args : tuple
    method : str
    tolerances : tuple
        ftol, xtol, gtol, maxfev.
    region : Region
    """
    solver = (TRF if method == "trf" else Dogbox)(*tolerances, scale=region.scale, by_jacobian=region.by_jacobian)
    bounds = None if region.lower is None else (region.lower, region.upper)
    loss = _loss(region.loss_name, region.rho, region.f_scale)

    def vector(x, *a):
        out = jnp.atleast_1d(residuals(x, *a))
        if out.ndim != 1:
            raise ValueError(f"`f0` passed has more than 1 dimension: {out.shape}.")
        return out

    result = engine.__wrapped__(vector, x0, args, solver, jac=jac, bounds=bounds, loss=loss)
    out = result._asdict()
    model = out["fun"] if loss is None else loss.model(out["fun"], jnp.zeros((out["fun"].size, 1)))[0]
    out["grad"] = out["jac"].T @ model
    return out
