"""The generalised Schur form of a pair of real matrices, in real arithmetic."""

import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.eigen.qz import (
    EXCEPTIONAL,
    SWEEPS,
    apart,
    columns_from,
    from_left,
    from_right,
    hessenberg_triangular,
    norm,
    positive_diagonal,
    put_columns,
    put_rows,
    rows_from,
    sweep,
)

__all__ = ["finish_block", "on_columns", "on_rows", "real_generalized_schur"]


def _reflector(x):
    """The reflection H with ``H @ x = (r, 0, 0)``; the identity for zeros. It is symmetric."""
    largest = jnp.abs(x).max()
    there = (largest > 0) & jnp.isfinite(largest)
    x = x / jnp.where(there, largest, 1)
    v = x.at[0].add(jnp.where(x[0] < 0, -1, 1) * jnp.sqrt(jnp.where(there, (x**2).sum(), 1)))
    eye = jnp.eye(x.shape[0], dtype=x.dtype)
    return jnp.where(there, eye - 2 * jnp.outer(v, v) / jnp.where(there, v @ v, 1), eye)


def _times(h, rows):
    """``h @ rows`` for a few rows; written out, which XLA fuses."""
    return (h[:, :, None] * rows[None]).sum(axis=1)


def on_rows(h, i, *matrices):
    """``h`` times the rows from i on, of each of the matrices."""

    def turned(*parts):
        return tuple(_times(h, part) for part in parts)

    parts = apart(i, turned, *(rows_from(m, i, h.shape[0]) for m in matrices))
    return tuple(put_rows(m, part, i) for m, part in zip(matrices, parts, strict=True))


def on_columns(h, j, *matrices):
    """The columns from j on times ``h``."""

    def turned(*parts):
        return tuple(_times(h.T, part.T).T for part in parts)

    parts = apart(j, turned, *(columns_from(m, j, h.shape[0]) for m in matrices))
    return tuple(put_columns(m, part, j) for m, part in zip(matrices, parts, strict=True))


def _block(m, i, j, rows, columns):
    return lax.dynamic_slice(m, (i, j), (rows, columns))


def _over_triangle(a, r):
    """``a @ inv(r)`` for an upper triangular r of order 2 or 3."""
    columns = []
    for j in range(r.shape[0]):
        rest = a[:, j] - sum((columns[k] * r[k, j] for k in range(j)), jnp.zeros_like(a[:, j]))
        columns.append(rest / r[j, j])
    return jnp.stack(columns, axis=1)


def _double_step(a, b, q, z, first, last, exceptional):
    """An implicit step with both eigenvalues of the last block as shifts, on three rows and columns or more."""
    corner = _over_triangle(_block(a, last - 1, last - 2, 2, 3), _block(b, last - 2, last - 2, 3, 3))
    size = jnp.abs(corner[1, 1]) + jnp.abs(corner[0, 0])
    t = corner[:, 1:]
    total = jnp.where(exceptional, 1.5 * size, t[0, 0] + t[1, 1])
    product = jnp.where(exceptional, size**2, t[0, 0] * t[1, 1] - t[0, 1] * t[1, 0])
    x = _over_triangle(_block(a, first, first, 3, 2), _block(b, first, first, 2, 2))
    start = jnp.stack([
        x[0, 0] ** 2 + x[1, 0] * x[0, 1] - total * x[0, 0] + product,
        x[1, 0] * (x[0, 0] + x[1, 1] - total),
        x[1, 0] * x[2, 1],
    ])  # fmt: skip

    def step(carry):
        k, a, b, q, z = carry
        before = jnp.maximum(k - 1, 0)
        begins = k == first
        column = _block(a, k, before, 3, 1)[:, 0]
        a, b, q = on_rows(_reflector(jnp.where(begins, start, column)), k, a, b, q)
        cleared = _block(a, k, before, 3, 1)
        cleared = jnp.where(begins | np.array([[True], [False], [False]]), cleared, 0)
        a = lax.dynamic_update_slice(a, cleared, (k, before))
        # back to a triangle: its last row, then the one above
        block = _block(b, k, k, 3, 3)
        right = _reflector(block[2, ::-1])[::-1, ::-1]
        second = block[1] @ right
        turn = from_right(second[0], second[1])
        right = right @ jnp.eye(3, dtype=a.dtype).at[:2, :2].set(turn)
        a, b, z = on_columns(right, k, a, b, z)
        b = lax.dynamic_update_slice(b, jnp.triu(_block(b, k, k, 3, 3)), (k, k))
        return k + 1, a, b, q, z

    _, a, b, q, z = lax.while_loop(lambda carry: carry[0] < last - 1, step, (first, a, b, q, z))
    x, y = a[last - 1, last - 2], a[last, last - 2]
    a, b, q = on_rows(from_left(x, y), last - 1, a, b, q)
    a = a.at[last, last - 2].set(0)
    a, b, z = on_columns(from_right(b[last, last - 1], b[last, last]), last - 1, a, b, z)
    return a, b.at[last, last - 1].set(0), q, z


