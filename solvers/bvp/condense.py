"""Linear systems of two-point boundary value problems, by elimination of every second node.

N relations between neighbours and n + k rows that border them::

    left[i] y[i] + right[i] y[i + 1] + param[i] p = g[i],      i = 0 .. N - 1
    start y[0] + end y[N] + border p = c

Two neighbouring relations are 2n rows; n of them, chosen by partial pivoting, give the node between, and the
others are a relation between the outer nodes. log2 N levels of this, each for all pairs at once, leave a dense
system of y[0], y[N] and p.

References
----------
.. [1] S. J. Wright, "Stable parallel algorithms for two-point boundary value problems", SIAM J. Sci. Stat.
       Comput. 13 (1992) 742-764.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax

from solvers.linear import LARGEST


class Chain(NamedTuple):
    """The matrices of the system: (N, n, n), (N, n, n), (N, n, k), (n + k, n), (n + k, n), (n + k, k)."""

    left: Any
    right: Any
    param: Any
    start: Any
    end: Any
    border: Any


class Factors(NamedTuple):
    """What `solve` needs."""

    couple: Any  # (N, n, 2 n + k): the node between from the outer nodes and p
    change: Any  # (N, 2 n, 2 n): what the elimination does to two right-hand sides
    dense: Any  # LU factors of the dense system
    order: Any  # and its row permutation


def _levels(n_relations):
    return max(n_relations.bit_length() - 1, 0)


def _pairs(level, n_relations):
    """Stride of a level, first nodes of its pairs (clipped), where results go (2 N: nowhere), which pairs exist."""
    stride = jnp.left_shift(1, level)
    first = 2 * stride * jnp.arange(n_relations // 2)  # different places, as transposition asks for
    there = first + 2 * stride <= n_relations
    return stride, jnp.where(there, first, 0), jnp.where(there, first, 2 * n_relations + first), there


def factor(chain):
    """Eliminate all inner nodes; N must be a power of two."""
    count, n, _ = chain.left.shape
    k = chain.param.shape[-1]
    dtype = chain.left.dtype
    identity = jnp.eye(2 * n, dtype=dtype)

    def level(i, carry):
        left, right, param, couple, change = carry
        stride, first, target, there = _pairs(i, count)
        second = first + stride
        nought = jnp.zeros((first.size, n, n), dtype)
        rows = jnp.concatenate(
            [
                jnp.concatenate([right[first], left[first], nought, param[first]], axis=2),
                jnp.concatenate([left[second], nought, right[second], param[second]], axis=2),
            ],
            axis=1,
        )
        rows = jnp.concatenate([rows, jnp.broadcast_to(identity, (first.size, 2 * n, 2 * n))], axis=2)
        # pairs that do not exist: any regular matrix
        rows = jnp.where(there[:, None, None], rows, jnp.eye(2 * n, rows.shape[2], dtype=dtype))
        top, bottom = _eliminate(rows, n)
        middle = target + stride
        couple = couple.at[middle].set(top[..., : 2 * n + k], mode="drop", unique_indices=True)
        both = jnp.concatenate([top[..., 2 * n + k :], bottom[..., 2 * n + k :]], axis=1)
        change = change.at[middle].set(both, mode="drop", unique_indices=True)
        left = left.at[target].set(bottom[..., :n], mode="drop", unique_indices=True)
        right = right.at[target].set(bottom[..., n : 2 * n], mode="drop", unique_indices=True)
        param = param.at[target].set(bottom[..., 2 * n : 2 * n + k], mode="drop", unique_indices=True)
        return left, right, param, couple, change

    empty = jnp.zeros((count, n, 2 * n + k), dtype), jnp.zeros((count, 2 * n, 2 * n), dtype)
    left, right, param, couple, change = lax.fori_loop(
        0, _levels(count), level, (chain.left, chain.right, chain.param, *empty)
    )
    whole = jnp.concatenate([left[0], right[0], param[0]], axis=1)
    outer = jnp.concatenate([chain.start, chain.end, chain.border], axis=1)
    dense, _, order = lax.linalg.lu(jnp.concatenate([whole, outer]))
    return Factors(couple, change, dense, order)


def solve(factors, g, c):
    """y (N + 1, n) and p (k,) for right-hand sides g (N, n) and c (n + k,)."""
    count, n, width = factors.couple.shape

    def up(i, carry):
        g, tops = carry
        stride, first, target, _ = _pairs(i, count)
        pair = jnp.concatenate([g[first], g[first + stride]], axis=1)
        changed = jnp.einsum("bij,bj->bi", factors.change[first + stride], pair)
        tops = tops.at[target + stride].set(changed[:, :n], mode="drop", unique_indices=True)
        return g.at[target].set(changed[:, n:], mode="drop", unique_indices=True), tops

    levels = _levels(count)
    g, tops = lax.fori_loop(0, levels, up, (g, jnp.zeros_like(g)))
    b = jnp.concatenate([g[0], c])[factors.order][:, None]
    b = lax.linalg.triangular_solve(factors.dense, b, left_side=True, lower=True, unit_diagonal=True)
    ends = lax.linalg.triangular_solve(factors.dense, b, left_side=True, lower=False)[:, 0]
    p = ends[2 * n :]

    def down(i, y):
        stride, first, target, _ = _pairs(levels - 1 - i, count)
        middle = first + stride
        outer = jnp.concatenate([y[first], y[first + 2 * stride], jnp.broadcast_to(p, (first.size, width - 2 * n))], 1)
        inner = tops[middle] - jnp.einsum("bij,bj->bi", factors.couple[middle], outer)
        return y.at[target + stride].set(inner, mode="drop", unique_indices=True)

    y = jnp.zeros((count + 1, n), g.dtype).at[0].set(ends[:n]).at[count].set(ends[n : 2 * n])
    return lax.fori_loop(0, levels, down, y), p


def _eliminate(rows, n):
    """Solve stacks (B, 2 n, n + w) for their first n unknowns: (B, n, w) that give them, (B, n, w) without them."""
    return _gauss_jordan(rows, n) if n <= LARGEST else _lapack(rows, n)


def _gauss_jordan(rows, n):
    index = jnp.arange(rows.shape[1])[:, None]

    def step(c, rows):
        column = lax.dynamic_index_in_dim(rows, c, 2, keepdims=True)
        size = jnp.where(index >= c, jnp.abs(column), -1)
        best = jnp.argmax(size, axis=1, keepdims=True)
        pivot = jnp.sum(jnp.where(index == best, rows, 0), axis=1, keepdims=True)
        old = lax.dynamic_index_in_dim(rows, c, 1, keepdims=True)
        pivot = pivot / lax.dynamic_index_in_dim(pivot, c, 2, keepdims=True)
        rows = jnp.where(index == best, old, rows)
        column = lax.dynamic_index_in_dim(rows, c, 2, keepdims=True)
        return jnp.where(index == c, pivot, rows - column * pivot)

    rows = lax.fori_loop(0, n, step, rows)
    return rows[:, :n, n:], rows[:, n:, n:]


def _lapack(rows, n):
    lu, _, order = lax.linalg.lu(rows[:, :, :n])
    rest = jnp.take_along_axis(rows[:, :, n:], order[..., None], axis=1)
    top = lax.linalg.triangular_solve(lu[:, :n], rest[:, :n], left_side=True, lower=True, unit_diagonal=True)
    bottom = rest[:, n:] - lu[:, n:] @ top
    return lax.linalg.triangular_solve(lu[:, :n], top, left_side=True, lower=False), bottom
