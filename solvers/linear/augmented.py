"""GMRES with vectors carried over from cycle to cycle: LGMRES and GCROT(m, k).

References
----------
A. H. Baker, E. R. Jessup, T. Manteuffel, "A technique for accelerating the convergence of restarted GMRES", SIAM J.
Matrix Anal. Appl. 26 (2005) 962-984.
J. E. Hicken, D. W. Zingg, "A simplified and flexible variant of GCROT for solving nonsymmetric linear systems", SIAM J.
Sci. Comput. 32 (2010) 1672-1694.
"""

import jax.numpy as jnp
from jax import lax

from solvers.linear.gmres import _rotation
from solvers.linear.krylov import norm

__all__ = ["gcrotmk", "lgmres"]


def _cycle(first, direction, steps, most, target, fixed=None):
    """Flexible GMRES from the unit vector `first`: at most `steps` (dynamic) of `most` (static) steps.

    ``direction(j, v) -> (z, w)``: the search direction and its image. The images are orthogonalised against the rows
    of `fixed` too. Ends when the least-squares residual is below `target`.

    Returns
    -------
    y : array, shape (most,)
        Coefficients of the directions.
    z : array, shape (most, n)
    image : array, shape (n,)
        The part of the directions' combined image in the new basis.
    beside : array
        Its coefficients with respect to `fixed`.
    residual : scalar
    """
    n, dtype = first.shape[0], first.dtype
    eps = jnp.finfo(dtype).eps
    fixed = jnp.zeros((0, n), dtype) if fixed is None else fixed

    def step(s):
        j, basis = s["j"], s["basis"]
        z, w = direction(j, basis[j])
        size = norm(w)
        before = jnp.arange(most + 1) <= j
        side = jnp.conj(fixed) @ w
        w = w - side @ fixed
        h = jnp.where(before, jnp.conj(basis) @ w, 0)
        w = w - h @ basis
        more = jnp.conj(fixed) @ w
        w = w - more @ fixed
        again = jnp.where(before, jnp.conj(basis) @ w, 0)
        w = w - again @ basis
        h, last = h + again, norm(w)
        happy = last <= eps * size
        h = h.at[j + 1].set(jnp.where(happy, 0, last).astype(dtype))
        basis = basis.at[j + 1].set(jnp.where(happy, 0, w / jnp.where(happy, 1, last)))

        def rotate(i, column):
            c, d = s["cos"][i], s["sin"][i]
            top, bottom = c * column[i] + d * column[i + 1], -jnp.conj(d) * column[i] + c * column[i + 1]
            return column.at[i].set(top).at[i + 1].set(bottom)

        column = lax.fori_loop(0, j, rotate, h)
        c, d, r = _rotation(column[j], column[j + 1])
        column = column.at[j].set(r).at[j + 1].set(0)
        g = s["g"].at[j + 1].set(-jnp.conj(d) * s["g"][j]).at[j].set(c * s["g"][j])
        return {
            "j": j + 1, "basis": basis, "z": s["z"].at[j].set(z), "h": s["h"].at[:, j].set(h),
            "r": s["r"].at[:, j].set(column[:most]), "side": s["side"].at[:, j].set(side + more),
            "cos": s["cos"].at[j].set(c), "sin": s["sin"].at[j].set(d), "g": g, "happy": happy,
        }  # fmt: skip

    s = {
        "j": jnp.asarray(0), "basis": jnp.zeros((most + 1, n), dtype).at[0].set(first),
        "z": jnp.zeros((most, n), dtype), "h": jnp.zeros((most + 1, most), dtype), "r": jnp.eye(most, dtype=dtype),
        "side": jnp.zeros((fixed.shape[0], most), dtype), "cos": jnp.zeros(most, dtype),
        "sin": jnp.zeros(most, dtype), "g": jnp.zeros(most + 1, dtype).at[0].set(1), "happy": jnp.asarray(False),
    }  # fmt: skip
    going = lambda s: (s["j"] < steps) & (jnp.abs(s["g"][s["j"]]) > target) & ~s["happy"]  # noqa: E731
    s = lax.while_loop(going, step, s)
    g = jnp.where(jnp.arange(most) < s["j"], s["g"][:most], 0)
    diagonal = jnp.diagonal(s["r"])
    # a zero on the diagonal: the direction adds nothing (a singular A)
    r = s["r"] + jnp.diag(jnp.where(diagonal == 0, 1, 0).astype(dtype))
    y = lax.linalg.triangular_solve(r, jnp.where(diagonal == 0, 0, g)[:, None], left_side=True)[:, 0]
    return y, s["z"], (s["h"] @ y) @ s["basis"], s["side"] @ y, jnp.abs(s["g"][s["j"]])


def _store(rows, k, row):
    """A ring of vectors: the newest replaces the oldest."""
    return rows.at[k % rows.shape[0]].set(row)


