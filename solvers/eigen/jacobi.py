"""Stacks of small matrices: Hermitian eigenproblems and singular values by Jacobi rotations, one lane for each matrix.

All matrices of a block are rotated together, in an order in which half of the columns are paired with the other half,
so that one loop body serves every pair. LAPACK's overhead for a call is larger than the work at this size; for one
matrix alone it is faster, so that the choice is made where `vmap` is known.

References
----------
G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., sections 8.5 (Jacobi methods, parallel ordering) and 8.6.3
(one-sided Jacobi); J. Demmel, K. Veselic, "Jacobi's method is more accurate than QR", SIAM J. Matrix Anal. Appl. 13
(1992) 1204-1245.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.linear.small import in_lanes

__all__ = ["LARGEST", "eigh_stacked", "stacks", "svd_stacked"]

#: The largest order (the longer side) at which rotating a stack beats LAPACK: five times as fast at 4, less than twice
#: at 8; complex arithmetic is slow in XLA.
LARGEST, _LARGEST_COMPLEX = 8, 4
#: The smallest stack for which compiling the rotations pays.
_STACK = 64
#: Convergence is quadratic: 4 to 7 sweeps in practice.
_SWEEPS = 20
#: Lanes worked on at once: the matrices and the rotations so far stay in the cache.
_LANES = 256


def _order(m):
    """The permutation after which the pairs (k, k + m/2) are new ones, as in a round-robin tournament of m players."""
    half = m // 2
    top, bottom = list(range(half)), list(range(half, m))
    if half == 1:
        return np.array(top + bottom)
    return np.array([top[0], bottom[0], *top[1:-1], *bottom[1:], top[-1]])


def _unit(a):
    """The matrices over the power of two next to their largest entry, and that power, for each lane."""
    size = jnp.abs(a).max(axis=(0, 1))
    bits, mask = (jnp.uint64, 0x7FF << 52) if size.dtype == jnp.float64 else (jnp.uint32, 0xFF << 23)
    power = lax.bitcast_convert_type(lax.bitcast_convert_type(size, bits) & np.array(mask, bits), size.dtype)
    power = jnp.where((power > 0) & jnp.isfinite(power), power, 1)
    return a / power, power, jnp.isfinite(size)


def _rotation(alpha, beta, gamma):
    """Cosine and sine of the rotation that makes [[alpha, gamma], [conj gamma, beta]] diagonal, of angle up to pi/4."""
    gap, twice = beta - alpha, 2 * gamma
    reach = gap + jnp.where(gap < 0, -1, 1) * jnp.sqrt(gap**2 + (twice * jnp.conj(twice)).real)
    tangent = jnp.where(reach == 0, 0, twice / jnp.where(reach == 0, 1, reach))
    cosine = lax.rsqrt(1 + (tangent * jnp.conj(tangent)).real)
    return lax.optimization_barrier((cosine, tangent * cosine))


def _rotated_columns(x, cosine, sine):
    half = x.shape[1] // 2
    p, q = x[:, :half], x[:, half:]
    return jnp.concatenate([cosine * p - jnp.conj(sine) * q, sine * p + cosine * q], axis=1)


def _rotated_rows(x, cosine, sine):
    half = x.shape[0] // 2
    p, q, cosine, sine = x[:half], x[half:], cosine[:, None], sine[:, None]
    return jnp.concatenate([cosine * p - sine * q, jnp.conj(sine) * p + cosine * q], axis=0)


def _sweeps(step, off, x, m):
    """Sweeps of m - 1 `step`s until `off` is False in all lanes, or there have been too many."""
    return lax.while_loop(
        lambda carry: (carry[0] < _SWEEPS) & off(carry[1]).any(),
        lambda carry: (carry[0] + 1, lax.fori_loop(0, m - 1, lambda _, x: step(x), carry[1])),
        (0, x),
    )[1]


def _even(a):
    """With one more column, of zeros, where their number is odd."""
    return jnp.pad(a, ((0, 0), (0, a.shape[1] % 2), (0, 0)))


def _identity(m, like):
    return jnp.broadcast_to(jnp.eye(m, dtype=like.dtype)[..., None], (m, m, like.shape[-1]))


def _arranged(keys, columns):
    """The columns in the order of their rising keys."""
    place = np.arange(keys.shape[0])
    before = (keys[:, None] < keys) | ((keys[:, None] == keys) & (place[:, None] < place)[..., None])
    rank = before.sum(axis=0)
    chosen = rank[:, None] == place[:, None]  # (old place, new place, lane)
    return jnp.where(chosen, columns[:, :, None], 0).sum(axis=1)


def _eigh_lanes(a):
    """Values in the first row, vectors below, of Hermitian matrices (n, n, lanes)."""
    n = a.shape[0]
    a, power, good = _unit(a)
    a = _even(jnp.pad(a, ((0, n % 2), (0, 0), (0, 0))))
    m = a.shape[0]
    order, pairs = _order(m), np.arange(m // 2)
    off_diagonal = ~np.eye(m, dtype=bool)[..., None]
    paired = np.eye(m, k=m // 2, dtype=bool)[..., None]
    paired = (paired | paired.swapaxes(0, 1))[:, order]
    eps = jnp.finfo(power.dtype).eps

    def step(x):  # the rotations so far below the matrix
        d = x[np.arange(m), np.arange(m)].real
        cosine, sine = _rotation(d[pairs], d[pairs + m // 2], x[pairs, pairs + m // 2])
        x = _rotated_columns(x, cosine, sine)[:, order]
        # zeros by construction; what rounding leaves there would be spread over the others
        top = jnp.where(paired, 0, _rotated_rows(x[:m], cosine, sine))
        return jnp.concatenate([top[order], x[m:]])

    def off(x):
        return (jnp.where(off_diagonal, jnp.abs(x[:m]), 0) > 4 * eps).any(axis=(0, 1))

    x = _sweeps(step, off, jnp.concatenate([a, _identity(m, a)]), m)
    w, v = x[np.arange(n), np.arange(n)].real, x[m : m + n, :n]
    good = good & ~off(x)
    both = _arranged(w, jnp.concatenate([(w * power).astype(a.dtype)[None], v]))
    return jnp.where(good, both, jnp.nan)


def _orthonormal(u, missing):
    """Columns (m, k, lanes) of which those that are missing are made orthogonal to the others."""
    k = u.shape[1]

    def fill(carry):
        u, missing = carry
        place = jnp.where(missing & (jnp.cumsum(missing, axis=0) == 1), 1, 0)  # the first in each lane
        free = 1 - (u * jnp.conj(u)).real.sum(axis=1)
        most = free == free.max(axis=0)
        new = (most & (jnp.cumsum(most, axis=0) == 1)).astype(u.dtype)
        for _ in range(2):  # twice is enough
            inner = (jnp.conj(u) * new[:, None]).sum(axis=0)
            new = new - (u * inner).sum(axis=1)
        new = new * lax.rsqrt((new * jnp.conj(new)).real.sum(axis=0))
        return jnp.where(place > 0, new[:, None], u), missing & (place == 0)

    return lax.while_loop(lambda carry: carry[1].any(), fill, (u, missing))[0] if k else u


def _svd_lanes(a, full):
    """Of (m, n, lanes) with m >= n: U and beneath it V, and in the last row s."""
    m, n, _ = a.shape
    a, power, good = _unit(a)
    x = _even(jnp.concatenate([a, _identity(n, a)]))
    even = x.shape[1]
    order, half = _order(even), even // 2
    # a rounding error for each term of the products
    tolerance = m * jnp.finfo(power.dtype).eps

    def products(x):
        p, q = x[:m, :half], x[:m, half:]
        return ((p * jnp.conj(p)).real.sum(0), (q * jnp.conj(q)).real.sum(0), (jnp.conj(p) * q).sum(0))

    def step(x):
        return _rotated_columns(x, *_rotation(*products(x)))[:, order]

    def off(x):  # every pair of columns
        g = x[:m]
        inner = jnp.abs((jnp.conj(g)[:, :, None] * g[:, None]).sum(axis=0))
        size = jnp.sqrt(inner[np.arange(even), np.arange(even)])
        bound = tolerance * (size[:, None] * size)
        # a column whose square underflows counts as zero
        return (~np.eye(even, dtype=bool)[..., None] & (bound > 0) & (inner > bound)).any(axis=(0, 1))

    x = _sweeps(step, off, x, even)
    good = good & ~off(x)
    s = jnp.sqrt((x[:m, :n] * jnp.conj(x[:m, :n])).real.sum(axis=0))
    x = _arranged(-s, jnp.concatenate([x[:, :n], s.astype(a.dtype)[None]]))
    s = x[-1].real
    missing = s == 0
    u = jnp.where(missing, 0, x[:m] / jnp.where(missing, 1, s))
    if full:
        u = jnp.pad(u, ((0, 0), (0, m - n), (0, 0)))
        missing = jnp.pad(missing, ((0, m - n), (0, 0)), constant_values=True)
    u = _orthonormal(u, missing)
    rest = ((0, 0), (0, u.shape[1] - n), (0, 0))
    out = jnp.concatenate([u, jnp.pad(x[m:-1], rest), jnp.pad((s * power).astype(a.dtype)[None], rest)])
    return jnp.where(good, out, jnp.nan)


@jax.custom_batching.custom_vmap
def _eigh(a):
    v, w = lax.linalg.eigh(a, symmetrize_input=False, sort_eigenvalues=True)
    return w, v


@_eigh.def_vmap
def _(axis_size, in_batched, a):
    if axis_size < _STACK:
        v, w = lax.linalg.eigh(a, symmetrize_input=False, sort_eigenvalues=True)
        return (w, v), (True, True)
    both = in_lanes(_eigh_lanes, a, lanes=_LANES)
    return (both[:, 0].real, both[:, 1:]), (True, True)


@functools.cache
def _svd(full):
    @jax.custom_batching.custom_vmap
    def svd(a):
        return tuple(lax.linalg.svd(a, full_matrices=full))

    @svd.def_vmap
    def _(axis_size, in_batched, a):
        if axis_size < _STACK:
            return tuple(lax.linalg.svd(a, full_matrices=full)), (True, True, True)
        m, n = a.shape[-2:]
        if m < n:
            a = jnp.conj(jnp.swapaxes(a, -1, -2))
        long, k = a.shape[-2:]
        out = in_lanes(functools.partial(_svd_lanes, full=full), a, lanes=_LANES)
        u, v, s = out[:, :long], out[:, long:-1, :k], out[:, -1, :k].real
        u, v = (u, v) if m >= n else (v, u)
        return (u, s, jnp.conj(jnp.swapaxes(v, -1, -2))), (True, True, True)

    return svd


def stacks(a):
    """Whether a stack of matrices like these is worth the rotations."""
    return max(a.shape[-2:]) <= (_LARGEST_COMPLEX if jnp.iscomplexobj(a) else LARGEST)


def _over_stack(function, a):
    stack = a.shape[:-2]
    out = jax.vmap(function)(a.reshape(-1, *a.shape[-2:]))
    return jax.tree.map(lambda x: x.reshape(*stack, *x.shape[1:]), out)


def eigh_stacked(a):
    """Rising eigenvalues (..., n) and vectors (..., n, n) of Hermitian matrices; LAPACK for one, or of larger order.

    NaN where the rotations do not converge. It has no derivative of its own.
    """
    if not stacks(a):
        v, w = lax.linalg.eigh(a, symmetrize_input=False, sort_eigenvalues=True)
        return w, v
    return _over_stack(_eigh, a) if a.ndim > 2 else _eigh(a)


def svd_stacked(a, full_matrices):
    """``U, s, Vh`` of matrices (..., m, n); LAPACK for one, or of larger order. No derivative of its own."""
    if not stacks(a):
        return tuple(lax.linalg.svd(a, full_matrices=full_matrices))
    svd = _svd(bool(full_matrices))
    return _over_stack(svd, a) if a.ndim > 2 else svd(a)
