"""A lower bound of the 1-norm of an operator from a few products with blocks of vectors.

Reference: N. J. Higham, F. Tisseur, "A block algorithm for matrix 1-norm estimation, with an application to 1-norm
pseudospectra", SIAM J. Matrix Anal. Appl. 21 (2000) 1185-1201, algorithm 2.4.
"""

import jax.numpy as jnp
from jax import lax

__all__ = ["one_norm_estimate"]


def _parallel(column, block, allowed):
    """Whether a column of signs equals one of the allowed columns of a block, up to its sign."""
    return (allowed & (jnp.abs(column @ block) > column.shape[0] - 0.5)).any()


def _renewed(pool, used, signs, old):
    """`signs` with random columns in place of those parallel to an earlier one, or to one of `old`."""
    t = signs.shape[1]
    index = jnp.arange(t)

    def bad(i, signs):
        return _parallel(signs[:, i], signs, index < i) | _parallel(signs[:, i], old, index >= 0)

    def column(i, carry):
        def again(carry):
            used, signs, tries = carry
            fresh = pool[:, used % pool.shape[1]].astype(signs.dtype)
            return used + 1, signs.at[:, i].set(fresh), tries + 1

        used, signs, _ = lax.while_loop(lambda c: bad(i, c[1]) & (c[2] < pool.shape[1]), again, (*carry, 0))
        return used, signs

    return lax.fori_loop(0, t, column, (used, signs))


def one_norm_estimate(apply, adjoint, n, t, limit, dtype, pool):
    """Estimate the 1-norm of an operator of order n.

    Parameters
    ----------
    apply, adjoint : callable
        Products of the operator and of its adjoint with blocks (n, t).
    n, t : int
        ``1 <= t < n``.
    limit : scalar int
        Most iterations, at least 2.
    dtype : dtype
        Of the products.
    pool : integer array, shape (n, p)
        Random signs, no column twice or all ones: for the first block, then in place of columns that would bring
        nothing new. At least t columns.

    Returns
    -------
    array, shape (n,), real
        A vector v of 1-norm 1: ``norm(A v, 1)`` is the bound.
    """
    real = jnp.zeros((), dtype).real.dtype
    signs_matter = t > 1 and not jnp.issubdtype(dtype, jnp.complexfloating)  # the reference's advice
    start = jnp.ones((n, t), real)
    start = start.at[:, 1:].set(pool[:, : t - 1].astype(real))

    def second_half(s):
        y, old = s["y"], s["signs"]
        size = jnp.abs(y)
        signs = jnp.where(size == 0, 1, y / jnp.where(size == 0, 1, size))
        used, known = s["used"], jnp.asarray(False)
        if not jnp.issubdtype(dtype, jnp.complexfloating):
            known = (jnp.abs(signs.T @ old) > n - 0.5).any(axis=1).all()
        if signs_matter:
            used, signs = _renewed(pool, used, signs, old)
        h = jnp.abs(adjoint(signs)).max(axis=1)
        done = known | ((s["k"] >= 2) & (h.max() == h[s["best"]]))
        history = s["history"]
        if t > 1:
            done = done | history[lax.top_k(h, t)[1]].all()
            h = jnp.where(history, -1, h)
        index = lax.top_k(h, t)[1]
        x = jnp.zeros((n, t), real).at[index, jnp.arange(t)].set(1)
        changed = {"signs": signs, "used": used, "done": done, "x": x, "index": index,
                   "history": history.at[index].set(True), "k": s["k"] + 1}  # fmt: skip
        return s | changed

    def step(s):
        y = apply(s["x"].astype(dtype))
        lengths = jnp.abs(y).sum(axis=0)
        j = jnp.argmax(lengths)
        better = (lengths[j] > s["estimate"]) | jnp.isnan(lengths[j])
        s = s | {
            "y": y, "best": jnp.where(better, s["index"][j], s["best"]),
            "estimate": jnp.where(better, lengths[j], s["estimate"]), "v": jnp.where(better, s["x"][:, j], s["v"]),
        }  # fmt: skip
        done = ((s["k"] >= 2) & ~better) | (s["k"] > limit) | jnp.isnan(s["estimate"])
        return lax.cond(done, lambda s: s | {"done": jnp.asarray(True)}, second_half, s)

    x = start / n
    state = {
        "k": jnp.asarray(1), "x": x, "y": jnp.zeros((n, t), dtype), "v": x[:, 0], "estimate": jnp.zeros((), real),
        "signs": jnp.zeros((n, t), dtype), "index": jnp.zeros(t, jnp.int32), "best": jnp.zeros((), jnp.int32),
        "history": jnp.zeros(n, bool), "used": jnp.asarray(t - 1), "done": jnp.asarray(False),
    }  # fmt: skip
    return lax.while_loop(lambda s: ~s["done"], step, state)["v"]
