"""B-splines: weights of the basis functions, and the recursive prefilter that makes them interpolate.

Reference: M. Unser, A. Aldroubi, M. Eden, "B-Spline Signal Processing", IEEE Trans. Signal Processing 41(2),
1993; boundary conditions after P. Thevenaz, T. Blu, M. Unser, "Interpolation revisited", 2000.
"""

import math

import numpy as np
from jax import lax
from jax import numpy as jnp

from sci.bridge.platform import scipy_at_least

POLES = {
    0: (),
    1: (),
    2: (math.sqrt(8.0) - 3.0,),
    3: (math.sqrt(3.0) - 2.0,),
    4: (
        math.sqrt(664.0 - math.sqrt(438976.0)) + math.sqrt(304.0) - 19.0,
        math.sqrt(664.0 + math.sqrt(438976.0)) - math.sqrt(304.0) - 19.0,
    ),
    5: (
        math.sqrt(67.5 - math.sqrt(4436.25)) + math.sqrt(26.25) - 6.5,
        math.sqrt(67.5 + math.sqrt(4436.25)) - math.sqrt(26.25) - 6.5,
    ),
}
# Interpolation modes -> the boundary condition under which the prefilter is exact.
PREFILTER_MODE = {
    "mirror": "mirror",
    "constant": "mirror",
    "grid-constant": "mirror",
    "wrap": "mirror",
    "grid-wrap": "wrap",
    "nearest": "reflect",
    "reflect": "reflect",
    "grid-mirror": "reflect",
}
_UNROLL = 8
# Before 1.18 SciPy met its own partial sum, not the first sample, in the last term of the "reflect" start: an error of
# order z^(2n), visible for a few samples only (scipy#24615). We give what the installed SciPy gives.
_ACCUMULATES_IN_PLACE = not scipy_at_least(1, 18)


def basis_weights(fraction, order):
    """The ``order + 1`` B-spline weights at `fraction` in [0, 1) of a knot interval, first tap first.

    Cox-de Boor recursion on a uniform grid; exact partition of unity up to rounding.
    """
    weights = [fraction * 0 + 1]
    for d in range(1, order + 1):
        raised = []
        for j in range(d + 1):
            value = 0
            if j > 0:
                value = value + (fraction + (d - j)) * weights[j - 1]
            if j < d:
                value = value + ((1 + j) - fraction) * weights[j]
            raised.append(value / d)
        weights = raised
    return weights


def _causal_start(n, z, mode):
    """Row vector whose product with the samples is the causal filter's first value."""
    k = np.arange(n)
    if mode == "mirror":
        powers = z**k + z ** (2 * n - 2 - k)
        powers[0] = 1.0
        powers[n - 1] = z ** (n - 1)
        return powers / (1 - z ** (2 * n - 2))
    if mode == "wrap":
        return np.where(k == 0, 1.0, z ** ((n - k) % n)) / (1 - z**n)
    total = z**k + z ** (2 * n - 1 - k)
    if _ACCUMULATES_IN_PLACE:
        partial = total - np.where(k == n - 1, z ** (n - 1), 0) - np.where(k == 0, z ** (2 * n - 1), 0)
        total = partial + z ** (n - 1) * (np.where(k == n - 1, 1.0, 0.0) + z**n * partial)
    return total * z / (1 - z ** (2 * n)) + np.where(k == 0, 1.0, 0.0)


def _anticausal_start(c, z, mode):
    n = c.shape[0]
    if mode == "mirror":
        return (z * c[n - 2] + c[n - 1]) * (z / (z * z - 1))
    if mode == "wrap":
        powers = np.where(np.arange(n) == n - 1, 1.0, z ** (np.arange(n) + 1)) * (z / (z**n - 1))
        return jnp.tensordot(powers.astype(c.dtype), c, 1, precision=lax.Precision.HIGHEST)
    return c[n - 1] * (z / (z - 1))


def _recursion(x, z, mode):
    """One pole: causal then anticausal first-order recursion along axis 0."""
    start = _causal_start(x.shape[0], z, mode).astype(x.dtype)
    first = jnp.tensordot(start, x, 1, precision=lax.Precision.HIGHEST)

    def causal(previous, sample):
        value = sample + z * previous
        return value, value

    _, rest = lax.scan(causal, first, x[1:], unroll=_UNROLL)
    c = jnp.concatenate([first[None], rest])

    def anticausal(following, sample):
        value = z * (following - sample)
        return value, value

    last = _anticausal_start(c, z, mode)
    _, rest = lax.scan(anticausal, last, c[:-1], reverse=True, unroll=_UNROLL)
    return jnp.concatenate([rest, last[None]])


def prefilter_axis(x, axis, order, mode):
    """Spline coefficients along `axis` (real inexact `x`); `mode` is one of SciPy's interpolation modes."""
    if order < 2 or x.shape[axis] < 2 or x.size == 0:
        return x
    boundary = PREFILTER_MODE[mode]
    c = jnp.moveaxis(x, axis, 0)
    gain = math.prod((1 - z) * (1 - 1 / z) for z in POLES[order])
    c = c * gain
    for z in POLES[order]:
        c = _recursion(c, z, boundary)
    return lax.optimization_barrier(jnp.moveaxis(c, 0, axis))
