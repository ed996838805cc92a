"""The host route: calls that run on the original library."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from sci.bridge.adaptive import note_route
from sci.bridge.reasons import HostOnlyError, Reason, record_host
from sci.bridge.worlds import is_jax, is_traced, to_host

__all__ = ["call_original", "host_function"]


def call_original(bridge: Any, call: Any, reason: Reason, detail: str = "") -> Any:
    """Run a call of a registered function on the original, with the arguments as they were given."""
    try:
        original = bridge.resolve()
    except ImportError:
        package = bridge.name.partition(".")[0]
        raise NotImplementedError(f"{bridge.name}: {reason.value} ({detail}), and {package} is not installed") from None
    kwargs = {k: v for k, v in call.kwargs.items() if k not in bridge.extra_names}
    return run_on_host(bridge.name, original, call.args, kwargs, reason, detail)


def run_on_host(
    name: str,
    original: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    reason: Reason,
    detail: str = "",
) -> Any:
    """Call the original, recorded. Concrete JAX arrays go in and come out as JAX arrays.

    Raises
    ------
    HostOnlyError
        Where an argument is traced: there is no number to hand to the original.
    """
    if is_traced(args) or is_traced(kwargs):
        why = f"{reason.value} ({detail})" if detail else reason.value
        raise HostOnlyError(
            f"{name} was given a traced JAX value (inside jit, vmap or grad), and this call runs only on the "
            f"original library: {why}. Call it outside the transformation, or use jax.pure_callback."
        )
    record_host(name, reason, detail)
    note_route()
    if is_jax(args) or is_jax(kwargs):
        result = original(*to_host(args), **to_host(kwargs))
        return jax.tree_util.tree_map(_to_device, result)
    return original(*args, **kwargs)


def _to_device(value: Any) -> Any:
    import jax.numpy as jnp

    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufc":
        return jnp.asarray(value)
    return value


def host_function(name: str, original: Callable[..., Any], module: str) -> Callable[..., Any]:
    """A public function that is not native yet: the original, recorded and safe against tracers."""

    def function(*args: Any, **kwargs: Any) -> Any:
        return run_on_host(name, original, args, kwargs, Reason.NOT_NATIVE)

    functools.update_wrapper(function, original)
    function.__name__ = function.__qualname__ = name.rpartition(".")[2]
    function.__module__ = module
    function.__host__ = True  # type: ignore[attr-defined]
    if isinstance(original, np.ufunc):
        return HostUfunc(name, original, function)  # type: ignore[return-value]
    return function


class HostUfunc:
    """A ufunc that is not native yet. Its attributes and methods are the original's."""

    __host__ = True

    def __init__(self, name: str, original: np.ufunc, function: Callable[..., Any]) -> None:
        self._name, self._original, self._function = name, original, function
        self.__name__ = self.__qualname__ = original.__name__
        self.__module__ = function.__module__
        self.__doc__ = original.__doc__
        self.__wrapped__ = original

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        return getattr(self._original, attribute)

    def __repr__(self) -> str:
        return f"<ufunc {self._name!r} on the host>"

    def __reduce__(self) -> str:
        return self.__name__
