"""The generalised Schur form of a pair of complex matrices."""

import jax.numpy as jnp
import numpy as np
from jax import lax

__all__ = [
    "EXCEPTIONAL",
    "SWEEPS",
    "apart",
    "columns_from",
    "from_left",
    "from_right",
    "generalized_schur",
    "hessenberg_triangular",
    "norm",
    "positive_diagonal",
    "put_columns",
    "put_rows",
    "reorder_generalized_schur",
    "rows_from",
    "sweep",
]

#: Sweeps for each eigenvalue, and after how many without success the shift is an exceptional one.
SWEEPS, EXCEPTIONAL = 30, 10


def _unit_pair(a, b):
    """``(a, b)`` over its norm, and whether there is one."""
    scale = jnp.maximum(jnp.abs(a), jnp.abs(b))
    there = (scale > 0) & jnp.isfinite(scale)
    safe = jnp.where(there, scale, 1)
    a, b = a / safe, b / safe
    size = jnp.sqrt(jnp.where(there, jnp.abs(a) ** 2 + jnp.abs(b) ** 2, 1))
    return a / size, b / size, there


def from_left(a, b):
    """The rotation G with ``G @ (a, b) = (r, 0)``; the identity for zeros."""
    a, b, there = _unit_pair(a, b)
    turn = jnp.stack([jnp.stack([a.conj(), b.conj()]), jnp.stack([-b, a])])
    return jnp.where(there, turn, jnp.eye(2, dtype=turn.dtype))


def from_right(a, b):
    """The rotation G with ``(a, b) @ G = (0, r)``; the identity for zeros."""
    a, b, there = _unit_pair(a, b)
    turn = jnp.stack([jnp.stack([b, a.conj()]), jnp.stack([-a, b.conj()])])
    return jnp.where(there, turn, jnp.eye(2, dtype=turn.dtype))


def norm(m):
    """Frobenius', without leaving the range of the type."""
    largest = jnp.abs(m).max()
    safe = jnp.where((largest > 0) & jnp.isfinite(largest), largest, 1)
    return safe * jnp.linalg.norm(m / safe)


def _turned(turn, pair):
    """``turn @ pair`` for a pair of rows; written out, which XLA fuses."""
    return jnp.stack([turn[0, 0] * pair[0] + turn[0, 1] * pair[1], turn[1, 0] * pair[0] + turn[1, 1] * pair[1]])


def rows_from(m, i, size=2):
    return lax.dynamic_slice(m, (i, jnp.zeros_like(i)), (size, m.shape[1]))


def columns_from(m, j, size=2):
    return lax.dynamic_slice(m, (jnp.zeros_like(j), j), (m.shape[0], size))


def put_rows(m, rows, i):
    return lax.dynamic_update_slice(m, rows, (i, jnp.zeros_like(i)))


def put_columns(m, columns, j):
    return lax.dynamic_update_slice(m, columns, (jnp.zeros_like(j), j))


def apart(i, function, *pairs):
    """``function(*pairs)`` in a computation of its own, by a condition that always holds.

    Else XLA fuses it with the writing of its results, reads there from what is being written, and copies whole
    matrices to do so: ten times slower for n = 200.
    """
    return lax.cond(i >= 0, function, lambda *pairs: pairs, *pairs)


def _rows(turn, i, *matrices):
    pairs = apart(i, lambda *pairs: tuple(_turned(turn, p) for p in pairs), *(rows_from(m, i) for m in matrices))
    return tuple(put_rows(m, p, i) for m, p in zip(matrices, pairs, strict=True))


def _columns(turn, j, *matrices):
    def turned(*pairs):
        return tuple(_turned(turn.T, p.T).T for p in pairs)

    pairs = apart(j, turned, *(columns_from(m, j) for m in matrices))
    return tuple(put_columns(m, p, j) for m, p in zip(matrices, pairs, strict=True))


def hessenberg_triangular(a, b):
    """Golub and Van Loan, algorithm 7.7.1: ``a`` upper Hessenberg, ``b`` upper triangular; q is its adjoint."""
    n = a.shape[0]
    q, b = lax.linalg.qr(b)
    q = q.conj().T
    a, b = q @ a, jnp.triu(b)
    # columns from the left, each from below
    order = np.array([(i, j) for j in range(n - 2) for i in range(n - 2, j, -1)], np.int32).reshape(-1, 2)

    def step(carry, where):
        a, b, q, z = carry
        i, j = where

        def left(of_a, of_b, of_q):
            turn = from_left(of_a[0, j], of_a[1, j])
            return _turned(turn, of_a).at[1, j].set(0), _turned(turn, of_b), _turned(turn, of_q)

        of_a, of_b, of_q = apart(i, left, *(rows_from(m, i) for m in (a, b, q)))
        a, b, q = (put_rows(m, pair, i) for m, pair in ((a, of_a), (b, of_b), (q, of_q)))
        turn = from_right(of_b[1, i], of_b[1, i + 1])
        a, b, z = _columns(turn, i, a, b, z)
        return (a, b.at[i + 1, i].set(0), q, z), None

    return lax.scan(step, (a, b, q, jnp.eye(n, dtype=a.dtype)), order)[0]


