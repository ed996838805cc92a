"""Arguments of a call taken apart like captured values; kinds of numbers follow the example's."""

from __future__ import annotations

import jax
import numpy as np

from .lift import Lifter


def lift_arguments(args, kwargs, names, example=None):
    """Description of the arguments and their leaves; kinds of numbers follow the example's."""
    lifter = Lifter(0, names=names)
    lift = lifter.lift
    shown = example[1] if example is not None else ((), ())
    nodes = []
    for i, value in enumerate(args):
        node = lift(value)
        like = shown[0][1][i] if example is not None and i < len(shown[0][1]) else None
        nodes.append(_aligned(node, like, lifter.leaves))
    named = tuple([((str, k), _aligned(lift(v), None, lifter.leaves)) for k, v in kwargs.items()])
    if lifter.incomplete:
        return lift_arguments(args, kwargs, lifter.names, example)
    return ("tuple", (("tuple", tuple(nodes)), ("dict", -1, named))), lifter.leaves


def _aligned(node, like, leaves):
    """Scalars get the kind that the example had: a Python float stays one under a tracer."""
    tag = node[0]
    if tag == "m" and np.ndim(leaves[node[2][2]]) == 0 and isinstance(leaves[node[2][2]], np.ndarray):
        return node
    if tag == "L" and isinstance(leaves[node[2]], jax.Array):
        value = leaves[node[2]]
        if like is not None and like[0] == "L" and value.ndim == 0:
            return ("L", like[1], node[2])
        if like is not None and like[0] == "k" and like[1] in (int, bool) and value.ndim == 0:
            return ("L", "i" if like[1] is int else "b", node[2])
        if like is not None and like[0] == "m":
            return ("m", like[1], ("L", "a", node[2]))
        return ("L", "s" if value.ndim == 0 else "a", node[2])
    if tag == "tuple":
        likes = (
            like[1]
            if like is not None and like[0] == "tuple" and len(like[1]) == len(node[1])
            else [None] * len(node[1])
        )
        return ("tuple", tuple(_aligned(n, m, leaves) for n, m in zip(node[1], likes, strict=True)))
    if tag == "list":
        likes = (
            like[2]
            if like is not None and like[0] == "list" and len(like[2]) == len(node[2])
            else [None] * len(node[2])
        )
        return ("list", node[1], tuple(_aligned(n, m, leaves) for n, m in zip(node[2], likes, strict=True)))
    return node
