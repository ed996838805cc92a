"""The exponential of a matrix times a block of vectors, from products with the matrix alone.

Reference: A. H. Al-Mohy, N. J. Higham, "Computing the action of the matrix exponential, with an application to
exponential integrators", SIAM J. Sci. Comput. 33 (2011) 488-511, algorithm 3.2 with the bound of section 3 for the
1-norm alone.
"""

import functools

import jax
import jax.numpy as jnp
from jax import lax

from solvers.batching import any_lane

__all__ = ["exponential_action"]

# Table A.3 of the reference: degrees of the Taylor polynomial and the norms up to which they reach double precision.
_DEGREES = (*range(1, 31), 35, 40, 45, 50, 55)
_THETA = (
    2.29e-16, 2.58e-8, 1.39e-5, 3.40e-4, 2.40e-3, 9.07e-3, 2.38e-2, 5.00e-2, 8.96e-2, 1.44e-1, 2.14e-1, 3.00e-1,
    4.00e-1, 5.14e-1, 6.41e-1, 7.81e-1, 9.31e-1, 1.09, 1.26, 1.44, 1.62, 1.82, 2.01, 2.22, 2.43, 2.64, 2.86, 3.08,
    3.31, 3.54, 4.7, 6.0, 7.2, 8.5, 9.9,
)  # fmt: skip
#: Scaling steps that the differentiable form has room for: norms up to 1,200.
_MOST_STEPS = 128


def _plan(size):
    """Degree and number of scaling steps with the fewest products, for a 1-norm `size`."""
    degrees = jnp.asarray(_DEGREES, size.dtype)
    steps = jnp.maximum(jnp.ceil(size / jnp.asarray(_THETA, size.dtype)), 1)
    best = jnp.argmin(jnp.where(jnp.isfinite(steps), degrees * steps, jnp.inf))
    return degrees[best].astype(jnp.int32), steps[best]


def _top(x):
    """The infinity norm of a block."""
    return jnp.abs(x).sum(axis=1).max()


def _taylor(apply, params, x, factor, degree, loop):
    """The truncated series of ``exp(factor A) x``, ended where its terms no longer count."""
    eps = jnp.finfo(x.dtype).eps / 2

    def term(j, carry):
        f, b, before, live = carry
        new = apply(params, b) * (factor / j)
        size = _top(new)
        f = jnp.where(live, f + new, f)
        return f, new, size, live & (before + size > eps * _top(f))

    return loop(degree, term, (x, x, _top(x), jnp.asarray(True)))[0]


def _while(degree, term, carry):
    state = lax.while_loop(
        lambda c: (c[0] <= degree) & c[1][3], lambda c: (c[0] + 1, term(c[0], c[1])), (jnp.asarray(1), carry)
    )
    return state[1]


def _scan(degree, term, carry):
    def step(carry, j):
        live = carry[3] & (j <= degree)
        return lax.cond(any_lane(live), lambda c: term(j, c), lambda c: c, carry), None

    return lax.scan(step, carry, jnp.arange(1, _DEGREES[-1] + 1))[0]


def _action(apply, bounded, params, x, t, shift, size):
    degree, steps = _plan(jnp.abs(t) * size)
    growth = jnp.exp(shift * t / steps.astype(shift.dtype)).astype(x.dtype)
    factor = (t / steps).astype(x.real.dtype)

    def scaled(x, loop):
        return growth * _taylor(apply, params, x, factor, degree, loop)

    if not bounded:
        return lax.fori_loop(0, steps.astype(jnp.int32), lambda _, x: scaled(x, _while), x)

    def step(x, k):
        on = k < steps
        return lax.cond(any_lane(on), lambda x: jnp.where(on, scaled(x, _scan), x), lambda x: x, x), None

    # the derivative of what would be cut off is NaN, not a wrong number
    x = jnp.where(steps <= _MOST_STEPS, x, jnp.nan)
    return lax.scan(step, x, jnp.arange(_MOST_STEPS, dtype=steps.dtype))[0]


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def exponential_action(apply, params, x, t, shift, size):
    """``exp(t (A + shift I)) x``.

    Parameters
    ----------
    apply : callable
        ``(params, x) -> A x`` for blocks (n, k); it may not close over tracers.
    params : pytree
        What A depends on.
    x : array, shape (n, k)
    t : real scalar
    shift : scalar
        Taken off the diagonal of A before.
    size : real scalar
        The 1-norm of A, or a bound of it.

    Returns
    -------
    array, shape (n, k)
        Differentiable in both modes with respect to `params`, `x`, `t` and `shift`, while ``|t| size`` is below 1,200
        (NaN above).
    """
    return _action(apply, False, params, x, t, shift, size)


@exponential_action.defjvp
def _jvp(apply, primals, tangents):
    params, x, t, shift, size = primals
    d_params, d_x, d_t, d_shift, _ = tangents
    size = lax.stop_gradient(size)
    y, dy = jax.jvp(lambda p, x: _action(apply, True, p, x, t, shift, size), (params, x), (d_params, d_x))
    y = exponential_action(apply, params, x, t, shift, size)
    rate = d_t * (apply(params, y) + shift * y) + d_shift * t * y
    return y, dy + rate.astype(dy.dtype)
