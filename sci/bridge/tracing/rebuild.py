"""Building a callable anew from its description: plain, or in the clone's world of shims and duals."""

from __future__ import annotations

import builtins
import functools
import types

import jax
import numpy as np

from . import merge
from .classes import clone_class, make_object
from .errors import TraceReason
from .frozen import FrozenDict, FrozenList
from .shims.blocked import Blocked, Refused
from .tape import refuse


class World:
    """One rebuild: the memo of shared objects and what must not change while the clone runs.

    Parameters
    ----------
    leaves : sequence
        A value per leaf: duals in the clone's world, arrays or tracers in the plain one.
    dual : bool
        Whether libraries are replaced by shims and containers are frozen.
    """

    def __init__(self, leaves, dual, reason=TraceReason.OUTSIDE_WRITE, beside=None):
        self.leaves, self.dual, self.reason = leaves, dual, reason
        self.memo, self.watched = {}, []
        self.unbuilt = []  # descriptions of what is inside classes that were not rebuilt
        self.classes = {} if beside is None else beside.classes  # clones of classes, by original
        self.outside = set() if beside is None else beside.outside  # ids of objects from outside

    def build(self, node):
        return _BUILDERS[node[0]](self, node)

    def watch(self, value, contents):
        """Remember the contents of a captured mutable, to see writes that bypass its methods."""
        self.watched.append((value, contents, contents(value)))

    def check(self):
        """Refuse if a captured mutable changed."""
        for value, contents, before in self.watched:
            after = contents(value)
            if len(after) != len(before) or any(a is not b for a, b in zip(after, before, strict=True)):
                refuse(self.reason, f"a captured {getattr(type(value), '__name__', 'object')} was changed")

    def library(self, value):
        if not self.dual:
            return value
        from .shims.resolve import shim

        return shim(value)


def _dict_contents(value):
    return [x for pair in dict.items(value) for x in pair]


def _constant(world, node):
    return node[2]


def _raw(world, node):
    return node[1]


def _hex(world, node):
    return float.fromhex(node[1])


def _hex_complex(world, node):
    return complex(float.fromhex(node[1]), float.fromhex(node[2]))


def _scalar(world, node):
    return np.frombuffer(node[2], dtype=node[1])[0]


def _leaf(world, node):
    return world.leaves[node[2]]


def _remembered(world, node):
    world.memo[node[1]] = value = world.build(node[2])
    return value


def _array(world, node):
    value = np.frombuffer(node[4], dtype=node[2]).reshape(node[3]).copy()
    if world.dual:
        from .arrays import Array, Buffer

        value = Array(Buffer(value, None, (world.reason, "a captured array is assigned to")), value)
    world.memo[node[1]] = value
    return value


def _reference(world, node):
    if node[1] not in world.memo:  # first met inside a class that was not rebuilt
        found = next((found for inside in world.unbuilt for found in _definitions(inside, node[1])), None)
        if found is None:
            refuse(TraceReason.UNKNOWN_OBJECT, "a class and its base that name each other")
        world.build(found)
    return world.memo[node[1]]


_NUMBERED = frozenset({"A", "class", "dict", "fn", "list", "m", "many", "module", "object", "refused"})


def _definitions(node, number):
    """Descriptions inside `node` that carry a number."""
    if type(node) is not tuple:
        return
    if len(node) > 1 and node[1] == number and type(node[1]) is int and node[0] in _NUMBERED:
        yield node
    for part in node:
        yield from _definitions(part, number)


def _list(world, node):
    value = FrozenList.make(world.reason) if world.dual else []
    world.memo[node[1]] = value
    list.extend(value, [world.build(n) for n in node[2]])
    world.watch(value, list)
    return value


def _many(world, node):
    items = [v for _, v in node[3]]
    if node[2] is tuple:
        return tuple(items)
    value = FrozenList.make(world.reason, items) if world.dual else items
    world.memo[node[1]] = value
    return value


def _tuple(world, node):
    return tuple([world.build(n) for n in node[1]])


def _named(world, node):
    kind = world.build(node[1])
    items = [world.build(n) for n in node[2]]
    kind = getattr(kind, "shim_original", kind)
    if not isinstance(kind, type):
        return kind  # a blocked class
    return tuple.__new__(kind, items)


def _dict(world, node):
    value = FrozenDict.make(world.reason) if world.dual else {}
    world.memo[node[1]] = value
    for (_, key), item in node[2]:
        dict.__setitem__(value, _unkey(key), world.build(item))
    world.watch(value, _dict_contents)
    return value


def _unkey(key):
    return tuple(_unkey(v) for _, v in key) if type(key) is tuple else key


def _set(world, node):
    items = {_unkey(v) for _, v in node[2]}
    return frozenset(items) if world.dual else node[1](items)


