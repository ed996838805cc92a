"""Taking a callable apart: numeric values become leaves, everything else a hashable description.

Two fresh lambdas of the same code give equal descriptions, so nothing is traced or compiled again
for the second. The description (nested tuples, first item a tag) is enough to build the callable
anew: `rebuild` does that, with the originals or with the shims of the clone's world.
"""

from __future__ import annotations

import collections
import enum
import functools
import sys
import types
import weakref
from typing import Any

import jax
import numpy as np

from .errors import of_library
from .frames import global_names, names_in, outside_writes
from .lift_objects import is_distribution, lift_class, lift_distribution, lift_object

LIFT, STATIC_INTEGERS, STATIC_SCALARS = 0, 1, 2  # levels: what is a leaf and what is part of the key
# pytest: what it puts into assert statements is used by failing ones only
_LIBRARIES = frozenset(sys.stdlib_module_names) - {"__main__"} | {"numpy", "scipy", "jax", "jaxlib", "_pytest"}
_STATIC = (bool, str, bytes, type(None), type(Ellipsis), type(NotImplemented), range, np.dtype)
_TREES = {"equinox", "jax", "flax", "diffrax", "optimistix", "lineax"}
_MANY = 256
_SMALL = 1 << 15  # captured ints up to this size are inputs; sums of them stay far from 64 bits
OURS = ("sci", "image", "solvers")


def is_library(module):
    """Whether a module name belongs to the standard library, NumPy, SciPy or JAX."""
    return of_library(module or "", _LIBRARIES)


class Identity:
    """An object in a key: equal to itself only, and not kept alive where weak references work."""

    __slots__ = ("_hash", "_ref")

    def __init__(self, value):
        self._hash = id(value)
        try:
            self._ref = weakref.ref(value)
        except TypeError:
            self._ref = lambda: value

    def get(self):
        return self._ref()

    def __hash__(self):
        return self._hash

    def __eq__(self, other):
        if type(other) is not Identity or self._hash != other._hash:
            return False
        mine = self._ref()
        return mine is not None and mine is other._ref()


class Lifter:
    """One walk over a callable or an argument."""

    __slots__ = ("installed", "integers", "jax_style", "leaves", "level", "memo", "modules", "names", "skipped")

    def __init__(self, level, integers=False, names=()):
        self.level = level
        self.integers = integers  # whether small ints are leaves
        self.leaves = []
        self.memo = {}
        self.names = set(names)  # names that the code seen so far uses
        self.skipped, self.modules = set(), []  # what was left out because no code named it yet
        self.installed = 0  # functions seen of installed packages
        self.jax_style = False

    @property
    def incomplete(self):
        """Whether code seen later names what was left out: walk again, with the names known now."""
        return not self.skipped.isdisjoint(self.names) or any(
            n in space for space, known in self.modules for n in self.names - known
        )

    def leaf(self, kind, value):
        self.leaves.append(value)
        return ("L", kind, len(self.leaves) - 1)

    def seen(self, value):
        """Reference to a value met before, or None; remembers it."""
        number = self.memo.get(id(value))
        if number is not None:
            return ("ref", number[0])
        self.memo[id(value)] = (len(self.memo), value)  # keeps temporary values alive for the walk
        return None

    def lift(self, value):
        """Description of a value; its numbers are appended to the leaves."""
        handler = _BY_TYPE.get(type(value))
        if handler is not None:
            return handler(self, value)
        return _other(self, value)


def _static(lifter, value):
    return ("k", type(value), value)


def _integer(lifter, value):
    if lifter.integers and lifter.level == LIFT and -_SMALL < value < _SMALL:
        return lifter.leaf("I", value)
    return ("k", int, value)


def _float(lifter, value):
    if lifter.level >= STATIC_SCALARS:
        return ("kf", value.hex())
    return lifter.leaf("f", value)


def _complex(lifter, value):
    if lifter.level >= STATIC_SCALARS:
        return ("kc", value.real.hex(), value.imag.hex())
    return lifter.leaf("c", value)


def _numpy_array(lifter, value):
    if value.dtype.kind not in "biufc" or (value.dtype.char in "gGe" and value.dtype.char != "e"):
        return ("opaque", Identity(value))
    reference = lifter.seen(value)
    if reference:
        return reference
    if value.dtype.kind in "biu" and lifter.level >= STATIC_INTEGERS:
        return ("A", len(lifter.memo) - 1, value.dtype.str, value.shape, value.tobytes())
    return ("m", len(lifter.memo) - 1, lifter.leaf("a", value))


