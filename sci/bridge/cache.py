"""Bounded caches of compiled functions.

`jax.jit` ties its executables to the function object it wraps, so dropping the wrapper frees
them. Every cached key therefore owns a `jax.jit` object of its own, and the cache is a plain
least-recently-used map.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

__all__ = ["LRU", "clear_caches"]

_caches: weakref.WeakSet[LRU] = weakref.WeakSet()


class LRU:
    """A thread-safe least-recently-used map of bounded size.

    Parameters
    ----------
    maxsize : int
        How many entries are kept.
    """

    def __init__(self, maxsize: int) -> None:
        self.maxsize = maxsize
        self._data: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()
        _caches.add(self)

    def __len__(self) -> int:
        return len(self._data)

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value under `key`, made by `make` at the first use."""
        with self._lock:
            try:
                self._data.move_to_end(key)
                return self._data[key]
            except KeyError:
                pass
        value = make()
        with self._lock:
            value = self._data.setdefault(key, value)
            while len(self._data) > self.maxsize:
                self._data.popitem(last=False)
        return value

    def clear(self) -> None:
        """Drop all entries."""
        with self._lock:
            self._data.clear()


def clear_caches() -> None:
    """Drop every compiled function and every traced callable that the library keeps.

    The persistent compilation cache on disk stays.

    Examples
    --------
    >>> import sci
    >>> sci.clear_caches()
    """
    import sys

    for cache in list(_caches):
        cache.clear()
    tracing = sys.modules.get("sci.bridge.tracing")
    if tracing is not None:
        tracing.clear_cache()
