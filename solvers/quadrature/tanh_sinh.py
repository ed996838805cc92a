"""Tanh-sinh quadrature of many integrals at once, each stopping at its own level.

References
----------
.. [1] D. H. Bailey, K. Jeyabalan, X. S. Li, "A comparison of three high-precision quadrature schemes", Experimental
       Mathematics 14 (2005) 317-329.
.. [2] J. Vanherck, B. Soree, W. Magnus, "Tanh-sinh quadrature for single and multiple integration using floating-point
       arithmetic", arXiv:2007.15057.
"""

import functools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.implicit import close

CONVERGED, NOT_CONVERGED, NOT_A_NUMBER, RUNNING = 0, -2, -3, 1

#: Steps from the centre to the end at level 0, and nodes on each side that are evaluated together.
_BASE, _CHUNK = 8, 32
#: The level of the sum that derivatives are taken of.
_REPLAY = 7


class ElementIntegrals(NamedTuple):
    """Result of `tanh_sinh`, arrays (m,); a pytree. ``level`` is the last one, -1 where nothing was to do."""

    value: Any
    error: Any
    status: Any
    level: Any
    neval: Any


class _Range(NamedTuple):
    """Finite limits after a change of variable, and which it was."""

    a: Any
    b: Any
    offset: Any
    negative: Any
    both: Any
    lower: Any
    upper: Any


class _Config(NamedTuple):
    fun: Any
    log: bool
    minlevel: int


def tanh_sinh(fun, a, b, *, log=False, minlevel=2, maxlevel=10, atol=0.0, rtol=None):
    """Integrate ``fun`` elementwise from ``a`` to ``b``.

    Runs under `jit` and `vmap`. Differentiable with respect to the limits and what ``fun`` closes over: the
    derivative of the sum of level 7.

    Parameters
    ----------
    fun : callable
        ``fun(x)`` of (m,), elementwise; real or complex. With ``log`` the logarithm of the integrand.
    a, b : (m,) arrays
        Limits, possibly infinite or equal.
    log : bool
        Whether everything is a logarithm.
    minlevel, maxlevel : int
        The first and the last level that may end the iteration.
    atol, rtol : scalar
        Tolerances (logarithms, with ``log``); ``rtol`` is by default the 3/4 power of the precision.

    Returns
    -------
    ElementIntegrals

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from solvers.quadrature import tanh_sinh
    >>> r = tanh_sinh(lambda x: 1 / jnp.sqrt(x), jnp.zeros(1), jnp.ones(1))
    >>> bool(abs(r.value[0] - 2) < 1e-3)
    True
    """
    shape = jax.eval_shape(fun, a)
    if shape.shape != a.shape:
        raise ValueError(f"`fun` must return shape {a.shape}, got {shape.shape}.")
    dtype = jnp.promote_types(shape.dtype, a.dtype)
    a, b = (v.astype(jnp.finfo(dtype).dtype) for v in (a, b))
    pure, params, _ = close(fun, a)
    eps = jnp.finfo(dtype).eps
    if rtol is None:
        rtol = 0.75 * math.log(eps) if log else eps**0.75
    config = _Config(lambda params, x: pure(params, x).astype(dtype), log, int(minlevel))
    rules = jax.tree.map(lambda v: lax.stop_gradient(jnp.asarray(v, a.dtype)), (atol, rtol))
    return _integrate(config, params, a, b, (*rules, jnp.int32(maxlevel)))


def _range(a, b):
    same = a == b
    a, b = jnp.where(same, 1, a), jnp.where(same, 1, b)
    negative = b < a
    a, b = jnp.minimum(a, b), jnp.maximum(a, b)
    both = jnp.isinf(a) & jnp.isinf(b)
    a, b = jnp.where(both, -1, a), jnp.where(both, 1, b)
    lower = jnp.isinf(a)
    a, b = jnp.where(lower, -b, a), jnp.where(lower, jnp.inf, b)  # x = -t
    upper = jnp.isinf(b)
    return _Range(jnp.where(upper, 0, a), jnp.where(upper, 1, b), a, negative, both, lower, upper)