def _shift(a, b, last):
    """The eigenvalue of the last block of ``a b^-1`` that is closer to its corner."""
    corner = lax.dynamic_slice(a, (last - 1, last - 1), (2, 2))
    r = lax.dynamic_slice(b, (last - 1, last - 1), (2, 2))
    first, second = corner[:, 0] / r[0, 0], corner[:, 1] / r[1, 1]
    second = second - first * (r[0, 1] / r[1, 1])
    half = (first[0] - second[1]) / 2
    root = jnp.sqrt(half**2 + second[0] * first[1])
    root = jnp.where((half.conj() * root).real < 0, -root, root)
    sum_ = half + root
    return second[1] - jnp.where(sum_ == 0, 0, second[0] * first[1] / jnp.where(sum_ == 0, 1, sum_))


def sweep(a, b, q, z, first, last, zero_at, shift):
    """A step of the iteration on ``first:last + 1``; or, from `zero_at` on, an infinite eigenvalue to the end.

    Both are a chain of rotations: from the left at j, then from the right at j, or at j - 1 for a zero on the diagonal
    of b, which travels down until the last entry below the diagonal of a can be turned away.
    """
    chase = zero_at >= 0
    eye = jnp.eye(2, dtype=a.dtype)

    def step(carry):
        j, a, b, q, z = carry
        before, start = jnp.maximum(j - 1, 0), j == first

        def left(of_a, of_b, of_q):
            bulge = jnp.where(start, of_a[:, j] - shift * of_b[:, j], of_a[:, before])
            turn = from_left(*jnp.where(chase, of_b[:, j + 1], bulge))
            of_a, of_b = _turned(turn, of_a), _turned(turn, of_b)
            of_a = of_a.at[1, before].set(jnp.where(chase | start, of_a[1, before], 0))
            return of_a, of_b.at[1, j + 1].set(jnp.where(chase, 0, of_b[1, j + 1])), _turned(turn, of_q)

        of_a, of_b, of_q = apart(j, left, *(rows_from(m, j) for m in (a, b, q)))
        a, b, q = (put_rows(m, pair, j) for m, pair in ((a, of_a), (b, of_b), (q, of_q)))
        column = jnp.where(chase, before, j)
        turn = from_right(*lax.dynamic_slice(jnp.where(chase, of_a[1], of_b[1]), (column,), (2,)))
        turn = jnp.where(chase & start, eye, turn)  # nothing was filled in

        def right(of_a, of_b, of_z):
            of_a, of_b, of_z = (_turned(turn.T, pair.T).T for pair in (of_a, of_b, of_z))
            of_a = of_a.at[j + 1, 0].set(jnp.where(chase & ~start, 0, of_a[j + 1, 0]))
            return of_a, of_b.at[j + 1, 0].set(jnp.where(chase, of_b[j + 1, 0], 0)), of_z

        pairs = apart(j, right, *(columns_from(m, column) for m in (a, b, z)))
        a, b, z = (put_columns(m, pair, column) for m, pair in zip((a, b, z), pairs, strict=True))
        return j + 1, a, b, q, z

    start = jnp.where(chase, zero_at, first)
    _, a, b, q, z = lax.while_loop(lambda carry: carry[0] < last, step, (start, a, b, q, z))
    turn = jnp.where(chase, from_right(a[last, last - 1], a[last, last]), eye)
    a, b, z = _columns(turn, last - 1, a, b, z)
    return a.at[last, last - 1].set(jnp.where(chase, 0, a[last, last - 1])), b, q, z


