"""`to_jax` and the function it returns."""

from __future__ import annotations

import contextlib

import jax
import jax.numpy as jnp
import numpy as np
from jax._src.core import trace_state_clean  # has no public name

from sci.bridge.cache import LRU
from sci.bridge.worlds import writable

from . import inputs
from .arguments import lift_arguments
from .entry import Entry, code_of, double, dtype_of, name_of, plain_function, witness_for
from .errors import TraceError, TraceReason, error_at
from .known import recall, remember
from .lift import STATIC_SCALARS, described
from .nested_code import NestedFunction
from .verify import verify

_entries = LRU(1024)
_levels = LRU(4096)
_failures = LRU(1024)
_KEPT = 65_536  # arrays up to this many elements are kept as witnesses
_RETRY = {
    TraceReason.INDEX, TraceReason.LOOP, TraceReason.BRANCHES, TraceReason.CONVERSION, TraceReason.STRING,
    TraceReason.HASH, TraceReason.SHAPE, TraceReason.RAISES, TraceReason.STRUCTURE, TraceReason.SIZE,
    TraceReason.UNSUPPORTED, TraceReason.RETURN, TraceReason.NUMPY_FUNCTION, TraceReason.LIBRARY,
}  # fmt: skip


class TracedFunction:
    """A NumPy function as a JAX function.

    A pytree: its leaves are the numbers and arrays that the function captured, so derivatives with
    respect to them, batches of them and new values of them need no new trace. Call it with JAX
    arrays or under any JAX transformation, or with NumPy values for NumPy results in float64.
    """

    __slots__ = ("__weakref__", "_check", "_entry", "_keep", "_leaves")

    def __init__(self, entry, leaves, keep=None, check=True):
        self._entry, self._leaves, self._keep, self._check = entry, leaves, keep, check

    def __repr__(self):
        return f"<sci.to_jax {name_of(self._entry.key[0])} with {len(self._leaves)} captured values>"

    @property
    def paths(self):
        """Number of paths recorded so far, by signature (0: JAX traced the function itself)."""
        return [p.paths for p in self._entry.programs.values()]

    def __call__(self, *args, **kwargs):
        """The function's value; structure as the original returns it.

        Numbers are NumPy scalars in the NumPy world, 0-d arrays in the JAX world.
        """
        leaves = list(self._leaves)
        arguments, values = lift_arguments(args, kwargs, self._entry.names, self._entry.example)
        everything = leaves + values
        if any(isinstance(v, jax.Array) for v in everything):
            return self._run(arguments, everything, len(leaves))
        # inside somebody's trace the numbers are known all the same
        now = contextlib.nullcontext() if trace_state_clean() else jax.ensure_compile_time_eval()
        with jax.enable_x64(True), now:
            result = self._run(arguments, everything, len(leaves))
        flat, tree = jax.tree_util.tree_flatten(result)
        return jax.tree_util.tree_unflatten(tree, writable(flat, everything))

    def _run(self, arguments, values, split):
        program = self.program(arguments, values, split)
        convert = _strong if any(map(inputs.is_tracer, values)) else _ready
        ready = [convert(v, w.aval.dtype) for v, w in zip(values, program.jaxpr.jaxpr.invars, strict=True)]
        flat = program.flat(ready) if convert is _strong else program.compiled(ready)
        return jax.tree_util.tree_unflatten(program.treedef, flat)

    def program(self, arguments, values, split):
        """Program for these values, traced and verified if the signature is new."""
        entry = self._entry
        x64 = bool(jax.config.jax_enable_x64)
        shapes = tuple((np.shape(v), dtype_of(v)) for v in values)
        signature = (arguments, shapes, x64)
        program = entry.programs.get(signature)
        if program is None:
            if self._check:
                self._verified(arguments, values, split)
            program = entry.program(arguments, values, split, signature, lambda: witness_for(entry, values, split))
        return program

    def _verified(self, arguments, values, split):
        """Verify the shapes of a call that `to_jax` has not seen, in float64."""
        entry = self._entry
        shapes = (arguments, tuple((np.shape(v), np.dtype(dtype_of(v)).kind) for v in values))
        if entry.verified.get(shapes):
            return
        witness = witness_for(entry, values, split)
        witness = witness[:split] + [double(v) for v in witness[split:]]
        with jax.enable_x64(True):
            signature = (arguments, tuple((v.shape, v.dtype) for v in witness), True)
            program = entry.program(arguments, witness, split, signature, lambda: witness)
            if program.paths:
                function = plain_function(entry, witness[:split])
                verify(function, program, witness[:split], arguments, witness[split:], entry.place)
        entry.verified.put(shapes, True)


def _flatten(traced):
    return traced._leaves, (traced._entry, traced._check)


def _unflatten(aux, leaves):
    return TracedFunction(aux[0], leaves, None, aux[1])


jax.tree_util.register_pytree_node(TracedFunction, _flatten, _unflatten)


