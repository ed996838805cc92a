"""Adaptive integration of functions with values of any shape, many intervals at a time.

The intervals with the largest errors are halved together, as many as make up the error that must go.

References
----------
.. [1] R. Piessens, E. de Doncker-Kapenga, C. W. Ueberhuber, D. K. Kahaner, "QUADPACK", Springer 1983, Sec. 3.4.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.implicit import close
from solvers.quadrature.gauss_kronrod import RULE_15, RULE_21, Rule

#: Intervals halved in one round at most.
ROUND = 128

CONVERGED, NOT_CONVERGED, ROUNDING, NOT_A_NUMBER, FULL = range(5)

MESSAGES = {
    CONVERGED: "Target precision reached.",
    NOT_CONVERGED: "Target precision not reached.",
    ROUNDING: "Target precision could not be reached due to rounding error.",
    NOT_A_NUMBER: "Non-finite values encountered.",
}

#: Nodes on [-1, 1], weights, weights of the cheaper rule; evaluations for a new interval and for a halved one.
_TRAPEZOID = Rule.__new__(Rule)
_TRAPEZOID.nodes = np.array([-1.0, 0.0, 1.0])
_TRAPEZOID.kronrod, _TRAPEZOID.gauss = np.array([0.5, 1.0, 0.5]), np.array([1.0, 0.0, 1.0])
RULES = {"gk21": (RULE_21, 21, 42), "gk15": (RULE_15, 15, 30), "trapezoid": (_TRAPEZOID, 3, 5)}


class VectorIntegral(NamedTuple):
    """Result of `quad_vec`; a pytree.

    Attributes
    ----------
    value : (...) the integral
    error : estimate of its error, in the norm
    status : `CONVERGED`, `NOT_CONVERGED`, `ROUNDING`, `NOT_A_NUMBER`, or `FULL`
    neval, n : evaluations, intervals
    ends : (capacity, 2), the first n are used
    values, errors : (capacity, ...), (capacity,)
    """

    value: Any
    error: Any
    status: Any
    neval: Any
    n: Any
    ends: Any
    values: Any
    errors: Any


class _Config(NamedTuple):
    fun: Any
    rule: str
    norm: str
    capacity: int


def quad_vec(fun, edges, *, epsabs=1e-200, epsrel=1e-8, limit=10000, norm="2", rule="gk21", capacity=512):
    """Integrate ``fun(x)``, an array of any shape, from ``edges[0]`` to ``edges[-1]``.

    Runs under `jit` and `vmap`. Differentiable to any order with respect to the ends and what `fun` closes over: the
    derivative of the sum over the final partition.

    Parameters
    ----------
    fun : callable
        Of a scalar.
    edges : (m,) array
        The ends, and between them where the partition starts from.
    epsabs, epsrel, limit : scalar
    norm : {"2", "max"}
        Of the values, for errors.
    rule : {"gk21", "gk15", "trapezoid"}
    capacity : int
        Room for intervals; `FULL` if it is not enough.

    Returns
    -------
    VectorIntegral

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from solvers.quadrature import quad_vec
    >>> r = quad_vec(lambda x: jnp.stack([x, x**2]), jnp.array([0.0, 1.0]))
    >>> bool(abs(r.value[1] - 1 / 3) < 1e-6)
    True
    """
    pure, params, _ = close(fun, edges[0])
    config = _Config(lambda params, x: jnp.asarray(pure(params, x)), rule, norm, int(capacity))
    rules = jax.tree.map(lambda v: lax.stop_gradient(jnp.asarray(v, edges.dtype)), (epsabs, epsrel, limit))
    return _integrate(config, params, edges, rules)


def _size(norm, x):
    axes = tuple(range(1, x.ndim))
    if norm == "max":
        return jnp.max(jnp.abs(x), axis=axes)
    return jnp.abs(x) if x.ndim == 1 else jnp.sqrt(jnp.sum(x.real**2 + x.imag**2, axis=axes))


def _sums(weights, f):
    """Weighted sums over the nodes: (nodes, k), (intervals, nodes, ...) -> k of (intervals, ...)."""
    total = jnp.tensordot(weights.T, f, axes=(1, 1))
    return [total[i] for i in range(weights.shape[1])]


def _estimate(config, params, left, right):
    """Integrals over intervals (m,): values (m, ...), errors, rounding errors (m,)."""
    rule = RULES[config.rule][0]
    eps = jnp.finfo(left.dtype).eps
    centre, half = 0.5 * (left + right), 0.5 * (right - left)
    nodes = centre[:, None] + half[:, None] * jnp.asarray(rule.nodes, left.dtype)
    f = lax.optimization_barrier(jax.vmap(jax.vmap(lambda x: config.fun(params, x)))(nodes))
    weights = jnp.asarray(np.stack([rule.kronrod, rule.gauss], axis=1), left.dtype)
    fine, coarse = _sums(weights, f)
    h = half.reshape(-1, *[1] * (fine.ndim - 1))
    (absolute,) = _sums(weights[:, :1], jnp.abs(f))
    if config.rule == "trapezoid":
        rounding = _size(config.norm, f.reshape(-1, *f.shape[2:])).reshape(f.shape[:2]) @ weights[:, 0]
        return h * fine, _size(config.norm, (coarse - fine) * h) / 3, jnp.abs(half) * rounding * 2e-16
    (spread,) = _sums(weights[:, :1], jnp.abs(f - fine[:, None] / 2))
    error, spread = _size(config.norm, (fine - coarse) * h), _size(config.norm, spread * h)
    sharp = spread * jnp.minimum(1.0, (200 * error / jnp.where(spread == 0, 1, spread)) ** 1.5)
    error = jnp.where((spread != 0) & (error != 0), sharp, error)
    rounding = _size(config.norm, 50 * eps * h * absolute)
    error = jnp.where(rounding > jnp.finfo(left.dtype).tiny, jnp.maximum(error, rounding), error)
    return h * fine, error, rounding


class _State(NamedTuple):
    ends: Any
    values: Any
    errors: Any
    n: Any
    value: Any
    error: Any
    rounding: Any
    neval: Any
    status: Any


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _integrate(config, params, edges, rules):
    epsabs, epsrel, limit = rules
    capacity, dtype = config.capacity, edges.dtype
    first = edges.shape[0] - 1
    _, initial, halved = RULES[config.rule]
    value, error, rounding = _estimate(config, params, edges[:-1], edges[1:])
    # intervals that are evaluated together: for small values the loop costs more than they do
    together = max(1, min(8, 64 // max(value[0].size, 1)))

    def tolerance(value):
        return jnp.maximum(epsabs, epsrel * _size(config.norm, value[None])[0])

    def chunk(i, s, order, count, old_n):
        place = i * together + jnp.arange(together)
        active = place < count
        index = order[jnp.minimum(place, capacity - 1)]
        a, b = s.ends[index, 0], s.ends[index, 1]
        c = 0.5 * (a + b)
        value, error, rounding = _estimate(config, params, jnp.concatenate([a, c]), jnp.concatenate([c, b]))
        one, two = value[:together], value[together:]

        def total(x):
            return jnp.sum(jnp.where(active.reshape(-1, *[1] * (x.ndim - 1)), x, 0), axis=0)

        change = total(one + two - s.values[index])
        d_error = total(error[:together] + error[together:] - s.errors[index])
        d_rounding = total(rounding[:together] + rounding[together:])
        old = jnp.where(active, index, capacity + place)
        new = jnp.where(active, old_n + place, capacity + place)

        def put(x, at_old, at_new):
            return x.at[old].set(at_old, mode="drop").at[new].set(at_new, mode="drop")

        return s._replace(
            ends=put(s.ends, jnp.stack([a, c], 1), jnp.stack([c, b], 1)),
            values=put(s.values, one, two), errors=put(s.errors, error[:together], error[together:]),
            value=s.value + change, error=s.error + d_error, rounding=s.rounding + d_rounding,
        )  # fmt: skip

    def step(s):
        bound = tolerance(s.value) / 8
        used = jnp.arange(capacity) < s.n
        order = jnp.argsort(jnp.where(used, -s.errors, jnp.inf))
        before = jnp.cumsum(s.errors[order]) - s.errors[order]
        wanted = jnp.cumprod((jnp.arange(capacity) == 0) | (before <= s.error - bound))
        count = jnp.minimum(jnp.sum(wanted, dtype=jnp.int32), jnp.minimum(s.n, ROUND))
        s = lax.fori_loop(0, -(-count // together), lambda i, t: chunk(i, t, order, count, s.n), s)
        n = s.n + count
        status = jnp.where(jnp.isfinite(s.error) & jnp.isfinite(s.rounding), NOT_CONVERGED, NOT_A_NUMBER)
        status = jnp.where(s.error < s.rounding, ROUNDING, status)
        status = jnp.where(s.error < tolerance(s.value) / 8, CONVERGED, status).astype(jnp.int32)
        return s._replace(n=n, neval=s.neval + halved * count, status=status)

    def goes_on(s):
        return (s.status == NOT_CONVERGED) & (s.n < limit) & (s.n + ROUND <= capacity)

    state = _State(
        jnp.zeros((capacity, 2), dtype).at[:first].set(jnp.stack([edges[:-1], edges[1:]], axis=1)),
        jnp.zeros((capacity, *value.shape[1:]), value.dtype).at[:first].set(value),
        jnp.zeros(capacity, error.dtype).at[:first].set(error),
        jnp.int32(first), jnp.sum(value, axis=0), jnp.sum(error), jnp.sum(rounding), jnp.int32(first * initial),
        jnp.int32(NOT_CONVERGED),
    )  # fmt: skip
    s = lax.while_loop(goes_on, step, state)
    status = jnp.where((s.status == NOT_CONVERGED) & (s.n < limit), FULL, s.status)
    return VectorIntegral(s.value, s.error + s.rounding, status, s.neval, s.n, s.ends, s.values, s.errors)


@_integrate.defjvp
def _integrate_jvp(config, primals, tangents):
    params, edges, rules = primals
    d_params, d_edges, _ = tangents
    out = _integrate(config, params, edges, rules)
    used = jnp.arange(config.capacity) < out.n
    ends = jnp.where(used[:, None], out.ends, out.ends[0])  # the integrand is regular at the nodes of the first
    # every interval keeps its place in the initial one that it is from
    centre = ends.mean(axis=1)
    origin = jnp.clip(jnp.searchsorted(edges, centre, side="right") - 1, 0, edges.size - 2) if edges.size > 2 else 0
    low, width = edges[origin], edges[origin + 1] - edges[origin]
    place = (ends - jnp.reshape(low, (-1, 1))) / jnp.reshape(jnp.where(width == 0, 1, width), (-1, 1))
    place = lax.stop_gradient(place)
    rule = RULES[config.rule][0]

    def total(params, edges):
        low, high = edges[origin], edges[origin + 1]
        left, right = (low + (high - low) * place[:, i] for i in range(2))
        centre, half = 0.5 * (left + right), 0.5 * (right - left)
        nodes = centre[:, None] + half[:, None] * jnp.asarray(rule.nodes, edges.dtype)
        weights = jnp.where(used, half, 0)[:, None] * jnp.asarray(rule.kronrod, edges.dtype)
        f = jax.vmap(lambda x: config.fun(params, x))(nodes.ravel())
        return jnp.tensordot(weights.ravel(), f, axes=1)

    rate = jax.jvp(total, (params, edges), (d_params, d_edges))[1]
    return out, jax.tree.map(_zero, out)._replace(value=rate.astype(out.value.dtype))


def _zero(value):
    inexact = jnp.issubdtype(value.dtype, jnp.inexact)
    return jnp.zeros_like(value) if inexact else np.zeros(value.shape, jax.dtypes.float0)
