"""The user's classes and objects taken apart."""

from __future__ import annotations

import functools
import sys
import types

from .frames import names_in

_SKIPPED = ("__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__slots__", "__annotations__")
_FUNCTIONS = (types.FunctionType, staticmethod, classmethod, property, functools.cached_property)
_REFLECTION = {"getattr", "__dict__", "vars", "asdict", "astuple", "replace", "fields", "hasattr"}


def lift_class(lifter, value, number):
    """A user's class: its functions and numbers, and its bases."""
    bases = tuple(lifter.lift(b) for b in value.__bases__)  # first: `clone_class` needs them first
    members = []
    used = _used_functions(lifter, value)
    for name, member in vars(value).items():
        if name in _SKIPPED:
            continue
        if isinstance(member, _FUNCTIONS) and name not in used:
            members.append((name, "unused", None))
            lifter.skipped.add(name)
        elif isinstance(member, types.FunctionType):
            members.append((name, "function", lifter.lift(member)))
        elif isinstance(member, (staticmethod, classmethod)):
            members.append((name, type(member).__name__, lifter.lift(member.__func__)))
        elif isinstance(member, property):
            parts = tuple(None if f is None else lifter.lift(f) for f in (member.fget, member.fset, member.fdel))
            members.append((name, "property", parts))
        elif isinstance(member, functools.cached_property):
            members.append((name, "cached", lifter.lift(member.func)))
        elif name in lifter.names and not name.startswith("__") and not hasattr(member, "__get__"):
            members.append((name, "value", lifter.lift(member)))
        elif name not in lifter.names:
            lifter.skipped.add(name)
    return ("class", number, value, tuple(members), bases)


def _used_functions(lifter, value):
    """Names of the methods and properties that the code seen so far, or such a method, names.

    A class of many methods (a test class) names half of the installed packages; a method that no code
    names is not walked. Python itself calls those with two underscores.
    """
    waiting = {n: m for n, m in vars(value).items() if isinstance(m, _FUNCTIONS) and n not in _SKIPPED}
    used = set()
    while True:
        every = issubclass(value, tuple) or not _REFLECTION.isdisjoint(lifter.names)
        found = [n for n in waiting if every or n in lifter.names or n.startswith("__")]
        if not found:
            return used
        used.update(found)
        for name in found:
            lifter.names.update(_names_of(waiting.pop(name)))


def _names_of(member):
    if isinstance(member, property):
        parts = (member.fget, member.fset)
    elif isinstance(member, types.FunctionType):
        parts = (member,)
    else:
        parts = (getattr(member, "__func__", None) or getattr(member, "func", None),)
    for part in parts:
        if isinstance(part, types.FunctionType):
            yield from names_in(part.__code__)


def lift_object(lifter, value):
    kind = type(value)
    if kind.__flags__ & (1 << 9) == 0 and kind.__module__ != "types":  # not a heap type: compiled code
        return None  # before it counts as seen: a second mention would refer to a description that is not there
    reference = lifter.seen(value)
    if reference:
        return reference
    number = len(lifter.memo) - 1
    made = lifter.lift(kind) if kind is not types.SimpleNamespace else ("lib!", kind)
    attributes = dict(getattr(value, "__dict__", {}))
    for base in kind.__mro__:
        for name in _slots(base):
            if hasattr(value, name):
                attributes[name] = getattr(value, name)
    if not lifter.names & _REFLECTION:
        lifter.skipped.update(attributes.keys() - lifter.names)
        attributes = {n: v for n, v in attributes.items() if n in lifter.names}
    return ("object", number, made, tuple((n, lifter.lift(v)) for n, v in attributes.items()))


def _slots(base):
    slots = vars(base).get("__slots__", ())
    slots = (slots,) if isinstance(slots, str) else slots
    return [s for s in slots if s not in ("__dict__", "__weakref__")]


def is_distribution(value):
    """Whether a value is one of `scipy.stats`'s own distributions, with or without its parameters."""
    kind = type(value)
    return (kind.__module__ or "").startswith("scipy.stats.") and any(
        c.__name__ in ("rv_generic", "rv_frozen") and c.__module__.startswith("scipy.stats.") for c in kind.__mro__
    )


def public_distribution(value):
    """The distribution that `scipy.stats` shows under a distribution's name, None if that is another one."""
    found = getattr(sys.modules.get("scipy.stats"), value.name or "", None)
    return found if type(found) is type(value) else None


def lift_distribution(lifter, value):
    """A distribution; None for one that `scipy.stats` does not show by name."""
    known = public_distribution(getattr(value, "dist", value))
    if known is None:
        return None
    if known is value:
        return ("lib!", value)
    if not hasattr(value, "dist"):
        return None  # a copy with limits of its own
    keywords = tuple([(k, lifter.lift(v)) for k, v in value.kwds.items()])
    return ("frozen", ("lib!", known), tuple(map(lifter.lift, value.args)), keywords)
