"""Captured lists and dictionaries as the clone sees them: reads work, writes are refused."""

from __future__ import annotations

from .tape import refuse


def _refusing(name):
    def method(self, *args, **kwargs):
        refuse(self.reason, f"{type(self).__mro__[1].__name__}.{name} on a value from outside")

    return method


class FrozenList(list):
    """A list from outside."""

    __slots__ = ("reason",)

    @classmethod
    def make(cls, reason, items=()):
        value = cls(items)
        value.reason = reason
        return value

    def copy(self):
        return list(self)


class FrozenDict(dict):
    """A dictionary from outside."""

    __slots__ = ("reason",)

    @classmethod
    def make(cls, reason, items=()):
        value = cls(items)
        value.reason = reason
        return value

    def copy(self):
        return dict(self)


for _name in [
    "append",
    "extend",
    "insert",
    "remove",
    "pop",
    "clear",
    "sort",
    "reverse",
    "__setitem__",
    "__delitem__",
    "__iadd__",
    "__imul__",
]:
    setattr(FrozenList, _name, _refusing(_name))
for _name in ["pop", "popitem", "clear", "update", "setdefault", "__setitem__", "__delitem__", "__ior__"]:
    setattr(FrozenDict, _name, _refusing(_name))
FrozenList.__copy__ = FrozenList.copy  # type: ignore[attr-defined]
FrozenDict.__copy__ = FrozenDict.copy  # type: ignore[attr-defined]
FrozenList.__deepcopy__ = lambda self, memo: [__import__("copy").deepcopy(v, memo) for v in self]  # type: ignore[attr-defined]
FrozenDict.__deepcopy__ = lambda self, memo: {k: __import__("copy").deepcopy(v, memo) for k, v in self.items()}  # type: ignore[attr-defined]
