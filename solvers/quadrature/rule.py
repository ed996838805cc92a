"""A Gauss-Kronrod rule on one interval, with QUADPACK's error estimate.

References
----------
.. [1] R. Piessens et al., "QUADPACK", Springer 1983, Sec. 3.4.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax


class Estimate(NamedTuple):
    """Integral over an interval, its error, and the integrals of ``|f|`` and ``|f - mean|``."""

    value: object
    error: object
    absolute: object
    spread: object
    inner: object  # `merge` of what the nodes report


def merge(reports):
    """What several inner integrals, (n, 3) or (n, 0), report together: largest error and status, evaluations."""
    if reports.shape[-1] == 0:
        return reports[0]
    return jnp.concatenate([jnp.max(reports[:, :2], axis=0), jnp.sum(reports[:, 2:], axis=0)])


def apply_rule(rule, fun, a, b):
    """`Estimate` of the integral over ``[a, b]``; ``fun`` of (n,) nodes gives values (n,) and reports (n, 0 or 3).

    ``rule`` is a Gauss-Kronrod `Rule`, or a function ``rule(fun, a, b)`` that returns the `Estimate`.
    """
    if callable(rule):
        return rule(fun, a, b)
    nodes = jnp.asarray(rule.nodes, jnp.result_type(a))
    centre, half = 0.5 * (a + b), 0.5 * (b - a)
    # products with the weights, not sums: XLA would evaluate `fun` anew in each sum, and sums over a short last
    # axis of a batch are slow
    f, reports = lax.optimization_barrier(fun(centre + half * nodes))
    return judge(rule, f, half, reports)


def judge(rule, f, half, reports):
    """`Estimate` from the values at a rule's nodes in an interval of length ``2 * half``."""
    dtype = jnp.result_type(half)
    eps, tiny = jnp.finfo(dtype).eps, jnp.finfo(dtype).tiny
    kronrod, gauss = jnp.asarray(rule.kronrod, dtype), jnp.asarray(rule.gauss, dtype)
    both = f @ jnp.stack([kronrod, gauss], axis=1)
    mean = both[0] / 2
    size = jnp.abs(half)
    value = 2 * mean * half
    absolute, spread = size * (jnp.stack([jnp.abs(f), jnp.abs(f - mean)]) @ kronrod)
    error = jnp.abs((2 * mean - both[1]) * half)
    # the difference of the two rules is a bound on the Gauss rule; the Kronrod rule is far better
    sharp = spread * jnp.minimum(1.0, (200 * error / jnp.where(spread == 0, 1, spread)) ** 1.5)
    error = jnp.where((spread != 0) & (error != 0), sharp, error)
    error = jnp.where(absolute > tiny / (50 * eps), jnp.maximum(50 * eps * absolute, error), error)
    return Estimate(value, error, absolute, spread, merge(reports))
