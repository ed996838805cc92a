"""Eigenvalues of a real generalised Schur form, and their reordering."""

import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.eigen.qz import from_left, norm, positive_diagonal
from solvers.eigen.real_qz import finish_block, on_columns, on_rows

__all__ = ["quasi_triangular_eigenvalues", "reorder_real_generalized_schur"]


def quasi_triangular_eigenvalues(s, t):
    """Complex alpha and real beta (n,) with the eigenvalues ``alpha / beta``, of a pair in the form of `real_qz`."""
    d, b = jnp.diagonal(s), jnp.diagonal(t)
    below = jnp.diagonal(s, -1)
    there = below != 0
    b0, b1 = (jnp.where(there, x, 1) for x in (b[:-1], b[1:]))
    first, second = d[:-1] / b0, d[1:] / b1
    mean, half = (first + second) / 2, (first - second) / 2
    found = half**2 + (jnp.diagonal(s, 1) / b1) * (below / b0)
    imaginary = jnp.where(there, jnp.sqrt(jnp.maximum(-found, 0)), 0)
    pair = lax.complex(mean, imaginary)
    none = jnp.zeros(1, bool)
    starts, ends = jnp.append(there, none), jnp.append(none, there)
    alpha = jnp.where(starts, jnp.append(pair, 0) * b, d)
    return jnp.where(ends, jnp.append(0, jnp.conj(pair)) * b, alpha), b


def _turns(a, b, p, m):
    """Orthogonal matrices left and right that exchange the first block, of order p, of a pair with the next, of m."""
    # the deflating subspaces of the second block are the ranges of (x, 1) on the right and (y, 1) on the left:
    # a11 x - y a22 = -a12, b11 x - y b22 = -b12
    a, b = a[: p + m, : p + m], b[: p + m, : p + m]
    rows = [
        jnp.concatenate([jnp.kron(c[:p, :p], np.eye(m)), -jnp.kron(np.eye(p), c[p:, p:].T)], axis=1) for c in (a, b)
    ]
    load = jnp.concatenate([-c[:p, p:].ravel() for c in (a, b)])
    found = jnp.linalg.solve(jnp.concatenate(rows).astype(a.dtype), load)
    # blocks that are not coupled can pass each other whatever their eigenvalues, 0 / 0 among them
    x, y = jnp.where((load == 0).all(), 0, found).reshape(2, p, m)
    eye = jnp.eye(m, dtype=a.dtype)
    return tuple(lax.linalg.qr(jnp.concatenate([v, eye]), full_matrices=True)[0] for v in (y, x))


def _exchange(s, t, q, z, i, p, m):
    """Exchange the block of order p at i with the one of order m after it. The last result is what was set to zero."""
    width = min(4, s.shape[0])
    corner = jnp.minimum(i, s.shape[0] - width)
    inner = i - corner
    eye = jnp.eye(width, dtype=s.dtype)
    a, b = (lax.dynamic_slice(x, (corner, corner), (width, width)) for x in (s, t))

    def branch(p, m):
        def turns(a, b):
            found = _turns(a, b, p, m)
            return tuple(lax.dynamic_update_slice(eye, v, (inner, inner)) for v in found)

        # a block that the matrix has no room for does not occur
        return turns if p + m <= width else lambda a, b: (eye, eye)

    shifted = [jnp.roll(x, (-inner, -inner), (0, 1)) for x in (a, b)]
    branches = [branch(*size) for size in ((1, 1), (1, 2), (2, 1), (2, 2))]
    left, right = lax.switch(2 * (p - 1) + m - 1, branches, *shifted)
    s, t, q = on_rows(left.T, corner, s, t, q)
    s, t, z = on_columns(right, corner, s, t, z)
    a, b = (lax.dynamic_slice(v, (corner, corner), (width, width)) for v in (s, t))
    place = np.arange(width) - inner
    gone = ((place >= m) & (place < m + p))[:, None] & ((place >= 0) & (place < m))
    lost = jnp.where(gone, jnp.maximum(jnp.abs(a), jnp.abs(b)), 0).max()
    s, t = (lax.dynamic_update_slice(v, jnp.where(gone, 0, c), (corner, corner)) for v, c in ((s, a), (t, b)))

    def standard(k, forms):  # the blocks of order 2; a second time for eigenvalues that rounding has made real
        first = k < 2
        j = jnp.where(first, i, i + m)

        def block(s, t, q, z):
            s, t, q = on_rows(from_left(t[j, j], t[j + 1, j]), j, s, t, q)
            none = jnp.zeros(s.shape[0] - 1, bool)
            return finish_block(s, t.at[j + 1, j].set(0), q, z, j, none)[:4]

        return lax.cond(jnp.where(first, m, p) == 2, block, lambda *forms: forms, *forms)

    s, t, q, z = lax.fori_loop(0, 4, standard, (s, t, q, z))
    return s, t, q, z, lost


def reorder_real_generalized_schur(s, t, q, z, selected):
    """Bring the selected eigenvalues of a quasi-triangular pair to the front, in their order.

    Parameters
    ----------
    s, t, q, z : real arrays, shape (n, n)
        As from `real_qz.real_generalized_schur`.
    selected : bool array, shape (n,)
        Of a complex pair both are taken if one is.

    Returns
    -------
    s, t, q, z : arrays
    lost : scalar
        The largest entry, relative to the norms of s and t, that was set to zero; NaN or infinite if blocks could not
        be exchanged.

    References
    ----------
    B. Kagstrom, "A direct method for reordering eigenvalues in the generalized real Schur form of a regular matrix
    pair (A, B)", in: Linear Algebra for Large Scale and Real-Time Applications, Kluwer (1993) 195-218.
    """
    n = s.shape[0]
    if n < 2:
        return s, t, q, z, jnp.zeros((), s.dtype)
    scales = [jnp.where((x > 0) & jnp.isfinite(x), x, 1) for x in (norm(s), norm(t))]
    s, t = s / scales[0], t / scales[1]
    index = np.arange(n)
    none = jnp.zeros(1, bool)
    pair = jnp.diagonal(s, -1) != 0
    starts, ends = jnp.append(pair, none), jnp.append(none, pair)
    selected = selected | (starts & jnp.roll(selected, -1)) | (ends & jnp.roll(selected, 1))

    def out_of_order(chosen):
        return ~chosen[:-1] & chosen[1:]

    def swap(carry):
        s, t, q, z, chosen, lost = carry
        k = jnp.argmax(out_of_order(chosen))
        pair = jnp.diagonal(s, -1) != 0
        double = (k > 0) & pair[jnp.maximum(k - 1, 0)], (k < n - 2) & pair[jnp.minimum(k + 1, n - 2)]
        p, m = (1 + x.astype(k.dtype) for x in double)
        i = k - p + 1

        *forms, new = _exchange(s, t, q, z, i, p, m)
        chosen = jnp.where((index >= i) & (index < i + p + m), index < i + m, chosen)
        return *forms, chosen, jnp.where(new <= lost, lost, new)  # keeps a NaN

    def going(carry):
        return out_of_order(carry[4]).any() & jnp.isfinite(carry[5])

    carry = (s, t, q.T, z, selected, jnp.zeros((), s.dtype))
    s, t, q, z, _, lost = lax.while_loop(going, swap, carry)
    s, t, z = positive_diagonal(s, t, z)
    return s * scales[0], t * scales[1], q.T, z, lost
