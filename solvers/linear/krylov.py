"""Krylov methods for square systems: the short recurrences (CG, BiCG, CGS, BiCGSTAB) and MINRES.

Every method is a function ``method(apply, b, x0, target, limit, precondition)``:

apply : callable
    ``x -> A x``; BiCG takes a pair with ``x -> A^H x``.
b, x0 : arrays, shape (n,)
target : scalar
    The iteration ends when the residual's 2-norm is below it.
limit : scalar int
    Most iterations.
precondition : callable
    ``r -> M r`` with M near the inverse of A (a pair for BiCG).

and returns ``(x, info)``, with `info` 0 on convergence, the number of iterations where `limit` ended it, and a
negative code after a breakdown (SciPy's: -10 of rho, -11 of omega).

References
----------
R. Barrett et al., "Templates for the Solution of Linear Systems", SIAM, 1994. C. C. Paige, M. A. Saunders, "Solution of
sparse indefinite systems of linear equations", SIAM J. Numer. Anal. 12, 1975 (MINRES).
"""

import jax.numpy as jnp
from jax import lax

__all__ = ["bicg", "bicgstab", "cg", "cgs", "minres", "norm", "unchanged"]

_RHO, _OMEGA = -10, -11


def norm(x):
    """Euclidean norm of a real or complex vector."""
    return jnp.sqrt(jnp.real(jnp.vdot(x, x)))


def _run(step, state, target, limit):
    """Iterate ``step`` on ``(x, r, ..., code)`` while nothing ended it; the number of iterations counts beside."""

    def going(carry):
        k, state = carry
        return (norm(state[1]) >= target) & (k < limit) & (state[-1] == 0)

    k, state = lax.while_loop(going, lambda c: (c[0] + 1, step(c[0], c[1])), (jnp.asarray(0), state))
    # as SciPy, which tests at the head of an iteration: what the last one reaches is not looked at
    info = jnp.where(state[-1] != 0, state[-1], jnp.where((k < limit) & (norm(state[1]) < target), 0, limit))
    return state[0], info


def unchanged(r):
    """The preconditioner that is none."""
    return r


def cg(apply, b, x0, target, limit, precondition):
    """Conjugate gradients, for Hermitian positive definite A and M."""
    plain = precondition is unchanged

    def square(r):
        return jnp.vdot(r, r)

    def step(carry):
        # the residual's square is carried: the end's test and, without a preconditioner, the next step need no pass
        k, x, r, p, rho_before, residual = carry
        z = precondition(r)
        rho = residual if plain else jnp.vdot(r, z)
        p = z + jnp.where(k > 0, rho / jnp.where(k > 0, rho_before, 1), 0) * p
        q = apply(p)
        alpha = rho / jnp.vdot(p, q)
        r = r - alpha * q
        return k + 1, x + alpha * p, r, p, rho, square(r)

    def above(residual):
        return jnp.sqrt(jnp.real(residual)) >= target

    r = b - apply(x0)
    carry = (jnp.asarray(0), x0, r, jnp.zeros_like(b), jnp.zeros((), b.dtype), square(r))
    k, x, _, _, _, residual = lax.while_loop(lambda c: above(c[5]) & (c[0] < limit), step, carry)
    # as SciPy, which tests at the head of an iteration: what the last one reaches is not looked at
    return x, jnp.where((k < limit) & (jnp.sqrt(jnp.real(residual)) < target), 0, limit)


def bicg(apply, b, x0, target, limit, precondition):
    """Biconjugate gradients; `apply` and `precondition` are pairs with the adjoints."""
    (apply, adjoint), (precondition, precondition_adjoint) = apply, precondition
    tiny = jnp.finfo(b.dtype).eps ** 2

    def step(k, state):
        x, r, shadow, p, p_shadow, rho_before, code = state
        z, z_shadow = precondition(r), precondition_adjoint(shadow)
        rho = jnp.vdot(shadow, z)
        code = jnp.where(jnp.abs(rho) < tiny, _RHO, code)
        beta = jnp.where(k > 0, rho / jnp.where(k > 0, rho_before, 1), 0)
        p, p_shadow = z + beta * p, z_shadow + jnp.conj(beta) * p_shadow
        q, q_shadow = apply(p), adjoint(p_shadow)
        rv = jnp.vdot(p_shadow, q)
        code = jnp.where((rv == 0) & (code == 0), _OMEGA, code)
        alpha = jnp.where(code == 0, rho / jnp.where(rv == 0, 1, rv), 0)
        return x + alpha * p, r - alpha * q, shadow - jnp.conj(alpha) * q_shadow, p, p_shadow, rho, code

    r = b - apply(x0)
    zeros = jnp.zeros_like(b)
    state = (x0, r, r, zeros, zeros, jnp.zeros((), b.dtype), jnp.asarray(0))
    return _run(step, state, target, limit)


def cgs(apply, b, x0, target, limit, precondition):
    """Conjugate gradients squared."""
    tiny = jnp.finfo(b.dtype).eps ** 2
    r = b - apply(x0)
    shadow = r

    def step(k, state):
        x, r, p, q, rho_before, code = state
        rho = jnp.vdot(shadow, r)
        code = jnp.where(jnp.abs(rho) < tiny, _RHO, code)
        beta = jnp.where(k > 0, rho / jnp.where(k > 0, rho_before, 1), 0)
        u = r + beta * q
        p = u + beta * (q + beta * p)
        v = apply(precondition(p))
        rv = jnp.vdot(shadow, v)
        code = jnp.where((rv == 0) & (code == 0), _OMEGA, code)
        alpha = jnp.where(code == 0, rho / jnp.where(rv == 0, 1, rv), 0)
        q = u - alpha * v
        change = precondition(u + q)
        return x + alpha * change, r - alpha * apply(change), p, q, rho, code

    zeros = jnp.zeros_like(b)
    return _run(step, (x0, r, zeros, zeros, jnp.zeros((), b.dtype), jnp.asarray(0)), target, limit)