def to_jax(fun, *example_args, verify=True):
    """Turn a NumPy function into a JAX function.

    Parameters
    ----------
    fun : callable
        A function, method, `functools.partial`, callable object or JAX function. It is not changed.
    *example_args
        Arguments to trace with: NumPy arrays and numbers, or JAX arrays and tracers. They fix shapes
        and types, not values.
    verify : bool
        Compare the result with ``fun`` at the example and at perturbed points: to rounding, or to 1e-6
        (least squares 1e-5, `minimize` 1e-4) of the largest value where it calls solvers, which stop at tolerances.

    Returns
    -------
    TracedFunction
        Callable with JAX arrays under ``jit``, ``grad``, ``vmap``, ...; with NumPy arguments it
        returns NumPy arrays in float64.

    Raises
    ------
    TraceError
        If the function cannot be turned into one; with file, line and reason.

    Examples
    --------
    >>> import jax, numpy as np
    >>> from sci.bridge.tracing import to_jax
    >>> def f(x):
    ...     out = np.zeros(2)
    ...     out[0] = np.sin(x[0]) if x[0] > 0 else x[0] ** 2
    ...     return out.sum() * x[1]
    >>> g = to_jax(f, np.array([0.0, 2.0]))
    >>> print(jax.grad(g)(np.array([-1.5, 2.0])))
    [-6.    2.25]
    """
    if type(fun) is TracedFunction or type(fun) is NestedFunction:
        return fun
    entry = recall(fun, example_args, verify)
    if entry is not None:
        return TracedFunction(entry, [], fun, verify)
    if not callable(fun):
        raise TypeError(f"to_jax: fun must be callable, got {type(fun).__name__}")
    code = code_of(fun)
    level = _levels.get(code, 0) if code is not None else 0
    first = None
    while True:
        try:
            traced = _attempt(fun, example_args, level, verify)
        except TraceError as error:
            first = first or error
            if error.reason not in _RETRY or level >= STATIC_SCALARS:
                raise (first if str(first) == str(error) else error) from first.__cause__
            level += 1
            continue
        except Exception as error:  # nothing else may come out: callers go to the original library then
            place = (code, getattr(code, "co_firstlineno", None))
            text = f"{type(error).__name__}: {error}"[:300]
            raise error_at(place, TraceReason.UNSUPPORTED, text) from error
        if level and code is not None:
            _levels.put(code, level)
        return traced


def _attempt(fun, args, level, check):
    try:
        lifter, node = described(fun, level, True)
        if lifter.jax_style:  # JAX code may use an int as a shape, and says so only when traced
            lifter, node = described(fun, level, False)
    except RecursionError:
        raise error_at((code_of(fun), None), TraceReason.UNKNOWN_OBJECT, "captured values nest too deeply") from None
    arguments, values = lift_arguments(args, {}, lifter.names)
    leaves, split = lifter.leaves, len(lifter.leaves)
    shapes = tuple([(np.shape(v), dtype_of(v)) for v in leaves + values])
    key = (node, arguments)
    entry = _entries.get(key)
    if entry is not None and (entry.verified.get(shapes) or (not check and entry.verified.get(("unverified", shapes)))):
        if not level and not leaves and not lifter.jax_style:
            remember(fun, node, args, check, entry)
        return TracedFunction(entry, leaves, fun, check)
    failed = _failures.get((key, shapes, check))
    if failed is not None:
        raise failed.copy()
    place = (code_of(fun), getattr(code_of(fun), "co_firstlineno", None))
    entry = entry or _entries.put(key, Entry(key, lifter.jax_style, place, frozenset(lifter.names)))
    try:
        _first(entry, fun, leaves, values, split, arguments, check, shapes)
    except TraceError as error:
        _failures.put((key, shapes, check), error.copy())
        raise
    entry.verified.put(shapes if check else ("unverified", shapes), True)
    entry.verified.put((arguments, tuple((s, np.dtype(d).kind) for s, d in shapes)), True)
    return TracedFunction(entry, leaves, fun, check)


def _first(entry, fun, leaves, values, split, arguments, check, shapes):
    """Record and verify at the example, in float64."""
    witness = [inputs.concrete(v) for v in leaves] + [double(inputs.concrete(v)) for v in values]
    with jax.enable_x64(True):
        signature = (arguments, tuple((v.shape, v.dtype) for v in witness), True)
        program = entry.program(arguments, witness, split, signature, lambda: witness)
        if check and program.paths:
            abstract = any(isinstance(v, jax.Array) for v in leaves)
            original = plain_function(entry, witness[:split]) if abstract else fun
            verify(original, program, witness[:split], arguments, witness[split:], entry.place)
    for i, value in enumerate(witness):
        if value.size <= _KEPT:
            entry.witnesses.setdefault((i < split, i if i < split else i - split, value.shape), value)


def _ready(value, dtype):
    return _strong(value, dtype) if isinstance(value, jax.Array) else np.asarray(value, dtype)


def _strong(value, dtype):
    if isinstance(value, jax.Array) and value.dtype == dtype and not getattr(value, "weak_type", False):
        return value
    return jnp.asarray(value, dtype)