def _numpy_scalar(lifter, value):
    if value.dtype.kind in "fc" and lifter.level < STATIC_SCALARS:
        return lifter.leaf("s", value)
    return ("ks", value.dtype.str, value.tobytes())


def _list(lifter, value):
    reference = lifter.seen(value)
    if reference:
        return reference
    number = len(lifter.memo) - 1
    if len(value) > _MANY and all(type(v) in (float, int, bool, str) for v in value):
        return ("many", number, type(value), tuple((type(v), v) for v in value))
    return ("list", number, tuple([lifter.lift(v) for v in value]))


def _tuple(lifter, value):
    if len(value) > _MANY and all(type(v) in (float, int, bool, str) for v in value):
        return ("many", None, type(value), tuple((type(v), v) for v in value))
    return ("tuple", tuple([lifter.lift(v) for v in value]))


def _dict(lifter, value):
    try:
        keys = [_key(k) for k in value]
    except TypeError:  # before it counts as seen: a second mention would refer to a description that is not there
        return ("opaque", Identity(value))
    reference = lifter.seen(value)
    if reference:
        return reference
    number = len(lifter.memo) - 1
    return ("dict", number, tuple([(k, lifter.lift(v)) for k, v in zip(keys, value.values(), strict=True)]))


def _key(key):
    if isinstance(key, (str, int, float, bool, type(None), bytes, enum.Enum, type)):
        return (type(key), key)
    if type(key) is tuple:
        return (tuple, tuple(map(_key, key)))
    raise TypeError


def _set(lifter, value):
    try:
        return ("set", type(value), frozenset(map(_key, value)))
    except TypeError:
        return ("opaque", Identity(value))


def _is_ours(module, function):
    """Whether a function is one of this project's (a docstring example's is the user's)."""
    return (module or "").partition(".")[0] in OURS and not function.__code__.co_filename.startswith("<")


def _function(lifter, value):
    module = value.__module__
    if is_library(module) or _is_ours(module, value):
        lifter.jax_style |= (module or "").partition(".")[0] == "jax"
        return ("lib", Identity(value)) if value.__closure__ or value.__name__ == "<lambda>" else ("lib!", value)
    code = value.__code__
    if "site-packages" in code.co_filename and id(value) not in lifter.memo:
        lifter.installed += 1
        if lifter.installed > _MANY:  # a large package: what is not used must not be walked
            return ("opaque", Identity(value))
    reference = lifter.seen(value)
    if reference:
        return reference
    number = len(lifter.memo) - 1
    writes = outside_writes(code)
    if writes:  # refused when it is used
        return ("refused", number, Identity(value), code, *writes[0])
    lifter.names.update(names_in(code))
    lift, space = lifter.lift, value.__globals__
    outer = tuple([(n, lift(space[n])) for n in global_names(code) if n in space])
    closure = value.__closure__
    cells = None if closure is None else tuple([_cell(lifter, c) for c in closure])
    defaults = None if value.__defaults__ is None else tuple([lift(v) for v in value.__defaults__])
    keywords = value.__kwdefaults__
    keywords = None if not keywords else tuple([(k, lift(v)) for k, v in keywords.items()])
    extra = tuple([(k, lift(v)) for k, v in value.__dict__.items() if k != "__wrapped__"]) if value.__dict__ else ()
    return ("fn", number, code, module, value.__name__, outer, cells, defaults, keywords, extra)


def _cell(lifter, cell):
    try:
        return lifter.lift(cell.cell_contents)
    except ValueError:
        return ("empty",)


def _method(lifter, value):
    if is_distribution(value.__self__):
        return ("bound", lifter.lift(value.__self__), value.__name__)
    return ("method", lifter.lift(value.__func__), lifter.lift(value.__self__), value.__name__)


def _partial(lifter, value):
    lift = lifter.lift
    return (
        "partial",
        lift(value.func),
        tuple(map(lift, value.args)),
        tuple((k, lift(v)) for k, v in value.keywords.items()),
    )


def _module(lifter, value):
    root = value.__name__.partition(".")[0]
    if root in ("jax", "jaxlib", "equinox", "diffrax", "optimistix", "lineax", *OURS):
        lifter.jax_style |= root not in OURS
        return ("lib!", value)
    if is_library(value.__name__):
        return ("lib!", value)
    reference = lifter.seen(value)
    if reference:
        return reference
    number = len(lifter.memo) - 1
    space = vars(value)
    lifter.modules.append((space, frozenset(lifter.names)))
    return (
        "module",
        number,
        Identity(value),
        tuple((n, lifter.lift(space[n])) for n in sorted(lifter.names) if n in space),
    )


