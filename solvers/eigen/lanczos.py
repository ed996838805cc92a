"""A few eigenpairs of a Hermitian operator by thick-restart Lanczos.

After each cycle of Lanczos steps the basis is rotated to the Ritz vectors, the wanted ones (and some more) are kept
together with the residual, and the recurrence goes on from there. The vectors are orthogonalised in full, twice,
by matrix products.

References
----------
K. Wu, H. Simon, "Thick-restart Lanczos method for large symmetric eigenvalue problems", SIAM J. Matrix Anal. Appl. 22
(2000) 602-616. The convergence test is that of R. B. Lehoucq, D. C. Sorensen, C. Yang, "ARPACK Users' Guide", SIAM,
1998.
"""

import jax.numpy as jnp
from jax import lax

__all__ = ["converged", "fresh_direction", "kept", "lanczos", "preference"]


def preference(values, which):
    """How much each (Ritz) value is wanted: larger is more. `which` is ARPACK's code."""
    if which == "BE":  # alternately from the upper and the lower end
        m = values.shape[0]
        rank = jnp.argsort(jnp.argsort(values))
        return -jnp.minimum(2 * (m - 1 - rank), 2 * rank + 1).astype(values.real.dtype)
    part = {"M": jnp.abs, "A": jnp.real, "R": jnp.real, "I": lambda w: jnp.abs(w.imag)}[which[1]](values)
    return part if which[0] == "L" else -part


def converged(residuals, values, tol, norm):
    """ARPACK's test of Ritz values by the norms of their residuals.

    `norm` is that of the projected operator: residuals are known to its rounding errors, so that less cannot be asked
    of values that are small beside it.
    """
    eps = jnp.finfo(residuals.dtype).eps
    return residuals <= jnp.maximum(tol * jnp.maximum(eps ** (2 / 3), jnp.abs(values)), eps * norm)


