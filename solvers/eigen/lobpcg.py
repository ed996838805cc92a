"""Extreme eigenpairs of a Hermitian pencil by the locally optimal block preconditioned conjugate gradient method.

References
----------
A. V. Knyazev, "Toward the optimal preconditioned eigensolver: locally optimal block preconditioned conjugate gradient
method", SIAM J. Sci. Comput. 23 (2001) 517-541. The basis of each Rayleigh-Ritz step is made orthonormal first, as in
U. Hetmaniuk, R. Lehoucq, "Basis selection in LOBPCG", J. Comput. Phys. 218 (2006) 324-332: directions that are
dependent to rounding drop out instead of spoiling a Gram matrix.
"""

import jax.numpy as jnp
from jax import lax

__all__ = ["lobpcg"]


def _adjoint(x):
    return jnp.conj(x.T)


def _orthonormalise(v, bv, image):
    """An orthonormal basis of the columns, dependent ones as zeros; `image` holds whatever is transformed alike."""
    for _ in range(2):  # the second pass brings it to rounding error
        gram = _adjoint(v) @ bv
        scale = jnp.sqrt(jnp.maximum(jnp.real(jnp.diagonal(gram)), 0))
        inverse = jnp.where(scale > 0, 1 / jnp.where(scale > 0, scale, 1), 0)
        q, d = lax.linalg.eigh(gram * jnp.outer(inverse, inverse), symmetrize_input=True)
        cut = jnp.finfo(d.dtype).eps * 100 * v.shape[1]
        turn = inverse[:, None] * q * jnp.where(d > cut, 1 / jnp.sqrt(jnp.where(d > cut, d, 1)), 0)
        v, bv, image = v @ turn, bv @ turn, image @ turn
    return v, bv, image