def _function(world, node):
    _, number, code, module, name, outer, cells, defaults, keywords, extra = node
    space = {"__name__": module, "__builtins__": _builtins(world)}
    wrap = world.dual and number > 0 and merge.has_branches(code)
    closure = None if cells is None else tuple(types.CellType() for _ in cells)
    function = types.FunctionType(code, space, name, None, closure)
    function.__module__ = module
    world.memo[number] = merge.merging(function) if wrap else function
    for key, item in outer:
        space[key] = world.build(item)
    for cell, item in zip(closure or (), cells or (), strict=True):
        if item[0] != "empty":
            cell.cell_contents = world.build(item)
    if defaults is not None:
        function.__defaults__ = tuple([world.build(n) for n in defaults])
    if keywords is not None:
        function.__kwdefaults__ = {k: world.build(n) for k, n in keywords}
    function = world.memo[number]
    for key, item in extra:
        function.__dict__[key] = world.build(item)
    if world.dual:
        world.watch(function, lambda f: _dict_contents(f.__dict__))
    return function


def _refused(world, node):
    _, number, original, code, line, name = node
    value = original.get()
    if world.dual:
        place = (code, line)
        value = Refused(TraceReason.OUTSIDE_WRITE, f"assignment to the outer variable {name!r}", place)
    world.memo[number] = value
    return value


def _builtins(world):
    if not world.dual:
        return builtins.__dict__
    from .shims.builtins import table

    return table()


def _method(world, node):
    function, owner = world.build(node[1]), world.build(node[2])
    if isinstance(function, types.FunctionType):
        found = getattr(type(owner), node[3], None)
        if isinstance(found, types.FunctionType) and found.__code__ is function.__code__:
            function = found
    return types.MethodType(function, owner)


def _bound(world, node):
    return getattr(world.build(node[1]), node[2])


def _frozen(world, node):
    args = [world.build(n) for n in node[2]]
    return world.build(node[1])(*args, **{k: world.build(n) for k, n in node[3]})


def _partial(world, node):
    function, args = world.build(node[1]), [world.build(n) for n in node[2]]
    return functools.partial(function, *args, **{k: world.build(n) for k, n in node[3]})


def _module(world, node):
    value = types.SimpleNamespace()
    world.memo[node[1]] = value
    vars(value).update({k: world.build(n) for k, n in node[3]})
    if world.dual:
        world.watch(value, lambda v: _dict_contents(vars(v)))
        return value
    return node[2].get()


def _opaque(world, node):
    value = node[1].get()
    if not world.dual:
        return value
    kind = type(value)
    if kind.__name__ == "Polynomial" and kind.__module__.startswith("numpy"):
        from .shims.numpy import PowerSeries

        return PowerSeries(value)
    if kind is np.poly1d:
        return value
    if kind.__module__.startswith("numpy.random"):
        return Blocked(TraceReason.RANDOM, f"a captured {kind.__name__}")
    if kind.__name__ in ("Fraction", "Decimal", "Pattern"):
        return value
    return Blocked(TraceReason.UNKNOWN_OBJECT, f"a captured {kind.__module__}.{kind.__qualname__}", value)


def _library(world, node):
    value = node[1].get() if node[0] == "lib" else node[1]
    return world.library(value)


def _class(world, node):
    if not world.dual:
        world.memo[node[1]] = node[2]
        world.unbuilt.append(node[3:])
        return node[2]
    return clone_class(world, node)


def _object(world, node):
    return make_object(world, node)


def _pytree(world, node):
    if world.dual:
        return Blocked(TraceReason.UNKNOWN_OBJECT, "a JAX object in NumPy code")
    return jax.tree_util.tree_unflatten(node[1], [world.build(n) for n in node[2]])


def _vectorize(world, node):
    pyfunc = world.build(node[1])
    if world.dual:
        from .shims.numpy import Vectorize

        return Vectorize(pyfunc, otypes=node[2], signature=node[3])
    return np.vectorize(pyfunc, otypes=node[2], signature=node[3])


_BUILDERS = {
    "k": _constant, "raw": _raw, "kf": _hex, "kc": _hex_complex, "ks": _scalar, "L": _leaf, "m": _remembered,
    "A": _array,
    "ref": _reference, "list": _list, "many": _many, "tuple": _tuple, "named": _named, "dict": _dict, "set": _set,
    "fn": _function, "refused": _refused, "method": _method, "partial": _partial, "module": _module,
    "bound": _bound, "frozen": _frozen, "opaque": _opaque, "lib": _library,
    "lib!": _library, "class": _class, "object": _object,
    "vectorize": _vectorize, "pytree": _pytree,
}  # fmt: skip
