"""Adaptive integration over a box: the region with the largest error is cut in two along every axis.

References
----------
.. [1] A. C. Genz, A. A. Malik, "Remarks on algorithm 006: an adaptive algorithm for numerical integration over an
       N-dimensional rectangular region", J. Comput. Appl. Math. 6 (1980) 295-302.
"""

import functools
import itertools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.implicit import close
from solvers.quadrature.cubature_rules import cubature_rule

CONVERGED, NOT_CONVERGED, FULL = range(3)


class BoxIntegral(NamedTuple):
    """Result of `cubature`; a pytree.

    Attributes
    ----------
    value, error : (...) the integral, and the sum of the regions' error estimates
    status : `CONVERGED`, `NOT_CONVERGED` (after ``max_subdivisions``), `FULL`
    subdivisions, n : how many there were; number of regions
    low, high : (capacity, ndim) corners of the regions
    values, errors : (capacity, ...)
    origin : (capacity,) which initial region each is from
    """

    value: Any
    error: Any
    status: Any
    subdivisions: Any
    n: Any
    low: Any
    high: Any
    values: Any
    errors: Any
    origin: Any


class _Config(NamedTuple):
    fun: Any
    rule: str
    capacity: int


def cubature(fun, low, high, *, rule="gk21", rtol=1e-8, atol=0.0, max_subdivisions=np.inf, capacity=256):
    """Integrate ``fun`` over boxes that partition the domain.

    Runs under `jit` and `vmap`. Differentiable to any order with respect to the corners and what ``fun`` closes over:
    the derivative of the sum over the final partition, which keeps its places in the initial regions.

    Parameters
    ----------
    fun : callable
        ``fun(x)`` of (points, ndim), shape (points, ...).
    low, high : (k, ndim) arrays
        The initial regions.
    rule : {"gk21", "gk15", "genz-malik"}
    rtol, atol, max_subdivisions : scalar
    capacity : int
        Room for regions.

    Returns
    -------
    BoxIntegral

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from solvers.quadrature import cubature
    >>> r = cubature(lambda x: x[:, 0] * x[:, 1], jnp.zeros((1, 2)), jnp.ones((1, 2)))
    >>> bool(abs(r.value - 0.25) < 1e-6)
    True
    """
    nodes = cubature_rule(rule, low.shape[1])[0]
    pure, params, shape = close(fun, jnp.zeros(nodes.shape, low.dtype))
    if shape.shape[:1] != nodes.shape[:1]:
        raise ValueError(f"`fun` must return shape ({len(nodes)}, ...) for {len(nodes)} points, got {shape.shape}.")
    config = _Config(lambda params, x: jnp.asarray(pure(params, x)), rule, int(capacity))
    rules = jax.tree.map(lambda v: lax.stop_gradient(jnp.asarray(v, low.dtype)), (rtol, atol, max_subdivisions))
    return _integrate(config, params, low, high, rules)


def _sums(config, params, low, high):
    """Both rules over regions (k, ndim): two of (k, ...)."""
    nodes, fine, coarse = cubature_rule(config.rule, low.shape[1])
    nodes, weights = jnp.asarray(nodes, low.dtype), jnp.asarray(np.stack([fine, coarse]), low.dtype)
    half = (high - low) / 2
    x = (low + high)[:, None] / 2 + half[:, None] * nodes
    f = lax.optimization_barrier(jax.vmap(lambda x: config.fun(params, x))(x))
    f = f if jnp.issubdtype(f.dtype, jnp.inexact) else f.astype(low.dtype)
    volume = jnp.prod(half, axis=1).reshape(-1, *[1] * (f.ndim - 2))
    both = jnp.tensordot(weights, f, axes=(1, 1))
    return volume * both[0], volume * both[1]


def _estimate(config, params, low, high):
    fine, coarse = _sums(config, params, low, high)
    return fine, jnp.abs(fine - coarse)


