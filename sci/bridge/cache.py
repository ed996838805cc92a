"""Bounded caches of compiled functions.

`jax.jit` ties its executables to the function object it wraps, so dropping the wrapper frees
them. Every cached key therefore owns a `jax.jit` object of its own, and the cache is a plain
least-recently-used map.
"""

from __future__ import annotations

import gc
import itertools
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

__all__ = ["LRU", "clear_caches", "make_room", "memory_maps", "note_compilation"]

_caches: weakref.WeakSet[LRU] = weakref.WeakSet()


class LRU:
    """A thread-safe least-recently-used map of bounded size.

    Parameters
    ----------
    maxsize : int
        How many entries are kept.
    shared : bool
        Whether `clear_caches` empties it; False for a map that belongs to an entry of another one.
    """

    def __init__(self, maxsize: int, shared: bool = True) -> None:
        self.maxsize = maxsize
        self._data: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()
        if shared:
            _caches.add(self)

    def __len__(self) -> int:
        return len(self._data)

    def get(self, key: Hashable, default: Any = None) -> Any:
        """The value under `key`, or the default."""
        with self._lock:
            try:
                self._data.move_to_end(key)
            except KeyError:
                return default
            return self._data[key]

    def put(self, key: Hashable, value: Any) -> Any:
        """Store and return `value`; the value already there wins."""
        with self._lock:
            found = self._data.setdefault(key, value)
            self._data.move_to_end(key)
            while len(self._data) > self.maxsize:
                self._data.popitem(last=False)
            return found

    def get_or_make(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value under `key`, made by `make` at the first use (outside the lock: another may win)."""
        found = self.get(key, _MISSING)
        return self.put(key, make()) if found is _MISSING else found

    def discard(self, key: Hashable) -> None:
        """Drop the value under `key`, if there is one."""
        with self._lock:
            self._data.pop(key, None)

    def drop_older_half(self) -> None:
        """Drop the half of the entries that was not used for longest."""
        with self._lock:
            for _ in range(len(self._data) // 2):
                self._data.popitem(last=False)

    def values(self) -> list[Any]:
        """The values, least recently used first."""
        with self._lock:
            return list(self._data.values())

    def clear(self) -> None:
        """Drop all entries."""
        with self._lock:
            self._data.clear()


_MISSING = object()

#: Compilations between two looks at the table of memory maps, and how full it may be.
_LOOK_EVERY, _FULL = 32, 0.5
_compilations = itertools.count(1)
#: A function compiled for more shapes than this gives them all up when there is no room.
_MANY_SHAPES = 16
#: Set when the table of memory maps fills up; the next call makes room before it begins.
crowded = False


def memory_maps() -> int:
    """How many memory maps this process has; 0 where the system does not say."""
    try:
        with open("/proc/self/maps", "rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    except OSError:
        return 0


def _most_maps() -> int:
    try:
        with open("/proc/sys/vm/max_map_count") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 1 << 62


def note_compilation(event: str, *_: Any, **__: Any) -> None:
    """A listener of `jax.monitoring`: after some compilations, whosever, look how many memory maps there are.

    Each executable holds several, Linux allows 65,530 by default, and XLA crashes at the limit. Nothing is dropped
    from here, in the middle of a call.
    """
    global crowded
    if event.endswith("backend_compile_duration") and next(_compilations) % _LOOK_EVERY == 0:
        crowded = memory_maps() > _FULL * _most_maps()


def make_room() -> None:
    """Drop old executables: the older half of the functions, and all shapes of those that have many."""
    global crowded
    crowded = False
    for cache in list(_caches):
        cache.drop_older_half()
        for value in cache.values():
            shapes = getattr(value, "_cache_size", None)
            if shapes is not None and shapes() > _MANY_SHAPES:
                value.clear_cache()
    gc.collect()


def clear_caches() -> None:
    """Drop every compiled function and every traced callable that the library keeps.

    The persistent compilation cache on disk stays.

    Examples
    --------
    >>> import sci
    >>> sci.clear_caches()
    """
    for cache in list(_caches):
        cache.clear()
