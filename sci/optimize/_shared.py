"""What the iterative families share: arguments of user functions, warnings at the user's line."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from sci.bridge import Call, HostRoute, Reason
from sci.bridge.worlds import is_jax

__all__ = [
    "bind_arguments",
    "example_point",
    "flat_start",
    "need_callable",
    "unknown_options",
    "users",
    "vector_function",
]


def unknown_options(options: Mapping[str, Any], known: frozenset[str]) -> str:
    """SciPy's message for options that a method does not have, or an empty string."""
    unknown = [str(k) for k in options if k not in known]
    return f"Unknown solver options: {', '.join(unknown)}" if unknown else ""


def need_callable(call: Call, *names: str) -> None:
    """Let the original raise its error where a function is not callable."""
    for name in names:
        if not callable(call[name]):
            raise HostRoute(Reason.OPTION, f"{name} is not callable")


def _differentiable(leaf: Any) -> bool:
    """Whether an extra argument may be traced: integers and flags are often sizes and switches."""
    return isinstance(leaf, float) or getattr(getattr(leaf, "dtype", None), "kind", "") in ("f", "V")


def bind_arguments(call: Call, *functions: str, args: str = "args", kwargs: str | None = None) -> None:
    """Make ``call[args]`` a tuple of arrays; what is not an array is bound into the functions instead.

    Parameters
    ----------
    call : Call
    *functions : str
        Names of the user's functions that take the extra arguments after the first one.
    args, kwargs : str
        Names of the positional and keyword extra arguments.
    """
    extra = call[args] if isinstance(call[args], tuple) else (call[args],)
    named = dict(call[kwargs] or {}) if kwargs else {}
    if not named and all(_differentiable(leaf) for leaf in jax.tree_util.tree_leaves(extra)):
        call[args] = extra
        return
    if any(isinstance(leaf, np.ndarray) and leaf.dtype == object for leaf in jax.tree_util.tree_leaves(extra)):
        raise HostRoute(Reason.OBJECT, f"argument {args!r}")
    for name in functions:
        if callable(call[name]):
            call[name] = _bound(call[name], extra, named)
    call[args] = ()


def _bound(function: Any, extra: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    @functools.wraps(function, updated=())
    def bound(x: Any) -> Any:
        return function(x, *extra, **named)

    return bound


def example_point(call: Call) -> tuple[Any, ...]:
    """Example arguments of a user function: the start and the extra arguments."""
    return (call["x0"], *call["args"])


def flat_start(call: Call, name: str = "x0") -> None:
    """The start as a flat array of doubles, as MINPACK's interfaces take it."""
    value = call[name]
    if is_jax(value):
        import jax.numpy as jnp

        call[name] = jnp.ravel(jnp.asarray(value))
        return
    value = np.asarray(value)
    if value.dtype.kind not in "biuf" or value.size == 0:
        raise HostRoute(Reason.DTYPE, f"argument {name!r} has dtype {value.dtype} and shape {value.shape}")
    call[name] = value.ravel().astype(float)


def users(function: Any) -> Any:
    """Mark a function of ours as a user's, for examples: the tracer takes what lives in `sci` for known."""
    function.__module__ = "user"
    return function


def vector_function(function: Any, who: str, argument: str, expected: Any) -> Any:
    """A user's vector function, checked for SciPy's output shape when it is traced.

    Parameters
    ----------
    function : callable
        The traced user function.
    who, argument : str
        SciPy's names for its message.
    expected : callable
        ``expected(x)``: the shape the output must have, or None for any vector.
    """
    import jax.numpy as jnp

    from sci.bridge import as_array

    def checked(x: Any, *args: Any) -> Any:
        out = jnp.atleast_1d(as_array(function(x, *args)))
        shape = expected(x)
        if shape is not None and out.shape != shape:
            raise TypeError(
                f"{who}: there is a mismatch between the input and output shape of the '{argument}' argument "
                f"{getattr(function, '__name__', '')!r}.Shape should be {shape} but it is {out.shape}."
            )
        return out

    return checked