def generalized_schur(a, b):
    """``a = q @ s @ z^H`` and ``b = q @ t @ z^H`` with triangular s and t, the diagonal of t not negative.

    Parameters
    ----------
    a, b : complex arrays, shape (n, n)

    Returns
    -------
    s, t, q, z : arrays, shape (n, n)
    ok : bool
        Whether the iteration has ended.

    References
    ----------
    C. B. Moler, G. W. Stewart, "An algorithm for generalized matrix eigenvalue problems", SIAM J. Numer. Anal. 10
    (1973) 241-256, with single complex shifts; G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 7.7
    (zeros on the diagonal of b, deflation).
    """
    n = a.shape[0]
    if n == 1:
        one = jnp.ones_like(a)
        s, t, z = positive_diagonal(a, b, one)
        return s, t, one, z, jnp.ones((), bool)
    eps = jnp.finfo(a.dtype).eps
    a, b, q, z = hessenberg_triangular(a, b)
    small_a, small_b = eps * norm(a), eps * norm(b)
    index = np.arange(n)

    def coupled(a):
        below = jnp.abs(jnp.diagonal(a, -1)) > small_a
        return jnp.concatenate([jnp.zeros(1, bool), below])  # entry k: between k - 1 and k

    def body(carry):
        a, b, q, z, total, tries, old_last, exceptional = carry
        active = coupled(a)
        a = a.at[index[1:], index[:-1]].set(jnp.where(active[1:], jnp.diagonal(a, -1), 0))
        diagonal = jnp.diagonal(b)
        diagonal = jnp.where(jnp.abs(diagonal) > small_b, diagonal, 0)
        b = b.at[index, index].set(diagonal)
        last = jnp.where(active, index, 0).max()
        first = jnp.where(~active & (index <= last), index, 0).max()
        zeros = (diagonal == 0) & (index >= first) & (index <= last)
        zero_at = jnp.where(zeros.any(), jnp.argmax(zeros), -1)
        tries = jnp.where(last == old_last, tries + 1, 1)
        special = tries % EXCEPTIONAL == 0
        exceptional = jnp.where(tries == 1, 0, exceptional)
        safe = jnp.where(diagonal[last - 1] == 0, 1, diagonal[last - 1])
        exceptional = jnp.where(special, exceptional + a[last, last - 1] / safe, exceptional)
        shift = jnp.where(special, exceptional, _shift(a, b, last))
        a, b, q, z = sweep(a, b, q, z, first, last, zero_at, jnp.where(jnp.isfinite(shift), shift, 0))
        return a, b, q, z, total + 1, tries, last, exceptional

    def going(carry):
        return coupled(carry[0]).any() & (carry[4] < SWEEPS * n)

    none = jnp.zeros((), int)
    out = lax.while_loop(going, body, (a, b, q, z, none, none, none - 1, jnp.zeros((), a.dtype)))
    a, b, q, z = out[:4]
    ok = ~coupled(a).any() & jnp.isfinite(a).all() & jnp.isfinite(b).all()
    s, t, z = positive_diagonal(jnp.triu(a), jnp.triu(b), z)
    return s, t, q.conj().T, z, ok


def positive_diagonal(s, t, z):
    diagonal = jnp.diagonal(t)
    size = jnp.abs(diagonal)
    phase = jnp.where(size == 0, 1, diagonal.conj() / jnp.where(size == 0, 1, size))
    index = np.arange(s.shape[0])
    return s * phase, (t * phase).at[index, index].set(size.astype(t.dtype)), z * phase


def reorder_generalized_schur(s, t, q, z, selected):
    """Bring the selected eigenvalues of a triangular pair to the front, in their order.

    Parameters
    ----------
    s, t, q, z : complex arrays, shape (n, n)
    selected : bool array, shape (n,)

    Returns
    -------
    s, t, q, z : arrays
    lost : scalar
        The largest entry that was set to zero, which rounding errors left below the diagonals; infinite
        if an eigenvalue could not be moved.

    References
    ----------
    P. Van Dooren, "A generalized eigenvalue approach for solving Riccati equations", SIAM J. Sci. Stat. Comput. 2
    (1981) 121-135: for triangular matrices a rotation on each side.
    """
    if s.shape[0] < 2:
        return s, t, q, z, jnp.zeros((), s.real.dtype)

    def out_of_order(chosen):
        return ~chosen[:-1] & chosen[1:]

    def swap(carry):
        s, t, q, z, chosen, lost = carry
        i = jnp.argmax(out_of_order(chosen))
        u, v = (lax.dynamic_slice(m, (i, i), (2, 2)) for m in (s, t))
        # the right vector of the second eigenvalue becomes the first of the plane
        f = u[1, 1] * v[0, 0] - v[1, 1] * u[0, 0]
        g = u[1, 1] * v[0, 1] - v[1, 1] * u[0, 1]
        by_s = jnp.abs(u[1, 1]) * jnp.abs(v[0, 0]) >= jnp.abs(u[0, 0]) * jnp.abs(v[1, 1])
        # nothing is asked of the vector where the first eigenvalue is 0 / 0 and not coupled: a plain exchange
        exchange = jnp.array([[0, 1], [1, 0]], s.dtype)
        turn = jnp.where((f == 0) & (g == 0), exchange, from_right(f, g))
        s, t, z = _columns(turn, i, s, t, z)
        x, y = (jnp.where(by_s, s[k, i], t[k, i]) for k in (i, i + 1))
        s, t, q = _rows(from_left(x, y), i, s, t, q)
        lost = jnp.maximum(lost, jnp.maximum(jnp.abs(s[i + 1, i]), jnp.abs(t[i + 1, i])))
        s, t = (m.at[i + 1, i].set(0) for m in (s, t))
        # an eigenvalue that is coupled to one of 0 / 0 cannot pass it: the pair is singular
        vanished = (jnp.hypot(jnp.abs(s[i, i]), jnp.abs(t[i, i])) <= small) & (
            jnp.hypot(jnp.abs(u[1, 1]), jnp.abs(v[1, 1])) > small
        )
        lost = jnp.where(vanished, jnp.inf, lost)
        return s, t, q, z, chosen.at[i].set(True).at[i + 1].set(False), lost

    small = jnp.finfo(s.dtype).eps * jnp.maximum(norm(s), norm(t))
    carry = (s, t, q.conj().T, z, selected, jnp.zeros((), s.real.dtype))
    s, t, q, z, _, lost = lax.while_loop(lambda carry: out_of_order(carry[4]).any(), swap, carry)
    s, t, z = positive_diagonal(s, t, z)
    return s, t, q.conj().T, z, lost
