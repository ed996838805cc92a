"""What the families share: extra arguments of user functions, warnings at the user's line."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from sci.bridge.worlds import is_jax

__all__ = ["bind_last", "differentiable", "inside"]


def differentiable(leaf: Any) -> bool:
    """Whether an extra argument may be traced: integers and flags are often sizes and switches."""
    return isinstance(leaf, (float, complex)) or getattr(getattr(leaf, "dtype", None), "kind", "") in ("f", "c", "V")


def bind_last(function: Any, extra: tuple[Any, ...]) -> Any:
    """``function`` with its last arguments fixed."""

    @functools.wraps(function, updated=())
    def bound(*args: Any) -> Any:
        return function(*args, *extra)

    return bound


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