def _discriminant(u, v):
    """Of the eigenvalues of ``u inv(v)``, v triangular: negative for a complex pair; and an eigenvalue if not."""
    m = _over_triangle(u, v)
    half = (m[0, 0] - m[1, 1]) / 2
    found = half**2 + m[0, 1] * m[1, 0]
    far = half + jnp.where(half < 0, -1, 1) * jnp.sqrt(jnp.where(found > 0, found, 0))
    return found, m[1, 1] - jnp.where(far == 0, 0, m[0, 1] * m[1, 0] / jnp.where(far == 0, 1, far))


def finish_block(a, b, q, z, i, done):
    """A block of order 2 of its own: made triangular for real eigenvalues; else with diagonal b, and done."""
    u, v = (_block(m, i, i, 2, 2) for m in (a, b))
    found, value = _discriminant(u, v)
    real, diagonal = found >= 0, v[0, 1] == 0
    # real: the null vector of u - value v becomes the first column
    gap = u - value * v
    row = jnp.where(jnp.abs(gap[0]).sum() >= jnp.abs(gap[1]).sum(), gap[0], gap[1])
    # complex: the singular vectors of v, by a rotation that makes its columns orthogonal
    w = v / jnp.abs(v).max()
    alpha, beta, gamma = w[0, 0] ** 2, w[0, 1] ** 2 + w[1, 1] ** 2, w[0, 0] * w[0, 1]
    reach = beta - alpha
    reach = reach + jnp.where(reach < 0, -1, 1) * jnp.hypot(reach, 2 * gamma)
    tangent = jnp.where(reach == 0, 0, 2 * gamma / jnp.where(reach == 0, 1, reach))
    cosine = 1 / jnp.sqrt(1 + tangent**2)
    sine = tangent * cosine
    orthogonal = jnp.stack([jnp.stack([cosine, sine]), jnp.stack([-sine, cosine])])
    right = jnp.where(real, from_right(row[0], row[1]), orthogonal)
    eye = jnp.eye(2, dtype=a.dtype)
    stays = ~real & diagonal
    right = jnp.where(stays, eye, right)
    x, y = u @ right, v @ right
    by_a = real & (jnp.abs(x[:, 0]).max() > jnp.abs(y[:, 0]).max())  # both matrices have norm 1
    left = from_left(*jnp.where(by_a, x[:, 0], y[:, 0]))
    left = jnp.where(stays, eye, left)
    a, b, z = on_columns(right, i, a, b, z)
    a, b, q = on_rows(left, i, a, b, q)
    corner = _block(b, i, i, 2, 2)
    corner = jnp.where(real, jnp.triu(corner), corner * eye)
    a = a.at[i + 1, i].set(jnp.where(real, 0, a[i + 1, i]))
    # rounding may have made the eigenvalues real: it is done when a diagonal b confirms that they are not
    return a, lax.dynamic_update_slice(b, corner, (i, i)), q, z, done.at[i].set(stays)


