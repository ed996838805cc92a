"""Algebraic Riccati equations by the structure-preserving doubling algorithm.

Both equations are brought to ``x = a^H x (1 + g x)^-1 a + h`` with g, h Hermitian, which doubling solves with
quadratic convergence.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.linear.sylvester import solve_sylvester

__all__ = ["care", "dare", "solve_stein"]

_MOST_STEPS = 60


def _ct(x):
    return jnp.swapaxes(x, -1, -2).conj()


def _double(a, g, h):
    """The stabilising solution of ``x = a^H x (1 + g x)^-1 a + h``, and the last relative change.

    References
    ----------
    E. K.-W. Chu, H.-Y. Fan, W.-W. Lin, C.-S. Wang, "Structure-preserving algorithms for periodic discrete-time
    algebraic Riccati equations", Int. J. Control 77 (2004) 767-788.
    """
    eye = jnp.eye(a.shape[0], dtype=a.dtype)
    eps = jnp.finfo(a.dtype).eps

    def step(carry):
        k, a, g, h, _ = carry
        # (1 + g h)^-1 applied to a and g at once
        both = jnp.linalg.solve(eye + g @ h, jnp.concatenate([a, g], axis=1))
        left, right = both[:, : a.shape[0]], both[:, a.shape[0] :]
        grown = h + _ct(a) @ (h @ left)
        change = jnp.abs(grown - h).max() / jnp.maximum(jnp.abs(grown).max(), jnp.finfo(a.dtype).tiny)
        g = g + a @ right @ _ct(a)
        return k + 1, a @ left, (g + _ct(g)) / 2, (grown + _ct(grown)) / 2, change

    going = lambda carry: (carry[0] < _MOST_STEPS) & (carry[4] > 4 * eps)  # noqa: E731
    start = (0, a, g, h, jnp.array(jnp.inf, a.real.dtype))
    _, _, _, x, change = lax.while_loop(going, step, start)
    return x, change


def solve_stein(a, q):
    """Solve ``x - a^H x a = q`` for a stable `a` (spectral radius below 1). Differentiable.

    References
    ----------
    R. A. Smith, "Matrix equation XA + BX = C", SIAM J. Appl. Math. 16 (1968) 198-201: the series by squaring.
    """

    def series(left, right, q):
        def step(carry):
            k, left, right, x, _ = carry
            more = left @ x @ right
            change = jnp.abs(more).max() / jnp.maximum(jnp.abs(x).max(), jnp.finfo(x.dtype).tiny)
            return k + 1, left @ left, right @ right, x + more, change

        going = lambda carry: (carry[0] < _MOST_STEPS) & (carry[4] > jnp.finfo(q.dtype).eps)  # noqa: E731
        return lax.while_loop(going, step, (0, left, right, q, jnp.array(jnp.inf, q.real.dtype)))[3]

    fixed = lax.stop_gradient(a)
    return lax.custom_linear_solve(
        lambda x: x - _ct(a) @ x @ a,
        q,
        lambda _, q: series(_ct(fixed), fixed, q),
        lambda _, q: series(fixed.conj(), fixed.T, q),
    )


def _gain(a, b, r, x):
    return jnp.linalg.solve(r + _ct(b) @ x @ b, _ct(b) @ x @ a)


def _dare_residual(a, b, q, r, x):
    return _ct(a) @ x @ (a - b @ _gain(a, b, r, x)) - x + q


def _care_residual(a, b, q, r, x):
    return _ct(a) @ x + x @ a - x @ b @ jnp.linalg.solve(r, _ct(b) @ x) + q


def _dare_correction(a, b, r, x, residual):
    """The Newton step for a residual: the closed loop is stable at the solution."""
    return solve_stein(a - b @ _gain(a, b, r, x), residual)


def _care_correction(a, b, r, x, residual):
    closed = a - b @ jnp.linalg.solve(r, _ct(b) @ x)
    step = solve_sylvester(_ct(closed), closed, -residual)
    return step if jnp.iscomplexobj(a) else step.real


def _with_rule(start, residual, correction):
    """The solver of an equation from its parts: doubling, one Newton step, and the implicit derivative."""

    @jax.custom_jvp
    def solve(a, b, q, r):
        x, change = start(a, b, q, r)
        x = x + correction(a, b, r, x, residual(a, b, q, r, x))
        return (x + _ct(x)) / 2, change

    @solve.defjvp
    def rule(primals, tangents):
        a, b, _, r = primals
        x, change = solve(*primals)
        _, slope = jax.jvp(lambda *p: residual(*p, x), primals, tangents)
        dx = correction(a, b, r, x, slope)
        return (x, change), ((dx + _ct(dx)) / 2, jnp.zeros_like(change))

    return solve


def _start_dare(a, b, q, r):
    return _double(a, b @ jnp.linalg.solve(r, _ct(b)), q)


def _start_care(a, b, q, r):
    """A Cayley transform with parameter gamma maps the half plane to the unit disc. Gamma only affects the speed; the
    size of `a` is a safe choice for it.
    """
    g = b @ jnp.linalg.solve(r, _ct(b))
    g = (g + _ct(g)) / 2
    n = a.shape[0]
    eye = jnp.eye(n, dtype=a.dtype)
    # the spectral size of the Hamiltonian matrix, by which its eigenvalues are spread over the disc
    hamiltonian = jnp.block([[a, -g], [-q, -_ct(a)]])
    size = jnp.sqrt((jnp.abs(hamiltonian) ** 2).sum() / np.sqrt(2 * n))
    gamma = jnp.maximum(size, jnp.finfo(a.dtype).tiny).astype(a.dtype)
    shifted = a - gamma * eye
    w = _ct(shifted) + q @ jnp.linalg.solve(shifted, g)
    inner = jnp.linalg.solve(w, jnp.concatenate([eye, q], axis=1))
    w_inverse, w_inverse_q = inner[:, :n], inner[:, n:]
    first = eye + 2 * gamma * _ct(w_inverse)
    second = 2 * gamma * jnp.linalg.solve(shifted, g @ w_inverse)
    third = 2 * gamma * w_inverse_q @ jnp.linalg.inv(shifted)
    return _double(first, (second + _ct(second)) / 2, (third + _ct(third)) / 2)


_solve_dare = _with_rule(_start_dare, _dare_residual, _dare_correction)
_solve_care = _with_rule(_start_care, _care_residual, _care_correction)


def _checked(solve, residual, excess, a, b, q, r):
    x, _ = solve(a, b, q, r)
    fixed = lax.stop_gradient(x)
    scale = jnp.abs(q).max() + jnp.abs(a).max() * jnp.abs(fixed).max()
    size = lax.stop_gradient(jnp.abs(residual(a, b, q, r, fixed)).max() / jnp.where(scale == 0, 1, scale))
    # a closed loop at the edge of stability belongs to a problem without a stabilising solution
    stable = lax.stop_gradient(excess(a, b, r, fixed)) < -100 * jnp.finfo(x.dtype).eps
    return x, jnp.where(stable, size, jnp.inf)


def _excess_dare(a, b, r, x):
    return jnp.abs(jnp.linalg.eigvals(lax.stop_gradient(a - b @ _gain(a, b, r, x)))).max() - 1


def _excess_care(a, b, r, x):
    w = jnp.linalg.eigvals(lax.stop_gradient(a - b @ jnp.linalg.solve(r, _ct(b) @ x)))
    size = jnp.abs(w).max()
    return w.real.max() / jnp.where(size == 0, 1, size)


def dare(a, b, q, r):
    """Solve ``a^H x a - x - a^H x b (r + b^H x b)^-1 b^H x a + q = 0``; also the relative residual. Differentiable.

    The residual is infinite where the closed loop is not stable.
    """
    return _checked(_solve_dare, _dare_residual, _excess_dare, a, b, q, r)


def care(a, b, q, r):
    """Solve ``a^H x + x a - x b r^-1 b^H x + q = 0``; also the relative residual. Differentiable.

    The residual is infinite where the closed loop is not stable.
    """
    return _checked(_solve_care, _care_residual, _excess_care, a, b, q, r)
