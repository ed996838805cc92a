"""A Gauss-Kronrod rule on one interval, with QUADPACK's error estimate.

References
----------
.. [1] R. Piessens et al., "QUADPACK", Springer 1983, Sec. 3.4.
"""

from typing import NamedTuple

import jax.numpy as jnp


class Estimate(NamedTuple):
    """Integral over an interval, its error, and the integrals of ``|f|`` and ``|f - mean|``."""

    value: object
    error: object
    absolute: object
    spread: object


def apply_rule(rule, fun, a, b):
    """`Estimate` of the integral of ``fun`` (on arrays of nodes) over ``[a, b]``."""
    dtype = jnp.result_type(a)
    eps, tiny = jnp.finfo(dtype).eps, jnp.finfo(dtype).tiny
    nodes, kronrod, gauss = (jnp.asarray(v, dtype) for v in (rule.nodes, rule.kronrod, rule.gauss))
    centre, half = 0.5 * (a + b), 0.5 * (b - a)
    f = fun(centre + half * nodes)
    mean = jnp.sum(kronrod * f) / 2
    size = jnp.abs(half)
    value = 2 * mean * half
    absolute = jnp.sum(kronrod * jnp.abs(f)) * size
    spread = jnp.sum(kronrod * jnp.abs(f - mean)) * size
    error = jnp.abs((2 * mean - jnp.sum(gauss * f)) * half)
    # the difference of the two rules is a bound on the Gauss rule; the Kronrod rule is far better
    sharp = spread * jnp.minimum(1.0, (200 * error / jnp.where(spread == 0, 1, spread)) ** 1.5)
    error = jnp.where((spread != 0) & (error != 0), sharp, error)
    error = jnp.where(absolute > tiny / (50 * eps), jnp.maximum(50 * eps * absolute, error), error)
    return Estimate(value, error, absolute, spread)
