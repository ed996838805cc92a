"""Quasi-minimal residual methods for general square systems; arguments and results as in `krylov`.

References
----------
R. W. Freund, N. M. Nachtigal, "QMR: a quasi-minimal residual method for non-Hermitian linear systems", Numer. Math. 60
(1991) 315-339 (without look-ahead, as in the "Templates"). R. W. Freund, "A transpose-free quasi-minimal residual
algorithm for non-Hermitian linear systems", SIAM J. Sci. Comput. 14 (1993) 470-482.
"""

import jax.numpy as jnp
from jax import lax

from solvers.linear.krylov import norm

__all__ = ["qmr", "tfqmr"]

_RHO, _BETA, _GAMMA, _DELTA, _EPSILON, _XI = -10, -11, -12, -13, -14, -15


def _over(a, b):
    return a / jnp.where(b == 0, 1, b)


def qmr(apply, b, x0, target, limit, precondition):
    """QMR.

    `apply` is a pair: the products with A and its adjoint. `precondition` holds two pairs, for the left and the right
    preconditioner ``M1`` and ``M2``, each ``r -> M r`` with its adjoint.

    Breakdowns are SciPy's codes: -10 rho, -11 beta, -12 gamma, -13 delta, -14 epsilon, -15 xi.
    """
    product, adjoint = apply
    (left, left_adjoint), (right, right_adjoint) = precondition
    eps = jnp.finfo(b.dtype).eps
    r = b - product(x0)
    y, z = left(r), right_adjoint(r)
    zeros, one, real = jnp.zeros_like(b), jnp.ones((), b.dtype), jnp.ones((), b.real.dtype)
    s = {
        "x": x0, "r": r, "v": r, "w": r, "y": y, "z": z, "rho": norm(y), "xi": norm(z), "gamma": real, "eta": -one,
        "theta": 0 * real, "epsilon": one, "p": zeros, "q": zeros, "d": zeros, "s": zeros, "code": jnp.asarray(0),
        "k": jnp.asarray(0),
    }  # fmt: skip

    def step(s):
        code = jnp.where(s["rho"] < eps, _RHO, jnp.where(s["xi"] < eps, _XI, 0))
        rho, xi = _over(real, s["rho"]), _over(real, s["xi"])
        v, y, w, z = s["v"] * rho, s["y"] * rho, s["w"] * xi, s["z"] * xi
        delta = jnp.vdot(z, y)
        code = jnp.where((code == 0) & (jnp.abs(delta) < eps), _DELTA, code)
        first = s["k"] == 0
        ratio = _over(delta, s["epsilon"])
        p = right(y) - jnp.where(first, 0, s["xi"] * ratio) * s["p"]
        q = left_adjoint(z) - jnp.where(first, 0, s["rho"] * jnp.conj(ratio)) * s["q"]
        image = product(p)
        epsilon = jnp.vdot(q, image)
        code = jnp.where((code == 0) & (jnp.abs(epsilon) < eps), _EPSILON, code)
        beta = _over(epsilon, delta)
        code = jnp.where((code == 0) & (jnp.abs(beta) < eps), _BETA, code)
        v = image - beta * v
        y = left(v)
        rho_new = norm(y)
        w = adjoint(q) - jnp.conj(beta) * w
        z = right_adjoint(w)
        theta = _over(rho_new, s["gamma"] * jnp.abs(beta))
        gamma = 1 / jnp.sqrt(1 + theta**2)
        code = jnp.where((code == 0) & (gamma < eps), _GAMMA, code)
        eta = -s["eta"] * _over(s["rho"] + 0 * beta, beta) * (gamma / s["gamma"]) ** 2
        kept = jnp.where(first, 0, (s["theta"] * gamma) ** 2)
        d, change = kept * s["d"] + eta * p, kept * s["s"] + eta * image
        new = {
            "x": s["x"] + d, "r": s["r"] - change, "v": v, "w": w, "y": y, "z": z, "rho": rho_new, "xi": norm(z),
            "gamma": gamma, "eta": eta, "theta": theta, "epsilon": epsilon, "p": p, "q": q, "d": d, "s": change,
            "k": s["k"] + 1,
        }  # fmt: skip
        # after a breakdown the last good iterate stands
        return {k: jnp.where(code == 0, new[k], s[k]) for k in new} | {"code": code}

    def going(s):
        return (norm(s["r"]) >= target) & (s["k"] < limit) & (s["code"] == 0)

    s = lax.while_loop(going, step, s)
    done = (s["k"] < limit) & (norm(s["r"]) < target)
    return s["x"], jnp.where(done, 0, jnp.where(s["code"] != 0, s["code"], limit))


def tfqmr(apply, b, x0, rtol, atol, limit, precondition):
    """Transpose-free QMR, preconditioned from the right.

    Ends when the bound ``tau sqrt(k + 1)`` of the residual is below ``max(atol, rtol norm(b - A x0))``; -1 after a
    breakdown.
    """
    r = b - apply(x0)
    size = norm(r)
    target = jnp.maximum(atol, rtol * size)
    image = apply(precondition(r))
    one = jnp.ones((), b.dtype)
    rho = (size**2).astype(b.dtype)
    s = {
        "x": x0, "w": r, "u": r, "v": image, "uhat": image, "d": jnp.zeros_like(b), "theta": 0 * size, "eta": 0 * one,
        "rho": rho, "alpha": one, "tau": size, "k": jnp.asarray(0), "code": jnp.where(size == 0, 1, 2),
    }  # fmt: skip

    def step(s):
        even = s["k"] % 2 == 0
        shadow = jnp.vdot(r, s["v"])
        broken = even & (shadow == 0)
        alpha = jnp.where(even, _over(s["rho"], shadow), s["alpha"])
        ahead = s["u"] - alpha * s["v"]
        w = s["w"] - alpha * s["uhat"]
        d = s["u"] + _over(s["theta"] ** 2 * s["eta"], alpha) * s["d"]
        theta = _over(norm(w), s["tau"])
        c = 1 / jnp.sqrt(1 + theta**2)
        tau = s["tau"] * theta * c
        eta = c**2 * alpha
        x = s["x"] + eta * precondition(d)
        small = tau * jnp.sqrt(s["k"] + 1.0).astype(tau.dtype) < target
        rho = jnp.where(even, s["rho"], jnp.vdot(r, w))
        beta = _over(rho, s["rho"])
        u = jnp.where(even, ahead, w + beta * s["u"])
        uhat = apply(precondition(u))
        v = jnp.where(even, s["v"], beta * s["uhat"] + beta**2 * s["v"] + uhat)
        new = {
            "x": x, "w": w, "u": u, "v": v, "uhat": uhat, "d": d, "theta": theta, "eta": eta, "rho": rho,
            "alpha": alpha, "tau": tau, "k": s["k"] + 1,
        }  # fmt: skip
        out = {k: jnp.where(broken, s[k], new[k]) for k in new}
        return out | {"code": jnp.where(broken, -1, jnp.where(small, 0, 2))}

    # 2: under way; 1: nothing to do
    s = lax.while_loop(lambda s: (s["code"] == 2) & (s["k"] < limit), step, s)
    return s["x"], jnp.where(s["code"] == 2, limit, jnp.where(s["code"] == 1, 0, s["code"]))
