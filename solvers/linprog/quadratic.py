"""The quadratic assignment problem: least ``sum(a * b[perm][:, perm])`` over permutations, approximately."""

import jax
import jax.numpy as jnp
from jax import lax

from solvers.linprog.assignment import assignment

__all__ = ["exchange", "fast_approximate"]


def fast_approximate(a, b, start, fixed, sign, limit, tol):
    """Frank-Wolfe iterations over the doubly stochastic matrices, then the nearest permutation.

    Parameters
    ----------
    a, b : arrays, shape (n, n)
    start : array, shape (n - fixed, n - fixed)
        Doubly stochastic.
    fixed : int
        The first rows are matched with the columns of the same number.
    sign : scalar
        -1 to maximise, else 1.
    limit : scalar int
        Most iterations.
    tol : scalar
        It ends when a step is shorter than this, relative to ``sqrt(n - fixed)``, in the Frobenius norm.

    Returns
    -------
    columns : int array, shape (n - fixed,)
        Of the rows that are not fixed, counted behind the fixed ones.
    count : int
        Of iterations.

    References
    ----------
    .. [1] J. T. Vogelstein et al., "Fast approximate quadratic programming for graph matching", PLoS ONE 10 (2015)
       e0121002.
    .. [2] D. Fishkind et al., "Seeded graph matching", Pattern Recognition 87 (2019) 203-215.
    """
    size = a.shape[0] - fixed
    linear = a[fixed:, :fixed] @ b[fixed:, :fixed].T + a[:fixed, fixed:].T @ b[:fixed, fixed:]
    a, b = a[fixed:, fixed:], b[fixed:, fixed:]

    def step(state):
        p, _, count = state
        gradient = linear + a @ p @ b.T + a.T @ p @ b
        q = jax.nn.one_hot(assignment(sign * gradient).columns, size, dtype=p.dtype)
        # the objective at q + t r is square t^2 + slope t + constant
        r = p - q
        square = (a * (r @ b @ r.T)).sum()
        slope = (a * (r @ b @ q.T + q @ b @ r.T)).sum() + (linear * r).sum()
        lowest = -slope / (2 * jnp.where(square == 0, 1, square))
        inside = (square * sign > 0) & (lowest >= 0) & (lowest <= 1)
        t = jnp.where(inside, lowest, jnp.where((slope + square) * sign < 0, 1.0, 0.0))
        new = t * p + (1 - t) * q
        return new, jnp.linalg.norm(p - new) / jnp.sqrt(size * 1.0) < tol, count + 1

    state = start, jnp.asarray(False), jnp.asarray(0)
    p, _, count = lax.while_loop(lambda s: ~s[1] & (s[2] < limit), step, state)
    return assignment(-p).columns, count


def exchange(a, b, perm, free, sign):
    """Exchange the first pair (in lexical order) that improves the sum, until none does (2-opt).

    Parameters
    ----------
    a, b : arrays, shape (n, n)
    perm : int array, shape (n,)
        Start.
    free : bool array, shape (n,)
        The rows that may change.
    sign : scalar
        -1 to maximise, else 1.

    Returns
    -------
    perm : int array, shape (n,)
    count : int
        Of pairs looked at, those of a row with itself among them.

    Notes
    -----
    The gains of all pairs come from two matrix products. A gain within rounding errors is none.
    """
    n = a.shape[0]
    rank = jnp.cumsum(free) - 1  # among the free rows
    many = free.sum()
    # the place of (i, j) in the list of pairs i <= j of free rows
    first, second = rank[:, None], rank[None, :]
    place = first * many - first * (first - 1) // 2 + second - first
    pairs = free[:, None] & free & (jnp.arange(n)[:, None] < jnp.arange(n))
    total = many * (many + 1) // 2

    def gains(perm):
        c = b[perm][:, perm]
        both = a @ c.T + a.T @ c
        whole = both + both.T - jnp.diagonal(both)[:, None] - jnp.diagonal(both)
        # where the other index is one of the pair, the entries of the pair change places
        da, dc = jnp.diagonal(a), jnp.diagonal(c)
        wrong = (da[:, None] - a.T) * (c.T - dc[:, None]) + (a - da) * (dc - c)
        wrong = wrong + (da[:, None] - a) * (c - dc[:, None]) + (a.T - da) * (dc - c.T)
        right = (da[:, None] - da) * (dc - dc[:, None]) + (a - a.T) * (c.T - c)
        return whole - wrong + right

    noise = 16 * jnp.finfo(a.dtype).eps * n * jnp.abs(a).max(initial=0) * jnp.abs(b).max(initial=0)

    def step(state):
        perm, count, _ = state
        better = pairs & (sign * gains(perm) < -noise)
        where = jnp.argmin(jnp.where(better, place, total))
        i, j = where // n, where % n
        found = better.any()
        swapped = perm.at[i].set(perm[j]).at[j].set(perm[i])
        return jnp.where(found, swapped, perm), count + jnp.where(found, place[i, j] + 1, total), found

    state = perm, jnp.asarray(0), jnp.asarray(True)
    perm, count, _ = lax.while_loop(lambda s: s[2], step, state)
    return perm, count
