"""A function given to a solver inside a traced function, as a piece of the caller's tape.

The piece is recorded once at an example point: fresh inputs for the arguments, and the nodes of the
caller that it reads become captured values. `NestedFunction` evaluates it in JAX, `on_numpy` in NumPy.
"""

from __future__ import annotations

import jax
import numpy as np

from . import interp, structural
from .emit import value_of
from .errors import TraceReason, error_at


class Code:
    """The recorded piece; equal to itself only.

    Attributes
    ----------
    nodes : list of Node
        The caller's tape.
    inputs, outputs : list of int
        Nodes of the arguments and of the leaves of the result, whose structure is ``treedef``.
    captured : list of int
        Nodes of the caller that the piece reads.
    signature : inspect.Signature or None
        The user's function's: curve_fit counts the parameters.
    """

    def __init__(self, name, nodes, inputs, outputs, dtypes, treedef, captured, signature):
        self.name, self.nodes, self.inputs, self.outputs = name, nodes, inputs, outputs
        self.dtypes, self.treedef, self.captured = dtypes, treedef, captured
        self.signature = signature

    def flat(self, leaves, args):
        """Leaves of the result in JAX, from the captured values and the arguments."""
        env = dict(zip(self.captured, leaves, strict=True))
        self.check(args)
        for number, value in zip(self.inputs, args, strict=True):
            env[number] = structural.cast(structural.as_jax(value), self.nodes[number].dtype)
        values = [value_of(env, self.nodes, n) for n in self.outputs]
        return [structural.as_jax(structural.cast(v, d)) for v, d in zip(values, self.dtypes, strict=True)]

    def check(self, args):
        """Refuse arguments of other shapes than the example's."""
        wanted, got = [self.nodes[n].shape for n in self.inputs], [np.shape(a) for a in args]
        if wanted != got:
            place = self.nodes[self.inputs[0]].place if self.inputs else (None, None)
            raise error_at(place, TraceReason.SHAPE, f"{self.name} is called with shapes {got}, recorded for {wanted}")


class NestedFunction:
    """A `Code` with its captured values: a pytree whose leaves they are, callable in JAX."""

    __slots__ = ("__name__", "__signature__", "__weakref__", "_code", "_leaves")

    def __init__(self, code, leaves):
        self._code, self._leaves, self.__name__ = code, leaves, code.name
        if code.signature is not None:
            self.__signature__ = code.signature

    def __call__(self, *args):
        return jax.tree_util.tree_unflatten(self._code.treedef, self._code.flat(self._leaves, args))


jax.tree_util.register_pytree_node(
    NestedFunction, lambda f: (f._leaves, f._code), lambda code, leaves: NestedFunction(code, leaves)
)


def boundary(nodes, roots, start, inputs):
    """Nodes before ``start`` that the roots need, constants left out."""
    found, outer, pending = set(), [], list(roots)
    while pending:
        number = pending.pop()
        if number in found or number in inputs:
            continue
        found.add(number)
        node = nodes[number]
        if node.value is not None:
            continue
        if number < start:
            outer.append(number)
            continue
        pending.extend(node.ins)
        pending.extend(node.phi or ())
    return sorted(outer)


def values_at(recorder, numbers):
    """Witness values of nodes, in double precision; remembered."""
    nodes, known = recorder.nodes, recorder.known
    missing = [n for n in numbers if n not in known]
    if missing:
        found, base, pending = set(), [], list(missing)
        while pending:
            number = pending.pop()
            if number in found:
                continue
            found.add(number)
            if number in known:
                base.append(number)
                continue
            pending.extend(nodes[number].ins)
            pending.extend(nodes[number].phi or ())
        values = [known[n] for n in base]

        def run(xs):
            env = dict(zip(base, xs, strict=True))
            return [structural.as_jax(value_of(env, nodes, n)) for n in missing]

        known.update(zip(missing, _on_numpy(run, [values], values), strict=True))
    return [known[n] for n in numbers]


def _on_numpy(function, arguments, values):
    return _Evaluator(function, arguments)(values)


class _Evaluator:
    """A JAX function of fixed shapes, evaluated by NumPy."""

    def __init__(self, function, arguments):
        with jax.enable_x64(True):
            shapes = jax.tree_util.tree_map(lambda v: jax.ShapeDtypeStruct(np.shape(v), np.asarray(v).dtype), arguments)
            self.jaxpr = jax.make_jaxpr(function)(*shapes)

    def __call__(self, values):
        with jax.enable_x64(True), np.errstate(all="ignore"):
            found = interp.evaluate(self.jaxpr.jaxpr, self.jaxpr.consts, values)
        return [np.array(v) for v in found]


def on_numpy(recorder, code):
    """The function as the original library may call it: NumPy in, NumPy out, at the caller's witness values."""
    leaves = [np.asarray(v) for v in values_at(recorder, code.captured)]
    samples = [np.zeros(code.nodes[n].shape, code.nodes[n].dtype) for n in code.inputs]
    evaluator = _Evaluator(code.flat, [leaves, samples])

    def function(*args):
        code.check(args)
        values = [np.asarray(a, s.dtype) for a, s in zip(args, samples, strict=True)]
        found = evaluator([*leaves, *values])
        return jax.tree_util.tree_unflatten(code.treedef, [v if v.ndim else v.item() for v in found])

    function.__name__ = code.name
    if code.signature is not None:
        function.__signature__ = code.signature
    return function


__all__ = ["Code", "NestedFunction", "boundary", "on_numpy", "values_at"]