class _State(NamedTuple):
    low: Any
    high: Any
    values: Any
    errors: Any
    n: Any
    value: Any
    error: Any
    subdivisions: Any
    origin: Any  # which initial region each is from


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _integrate(config, params, low, high, rules):
    rtol, atol, most = rules
    capacity, (k, ndim) = config.capacity, low.shape
    sides = np.array(list(itertools.product((0, 1), repeat=ndim)))

    def unfinished(s):
        return jnp.any(s.error > atol + rtol * jnp.abs(s.value))

    def step(s):
        size = jnp.max(s.errors.reshape(capacity, -1), axis=1)
        # what is not a number comes first: it will not get better elsewhere
        size = jnp.where(jnp.isnan(size), jnp.inf, size)
        i = jnp.argmax(jnp.where(jnp.arange(capacity) < s.n, size, -jnp.inf))
        a, b = s.low[i], s.high[i]
        middle = (a + b) / 2
        new_low, new_high = jnp.where(sides, middle, a), jnp.where(sides, b, middle)
        value, error = _estimate(config, params, new_low, new_high)
        place = jnp.concatenate([i[None], s.n + jnp.arange(len(sides) - 1)])
        return _State(
            s.low.at[place].set(new_low), s.high.at[place].set(new_high), s.values.at[place].set(value),
            s.errors.at[place].set(error), s.n + len(sides) - 1,
            s.value + jnp.sum(value, axis=0) - s.values[i], s.error + jnp.sum(error, axis=0) - s.errors[i],
            s.subdivisions + 1, s.origin.at[place].set(s.origin[i]),
        )  # fmt: skip

    def room(s):
        return s.n + len(sides) - 1 <= capacity

    value, error = _estimate(config, params, low, high)

    def padded(x):
        return jnp.zeros((capacity, *x.shape[1:]), x.dtype).at[:k].set(x)

    state = _State(
        padded(low), padded(high), padded(value), padded(error), jnp.int32(k), jnp.sum(value, axis=0),
        jnp.sum(error, axis=0), jnp.int32(0), padded(jnp.arange(k, dtype=jnp.int32)),
    )  # fmt: skip
    # SciPy counts after a cut: there is always one where it is needed
    s = lax.while_loop(
        lambda s: unfinished(s) & ((s.subdivisions < most) | (s.subdivisions == 0)) & room(s), step, state
    )
    ended = (s.subdivisions >= most) & (s.subdivisions > 0)
    undefined = jnp.any(jnp.isnan(s.error) | jnp.isnan(jnp.abs(s.value)))
    status = jnp.where(ended | undefined, NOT_CONVERGED, jnp.where(unfinished(s), FULL, CONVERGED))
    return BoxIntegral(
        s.value, s.error, status.astype(jnp.int32), s.subdivisions, s.n, s.low, s.high, s.values, s.errors,
        s.origin,
    )  # fmt: skip


@_integrate.defjvp
def _integrate_jvp(config, primals, tangents):
    params, low, high, rules = primals
    d_params, d_low, d_high, _ = tangents
    out = _integrate(config, params, low, high, rules)
    used = jnp.arange(config.capacity) < out.n
    origin = jnp.where(used, out.origin, 0)
    width = jnp.where(high == low, 1, high - low)[origin]
    corners = (jnp.where(used[:, None], v, v[0]) for v in (out.low, out.high))
    places = [lax.stop_gradient((v - low[origin]) / width) for v in corners]

    def total(params, low, high):
        a, b = (low[origin] + (high - low)[origin] * v for v in places)
        fine, _ = _sums(config, params, a, b)
        return jnp.sum(jnp.where(used.reshape(-1, *[1] * (fine.ndim - 1)), fine, 0), axis=0)

    rate = jax.jvp(total, (params, low, high), (d_params, d_low, d_high))[1]
    return out, jax.tree.map(_zero, out)._replace(value=rate)


def _zero(value):
    inexact = jnp.issubdtype(value.dtype, jnp.inexact)
    return jnp.zeros_like(value) if inexact else np.zeros(value.shape, jax.dtypes.float0)
