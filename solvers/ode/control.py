"""Step-size control of one-step methods: norms, the first step, the growth rule.

References
----------
.. [1] E. Hairer, S. P. Norsett, G. Wanner, "Solving Ordinary Differential Equations I", Sec. II.4.
"""

import jax.numpy as jnp

SAFETY = 0.9
MIN_FACTOR = 0.2
MAX_FACTOR = 10.0


def square(x):
    """``|x|**2`` as a real array, without the square root that ``abs`` takes of a complex number."""
    return x.real**2 + x.imag**2 if jnp.iscomplexobj(x) else x * x


def rms_norm(x):
    """Root mean square over all entries; 0 for an empty array."""
    return jnp.sqrt(jnp.sum(square(x)) / max(x.size, 1))


def initial_step(problem, y0, f0, order):
    """Size of the first step from two slopes, after [1]_; costs one right-hand side.

    ``order`` is that of the error estimate: the local error is O(h**(order + 1)).
    """
    p, d = problem, problem.direction
    length = jnp.abs(p.t1 - p.t0)
    scale = p.atol + jnp.abs(y0) * p.rtol
    d0, d1 = rms_norm(y0 / scale), rms_norm(f0 / scale)
    h0 = jnp.where((d0 < 1e-5) | (d1 < 1e-5), 1e-6, 0.01 * d0 / d1)
    h0 = jnp.minimum(h0, length)
    f1 = p.rhs(p.t0 + h0 * d, y0 + h0 * d * f0)
    d2 = rms_norm((f1 - f0) / scale) / h0
    flat = (d1 <= 1e-15) & (d2 <= 1e-15)
    # `where` instead of `maximum`: a NaN slope must not turn into a NaN step
    largest = jnp.where(d2 > d1, d2, d1)
    h1 = jnp.where(flat, jnp.maximum(1e-6, h0 * 1e-3), (0.01 / largest) ** (1 / (order + 1)))
    h = jnp.minimum(jnp.minimum(100 * h0, h1), jnp.minimum(length, p.max_step))
    return jnp.where(length == 0, 0.0, h).astype(p.t0.dtype)


def step_factor(error, exponent, retry):
    """Factor for the next step from the scaled ``error`` of this one, which is accepted below 1.

    An error that is not a number shrinks the step by ``MIN_FACTOR``.
    """
    factor = SAFETY * error**exponent  # infinite for an error of zero
    most = jnp.where(retry, 1.0, MAX_FACTOR)
    grown = jnp.minimum(factor, most)
    shrunk = jnp.where(factor > MIN_FACTOR, factor, MIN_FACTOR)
    return jnp.where(error < 1, grown, shrunk)
