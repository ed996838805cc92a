"""What stands in user code under an original's name: a function that looks like it and runs ours."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from sci.bridge import current_policy
from sci.bridge.adaptive import last_call
from sci.bridge.reasons import Reason, host_calls, latest_reason
from sci.bridge.registry import Entry, lookup

__all__ = ["COLD", "host_reason", "observe", "redirected"]

#: The policy `adaptive` has left the call on the original so far.
COLD = "COLD"

Observer = Callable[[Entry, tuple[Any, ...], dict[str, Any]], Any]

_functions: dict[str, Any] = {}
_observer: Observer | None = None
_lock = threading.Lock()


def observe(observer: Observer | None) -> None:
    """Let ``observer(entry, args, kwargs)`` make every redirected call (the profile, the verification)."""
    global _observer
    _observer = observer


def host_reason(before: int) -> Reason | str | None:
    """Why the call just made ran on the original, None if on ours; `before` is what `host_calls` said before it."""
    if host_calls() > before:
        return latest_reason()
    return COLD if current_policy() == "adaptive" and last_call()[0] == "host" else None


def redirected(entry: Entry, original: Callable[..., Any]) -> Callable[..., Any]:
    """The stand-in for `original`; the same object each time, so that identity tests hold.

    Name, documentation and signature are the original's. It is pickled by reference to this module, and is
    found again by every process that can import `sci`.
    """
    found = _functions.get(entry.name)
    if found is None or found.__sci_redirects__ is not original:
        with _lock:
            found = _functions[entry.name] = _make(entry, original)
    return found


def _make(entry: Entry, original: Callable[..., Any]) -> Any:
    bridge = entry.facts

    def function(*args: Any, **kwargs: Any) -> Any:
        if _observer is not None:
            return _observer(entry, args, kwargs)
        return bridge(*args, **kwargs)

    function.__name__ = getattr(original, "__name__", entry.name.rpartition(".")[2])
    function.__doc__ = original.__doc__
    function.__module__ = __name__
    function.__qualname__ = entry.name
    function.__wrapped__ = original  # type: ignore[attr-defined]  # inspect.signature and help follow it
    function.__sci_redirects__ = original  # type: ignore[attr-defined]
    function.__sci__ = bridge  # type: ignore[attr-defined]
    if isinstance(original, np.ufunc):
        for name in ("nin", "nout", "nargs", "ntypes", "types", "identity", "reduce", "accumulate", "outer", "at"):
            setattr(function, name, getattr(original, name))
    return function


class _Names:
    """``sci.accelerate.redirect.scipy.linalg.solve``: how pickle finds a stand-in."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        name = f"{self._name}.{attribute}"
        if name in _functions:
            return _functions[name]
        entry = lookup(name)
        if entry is not None:
            return redirected(entry, entry.facts.resolve())
        try:
            importlib.import_module(name)
        except ImportError:
            raise AttributeError(f"{name} is not redirected") from None
        return _Names(name)


scipy, skimage, cv2 = _Names("scipy"), _Names("skimage"), _Names("cv2")
