"""Bounds as users give them: pairs with None, or a `scipy.optimize.Bounds`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.optimize import Bounds

from sci.bridge import HostRoute, Reason
from sci.bridge.worlds import is_jax

__all__ = ["two_vectors"]


def two_vectors(bounds: Any, x0: Any) -> tuple[Any, Any] | None:
    """Lower and upper bounds of the shape of `x0`; infinite where there is none.

    Raises
    ------
    ValueError
        As SciPy: a lower bound above the upper one, or a number of bounds that is not the start's.
    """
    if bounds is None:
        return None
    if isinstance(bounds, Bounds):
        if np.any(bounds.keep_feasible):
            raise HostRoute(Reason.OPTION, "bounds with keep_feasible")
        lower, upper = bounds.lb, bounds.ub
    else:
        try:
            pairs = [(low, high) for low, high in bounds]
        except (TypeError, ValueError):
            raise HostRoute(Reason.OPTION, f"bounds={bounds!r}") from None
        if not pairs:
            raise HostRoute(Reason.OPTION, "no bounds")
        lower = [-np.inf if low is None else low for low, _ in pairs]
        upper = [np.inf if high is None else high for _, high in pairs]
    if is_jax(lower) or is_jax(upper) or is_jax(x0):
        lower, upper = (jnp.stack([jnp.asarray(v, x0.dtype).reshape(()) for v in side]) if isinstance(side, list)
                        else jnp.asarray(side, x0.dtype) for side in (lower, upper))  # fmt: skip
    else:
        lower, upper = (
            np.array([float(np.asarray(v).item()) for v in side]) if isinstance(side, list) else np.asarray(side, float)
            for side in (lower, upper)
        )
        if np.any(upper < lower):
            raise ValueError("An upper bound is less than the corresponding lower bound.")
    if np.shape(lower) not in ((), (1,), np.shape(x0)) or np.shape(upper) not in ((), (1,), np.shape(x0)):
        raise ValueError("The number of bounds is not compatible with the length of `x0`.")
    xp = jnp if is_jax(lower) or is_jax(upper) else np
    return xp.broadcast_to(lower, np.shape(x0)), xp.broadcast_to(upper, np.shape(x0))