def lobpcg(apply, metric, precondition, x, constraints, tol, limit, largest, restart, record):
    """Eigenpairs of ``A x = w B x`` at one end of the spectrum.

    Parameters
    ----------
    apply, metric, precondition : callable
        Products with blocks (n, k); `metric` and `precondition` may be None.
    x : array, shape (n, k)
        Start.
    constraints : array (n, m) or None
        The iteration stays orthogonal to its columns.
    tol : scalar
        A column is left alone from when the norm of its residual is below.
    limit : int
        Most iterations; static if `record`.
    largest : bool
        Which end.
    restart : scalar
        The search directions are dropped where the mean residual grows by ``2**restart``.
    record : bool
        Keep the histories of eigenvalues and residual norms.

    Returns
    -------
    dict
        ``w`` (k,), the most extreme first; ``x`` (n, k); ``residuals`` (k,); ``last``, ``best``: numbers of
        iterations; ``values``, ``norms`` (limit + 3, k): the histories; ``ok``: whether start and constraints were
        independent.
    """
    k, dtype = x.shape[1], x.dtype
    real = x.real.dtype
    b = (lambda v: v) if metric is None else metric
    sign = -1 if largest else 1
    ok = jnp.asarray(True)
    if constraints is not None:
        y = constraints.astype(dtype)
        y, by, _ = _orthonormalise(y, b(y), y)
        ok = ok & (jnp.abs(y).max(axis=0) > 0).all()

    def free(v):
        if constraints is None:
            return v
        v = v - y @ (_adjoint(by) @ v)
        return v - y @ (_adjoint(by) @ v)

    def ritz(basis, images, present):
        """The `k` most wanted pairs in a basis; columns that are not present are zero, and lose."""
        h = _adjoint(basis) @ images
        h = sign * (h + _adjoint(h)) / 2
        most = jnp.abs(h).sum(axis=0).max() + 1
        h = h + jnp.diag(jnp.where(present, 0, 2 * most).astype(dtype))
        sane = jnp.isfinite(h).all()
        q, w = lax.linalg.eigh(jnp.where(sane, h, 0), symmetrize_input=False)
        return jnp.where(sane, sign * w[:k], jnp.nan), q[:, :k]

    def start(v):
        bv = b(v)
        v, bv, _ = _orthonormalise(v, bv, v)
        av = apply(v)
        w, q = ritz(v, av, jnp.abs(v).max(axis=0) > 0)
        return w, v @ q, av @ q, bv @ q, (jnp.abs(v).max(axis=0) > 0).all()

    def norms(s):
        r = s["ax"] - s["bx"] * s["w"]
        return r, jnp.sqrt(jnp.real((jnp.conj(r) * r).sum(axis=0)))

    def judged(s):
        """Residuals of the state, its histories and the best so far."""
        r, size = norms(s)
        mean = size.mean()
        better = mean < s["least"]
        out = dict(s)
        out["jump"] = mean > jnp.exp2(restart) * s["least"]
        out["least"] = jnp.where(better, mean, s["least"])
        out["best"] = jnp.where(better, s["i"], s["best"])
        out["best_x"] = jnp.where(better, s["x"], s["best_x"])
        out["active"] = s["active"] & (size > tol)
        if record:
            out["norms"] = s["norms"].at[s["i"]].set(size)
            out["values"] = s["values"].at[s["i"]].set(s["w"])
        return out, r, size

    def step(carry):
        s, r = carry
        active = s["active"]
        r = jnp.where(active, r, 0)
        r = free(r if precondition is None else jnp.where(active, precondition(r), 0))
        x, bx = s["x"], s["bx"]
        for _ in range(2):
            r = r - x @ (_adjoint(bx) @ r)
        r, br, _ = _orthonormalise(r, b(r), r)
        for _ in range(2):  # from the spanned space's rounding errors
            r = r - x @ (_adjoint(bx) @ r)
        br = b(r) if metric is not None else r
        ar = apply(r)
        keep = active & ~s["jump"] & (s["i"] > 0)
        p, bp, ap = (jnp.where(keep, s[name], 0) for name in ("p", "bp", "ap"))
        for _ in range(2):
            inner_x, inner_r = _adjoint(bx) @ p, _adjoint(br) @ p
            p, bp, ap = (
                u - a @ inner_x - c @ inner_r
                for u, a, c in ((p, x, r), (bp, bx, br), (ap, s["ax"], ar))
            )  # fmt: skip
        p, bp, ap = _orthonormalise(p, bp, ap) if metric is not None else (lambda t: (t[0], t[0], t[2]))(
            _orthonormalise(p, p, ap)
        )  # fmt: skip
        basis, images, shadows = (
            jnp.concatenate(parts, axis=1) for parts in ((x, r, p), (s["ax"], ar, ap), (bx, br, bp))
        )
        w, q = ritz(basis, images, jnp.abs(basis).max(axis=0) > 0)
        without_x = q.at[:k].set(0)
        out = dict(s) | {
            "i": s["i"] + 1, "w": w, "x": basis @ q, "ax": images @ q, "bx": shadows @ q,
            "p": basis @ without_x, "ap": images @ without_x, "bp": shadows @ without_x,
        }  # fmt: skip
        return judged(out)[:2]

    w, x, ax, bx, independent = start(free(x))
    ok = ok & independent
    zeros = jnp.zeros_like(x)
    most = jnp.asarray(jnp.finfo(real).max, real)
    s = {
        "i": jnp.asarray(0), "w": w, "x": x, "ax": ax, "bx": bx, "p": zeros, "ap": zeros, "bp": zeros, "least": most,
        "best": jnp.asarray(0), "best_x": x, "active": jnp.ones(k, bool), "jump": jnp.asarray(False),
    }  # fmt: skip
    if record:
        s["values"] = jnp.full((limit + 3, k), jnp.nan, real)
        s["norms"] = jnp.full((limit + 3, k), jnp.nan, real)
    s, r, _ = judged(s)
    going = lambda c: c[0]["active"].any() & (c[0]["i"] <= limit) & jnp.isfinite(c[0]["w"]).all()  # noqa: E731
    s, _ = lax.while_loop(going, step, (s, r))
    # once more from the best iterate, with products of its own
    w, x, ax, bx, _ = start(free(s["best_x"]))
    final = s | {"w": w, "x": x, "ax": ax, "bx": bx}
    size = norms(final)[1]
    out = {"w": w, "x": x, "residuals": size, "last": s["i"], "best": s["best"], "ok": ok}
    if record:
        out["values"], out["norms"] = s["values"].at[s["best"] + 1].set(w), s["norms"].at[s["best"] + 1].set(size)
    return out
