"""Stacks of small systems: elimination and Cholesky with one lane for each matrix, unrolled for the smallest.

LAPACK's overhead for a call is larger than the work at this size. Measured on two cores, 10,000 systems in float64:
3x3 0.08 ms against 2.3 ms of batched LAPACK; at 8x8 LAPACK is faster for one right-hand side. Inverses gain up to
32x32, where XLA's triangular solves of stacks cost ten factorisations. For one matrix alone LAPACK is faster, so that
the choice is made where `vmap` is known.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.linear.lu import factor

__all__ = [
    "CACHED",
    "FEW",
    "LARGEST",
    "batched",
    "cholesky_small",
    "first_largest",
    "in_lanes",
    "inverse_small",
    "invertible_in_lanes",
    "quotient",
    "solve_small",
]

#: The largest order at which the unrolled forms are faster.
LARGEST = 4
#: The largest order at which a stack is inverted in lanes: XLA's own triangular solves of stacks are no LAPACK calls.
LARGEST_INVERSE = 32
#: The smallest stack of larger matrices for which lanes pay.
FEW = 16
#: The largest order at which the elimination is unrolled: at 4, with a few right-hand sides, that takes XLA twice as
#: long to compile as a loop over the columns (0.9 s of processor time against 0.4).
_UNROLLED = 3


def _entries(a):
    return [[a[..., i, j] for j in range(a.shape[-1])] for i in range(a.shape[-2])]


def _stacked(rows):
    return jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)


def _unrolled(a, b):
    """`_eliminate` with one array for each entry."""
    n = a.shape[-1]
    rows = [x + y for x, y in zip(_entries(a), _entries(b), strict=True)]
    width = len(rows[0])
    for c in range(n):
        for i in range(c + 1, n):  # the largest entry of the column rises to the pivot's row
            swap = jnp.abs(rows[i][c]) > jnp.abs(rows[c][c])
            for j in range(c, width):
                x, y = rows[c][j], rows[i][j]
                rows[c][j], rows[i][j] = jnp.where(swap, y, x), jnp.where(swap, x, y)
        inverse = 1 / rows[c][c]
        for i in range(n):
            if i != c:
                factor = rows[i][c] * inverse
                for j in range(c + 1, width):
                    rows[i][j] = rows[i][j] - factor * rows[c][j]
        for j in range(c + 1, width):
            rows[c][j] = rows[c][j] * inverse
        # without it XLA computes the earlier steps anew for each entry of the result
        rows = lax.optimization_barrier(rows)
    return _stacked([row[n:] for row in rows])


#: Lanes worked on at once: their matrices stay in the cache.
_LANES = 1024
#: Entries worked on at once, where the number of lanes follows from the order.
CACHED = 16_384


def in_lanes(function, *stacks, lanes=_LANES):
    """``function`` of arrays (rows, columns, lanes), for stacks (batch, rows, columns) of any size."""

    def block(parts):
        return jnp.moveaxis(function(*(jnp.moveaxis(x, 0, -1) for x in parts)), -1, 0)

    batch = len(stacks[0])
    if batch <= lanes:
        return block(stacks)
    chunks = -(-batch // lanes)
    padded = [jnp.pad(x, ((0, chunks * lanes - batch), (0, 0), (0, 0))) for x in stacks]
    out = lax.map(block, tuple(x.reshape(chunks, lanes, *x.shape[1:]) for x in padded))
    return out.reshape(-1, *out.shape[2:])[:batch]


def first_largest(size):
    """Index of the first of the largest of n numbers in each lane (n, lanes); n in a lane with a NaN, which is lost."""
    n = size.shape[0]
    return jnp.where(size == size.max(axis=0), np.arange(n, dtype=np.int32)[:, None], n).min(axis=0)


def _looped(a, b):
    """`_eliminate` by one loop over the columns, whose body works on all lanes.

    The column in work is always the first, and the row that is done goes to the end.
    """
    n, k = a.shape[-1], b.shape[-1]
    number = np.arange(n, dtype=np.int32)[:, None]

    def step(c, x):
        chosen = first_largest(jnp.where(number < n - c, jnp.abs(x[:, 0]), -1)) == number
        pivot = jnp.where(chosen[:, None], x, 0).sum(axis=0)
        others = jnp.where(chosen[:, None], x[0], x)[1:]
        lead = pivot[1:] / pivot[0]
        rest = others[:, 1:] - others[:, :1] * lead
        return jnp.pad(jnp.concatenate([rest, lead[None]]), ((0, 0), (0, 1), (0, 0)))

    packed = jnp.concatenate([a, b], axis=-1).reshape(-1, n, n + k)
    return in_lanes(lambda x: lax.fori_loop(0, n, step, x)[:, :k], packed).reshape(*a.shape[:-2], n, k)


def _inverse_lanes(x):
    """Inverses of (n, n, lanes) by elimination in place; the rows stay where they are until the end.

    In step c one row is exchanged for unknown c: the column that is done makes room for one of the inverse.
    """
    n = x.shape[0]
    number = np.arange(n, dtype=np.int32)[:, None]

    def step(c, carry):
        x, turn = carry  # the step in which a row was the pivot's, n so far
        column = lax.dynamic_index_in_dim(x, c, 1, keepdims=False)
        size = jnp.where(turn < n, -1, jnp.abs(column))
        chosen = lax.optimization_barrier(first_largest(size) == number)
        pivot = lax.optimization_barrier(jnp.where(chosen[:, None], x, 0).sum(axis=0))
        inverse = 1 / lax.dynamic_index_in_dim(pivot, c, keepdims=False)
        lead = lax.optimization_barrier(jnp.where(number == c, inverse, pivot * inverse))
        rest = jnp.where(number == c, 0, x) - column[:, None] * lead
        return jnp.where(chosen[:, None], lead, rest), jnp.where(chosen, c, turn).astype(turn.dtype)

    x, turn = lax.fori_loop(0, n, step, (x, jnp.full((n, x.shape[-1]), n, np.int32)))
    # row i is that of unknown turn[i], and column c that of the row whose turn was c
    taken = turn == number[:, None]
    x = jnp.where(taken[:, :, None], x, 0).sum(axis=1)
    return jnp.where(taken[None], x[:, :, None], 0).sum(axis=1)


def _eliminate(a, b):
    """Gauss-Jordan elimination with partial pivoting on stacks (..., n, n), (..., n, k)."""
    return _unrolled(a, b) if a.shape[-1] <= _UNROLLED else _looped(a, b)


def _lapack(a, b):
    lu, permutation = factor(a)
    x = lax.linalg.triangular_solve(lu, b[permutation], left_side=True, lower=True, unit_diagonal=True)
    return lax.linalg.triangular_solve(lu, x, left_side=True, lower=False)


def batched(function):
    """A rule for `custom_vmap`: the function of stacks, all arguments with the batch in front."""

    def rule(axis_size, in_batched, *args):
        full = [
            x if flag else jnp.broadcast_to(x, (axis_size, *x.shape)) for x, flag in zip(args, in_batched, strict=True)
        ]
        return function(*full), True

    return rule


@jax.custom_batching.custom_vmap
def solve_small(a, b):
    """Solve ``a @ x = b`` for one system (n, n), (n, k), n at most `LARGEST`; unrolled under `vmap`.

    Infinity or NaN for a singular matrix. It has no derivative of its own: use it inside
    ``lax.custom_linear_solve``.
    """
    return _lapack(a, b)


solve_small.def_vmap(batched(_eliminate))


def _inverse_stack(a):
    n = a.shape[-1]
    if n <= _UNROLLED:
        return _unrolled(a, jnp.broadcast_to(jnp.eye(n, dtype=a.dtype), a.shape))
    if n > LARGEST and len(a) < FEW:
        return jax.vmap(_inverse_lapack)(a)
    return in_lanes(_inverse_lanes, a, lanes=max(CACHED // n**2, 16))


def _inverse_lapack(a):
    return _lapack(a, jnp.eye(a.shape[-1], dtype=a.dtype))


_inverse = jax.custom_batching.custom_vmap(_inverse_lapack)
_inverse.def_vmap(batched(_inverse_stack))


def invertible_in_lanes(a):
    """Whether stacks of matrices like these are inverted sooner by `inverse_small` than by LAPACK."""
    return a.shape[-1] <= (LARGEST if jnp.iscomplexobj(a) else LARGEST_INVERSE)


def _quotient_stack(p, q):
    if len(p) < FEW or not invertible_in_lanes(p):
        return jax.vmap(_lapack)(p, q)
    return _inverse_stack(p) @ q


_quotient = jax.custom_batching.custom_vmap(_lapack)
_quotient.def_vmap(batched(_quotient_stack))


def quotient(p, q):
    """``inv(p) @ q`` of two matrices (n, n), p well conditioned: a stack multiplies by the inverse. Differentiable."""
    fixed = lax.stop_gradient(p)
    return lax.custom_linear_solve(
        lambda x: p @ x, q, lambda _, y: _quotient(fixed, y), lambda _, y: _quotient(fixed.T, y)
    )


@jax.custom_jvp
def inverse_small(a):
    """Inverse of one matrix, by LAPACK; by elimination across lanes under `vmap`. Differentiable.

    For what `invertible_in_lanes` says.

    Infinity or NaN for a singular matrix.
    """
    return _inverse(a)


@inverse_small.defjvp
def _inverse_jvp(primals, tangents):
    (a,), (da,) = primals, tangents
    x = inverse_small(a)
    return x, -(x @ da @ x)


def _cholesky_entries(a):
    n = a.shape[-1]
    entries = _entries(a)
    factor = [[jnp.zeros_like(entries[0][0])] * n for _ in range(n)]
    for j in range(n):
        pivot = entries[j][j].real - sum((jnp.abs(factor[j][k]) ** 2 for k in range(j)), 0.0)
        root = jnp.sqrt(jnp.where(pivot > 0, pivot, jnp.nan))
        factor[j][j] = root.astype(a.dtype)
        for i in range(j + 1, n):
            rest = entries[i][j] - sum((factor[i][k] * factor[j][k].conj() for k in range(j)), 0.0)
            factor[i][j] = rest / root
    factor = _stacked(factor)
    bad = jnp.isnan(jnp.diagonal(factor, axis1=-2, axis2=-1).real).any(axis=-1)
    return jnp.where(bad[..., None, None], jnp.nan, factor)


@jax.custom_batching.custom_vmap
def _cholesky(a):
    return lax.linalg.cholesky(a, symmetrize_input=False)


_cholesky.def_vmap(batched(_cholesky_entries))


@jax.custom_jvp
def cholesky_small(a):
    """Lower Cholesky factor of one Hermitian matrix of order at most `LARGEST`; unrolled under `vmap`.

    NaN if it is not positive definite. Differentiable: S. P. Smith, "Differentiation of the Cholesky algorithm",
    J. Comput. Graph. Stat. 4 (1995) 134-147.
    """
    return _cholesky(a)


@cholesky_small.defjvp
def _cholesky_jvp(primals, tangents):
    (a,), (da,) = primals, tangents
    factor = cholesky_small(a)
    n = a.shape[-1]
    da = (da + da.conj().T) / 2
    left = lax.linalg.triangular_solve(factor, da, left_side=True, lower=True)
    both = lax.linalg.triangular_solve(factor, left, left_side=False, lower=True, transpose_a=True, conjugate_a=True)
    return factor, factor @ (jnp.tril(both) - 0.5 * jnp.eye(n, dtype=a.dtype) * both)
