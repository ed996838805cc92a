"""A stand-in for something that may be named but not used."""

from __future__ import annotations

from ..errors import error_at
from ..tape import refuse, refuse_with


class Blocked:
    """Raises TraceError for ``reason`` on any use."""

    __slots__ = ("_detail", "_original", "_reason")

    def __init__(self, reason, detail, original=None):
        self._reason, self._detail, self._original = reason, detail, original

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        refuse(self._reason, f"{self._detail}.{name}")

    def _use(self, *args, **kwargs):
        refuse(self._reason, self._detail)


for _name in [
    "call",
    "getitem",
    "setitem",
    "delitem",
    "iter",
    "next",
    "len",
    "contains",
    "enter",
    "exit",
    "bool",
    "str",
    "repr",
    "format",
    "float",
    "int",
    "index",
    "array",
    "add",
    "radd",
    "sub",
    "rsub",
    "mul",
    "rmul",
    "truediv",
    "rtruediv",
    "pow",
    "rpow",
    "matmul",
    "rmatmul",
    "lt",
    "le",
    "gt",
    "ge",
    "eq",
    "ne",
    "hash",
    "iadd",
]:
    setattr(Blocked, f"__{_name}__", lambda self, *args, **kwargs: self._use())
Blocked.__array_ufunc__ = lambda self, *args, **kwargs: self._use()  # type: ignore[attr-defined]
Blocked.__array_function__ = lambda self, *args, **kwargs: self._use()  # type: ignore[attr-defined]


class Refused(Blocked):
    """A function of the user's that cannot be traced, and where that was seen."""

    __slots__ = ("_place",)

    def __init__(self, reason, detail, place):
        super().__init__(reason, detail)
        self._place = place

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        self._use()

    def _use(self, *args, **kwargs):
        refuse_with(error_at(self._place, self._reason, self._detail))
