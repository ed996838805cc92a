"""Sums of many terms, directly or by an integral over the tail, each element of an array by itself.

The terms beyond the first small one are bounded from both sides by the integral of the (then decreasing) function:
half of the first term is added, and is the error.

References
----------
.. [1] E. T. Whittaker, G. N. Watson, "A Course of Modern Analysis", 4th ed., Sec. 4.43 (the integral test).
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.quadrature.tanh_sinh import NOT_A_NUMBER, tanh_sinh

INVALID, UNDEFINED, NOT_SMALL = -1, NOT_A_NUMBER, -4
_CHUNK = 256


class Sums(NamedTuple):
    """Result of `sum_terms`, arrays (m,)."""

    value: Any
    error: Any
    status: Any
    neval: Any


def sum_terms(fun, a, b, step, *, log=False, direct_only=False, two_sided=True, maxterms=2**20, atol=0.0, rtol=None):
    """Sum ``fun(a) + fun(a + step) + ... + fun(b)`` elementwise.

    Parameters
    ----------
    fun : callable
        ``fun(x)`` of (m,), elementwise, real. With ``log`` the logarithm of the terms.
    a, b, step : (m,) arrays
        ``a`` or ``b`` or both may be infinite; what is not ``b >= a``, ``step > 0`` gives NaN.
    log : bool
    direct_only, two_sided : bool
        Whether all sums are short; whether any runs over all integers.
    maxterms : int
        Most terms that are added directly, static.
    atol, rtol : scalar
        When terms are small enough for the integral.

    Returns
    -------
    Sums
    """
    dtype = jnp.promote_types(jax.eval_shape(fun, a).dtype, a.dtype)
    a, b, step = (v.astype(dtype) for v in (a, b, step))
    eps = float(jnp.finfo(dtype).eps)
    if rtol is None:
        rtol = 0.5 * math.log(eps) if log else eps**0.5
    valid = (b >= a) & jnp.isfinite(step) & (step > 0)
    step = jnp.where(valid, step, 1)
    count = jnp.floor((b - a) / step)
    b = jnp.where(jnp.isfinite(count), a + count * step, b)
    direct = valid & (count + 1 <= maxterms)
    value, error, neval = _direct(fun, a, step, jnp.where(direct, jnp.round((b - a) / step) + 1, 0), log)
    neval = neval + 1
    status = jnp.where(direct & ~jnp.isfinite(value), UNDEFINED, 0)
    if not direct_only:
        left = ~jnp.isfinite(a) & jnp.isfinite(b)
        both = ~jnp.isfinite(a) & ~jnp.isfinite(b)
        # what is summed directly has an empty tail here
        lower = jnp.where(direct | ~valid, 0, jnp.where(both, 0, jnp.where(left, -b, a)))
        upper = jnp.where(direct | ~valid, 0, jnp.where(left, -a, b))

        def term(x):
            f = fun(jnp.where(left, -x, x))
            if not two_sided:
                return f
            other = fun(-x)
            if log:
                return jnp.where(both, jnp.logaddexp(f, other) + jnp.where(x == 0, math.log(0.5), 0), f)
            return jnp.where(both, (f + other) * jnp.where(x == 0, 0.5, 1), f)

        tail = _with_tail(term, lower, upper, step, log, maxterms, atol, rtol)
        value = jnp.where(direct, value, tail.value)
        error = jnp.where(direct, error, tail.error)
        status = jnp.where(direct, status, tail.status)
        neval = neval + jnp.where(direct, 0, jnp.where(both, 2, 1) * tail.neval)
    zero = -jnp.inf if log else 0.0
    empty = ~valid & (b < a)
    value, error = (jnp.where(valid, v, jnp.where(empty, zero, jnp.nan)) for v in (value, error))
    status = jnp.where(valid, status, jnp.where(empty, 0, INVALID))
    return Sums(value, error, status.astype(jnp.int32), jnp.where(valid, neval, 1).astype(jnp.int32))


def _direct(fun, start, step, count, log):
    """Sum of ``count`` terms (m,), its rounding error, and the evaluations."""
    total = _chunked(fun, start, step, lax.stop_gradient(count), log)
    eps = float(jnp.finfo(start.dtype).eps)
    error = total + math.log(eps) if log else eps * jnp.abs(total)
    return total, error, count.astype(jnp.int32)


def _chunked(fun, start, step, count, log):
    def body(i, carry):
        peak, total = carry
        k = i * _CHUNK + jnp.arange(_CHUNK, dtype=start.dtype)[:, None]
        there = k < count
        x = jnp.where(there, start + k * step, start)
        f = jax.vmap(fun)(x)
        if not log:
            return peak, total + jnp.sum(jnp.where(there, f, 0), axis=0)
        f = jnp.where(there, f, -jnp.inf)
        new = jnp.maximum(peak, jnp.max(f, axis=0))
        shift = jnp.where(jnp.isfinite(new), new, 0)
        old = jnp.exp(jnp.where(peak == -jnp.inf, -jnp.inf, peak - shift))
        return new, total * old + jnp.sum(jnp.exp(f - shift), axis=0)

    shape = jax.eval_shape(fun, start)
    blank = jnp.full(shape.shape, -jnp.inf if log else 0, shape.dtype)
    chunks = jnp.ceil(jnp.max(count, initial=0) / _CHUNK).astype(jnp.int32)
    peak, total = lax.fori_loop(0, chunks, body, (blank, jnp.zeros(shape.shape, shape.dtype)))
    return jnp.log(total) + jnp.where(jnp.isfinite(peak), peak, 0) if log else total


def _with_tail(fun, a, b, step, log, maxterms, atol, rtol):
    whole = tanh_sinh(fun, a, b, log=log, atol=atol, rtol=rtol)
    if log:
        tol = jnp.logaddexp(jnp.asarray(atol, a.dtype), rtol + whole.value)
    else:
        tol = atol + rtol * whole.value
    skip = whole.status == NOT_A_NUMBER
    powers = [2**i for i in range(int(math.log2(maxterms)) if maxterms else 0)]
    steps = np.array([*powers, maxterms], float)
    at = a + jnp.asarray(steps, a.dtype)[:, None] * step
    terms, following = (jax.vmap(fun)(at + shift * step) for shift in (0, 1))
    wrong = (terms > tol) | (following > terms)
    n_wrong = jnp.sum(wrong, axis=0)
    pick = jnp.minimum(n_wrong, steps.size - 1)
    count = jnp.asarray(steps, a.dtype)[pick]
    left, left_error, left_neval = _direct(fun, a, step, count, log)
    infinite = jnp.isinf(left) & (left > 0)
    status = jnp.where(infinite, UNDEFINED, whole.status)
    skip |= infinite
    middle = jnp.where(skip, jnp.nan, a + count * step)
    right = tanh_sinh(fun, middle, b, log=log, atol=atol, rtol=rtol)
    here = jnp.take_along_axis(terms, pick[None], axis=0)[0]
    bounded = jnp.isfinite(b)
    last = jnp.where(bounded, fun(jnp.where(bounded, b, a)), -jnp.inf if log else 0)
    if log:
        half = math.log(2)
        value = _log_sum([left, right.value - jnp.log(step), here - half, last - half])
        error = _log_sum([left_error, right.error - jnp.log(step), here - half])
        error = jnp.where(last == -jnp.inf, error, error + jnp.log1p(-jnp.minimum(jnp.exp(last - half - error), 1)))
    else:
        value = left + right.value / step + here / 2 + last / 2
        error = left_error + right.error / step + here / 2 - last / 2
    status = jnp.where(skip, status, right.status)
    status = jnp.where((status == 0) & (n_wrong == steps.size), NOT_SMALL, status)
    neval = left_neval + right.neval + 2 * steps.size + bounded + whole.neval
    return Sums(value, error, status, neval)


def _log_sum(parts):
    return jax.scipy.special.logsumexp(jnp.stack(parts), axis=0)