def _nodes(config, span, level, index, dtype):
    """Nodes (2, c, m) from the centre to both ends, weights, and which are inside; ``index`` (c,)."""
    tiny = 4 * float(jnp.finfo(dtype).tiny)
    base = math.asinh(math.log(2 / tiny - 1) / math.pi) / _BASE
    last = jnp.left_shift(_BASE, level)
    j = jnp.where(level == 0, index, 2 * index + 1)
    t = (j * (base / last * _BASE)).astype(dtype)
    u = jnp.pi / 2 * jnp.sinh(t)
    decay = jnp.exp(-2 * u)
    weight = 2 * jnp.pi * jnp.cosh(t) * decay / (1 + decay) ** 2
    weight = jnp.where(j == 0, weight / 2, weight)  # the centre is taken from both sides
    complement = (2 * decay / (1 + decay))[:, None]
    alpha = (span.b - span.a) / 2
    x = jnp.stack([span.b - alpha * complement, span.a + alpha * complement])
    inside = (x > span.a) & (x < span.b) & (j <= last)[:, None]
    return x, weight[:, None] * alpha * jnp.ones_like(x), inside


def _values(config, params, span, x):
    """Where the integrand is evaluated, and its values there with the factor of the change of variable, (2, c, m)."""
    safe = jnp.where(span.both & (jnp.abs(x) == 1), 0, jnp.where(span.upper & (x == 0), 1, x))
    y = jnp.where(span.both, safe / jnp.where(span.both, 1 - safe**2, 1), safe)
    y = jnp.where(span.upper, 1 / jnp.where(span.upper, safe, 1) - 1 + span.offset, y)
    y = jnp.where(span.lower, -y, y)
    f = jax.vmap(lambda x: config.fun(params, x))(y.reshape(-1, y.shape[-1])).reshape(y.shape)
    s = jnp.where(span.both, safe, 0)
    t = jnp.where(span.upper, safe, 1)
    if config.log:
        return f + jnp.log1p(s**2) - 2 * jnp.log1p(-(s**2)) - 2 * jnp.log(t)
    return f * ((1 + s**2) / (1 - s**2) ** 2) / t**2


class _Sum(NamedTuple):
    """Sum of one level, with what is known of the ends: largest terms, outermost nodes (2, m)."""

    peak: Any  # with `log`: what the terms are scaled by
    total: Any
    largest: Any
    lost: Any  # weights of nodes where the value is not finite
    lost_largest: Any
    x: Any
    f: Any
    w: Any


