"""One callable for one signature: recorded, written as a jaxpr, ready to evaluate."""

from __future__ import annotations

import jax
import numpy as np

from . import inputs
from .emit import Emitter
from .errors import TraceReason, error_at
from .outcome import merge, outcome_of
from .rebuild import World
from .tape import record


class Program:
    """A jaxpr of a callable at one signature.

    Attributes
    ----------
    jaxpr : jax.extend.core.ClosedJaxpr
        Inputs are the callable's leaves followed by the arguments' leaves.
    treedef : PyTreeDef
        Structure of the result.
    paths : int
        Number of paths recorded (0 where JAX traced the function itself).
    tolerance : float
        Relative agreement with the original to expect beyond rounding: not 0 where it calls a solver.
    """

    __slots__ = ("jaxpr", "jitted", "paths", "stacked", "tolerance", "treedef")

    def __init__(self, jaxpr, treedef, paths, stacked=False, tolerance=0.0):
        self.jaxpr, self.treedef, self.paths, self.stacked = jaxpr, treedef, paths, stacked
        self.tolerance = tolerance
        self.jitted = None

    @property
    def single(self):
        """Whether any of it is computed in less than double precision."""
        jaxpr = self.jaxpr.jaxpr
        variables = [v for e in jaxpr.eqns for v in e.outvars] + jaxpr.invars
        return any(getattr(v.aval, "dtype", None) in (np.float32, np.complex64, np.float16) for v in variables)

    def flat(self, values):
        """Flat outputs for flat inputs, under whatever trace is in force."""
        return jax.core.eval_jaxpr(self.jaxpr.jaxpr, self.jaxpr.consts, *values)

    def compiled(self, values):
        """The same through one compiled call."""
        if self.jitted is None:
            self.jitted = jax.jit(self.flat)
        return self.jitted(list(values))


def leaf_kinds(node, found):
    """Kinds of all leaves below a description, by leaf number."""
    if type(node) is tuple:
        if node and node[0] == "L":
            found[node[2]] = node[1]
        else:
            for part in node:
                leaf_kinds(part, found)
    return found


def record_numpy(function, arguments, values, split):
    """Program of a NumPy function.

    Parameters
    ----------
    function, arguments : tuple
        Descriptions of the callable and of its (args, kwargs).
    values : list of ndarray
        Witness of every leaf, the callable's first.
    split : int
        Number of the callable's leaves.
    """
    kinds = leaf_kinds(function, {})
    argument_kinds = leaf_kinds(arguments, {})
    order = [kinds.get(i, "a") for i in range(split)]
    order += [argument_kinds.get(i, "a") for i in range(len(values) - split)]

    def start(recorder):
        duals = [
            inputs.dual_input(recorder, kind, value, inputs.CAPTURED if i < split else inputs.ARGUMENT)
            for i, (kind, value) in enumerate(zip(order, values, strict=True))
        ]
        outer = World(duals[:split], True)
        fun = outer.build(function)
        inner = World(duals[split:], True, TraceReason.ARGUMENT_WRITE, outer)
        args, kwargs = inner.build(arguments)

        def finish(result):
            if recorder.nan_only and result is None:
                return None
            outcome = outcome_of(result)
            outer.check()
            inner.check()
            return outcome

        return (lambda: fun(*args, **kwargs)), finish

    runs = record(start)
    merged = merge(runs)
    emitter = Emitter(runs, merged, len(values))
    shapes = [inputs_abstract(v) for v in values]
    jaxpr = jax.make_jaxpr(lambda *xs: emitter(*xs))(*shapes)
    return Program(jaxpr, merged.treedef, len(runs), merged.stacked, max(r.tolerance for r in runs))


def inputs_abstract(value):
    """Abstract value of an input at the precision in force."""
    return jax.ShapeDtypeStruct(np.shape(value), jax.dtypes.canonicalize_dtype(np.asarray(value).dtype))


def check_effects(node):
    """Refuse JAX code that names a clock, a file or a random generator of the host."""
    from .shims.blocked import Blocked
    from .shims.resolve import shim

    if type(node) is tuple:
        if len(node) == 6 and node[0] == "refused":
            raise error_at(node[3:5], TraceReason.OUTSIDE_WRITE, f"assignment to the outer variable {node[5]!r}")
        if len(node) == 2 and node[0] == "lib!":
            found = shim(node[1])
            if type(found) is Blocked and found._reason in (TraceReason.RANDOM, TraceReason.EFFECT):
                found._use()
        for part in node:
            check_effects(part)


def record_jax(function, arguments, values, split):
    """Program of a function that JAX can trace itself."""
    check_effects(function)
    shapes = [inputs_abstract(v) for v in values]
    treedef = None

    def call(*xs):
        nonlocal treedef
        world = World(list(xs[:split]), False)
        fun = world.build(function)
        args, kwargs = World(list(xs[split:]), False).build(arguments)
        flat, treedef = jax.tree_util.tree_flatten(fun(*args, **kwargs))
        world.check()
        return flat

    jaxpr = jax.make_jaxpr(call)(*shapes)
    return Program(jaxpr, treedef, 0)
