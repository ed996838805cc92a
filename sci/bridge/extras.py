"""Extra arguments of users' functions: traced where they are numbers, bound into the functions where they are not."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from sci.bridge.reasons import HostRoute, Reason

__all__ = ["bind_arguments", "bind_last", "traceable"]


def traceable(arguments: Any) -> bool:
    """Whether extra arguments may be traced: integers and flags are often sizes and switches."""
    return all(
        isinstance(leaf, (float, complex)) or getattr(getattr(leaf, "dtype", None), "kind", "") in ("f", "c", "V")
        for leaf in jax.tree_util.tree_leaves(arguments)
    )


def bind_last(function: Any, extra: tuple[Any, ...], named: Mapping[str, Any] | None = None) -> Any:
    """``function`` with its last positional arguments, and some by name, fixed."""
    named = named or {}

    @functools.wraps(function, updated=())
    def bound(*args: Any) -> Any:
        return function(*args, *extra, **named)

    return bound


def bind_arguments(call: Any, *functions: str, args: str = "args", kwargs: str | None = None) -> None:
    """Make ``call[args]`` a tuple of arrays; what cannot be traced is bound into the functions instead.

    Parameters
    ----------
    call : Call
    *functions : str
        Names of the user's functions that take the extra arguments after their own.
    args, kwargs : str
        Names of the positional and keyword extra arguments.
    """
    extra = call[args] if isinstance(call[args], tuple) else (call[args],)
    named = dict(call[kwargs] or {}) if kwargs else {}
    if not named and traceable(extra):
        call[args] = extra
        return
    if any(isinstance(leaf, np.ndarray) and leaf.dtype == object for leaf in jax.tree_util.tree_leaves(extra)):
        raise HostRoute(Reason.OBJECT, f"argument {args!r}")
    for name in functions:
        if callable(call[name]):
            call[name] = bind_last(call[name], extra, named)
    call[args] = ()