def _level_sum(config, params, span, level, ends, dtype, real):
    """`_Sum` over the new nodes of a level."""
    m = span.a.shape[0]
    blank = jnp.full(m, -jnp.inf if config.log else 0, real)
    zero = jnp.zeros((2, m), real)
    count = jnp.where(level == 0, _BASE + 1, jnp.left_shift(_BASE, level) // 2)

    def chunk(i, s):
        x, w, inside = _nodes(config, span, level, i * _CHUNK + jnp.arange(_CHUNK), real)
        w = jnp.where(inside, w, 0)
        f = lax.optimization_barrier(_values(config, params, span, x))
        counted = inside & (w != 0)
        valid = counted & jnp.isfinite(f)
        lost = jnp.where(counted & ~valid, w, 0)
        signed = jnp.where(valid, jnp.asarray([1, -1])[:, None, None] * x, -jnp.inf)
        best = jnp.argmax(signed, axis=1)[:, None]
        at = [jnp.take_along_axis(v, best, axis=1)[:, 0] for v in (signed, f, w)]
        further = at[0] > s.x
        x, fe, we = (jnp.where(further, new, old) for new, old in zip(at, (s.x, s.f, s.w), strict=True))
        if config.log:
            term = jnp.where(valid, f, 0) + jnp.log(jnp.where(valid, w, 1))
            size = jnp.max(jnp.where(valid, term.real, -jnp.inf), axis=(0, 1))
            peak = jnp.maximum(s.peak, size)
            shift = jnp.where(jnp.isfinite(peak), peak, 0)
            added = jnp.sum(jnp.where(valid, jnp.exp(term - shift), 0), axis=(0, 1))
            total = s.total * jnp.exp(jnp.where(jnp.isfinite(s.peak), s.peak, shift) - shift) + added
        else:
            term = jnp.where(valid, f * w, 0)
            size, peak = jnp.max(jnp.abs(term), axis=(0, 1)), s.peak
            total = s.total + jnp.sum(term, axis=(0, 1))
        return _Sum(
            peak, total, jnp.maximum(s.largest, size), s.lost + jnp.sum(lost, axis=1),
            jnp.maximum(s.lost_largest, jnp.max(lost, axis=1)), x, fe, we,
        )  # fmt: skip

    start = _Sum(blank, jnp.zeros(m, dtype), blank, zero, zero, *ends)
    return lax.fori_loop(0, -(-count // _CHUNK), chunk, start)


def _finish_level(config, s, h):
    """Integral over the new nodes, largest term, and the size of the outermost terms."""
    # values that are not finite are those of the nearest node that is
    f = jnp.where(s.lost > 0, s.f, 0)
    if config.log:
        shift = jnp.where(jnp.isfinite(s.peak), s.peak, 0)
        ends = jnp.sum(jnp.where(s.lost > 0, jnp.exp(f - shift) * s.lost, 0), axis=0)
        value = jnp.log(s.total + ends) + shift + jnp.log(h)
        filled = jnp.where(s.lost > 0, f.real + jnp.log(s.lost_largest), -jnp.inf)
        outer = jnp.max(s.f.real + jnp.log(s.w), axis=0)
    else:
        value = (s.total + jnp.sum(f * s.lost, axis=0)) * h
        filled = jnp.abs(f) * s.lost_largest
        outer = jnp.max(jnp.abs(s.f * s.w), axis=0)
    return value, jnp.maximum(s.largest, jnp.max(filled, axis=0)), outer


class _State(NamedTuple):
    level: Any
    values: Any  # (3, m): the last three levels, the newest first
    largest: Any
    ends: Any
    error: Any
    status: Any
    last: Any
    neval: Any


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _integrate(config, params, a, b, rules):
    atol, rtol, maxlevel = rules
    log, minlevel = config.log, config.minlevel
    span, m, real = _range(a, b), a.shape[0], a.dtype
    dtype = jax.eval_shape(config.fun, params, a).dtype
    base = math.asinh(math.log(2 / (4 * float(jnp.finfo(real).tiny)) - 1) / math.pi) / _BASE
    centre = jnp.where(jnp.isinf(a), b - 1, jnp.where(jnp.isinf(b), a + 1, (a + b) / 2))
    centre = jnp.where(jnp.isinf(a) & jnp.isinf(b), 0, centre)
    undefined = jnp.isnan(a) | jnp.isnan(b) | jnp.isnan(config.fun(params, centre))
    nought = jnp.full(m, -jnp.inf if log else 0, dtype)

    def step(s):
        level = s.level
        h = (base / 2.0**level).astype(real)
        total = _level_sum(config, params, span, level, s.ends, dtype, real)
        new, largest, outer = _finish_level(config, total, h)
        carried = s.values[0] - math.log(2) if log else s.values[0] / 2
        value = jnp.where(level == 0, new, _add(carried, new) if log else carried + new)
        # a first evaluation is at all levels up to the first that counts
        largest = jnp.where(level <= minlevel, jnp.maximum(s.largest, largest), largest)
        error, relative = _error(config, value, s.values[0], s.values[1], largest, outer)
        known = (level >= 2) & (level >= minlevel)
        error, relative = (jnp.where(known, v, jnp.nan) for v in (error, relative))
        active = s.status == RUNNING
        tested = active & (level >= minlevel)
        good = tested & ((relative < rtol) | (error < atol))
        bad = jnp.isnan(value) | (jnp.isinf(value) & ((value.real > 0) | (not log)))
        status = jnp.where(good, CONVERGED, jnp.where(tested & bad & ~good, NOT_A_NUMBER, s.status))
        status = jnp.where(active & (status == RUNNING) & (level >= maxlevel), NOT_CONVERGED, status)
        ends = (total.x, total.f, total.w)
        return _State(
            level + 1, jnp.where(active, jnp.stack([value, s.values[0], s.values[1]]), s.values), largest,
            jax.tree.map(lambda x, y: jnp.where(active, x, y), ends, s.ends), jnp.where(active, error, s.error),
            status.astype(jnp.int32), jnp.where(active, level, s.last),
            jnp.where(tested, 1 + 2 * (jnp.left_shift(_BASE, level) + 1), s.neval),
        )  # fmt: skip

    same = a == b
    status = jnp.where(undefined, NOT_A_NUMBER, RUNNING)
    status = jnp.where(same & ~jnp.isnan(a), CONVERGED, status).astype(jnp.int32)
    first = jnp.where(undefined, jnp.nan, nought)
    ends = jnp.full((2, m), -jnp.inf, real), jnp.full((2, m), jnp.nan, dtype), jnp.zeros((2, m), real)
    state = _State(
        jnp.int32(0), jnp.stack([first] * 3), nought.real, ends, jnp.where(same, first.real, jnp.nan), status,
        jnp.full(m, -1, jnp.int32), jnp.ones(m, jnp.int32),
    )  # fmt: skip
    s = lax.while_loop(lambda s: jnp.any(s.status == RUNNING), step, state)
    value = s.values[0]
    if log:
        if jnp.issubdtype(dtype, jnp.complexfloating):
            value = jnp.where(span.negative, value + 1j * jnp.pi, value)
    else:
        value = jnp.where(span.negative, -value, value)
    return ElementIntegrals(value, s.error, s.status, s.last, s.neval)


def _add(x, y):
    """log(exp(x) + exp(y)), also of complex numbers."""
    if not jnp.iscomplexobj(x):
        return jnp.logaddexp(x, y)
    peak = jnp.maximum(x.real, y.real)
    shift = jnp.where(jnp.isfinite(peak), peak, 0)
    return jnp.log(jnp.exp(x - shift) + jnp.exp(y - shift)) + shift


def _error(config, value, before, before2, largest, outer):
    """Absolute and relative error estimate from three levels; [1], Sec. 5."""
    eps = jnp.finfo(value.dtype).eps
    if config.log:
        d1, d2 = (_log_difference(value, v) for v in (before, before2))
        d5 = math.log(eps) + value.real
        fraction = jnp.where(d1 > -jnp.inf, d1**2 / d2, -jnp.inf)
        d = jnp.stack([fraction, 2 * d1, math.log(eps) + largest, outer])
        error = jnp.minimum(jnp.maximum(jnp.max(d, axis=0), d5), d1)
        return error, error - value.real
    d1, d2, d5 = jnp.abs(value - before), jnp.abs(value - before2), eps * jnp.abs(value)
    power = jnp.where(d1 > 0, d1 ** (jnp.log(d1) / jnp.log(d2)), 0)
    d = jnp.stack([power, d1**2, eps * largest, outer])
    error = jnp.minimum(jnp.maximum(jnp.max(d, axis=0), d5), d1)
    return error, error / jnp.abs(value)


def _log_difference(x, y):
    """log|exp(x) - exp(y)|."""
    peak = jnp.maximum(x.real, y.real)
    shift = jnp.where(jnp.isfinite(peak), peak, 0)
    return jnp.log(jnp.abs(jnp.exp(x - shift) - jnp.exp(y - shift))) + shift


@_integrate.defjvp
def _integrate_jvp(config, primals, tangents):
    params, a, b, rules = primals
    d_params, d_a, d_b, _ = tangents
    out = _integrate(config, params, a, b, rules)
    real = a.dtype

    def total(params, a, b):
        span = _range(a, b)
        base = math.asinh(math.log(2 / (4 * float(jnp.finfo(real).tiny)) - 1) / math.pi) / _BASE
        parts = []
        for level in range(_REPLAY + 1):
            count = _BASE + 1 if level == 0 else _BASE * 2**level // 2
            parts.append(_nodes(config, span, jnp.int32(level), jnp.arange(count), real))
        x, w, inside = (jnp.concatenate([p[i] for p in parts], axis=1) for i in range(3))
        # nodes at which the value is not finite are left out, of the derivative too
        seen = lax.stop_gradient(_values(config, params, span, x))
        valid = inside & (w != 0) & jnp.isfinite(seen)
        x = jnp.where(valid, x, (span.a + span.b) / 2)
        f = _values(config, params, span, x)
        h = base / 2**_REPLAY
        sign = jnp.where(span.negative, -1.0, 1.0)
        if config.log:
            scale = lax.stop_gradient(out.value.real)
            scale = jnp.where(jnp.isfinite(scale), scale, 0)
            return jnp.log(h * jnp.sum(jnp.where(valid, w * jnp.exp(f - scale), 0), axis=(0, 1)))
        value = sign * h * jnp.sum(jnp.where(valid, w, 0) * f, axis=(0, 1))
        return jnp.where(a == b, 0, value)

    rate = jax.jvp(total, (params, a, b), (d_params, d_a, d_b))[1].astype(out.value.dtype)
    # an empty range grows with its ends
    if not config.log:
        edge = config.fun(params, jnp.where(a == b, a, (_range(a, b).a + _range(a, b).b) / 2))
        rate = jnp.where(a == b, edge * (d_b - d_a), rate)
    return out, jax.tree.map(_zero, out)._replace(value=rate)


def _zero(value):
    inexact = jnp.issubdtype(value.dtype, jnp.inexact)
    return jnp.zeros_like(value) if inexact else np.zeros(value.shape, jax.dtypes.float0)
