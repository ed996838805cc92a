"""Bounded caches, and the statistics that tests read."""

from __future__ import annotations

import collections
import threading


class LRU:
    """A dictionary that forgets the least recently used entry; safe to share between threads."""

    def __init__(self, size):
        self.size, self.lock = size, threading.Lock()
        self.data = collections.OrderedDict()

    def get(self, key, default=None):
        with self.lock:
            try:
                self.data.move_to_end(key)
            except KeyError:
                return default
            return self.data[key]

    def put(self, key, value):
        """Store and return ``value``; the value already there wins."""
        with self.lock:
            found = self.data.setdefault(key, value)
            self.data.move_to_end(key)
            while len(self.data) > self.size:
                self.data.popitem(last=False)
            return found

    def clear(self):
        with self.lock:
            self.data.clear()

    def __len__(self):
        return len(self.data)