def _type(lifter, value):
    if issubclass(value, (enum.Enum, BaseException)) and not is_library(value.__module__):
        return ("raw", value)
    if is_library(value.__module__):
        return ("lib!", value)
    reference = lifter.seen(value)
    if reference:
        return reference
    return lift_class(lifter, value, len(lifter.memo) - 1)


def _other(lifter, value):
    """Values whose exact type has no entry: arrays of JAX, subclasses, the user's objects."""
    if isinstance(value, jax.Array):
        return lifter.leaf("a", value)
    if isinstance(value, (np.ufunc, types.BuiltinFunctionType)):
        owner = getattr(value, "__self__", None)
        if isinstance(owner, type) and is_library(owner.__module__):
            return ("raw", value)
        if owner is not None and not isinstance(owner, types.ModuleType):
            return ("opaque", Identity(value))
        return ("lib!", value)
    if isinstance(value, types.ModuleType):  # lazy modules and views are instances of subclasses
        return _module(lifter, getattr(value, "__sci_original__", value))
    kind = type(value)
    if kind.__module__ == "dataclasses":  # its sentinels and fields
        return ("raw", value)
    if kind.__name__ == "cython_function_or_method":
        return ("lib!", value)
    if isinstance(value, np.generic):
        return _numpy_scalar(lifter, value) if value.dtype.kind in "biufc" else ("opaque", Identity(value))
    if isinstance(value, type):
        return _type(lifter, value)
    if isinstance(value, enum.Enum):
        return ("k", kind, value)
    if isinstance(value, tuple) and hasattr(kind, "_make"):
        made = lifter.lift(kind) if not is_library(kind.__module__) else ("lib!", kind)
        return ("named", made, tuple(lifter.lift(v) for v in value))
    if isinstance(value, functools.partial):
        return _partial(lifter, value)
    if any(c.__module__.partition(".")[0] in _TREES for c in kind.__mro__) and not jax.tree_util.all_leaves([value]):
        lifter.jax_style = True
        leaves, treedef = jax.tree_util.tree_flatten(value)
        return ("pytree", treedef, tuple(lifter.lift(v) for v in leaves))
    if isinstance(value, functools._lru_cache_wrapper):
        return lifter.lift(value.__wrapped__)
    if kind.__module__ == "numpy" and kind.__name__ == "_ArrayFunctionDispatcher":
        return ("lib!", value)
    if kind is np.vectorize:
        return ("vectorize", lifter.lift(value.pyfunc), value.otypes, value.signature)
    if kind is collections.OrderedDict:
        return _dict(lifter, value)
    if kind is types.SimpleNamespace:
        return lift_object(lifter, value) or ("opaque", Identity(value))
    if (getattr(kind, "__module__", None) or "").partition(".")[0] in OURS:
        return ("lib!", value) if callable(value) and value.__hash__ is not None else ("opaque", Identity(value))
    if type(getattr(kind, "__module__", None)) is str and not is_library(kind.__module__):
        lifter.jax_style |= kind.__module__.partition(".")[0] in ("jaxlib", "equinox")
        if not isinstance(value, (dict, list, tuple, set, np.ndarray, str, int, float)):
            return lift_object(lifter, value) or ("opaque", Identity(value))
    if is_distribution(value):
        return lift_distribution(lifter, value) or ("opaque", Identity(value))
    lifter.jax_style |= (kind.__module__ or "").partition(".")[0] in ("jaxlib", "jax", "equinox")
    return ("opaque", Identity(value))


_BY_TYPE: dict[type, Any] = dict.fromkeys(_STATIC, _static)
_BY_TYPE.update(
    {
        int: _integer,
        float: _float,
        complex: _complex,
        np.ndarray: _numpy_array,
        np.float64: _numpy_scalar,
        list: _list,
        tuple: _tuple,
        dict: _dict,
        set: _set,
        frozenset: _set,
        types.FunctionType: _function,
        types.MethodType: _method,
        functools.partial: _partial,
        types.ModuleType: _module,
        type: _type,
    }
)


def described(value, level, integers):
    """The finished walk over a callable, and its description."""
    names = ()
    while True:
        lifter = Lifter(level, integers, names)
        node = lifter.lift(value)
        if not lifter.incomplete:
            return lifter, node
        names = lifter.names
