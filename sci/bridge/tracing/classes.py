"""The user's classes in the clone's world: copies whose methods are clones, objects that refuse writes."""

from __future__ import annotations

import abc
import functools
import types

from .errors import TraceReason
from .lift import is_library
from .shims.blocked import Blocked
from .tape import refuse

_SKIPPED = {"__dict__", "__weakref__", "__slots__", "__setattr__", "__delattr__", "_abc_impl", "__abstractmethods__"}


def clone_class(world, node):
    """Copy of the class in ``node`` with cloned methods, properties and numbers.

    The copy does not derive from the original: every name in the clone's world that meant the
    original means the copy, so ``super()`` and ``isinstance`` agree.
    """
    _, number, original, members, bases = node
    found = world.classes.get(original)
    if found is not None:
        world.memo[number] = found
        world.unbuilt.append(node[3:])
        return found
    parents = [world.build(b) for b in bases]
    hooks = [c for c in original.__mro__ if "__init_subclass__" in vars(c) and not is_library(c.__module__)]
    if type(original) not in (type, abc.ABCMeta) or hooks or not all(isinstance(p, type) for p in parents):
        made = Blocked(
            TraceReason.UNKNOWN_OBJECT, f"class {original.__name__} with a metaclass, hook or library base", original
        )
        world.memo[number] = made
        world.unbuilt.append(node[3:])
        return made
    made = _create(original, tuple(parents), {name for name, _, _ in members})
    world.memo[number] = world.classes[original] = made
    for name, what, item in members:
        type.__setattr__(made, name, _member(world, what, item))
    if type(original) is abc.ABCMeta:
        made.__abstractmethods__ = original.__abstractmethods__
    _install_guards(world, made, original)
    world.watch(made, _class_contents)
    return made


def _create(original, parents, lifted):
    slots = vars(original).get("__slots__")
    slots = (slots,) if isinstance(slots, str) else slots
    space = {
        name: member
        for name, member in vars(original).items()
        if name not in _SKIPPED and name not in lifted and not isinstance(member, types.MemberDescriptorType)
    }
    if slots is not None:
        space["__slots__"] = tuple(s for s in slots if s != "__weakref__")
    space["__sci_original__"] = original
    return type.__new__(type(original), original.__name__, parents, space)


def _class_contents(made):
    return [x for n, v in sorted(vars(made).items()) for x in (n, v) if not n.startswith(("_abc", "__"))]


def _member(world, what, item):
    if what == "unused":
        return Blocked(TraceReason.UNKNOWN_OBJECT, "a method that no code names")
    if what == "property":
        return property(*(None if f is None else world.build(f) for f in item))
    value = world.build(item)
    if what == "staticmethod":
        return staticmethod(value)
    if what == "classmethod":
        return classmethod(value)
    if what == "cached":
        return property(value)
    return value


def _install_guards(world, made, original):
    """Writes to objects from outside are refused; to objects made inside the clone they are not."""
    outside, reason = world.outside, world.reason
    guarded = "__setattr__" not in vars(original) or _generated(vars(original)["__setattr__"])
    if not guarded:
        return  # the user's own __setattr__ is among the members and ends at a guarded base or object

    def set_attribute(self, name, value):
        if id(self) in outside:
            refuse(reason, f"assignment to {made.__name__}.{name}")
        super(made, self).__setattr__(name, value)

    def delete_attribute(self, name):
        if id(self) in outside:
            refuse(reason, f"deletion of {made.__name__}.{name}")
        super(made, self).__delattr__(name)

    type.__setattr__(made, "__setattr__", set_attribute)
    type.__setattr__(made, "__delattr__", delete_attribute)


def _generated(function):
    """A frozen dataclass's own guard, which names the original class and would not fit the copy."""
    return getattr(getattr(function, "__code__", None), "co_filename", "") == "<string>"


def make_object(world, node):
    """The object in ``node`` with the same attributes, in either world."""
    _, number, made, attributes = node
    kind = world.build(made)
    kind = getattr(kind, "shim_original", kind)
    if not isinstance(kind, type):
        world.memo[number] = kind
        return kind
    value = kind() if kind is types.SimpleNamespace else object.__new__(kind)
    world.memo[number] = value
    for name, item in attributes:
        content = world.build(item)
        try:
            object.__setattr__(value, name, content)
        except AttributeError:  # hidden by a property of the class: it lives in the instance's own dictionary
            vars(value)[name] = content
    if world.dual:
        world.outside.add(id(value))
    names = tuple(n for n, _ in attributes)
    world.watch(value, functools.partial(_contents, names))
    return value


def _contents(names, value):
    if hasattr(value, "__dict__"):
        return [x for pair in list(vars(value).items()) for x in pair]
    return [getattr(value, n, None) for n in names]
