"""Calls whose branches are settled inside the call, so that n calls cost n merges and not 2**n paths.

A call qualifies when it can have no effect but its result: numbers and arrays in, nothing mutable in
reach. Its paths are recorded one after the other on the same tape, and the results become one node
that chooses (`phi`), which the emitter writes as a select or a `lax.cond`.
"""

from __future__ import annotations

import dis
import functools
import types

import numpy as np

from . import structural
from .errors import TraceError
from .frames import outside_writes
from .tape import MAX_PATHS, Scope, Unmergeable, current
from .values import PYTHON_DTYPES, Dual, Scalar, any_traced, plain, ref, wrap

_IMMUTABLE = (
    int,
    float,
    complex,
    str,
    bytes,
    bool,
    type(None),
    np.generic,
    types.ModuleType,
    types.BuiltinFunctionType,
)


@functools.lru_cache(2048)
def has_branches(code):
    """Whether a function is worth merging: it branches, returns a value and is no generator."""
    if code.co_flags & 0x2A0:  # generators and coroutines
        return False
    return any("POP_JUMP" in i.opname for i in dis.get_instructions(code))


def _closed(value, depth=0):
    """Whether nothing that could be changed is reachable from ``value`` through closures."""
    kind = type(value)
    if kind is Scalar or issubclass(kind, Dual) or isinstance(value, (*_IMMUTABLE, type)):
        return True
    if kind is tuple:
        return all(_closed(v, depth + 1) for v in value)
    if isinstance(value, types.FunctionType):
        if depth > 4 or outside_writes(value.__code__):
            return False
        cells = [c.cell_contents for c in value.__closure__ or () if _filled(c)]
        return all(c is value or _closed(c, depth + 1) for c in cells) and all(
            _closed(v, depth + 1) for v in value.__defaults__ or ()
        )
    return hasattr(kind, "shim_original") or kind.__name__ in ("FrozenList", "FrozenDict", "_Named", "_Function")


def _filled(cell):
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def merging(function):
    """A clone of a helper whose calls are merged."""

    @functools.wraps(function, updated=())
    def call(*args, **kwargs):
        return merged(function, args, kwargs)

    return call


def merged(function, args, kwargs=None):
    """``function(*args, **kwargs)``, its paths merged where that is possible."""
    kwargs = kwargs or {}
    inputs = [*args, *kwargs.values()]
    if not any_traced(inputs) or not all(map(_closed, inputs)) or not _closed(function):
        return function(*args, **kwargs)
    recorder = current()
    mark = recorder.mark()
    try:
        found = _paths(recorder, function, args, kwargs)
        return _join(recorder, found, 0)
    except Unmergeable:
        recorder.reset(mark)
        return function(*args, **kwargs)


def merged_result(function, args):
    """``function(*args)``, its paths merged.

    Raises
    ------
    Unmergeable
        Where that is not possible; its arguments are the reason and a detail, its cause an exception of the user's.
    """
    recorder = current()
    return _join(recorder, _paths(recorder, function, args, {}), 0)


def _paths(recorder, function, args, kwargs):
    found, pending = [], [()]
    while pending:
        prefix = pending.pop()
        scope = Scope(prefix, recorder.serial)
        mark = recorder.mark()
        recorder.scopes.append(scope)
        try:
            result = function(*args, **kwargs)
        except (TraceError, Unmergeable):
            raise
        except Exception as error:
            if not scope.decisions and not prefix:
                raise
            raise Unmergeable from error
        finally:
            recorder.scopes.pop()
            nan_only = recorder.nan_only
            recorder.reset(mark)
        if scope.broken:
            raise Unmergeable
        if result is None and nan_only:
            result = np.nan
        found.append((scope.decisions, result))
        for i in range(len(prefix), len(scope.decisions)):
            pending.append((*(d.taken for d in scope.decisions[:i]), not scope.decisions[i].taken))
        if len(found) + len(pending) > MAX_PATHS:
            raise Unmergeable
    return found


def _join(recorder, found, depth):
    """Result of the paths ``found``, which share their first ``depth`` decisions."""
    if len(found) == 1:
        return found[0][1]
    decision = found[0][0][depth]
    yes = [f for f in found if f[0][depth].taken]
    no = [f for f in found if not f[0][depth].taken]
    if not yes or not no:
        return _join(recorder, found, depth + 1)
    left, right = _join(recorder, yes, depth + 1), _join(recorder, no, depth + 1)
    return choose(recorder, decision, left, right, found[0][0][depth].taken == (found[0] in yes))


def choose(recorder, decision, left, right, _):
    """Dual that is ``left`` where the decision holds and ``right`` elsewhere."""
    if type(left) is tuple and type(right) is tuple and len(left) == len(right):
        return tuple(choose(recorder, decision, a, b, _) for a, b in zip(left, right, strict=True))
    a, b = plain(left), plain(right)
    for w in (a, b):
        if type(w) not in PYTHON_DTYPES and not isinstance(w, (np.ndarray, np.generic)):
            raise Unmergeable
    if np.shape(a) != np.shape(b) or isinstance(a, np.ndarray) != isinstance(b, np.ndarray):
        raise Unmergeable
    dtype = np.result_type(np.asarray(a).dtype, np.asarray(b).dtype)
    if dtype.kind not in "biufc":
        raise Unmergeable
    sides = tuple(structural.cast_node(ref(v), dtype) for v in (left, right))
    number = recorder.phi(decision.cond, sides, np.shape(a), dtype)
    witness = a if decision.witness else b
    if type(a) in PYTHON_DTYPES and type(b) in PYTHON_DTYPES:
        return Scalar(number, np.asarray(witness).astype(dtype).item())
    witness = np.asarray(witness).astype(dtype)
    return wrap(number, witness if isinstance(a, np.ndarray) else witness[()])