def real_generalized_schur(a, b):
    """``a = q @ s @ z^T`` and ``b = q @ t @ z^T`` with s quasi-triangular, t triangular, q and z orthogonal.

    Parameters
    ----------
    a, b : real arrays, shape (n, n)

    Returns
    -------
    s, t, q, z : arrays, shape (n, n)
        A complex pair of eigenvalues is a block of order 2 in s, and a diagonal one in t. The diagonal of t is not
        negative.
    ok : bool
        Whether the iteration has ended.

    References
    ----------
    C. B. Moler, G. W. Stewart, "An algorithm for generalized matrix eigenvalue problems", SIAM J. Numer. Anal. 10
    (1973) 241-256; G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 7.7 (algorithms 7.7.1 to
    7.7.3).
    """
    n = a.shape[0]
    one = jnp.ones((1, 1), a.dtype)
    if n == 1:
        s, t, z = positive_diagonal(a, b, one)
        return s, t, one, z, jnp.isfinite(a).all() & jnp.isfinite(b).all()
    scales = [jnp.where((x > 0) & jnp.isfinite(x), x, 1) for x in (norm(a), norm(b))]
    a, b, q, z = hessenberg_triangular(a / scales[0], b / scales[1])
    eps = jnp.finfo(a.dtype).eps
    index = np.arange(n)

    def coupled(a, done):
        below = (jnp.abs(jnp.diagonal(a, -1)) > eps) & ~done
        return jnp.concatenate([jnp.zeros(1, bool), below])  # entry k: between k - 1 and k

    def body(carry):
        a, b, q, z, done, total, tries, old_last = carry
        active = coupled(a, done)
        a = a.at[index[1:], index[:-1]].set(jnp.where(active[1:] | done, jnp.diagonal(a, -1), 0))
        diagonal = jnp.diagonal(b)
        diagonal = jnp.where(jnp.abs(diagonal) > eps, diagonal, 0)
        b = b.at[index, index].set(diagonal)
        last = jnp.where(active, index, 0).max()
        first = jnp.where(~active & (index <= last), index, 0).max()
        zeros = (diagonal == 0) & (index >= first) & (index <= last)
        zero_at = jnp.where(zeros.any(), jnp.argmax(zeros), -1)
        tries = jnp.where(last == old_last, tries + 1, 1)

        def chase(a, b, q, z, done):
            return *sweep(a, b, q, z, first, last, zero_at, jnp.zeros((), a.dtype)), done

        def block(a, b, q, z, done):
            return finish_block(a, b, q, z, first, done)

        def double(a, b, q, z, done):
            return *_double_step(a, b, q, z, first, last, tries % EXCEPTIONAL == 0), done

        branches = [chase, block, double] if n > 2 else [chase, block]
        which = jnp.where(zero_at >= 0, 0, jnp.where(last - first == 1, 1, 2))
        a, b, q, z, done = lax.switch(which, branches, a, b, q, z, done)
        return a, b, q, z, done, total + 1, tries, last

    def going(carry):
        return coupled(carry[0], carry[4]).any() & (carry[5] < SWEEPS * n)

    none = jnp.zeros((), int)
    start = (a, b, q, z, jnp.zeros(n - 1, bool), none, none, none - 1)
    a, b, q, z, done = lax.while_loop(going, body, start)[:5]
    ok = ~coupled(a, done).any() & jnp.isfinite(a).all() & jnp.isfinite(b).all()
    blocks = jnp.where(np.eye(n, k=-1, dtype=bool), jnp.pad(jnp.diag(jnp.where(done, 1, 0)), ((1, 0), (0, 1))) * a, 0)
    s, t, z = positive_diagonal(jnp.triu(a) + blocks, jnp.triu(b), z)
    return s * scales[0], t * scales[1], q.T, z, ok
