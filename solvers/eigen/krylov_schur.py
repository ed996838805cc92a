"""A few eigenpairs of a general operator by the Krylov-Schur method.

References
----------
G. W. Stewart, "A Krylov-Schur algorithm for large eigenproblems", SIAM J. Matrix Anal. Appl. 23 (2001) 601-614. The
convergence test is ARPACK's, as in `lanczos`. All is complex: a real operator is
applied to real and imaginary parts.
"""

import jax.numpy as jnp
from jax import lax

from solvers.eigen.lanczos import converged, fresh_direction, kept, preference
from solvers.eigen.schur_order import reorder_schur

__all__ = ["krylov_schur"]


def krylov_schur(apply, start, k, m, which, tol, limit):
    """Eigenpairs of the operator `apply` on complex vectors.

    Parameters
    ----------
    apply : callable
    start : complex array, shape (n,)
    k, m : int
        Number of pairs and length of the basis, ``k < m <= n``.
    which : {'LM', 'SM', 'LR', 'SR', 'LI', 'SI'} or callable
        A callable maps the Ritz values to how much they are wanted.
    tol, limit
        As for `lanczos`.

    Returns
    -------
    values : complex array, shape (k,)
        The wanted Ritz values, the most wanted first.
    vectors : complex array, shape (k, n)
        In rows, of norm 1.
    ok : bool array, shape (k,)
    cycles : int
    """
    n, dtype = start.shape[0], start.dtype
    eps = jnp.finfo(dtype).eps
    tol = jnp.where(tol <= 0, eps, tol).astype(start.real.dtype)
    index = jnp.arange(m + 1)
    wanted = which if callable(which) else lambda w: preference(w, which)

    def orthogonal(w, basis, before):
        h = jnp.where(before, jnp.conj(basis) @ w, 0)
        w = w - h @ basis
        again = jnp.where(before, jnp.conj(basis) @ w, 0)
        return w - again @ basis, h + again

    def step(s):
        j, basis = s["j"], s["basis"]
        before = index <= j
        w, h = orthogonal(apply(basis[j]), basis, before)
        beta = jnp.linalg.norm(w)
        broken = beta <= 10 * eps * jnp.linalg.norm(h)

        def renewed(_):
            u, _ = orthogonal(fresh_direction(n, j, dtype), basis, before)
            size = jnp.linalg.norm(u)
            return u, jnp.where(size <= 100 * eps * n**0.5, jnp.inf, size)

        w, size = lax.cond(broken, renewed, lambda _: (w, beta), None)
        column = h.at[j + 1].set(jnp.where(broken, 0, beta).astype(dtype))
        return {"j": j + 1, "basis": basis.at[j + 1].set(w / size), "h": s["h"].at[:, j].set(column)}

    def cycle(carry):
        s, _, _, _, count = carry
        s = lax.while_loop(lambda s: s["j"] < m, step, s)
        sane = jnp.isfinite(s["h"]).all()
        square, last = jnp.where(sane, s["h"][:m], 0), s["h"][m]
        # Ritz pairs; the last row of h is not only its last entry after a restart
        theta, y = lax.linalg.eig(square, compute_left_eigenvectors=False)
        norm = jnp.abs(theta).max()
        order = jnp.argsort(-wanted(theta))
        theta, y = theta[order[:k]], y[:, order[:k]]
        ok = converged(jnp.abs(last @ y), theta, tol, norm) & sane
        keep = kept(k, m, ok.sum())
        t, q = lax.linalg.schur(square)
        rank = jnp.argsort(jnp.argsort(-wanted(jnp.diagonal(t))))
        t, q = reorder_schur(t, q, rank < keep)
        chosen = index[:m] < keep
        rotated = jnp.where(chosen[:, None], q.T @ s["basis"][:m], 0)
        basis = jnp.concatenate([rotated, jnp.zeros((1, n), dtype)]).at[keep].set(s["basis"][m])
        h = jnp.zeros((m + 1, m), dtype).at[:m].set(jnp.where(chosen[:, None] & chosen, t, 0))
        h = h.at[keep].set(jnp.where(chosen, last @ q, 0))
        vectors = y.T @ s["basis"][:m]
        return {"j": keep, "basis": basis, "h": h}, jnp.where(sane, theta, jnp.nan), vectors, ok, count + 1

    size = jnp.linalg.norm(start)
    basis = jnp.zeros((m + 1, n), dtype).at[0].set(start / jnp.where(size == 0, 1, size))
    s = {"j": jnp.asarray(0), "basis": basis, "h": jnp.zeros((m + 1, m), dtype)}
    carry = (s, jnp.zeros(k, dtype), jnp.zeros((k, n), dtype), jnp.zeros(k, bool), jnp.asarray(0))
    going = lambda c: ~c[3].all() & (c[4] < limit) & ~jnp.isnan(c[1]).any()  # noqa: E731
    _, values, vectors, ok, count = lax.while_loop(going, cycle, carry)
    return values, vectors, ok, count