def bicgstab(apply, b, x0, target, limit, precondition):
    """Biconjugate gradients, stabilised."""
    tiny = jnp.finfo(b.dtype).eps ** 2
    r = b - apply(x0)
    shadow = r

    def step(k, state):
        x, r, p, v, rho_before, alpha_before, omega_before, code = state
        rho = jnp.vdot(shadow, r)
        code = jnp.where(jnp.abs(rho) < tiny, _RHO, code)
        code = jnp.where((k > 0) & (jnp.abs(omega_before) < tiny) & (code == 0), _OMEGA, code)
        scale = jnp.where(k > 0, rho_before * omega_before, 1)
        beta = jnp.where((k > 0) & (code == 0), rho * alpha_before / jnp.where(scale == 0, 1, scale), 0)
        p = r + beta * (p - omega_before * v)
        p_hat = precondition(p)
        v = apply(p_hat)
        rv = jnp.vdot(shadow, v)
        code = jnp.where((rv == 0) & (code == 0), _OMEGA, code)
        alpha = jnp.where(code == 0, rho / jnp.where(rv == 0, 1, rv), 0)
        s = r - alpha * v
        s_hat = precondition(s)
        t = apply(s_hat)
        tt = jnp.vdot(t, t)
        early = norm(s) < target  # half a step was enough
        omega = jnp.where(early | (tt == 0) | (code != 0), 0, jnp.vdot(t, s) / jnp.where(tt == 0, 1, tt))
        return x + alpha * p_hat + omega * s_hat, s - omega * t, p, v, rho, alpha, omega, code

    zeros, zero = jnp.zeros_like(b), jnp.zeros((), b.dtype)
    return _run(step, (x0, r, zeros, zeros, zero, zero, zero, jnp.asarray(0)), target, limit)


def minres(apply, b, x0, rtol, limit, precondition):
    """Minimal residuals, for Hermitian A (indefinite or singular) and positive definite M.

    Ends by the tests of the reference, with the relative tolerance `rtol` in place of a target for the residual.
    """
    eps = jnp.finfo(b.dtype).eps
    real = jnp.real(b).dtype
    r1 = b - apply(x0)
    y = precondition(r1)
    beta1 = jnp.sqrt(jnp.maximum(jnp.real(jnp.vdot(r1, y)), 0))
    zeros, zero, one = jnp.zeros_like(b), jnp.zeros((), real), jnp.ones((), real)
    state = {
        "k": jnp.asarray(0), "x": x0, "r1": r1, "r2": r1, "y": y, "w": zeros, "w1": zeros, "old": zero, "beta": beta1,
        "dbar": zero, "epsln": zero, "phibar": beta1, "cs": -one, "sn": zero, "tnorm2": zero,
        "gmax": zero, "gmin": jnp.asarray(jnp.finfo(real).max, real), "done": beta1 == 0,
    }  # fmt: skip

    def step(s):
        safe = jnp.where(s["beta"] == 0, 1, s["beta"])
        v = s["y"] / safe
        y = apply(v)
        y = y - jnp.where(s["k"] > 0, s["beta"] / jnp.where(s["old"] == 0, 1, s["old"]), 0) * s["r1"]
        alpha = jnp.real(jnp.vdot(v, y))
        y = y - (alpha / safe) * s["r2"]
        r1, r2 = s["r2"], y
        y = precondition(r2)
        old, beta = s["beta"], jnp.sqrt(jnp.maximum(jnp.real(jnp.vdot(r2, y)), 0))
        tnorm2 = s["tnorm2"] + alpha**2 + old**2 + beta**2
        old_eps = s["epsln"]
        delta = s["cs"] * s["dbar"] + s["sn"] * alpha
        gbar = s["sn"] * s["dbar"] - s["cs"] * alpha
        epsln, dbar = s["sn"] * beta, -s["cs"] * beta
        root = jnp.hypot(gbar, dbar)
        gamma = jnp.maximum(jnp.hypot(gbar, beta), eps)
        cs, sn = gbar / gamma, beta / gamma
        phi, phibar = cs * s["phibar"], sn * s["phibar"]
        w = (v - old_eps * s["w1"] - delta * s["w"]) / gamma
        x = s["x"] + phi * w
        gmax, gmin = jnp.maximum(s["gmax"], gamma), jnp.minimum(s["gmin"], gamma)
        a_norm, y_norm = jnp.sqrt(tnorm2), norm(x)
        test1 = phibar / jnp.where(a_norm * y_norm == 0, jnp.inf, a_norm * y_norm)
        test1 = jnp.where(a_norm * y_norm == 0, jnp.inf, test1)
        test2 = jnp.where(a_norm == 0, jnp.inf, root / jnp.where(a_norm == 0, 1, a_norm))
        done = (test1 <= rtol) | (test2 <= rtol) | (1 + test1 <= 1) | (1 + test2 <= 1)
        done = done | (gmax / gmin >= 0.1 / eps) | (a_norm * y_norm * eps >= beta1)
        return {
            "k": s["k"] + 1, "x": x, "r1": r1, "r2": r2, "y": y, "w": w, "w1": s["w"], "old": old, "beta": beta,
            "dbar": dbar, "epsln": epsln, "phibar": phibar, "cs": cs, "sn": sn, "tnorm2": tnorm2, "gmax": gmax,
            "gmin": gmin, "done": done,
        }  # fmt: skip

    s = lax.while_loop(lambda s: ~s["done"] & (s["k"] < limit), step, state)
    return s["x"], jnp.where(s["done"], 0, limit)
