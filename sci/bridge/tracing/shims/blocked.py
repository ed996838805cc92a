"""A stand-in for something that may be named but not used."""

from __future__ import annotations

from ..tape import refuse


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
    setattr(Blocked, f"__{_name}__", Blocked._use)
Blocked.__array_ufunc__ = Blocked._use
Blocked.__array_function__ = Blocked._use
