"""Restarted GMRES with preconditioning from the right.

Reference: Y. Saad, M. H. Schultz, "GMRES: a generalized minimal residual algorithm for solving nonsymmetric linear
systems", SIAM J. Sci. Stat. Comput. 7, 1986. The Arnoldi vectors are orthogonalised twice by matrix products
(classical Gram-Schmidt with reorthogonalisation: as accurate as the modified form, and two products a step).
"""

import jax.numpy as jnp
from jax import lax

from solvers.linear.krylov import norm

__all__ = ["gmres"]


def _rotation(a, b):
    """Cosine, sine of the rotation that takes (a, b) to (r, 0), and r."""
    length = jnp.sqrt(jnp.abs(a) ** 2 + jnp.abs(b) ** 2)
    safe = jnp.where(length == 0, 1, length)
    phase = jnp.where(jnp.abs(a) == 0, 1, a / jnp.where(jnp.abs(a) == 0, 1, jnp.abs(a)))
    cosine = jnp.where(length == 0, 1, jnp.abs(a) / safe)
    return cosine.astype(a.dtype), jnp.where(length == 0, 0, phase * jnp.conj(b) / safe), phase * length


def gmres(apply, b, x0, target, cycles, restart, precondition):
    """Solve ``A x = b``; arguments as in `krylov`, with at most `cycles` cycles of `restart` (static) steps.

    Returns
    -------
    x : array
    info : int
        0, or `cycles`.
    """
    n, m, dtype = b.shape[0], restart, b.dtype

    def arnoldi(s):
        j = s["j"]
        w = apply(precondition(s["basis"][j]))
        before = jnp.arange(m + 1) <= j
        size = norm(w)
        h = jnp.where(before, jnp.conj(s["basis"]) @ w, 0)
        w = w - h @ s["basis"]
        again = jnp.where(before, jnp.conj(s["basis"]) @ w, 0)
        w = w - again @ s["basis"]
        h, last = h + again, norm(w)
        happy = last <= jnp.finfo(dtype).eps * size
        basis = s["basis"].at[j + 1].set(jnp.where(happy, 0, w / jnp.where(happy, 1, last)))
        h = h.at[j + 1].set(jnp.where(happy, 0, last))

        def rotate(i, h):
            c, d = s["cos"][i], s["sin"][i]
            top, bottom = c * h[i] + d * h[i + 1], -jnp.conj(d) * h[i] + c * h[i + 1]
            return jnp.where(i < j, h.at[i].set(top).at[i + 1].set(bottom), h)

        h = lax.fori_loop(0, m, rotate, h)
        c, d, r = _rotation(h[j], h[j + 1])
        h = h.at[j].set(r).at[j + 1].set(0)
        g = s["g"]
        g = g.at[j + 1].set(-jnp.conj(d) * g[j]).at[j].set(c * g[j])
        return {
            "j": j + 1, "basis": basis, "h": s["h"].at[:, j].set(h[:m]), "cos": s["cos"].at[j].set(c),
            "sin": s["sin"].at[j].set(d), "g": g, "happy": happy,
        }  # fmt: skip

    def cycle(carry):
        k, x, r, length, _ = carry
        basis = jnp.zeros((m + 1, n), dtype).at[0].set(r / jnp.where(length == 0, 1, length))
        state = {
            "j": jnp.asarray(0), "basis": basis, "h": jnp.eye(m, dtype=dtype), "cos": jnp.zeros(m, dtype),
            "sin": jnp.zeros(m, dtype), "g": jnp.zeros(m + 1, dtype).at[0].set(length.astype(dtype)),
            "happy": jnp.asarray(False),
        }  # fmt: skip
        going = lambda s: (s["j"] < m) & (jnp.abs(s["g"][s["j"]]) >= target) & ~s["happy"]  # noqa: E731
        s = lax.while_loop(going, arnoldi, state)
        # columns that were not reached are those of the identity, with zeros on the right
        g = jnp.where(jnp.arange(m) < s["j"], s["g"][:m], 0)
        # a zero on the diagonal: the direction adds nothing (a singular A)
        diagonal = jnp.diagonal(s["h"])
        h = s["h"] + jnp.diag(jnp.where(diagonal == 0, 1, 0).astype(dtype))
        y = lax.linalg.triangular_solve(h, jnp.where(diagonal == 0, 0, g)[:, None], left_side=True)[:, 0]
        x = x + precondition(y @ s["basis"][:m])
        r = b - apply(x)
        new = norm(r)
        return k + 1, x, r, new, new >= length * (1 - 1e-12) if m >= n else jnp.asarray(False)

    r = b - apply(x0)
    start = (jnp.asarray(0), x0, r, norm(r), jnp.asarray(False))
    going = lambda c: (c[0] < cycles) & (c[3] >= target) & ~c[4]  # noqa: E731
    k, x, _, length, _ = lax.while_loop(going, cycle, start)
    return x, jnp.where(length < target, 0, jnp.maximum(k, 1))
