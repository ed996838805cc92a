"""What the iterative families share: arguments of user functions, warnings at the user's line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sci.bridge import Call, HostRoute, Reason
from sci.bridge.extras import bind_arguments
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