def lgmres(apply, b, x0, target, limit, precondition, inner, outer, before):
    """LGMRES, preconditioned from the left: `inner` steps a cycle and `outer` differences of past iterates.

    Parameters
    ----------
    apply, b, x0, target, precondition
        As in `krylov`; `limit` counts cycles.
    inner, outer : int
    before : bool
        Whether the carried vectors come before the Krylov vectors.

    Returns
    -------
    x : array
    info : int
        0, or the number of cycles.
    """
    n, dtype = b.shape[0], b.dtype
    room = max(outer, 1)

    def cycle(s):
        k, r = s["k"], s["r"]
        count = jnp.minimum(s["stored"], outer)
        z0 = precondition(r)
        size = norm(z0)
        first = z0 / jnp.where(size == 0, 1, size)
        wanted = jnp.minimum(s["factor"], target / norm(r))

        def direction(j, v):
            carried = (j < count) if before else (j >= inner)
            place = jnp.clip(j if before else j - inner, 0, room - 1)
            v = jnp.where(j == count, first, v) if before else v
            return lax.cond(
                carried, lambda _: (s["old"][place], s["images"][place]),
                lambda _: (v, precondition(apply(v))), None,
            )  # fmt: skip

        y, z, image, _, residual = _cycle(first, direction, inner + count, inner + outer, wanted)
        y = y * size
        change = y @ z
        fine = jnp.isfinite(change).all() & (size > 0)
        length = norm(change)
        safe = jnp.where(length == 0, 1, length)
        keep = fine & (length > 0) & (outer > 0)
        factor = jnp.where(residual > wanted, jnp.minimum(1, 1.5 * s["factor"]), jnp.maximum(1e-16, 0.25 * s["factor"]))
        x = jnp.where(fine, s["x"] + change, s["x"])
        return {
            "k": k + 1, "x": x, "r": b - apply(x), "factor": factor, "broken": ~fine,
            "old": jnp.where(keep, _store(s["old"], s["stored"], change / safe), s["old"]),
            "images": jnp.where(keep, _store(s["images"], s["stored"], image * size / safe), s["images"]),
            "stored": s["stored"] + keep,
        }  # fmt: skip

    empty = jnp.zeros((room, n), dtype)
    s = {
        "k": jnp.asarray(0), "x": x0, "r": b - apply(x0), "factor": jnp.ones((), b.real.dtype), "old": empty,
        "images": empty, "stored": jnp.asarray(0), "broken": jnp.asarray(False),
    }  # fmt: skip
    s = lax.while_loop(lambda s: (s["k"] < limit) & (norm(s["r"]) > target) & ~s["broken"], cycle, s)
    done = (s["k"] < limit) & (norm(s["r"]) <= target)
    return s["x"], jnp.where(done, 0, jnp.maximum(s["k"], 1))


def gcrotmk(apply, b, x0, target, limit, precondition, inner, outer):
    """GCROT(m, k) with m = `inner` and k = `outer`, preconditioned from the right; the oldest vectors are dropped.

    The newest is kept even with ``outer = 0``.

    Parameters and results as for `lgmres`.
    """
    n, dtype = b.shape[0], b.dtype

    def direction(_, v):
        z = precondition(v)
        return z, apply(z)

    def cycle(s):
        r = s["r"]
        beta = norm(r)
        count = jnp.minimum(s["stored"], outer)
        steps = inner + outer - count
        y, z, image, beside, _ = _cycle(r / beta, direction, steps, inner + outer, target / beta, s["c"])
        u = (y * beta) @ z - (beside * beta) @ s["u"]
        c = image * beta
        size = norm(c)
        fine = jnp.isfinite(size) & (size > 0)
        safe = jnp.where(fine, size, 1)
        c, u = jnp.where(fine, c / safe, 0), jnp.where(fine, u / safe, 0)
        gamma = jnp.vdot(c, r)
        x, r = s["x"] + gamma * u, r - gamma * c
        small = norm(r) <= target
        # what the recurrence says is checked before it is believed
        r = lax.cond(small, lambda _: b - apply(x), lambda _: r, None)
        return {
            "k": s["k"] + 1, "x": x, "r": r, "stored": s["stored"] + fine, "stuck": ~fine,
            "c": jnp.where(fine, _store(s["c"], s["stored"], c), s["c"]),
            "u": jnp.where(fine, _store(s["u"], s["stored"], u), s["u"]),
        }  # fmt: skip

    empty = jnp.zeros((max(outer, 1), n), dtype)
    s = {
        "k": jnp.asarray(0), "x": x0, "r": b - apply(x0), "c": empty, "u": empty, "stored": jnp.asarray(0),
        "stuck": jnp.asarray(False),
    }  # fmt: skip
    s = lax.while_loop(lambda s: (s["k"] < limit) & (norm(s["r"]) > target) & ~s["stuck"], cycle, s)
    done = (s["k"] < limit) & (norm(s["r"]) <= target)
    return s["x"], jnp.where(done, 0, jnp.where(s["stuck"], limit, s["k"]))