def kept(k, m, done):
    """How many vectors go into the next cycle: half of the rest beside the wanted ones, or the search stagnates."""
    return jnp.minimum(jnp.maximum(k + jnp.minimum(done, (m - k) // 2), (m + k) // 2), max(k, m - 1))


def fresh_direction(n, j, dtype):
    """A vector without structure, another for each j: how the basis goes on from an invariant subspace."""
    i = jnp.arange(n)
    return jnp.sin(1.0 + (i + 1.0) * (i * 0.6180339887 + j + 0.7071067812)).astype(dtype)


def lanczos(apply, metric, start, k, m, which, tol, limit):
    """Eigenpairs of the operator `apply`, which is self-adjoint in the inner product ``x^H metric(y)``.

    Parameters
    ----------
    apply : callable
        ``apply(x, metric(x))``.
    metric : callable or None
        Positive (semi)definite; None for the identity.
    start : array, shape (n,)
        Its dtype is that of the computation.
    k, m : int
        Number of pairs and length of the basis, ``k <= m <= n``.
    which : {'LM', 'SM', 'LA', 'SA', 'BE'}
    tol : scalar
        Relative accuracy of the eigenvalues; 0 stands for the precision.
    limit : scalar int
        Most cycles.

    Returns
    -------
    values : real array, shape (k,)
        The wanted Ritz values, the most wanted first.
    vectors : array, shape (k, n)
        In rows, orthonormal in the inner product.
    ok : bool array, shape (k,)
    cycles : int
    """
    n, dtype = start.shape[0], start.dtype
    eps = jnp.finfo(dtype).eps
    tol = jnp.where(tol <= 0, eps, tol).astype(start.real.dtype)
    index = jnp.arange(m + 1)

    def images_of(s):
        return s["basis"] if metric is None else s["images"]

    def length(w):
        bw = w if metric is None else metric(w)
        return jnp.sqrt(jnp.maximum(jnp.real(jnp.vdot(w, bw)), 0)), bw

    def step(s):
        # One copy of the orthogonalisation in the program, for two passes over the new vector and, where nothing of it
        # is left, two over a fresh one: compile time is a cost.
        j, basis, images = s["j"], s["basis"], images_of(s)
        before = index <= j

        def fresh(_):
            u = fresh_direction(n, j, dtype)
            return u if metric is None else apply(u, metric(u))  # into the range, where the metric is semidefinite

        def one_pass(p):
            again = p["pass"] >= 2
            w = lax.cond(p["pass"] == 2, fresh, lambda w: w, p["w"])
            part = jnp.where(before, jnp.conj(images) @ w, 0)
            w = w - part @ basis
            odd = p["pass"] % 2 == 1
            size, bw = lax.cond(odd, length, lambda w: (jnp.zeros((), w.real.dtype), w), w)
            h = jnp.where(again, p["h"], p["h"] + part)
            # a fresh vector's length before: its passes split it at right angles
            whole = jnp.where(odd, p["whole"], jnp.linalg.norm(part))
            return {
                "w": w, "bw": bw, "h": h, "size": size, "whole": whole, "pass": p["pass"] + 1,
                "broken": p["broken"] | (odd & ~again & (size <= 10 * eps * jnp.linalg.norm(h))),
            }  # fmt: skip

        zero = jnp.zeros((), start.real.dtype)
        w = apply(basis[j], images[j])
        first = {
            "w": w, "bw": w, "h": jnp.zeros(m + 1, dtype), "size": zero, "whole": zero, "pass": jnp.asarray(0),
            "broken": jnp.asarray(False),
        }  # fmt: skip
        p = lax.while_loop(lambda p: (p["pass"] < 2) | (p["broken"] & (p["pass"] < 4)), one_pass, first)
        spent = p["broken"] & (p["size"] <= 100 * eps * p["whole"])  # the space is exhausted: a zero vector
        size = jnp.where(spent, jnp.inf, p["size"])
        out = {
            "j": j + 1, "basis": basis.at[j + 1].set(p["w"] / size), "h": s["h"].at[:, j].set(p["h"][:m].real),
            "beta": jnp.where(p["broken"], 0, p["size"]),
        }  # fmt: skip
        if metric is not None:
            out["images"] = images.at[j + 1].set(p["bw"] / size)
        return out

    def cycle(carry):
        s, _, _, count = carry
        s = lax.while_loop(lambda s: s["j"] < m, step, s)
        upper = jnp.triu(s["h"])
        # NaN would not end LAPACK's iteration on some builds
        matrix = upper + jnp.triu(upper, 1).T
        sane = jnp.isfinite(matrix).all()
        y, theta = lax.linalg.eigh(jnp.where(sane, matrix, 0), symmetrize_input=False)
        order = jnp.argsort(-preference(theta, which))
        theta, y = theta[order], y[:, order]
        ok = converged(jnp.abs(s["beta"] * y[m - 1]), theta, tol, jnp.abs(theta).max()) & sane
        keep = kept(k, m, ok[:k].sum())

        def rotated(rows):
            new = jnp.where(index[:m, None] < keep, y.T.astype(dtype) @ rows[:m], 0)
            return jnp.concatenate([new, jnp.zeros((1, n), dtype)]).at[keep].set(rows[m])

        new = {
            "j": keep, "basis": rotated(s["basis"]), "beta": s["beta"],
            "h": jnp.diag(jnp.where(index[:m] < keep, theta, 0)),
        }  # fmt: skip
        if metric is not None:
            new["images"] = rotated(s["images"])
        return new, jnp.where(sane, theta[:k], jnp.nan), ok[:k], count + 1

    start = start if metric is None else apply(start, metric(start))
    size, image = length(start)
    size = jnp.where(size == 0, 1, size)
    basis = jnp.zeros((m + 1, n), dtype)
    s = {
        "j": jnp.asarray(0), "basis": basis.at[0].set(start / size), "h": jnp.zeros((m, m), start.real.dtype),
        "beta": jnp.zeros((), start.real.dtype),
    }  # fmt: skip
    if metric is not None:
        s["images"] = basis.at[0].set(image / size)
    carry = (s, jnp.zeros(k, start.real.dtype), jnp.zeros(k, bool), jnp.asarray(0))
    # NaN ends it: no further cycle would help
    going = lambda c: ~c[2].all() & (c[3] < limit) & ~jnp.isnan(c[1]).any()  # noqa: E731
    s, values, ok, count = lax.while_loop(going, cycle, carry)
    return values, s["basis"][:k], ok, count
