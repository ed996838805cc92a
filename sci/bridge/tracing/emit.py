"""The tape written in JAX: shared work first, then both sides of a branch, each with its own work only."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import lax

from . import structural
from .errors import TraceError, TraceReason, error_at

_SELECT_NODES, _SELECT_SIZE = 24, 64  # branches up to this are computed on both sides and selected from


class Emitter:
    """Writes the runs of one recording as a function of its inputs."""

    def __init__(self, runs, merged, inputs):
        self.runs, self.merged, self.inputs = runs, merged, inputs
        self.needed = [_needed(r) for r in runs]
        _check_prefixes(runs)

    def __call__(self, *values):
        env = dict(enumerate(values))
        return self._paths(env, list(range(len(self.runs))), 0)

    def _paths(self, env, members, depth):
        first = self.runs[members[0]]
        if len(members) == 1 and len(first.decisions) <= depth:
            return self._leaf(env, first)
        decision = first.decisions[depth]
        yes = [m for m in members if self.runs[m].decisions[depth].taken]
        no = [m for m in members if not self.runs[m].decisions[depth].taken]
        if not yes or not no:
            return self._paths(env, members, depth + 1)
        need_yes = set().union(*(self.needed[m] for m in yes))
        need_no = set().union(*(self.needed[m] for m in no))
        shared = sorted(n for n in need_yes & need_no if n < decision.position)
        for number in shared:
            value_of(env, first.nodes, number)
        condition = value_of(env, first.nodes, decision.cond)
        condition = structural.cast(condition, bool)
        if self._cheap(env, yes, need_yes) and self._cheap(env, no, need_no):
            left = self._paths(dict(env), yes, depth + 1)
            right = self._paths(dict(env), no, depth + 1)
            return [lax.select(_wide(condition, a), a, b) for a, b in zip(left, right, strict=True)]
        left = lambda: self._paths(dict(env), yes, depth + 1)  # noqa: E731
        right = lambda: self._paths(dict(env), no, depth + 1)  # noqa: E731
        return lax.cond(condition, left, right)

    def _cheap(self, env, members, need):
        if len(members) > 4:
            return False
        total = 0
        for m in members:
            for number in self.needed[m]:
                if number in env:
                    continue
                node = self.runs[m].nodes[number]
                total += 1
                size = int(np.prod(node.shape)) if node.shape is not None else _SELECT_SIZE + 1
                if not node.safe or size > _SELECT_SIZE or total > _SELECT_NODES:
                    return False
        return True

    def _leaf(self, env, run):
        merged = self.merged
        if run.outcome is None:
            return [
                jnp.full(s, jnp.nan, structural.canonical(d)) for s, d in zip(merged.shapes, merged.dtypes, strict=True)
            ]
        values = [value_of(env, run.nodes, n) for n in run.outcome.nodes]
        if merged.stacked:
            dtype = merged.dtypes[0]
            flat = [
                structural.reshape(structural.as_jax(structural.cast(v, dtype)), (int(np.prod(np.shape(v))),))
                for v in values
            ]
            return [structural.reshape(lax.concatenate(flat, 0), merged.shapes[0])]
        return [structural.as_jax(structural.cast(v, d)) for v, d in zip(values, merged.dtypes, strict=True)]


def value_of(env, nodes, number):
    """Value of a node, with everything it needs, under what ``env`` has already."""
    if number in env:
        return env[number]
    pending = [number]
    while pending:
        current = pending[-1]
        if current in env:
            pending.pop()
            continue
        node = nodes[current]
        if node.phi is not None and node.ins[0] in env:
            pending.pop()
            env[current] = _choice(env, nodes, node)
            continue
        missing = [i for i in node.ins if i not in env]
        if missing:
            pending.extend(missing)
            continue
        pending.pop()
        env[current] = evaluate(node, [env[i] for i in node.ins])
    return env[number]


def _choice(env, nodes, node):
    """A merged call: what both sides need first, then a select or a branch."""
    left, right = node.phi
    need = [_reach(nodes, [side], env) for side in node.phi]
    for number in sorted(need[0] & need[1]):
        value_of(env, nodes, number)
    condition = structural.cast(env[node.ins[0]], bool)
    rest = [n for n in need[0] | need[1] if n not in env]
    if len(rest) <= _SELECT_NODES and all(_simple(nodes[n]) for n in rest):
        a, b = (structural.as_jax(value_of(dict(env), nodes, side)) for side in (left, right))
        return lax.select(_wide(condition, a), a, b)
    return lax.cond(
        condition,
        lambda: structural.as_jax(value_of(dict(env), nodes, left)),
        lambda: structural.as_jax(value_of(dict(env), nodes, right)),
    )


def _wide(condition, like):
    return condition if like.ndim == 0 else lax.broadcast_in_dim(condition, like.shape, ())


def evaluate(node, values):
    """One node in JAX; shape and type are checked against the witness's."""
    if node.fn is None:
        value = node.value
        if value is None:
            raise error_at(node.place, TraceReason.OUTSIDE_WRITE, "an argument of a function given to a solver is kept")
        return (
            value.astype(structural.canonical(value.dtype))
            if value.dtype != structural.canonical(value.dtype)
            else value
        )
    try:
        result = node.fn(*values)
    except TraceError:
        raise
    except Exception as error:
        raise error_at(node.place, TraceReason.NUMPY_FUNCTION, f"{type(error).__name__}: {error}"[:300]) from error
    if node.shape is None:
        return result
    if isinstance(result, (tuple, list)) or np.shape(result) != node.shape:
        raise error_at(node.place, TraceReason.SHAPE, f"JAX gives shape {np.shape(result)}, NumPy {node.shape}")
    return structural.cast(result, node.dtype)


def _simple(node):
    size = int(np.prod(node.shape)) if node.shape is not None else _SELECT_SIZE + 1
    return node.safe and node.phi is None and size <= _SELECT_SIZE


def _needed(run):
    roots = list(run.outcome.nodes) if run.outcome is not None else []
    return _reach(run.nodes, roots + [d.cond for d in run.decisions], ())


def _reach(nodes, roots, known):
    """Nodes that the roots need surely (not those that one side of a choice needs), beyond ``known``."""
    found, pending = set(), list(roots)
    while pending:
        number = pending.pop()
        if number not in found and number not in known:
            found.add(number)
            pending.extend(nodes[number].ins)
    return found


def _check_prefixes(runs):
    """Replays of a prefix must record the same operations: anything else is hidden state."""
    for run in runs[1:]:
        other = runs[0]
        for a, b in zip(run.decisions, other.decisions, strict=False):
            if a.position != b.position or a.cond != b.cond:
                raise error_at(a.place, TraceReason.IMPURE, "a replay of the function went another way")
            if a.taken != b.taken:
                break
