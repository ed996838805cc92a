"""What the quadrature families share."""

from __future__ import annotations

from typing import Any

import numpy as np

from sci.bridge.worlds import is_jax

__all__ = ["inside"]


def inside(a: Any, b: Any) -> Any:
    """A point between two limits, for tracing: any point where they are not known."""
    if is_jax(a) or is_jax(b):
        return 0.61
    a, b = float(a), float(b)
    if np.isinf(a) and np.isinf(b):
        return 0.61
    if np.isinf(a) or np.isinf(b):
        end, other = (a, b) if np.isfinite(a) else (b, a)
        return end + np.copysign(0.61, other)
    return a + 0.61 * (b - a)
