"""Sums of exponentials and normalised exponentials along axes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, HostRoute, Reason, implements

__all__ = ["log_softmax", "logsumexp", "softmax"]


def checked_axis(name: str):
    """`prepare`: the axis as SciPy accepts it, an int, a tuple of ints or None."""

    def prepare(call: Call) -> None:
        axis, a = call["axis"], call[name]
        if isinstance(axis, np.integer):
            call["axis"] = int(axis)
        elif isinstance(axis, (list, tuple)):
            call["axis"] = tuple(int(i) for i in axis)
        if isinstance(a, (list, tuple)) and not any(isinstance(v, jax.Array) for v in a):
            a = call[name] = np.asarray(a)
        dtype = getattr(a, "dtype", None)
        if dtype == np.float16:
            raise HostRoute(Reason.DTYPE, "float16")
        if call.numpy and np.size(a) == 0:
            raise HostRoute(Reason.SHAPE, "an empty array")

    return prepare


def in_range(name: str):
    """`validate`: the axis must exist."""

    def validate(call: Call) -> None:
        axis = call["axis"]
        if axis is not None:
            axes = axis if isinstance(axis, tuple) else (axis,)
            ndim = max(np.ndim(call[name]), 1 if name == "a" else 0)
            for i in axes:
                if not -ndim <= i < ndim:
                    raise np.exceptions.AxisError(i, ndim)

    return validate


def summed(a, b, axis):
    """(log|sum|, sign) with axes kept; the maximum is taken out, its own terms counted apart."""
    a = jnp.atleast_1d(a)
    if b is not None:
        a, b = jnp.broadcast_arrays(a, b)
        a = jnp.where(b == 0, -jnp.inf, a)
    top = jax.lax.stop_gradient(jnp.max(a.real if jnp.iscomplexobj(a) else a, axis=axis, keepdims=True))
    top = jnp.where(jnp.isfinite(top), top, 0.0)
    weights = jnp.ones_like(a) if b is None else b
    live = weights != 0
    terms = jnp.where(live, weights * jnp.exp(jnp.where(live, a - top, 0.0)), 0.0)
    if b is not None:
        total = jnp.sum(terms, axis=axis, keepdims=True)
        return top + jnp.log(jnp.abs(total)), jnp.sign(total)
    # log(n + rest) with n the terms equal to the maximum: log1p keeps a tiny rest
    peak = a == top
    count = jnp.sum(jnp.where(peak, 1.0, 0.0).astype(a.dtype), axis=axis, keepdims=True)
    rest = jnp.sum(jnp.where(peak, 0.0, terms), axis=axis, keepdims=True)
    some = count > 0
    safe = jnp.where(some, count, 1.0)
    # the peaks' own derivatives, of every order, come through `peaks`, which is 0 in value
    lift = jnp.where(peak & jnp.isfinite(a), a - jax.lax.stop_gradient(a), 0.0)
    peaks = jnp.sum(jnp.expm1(lift), axis=axis, keepdims=True)
    finite = top + jnp.log(safe) + jnp.log1p((rest + peaks) / safe)
    value = jnp.where(some, finite, top + jnp.log(rest))
    return value, jnp.where(jnp.isnan(value), jnp.nan, jnp.sign(count + rest))


@implements(
    "scipy.special.logsumexp", static=("axis", "keepdims", "return_sign"), dtypes="float",
    prepare=checked_axis("a"), validate=in_range("a"), note="complex, float16 and empty arrays.",
    examples=lambda: [
        Example((np.array([[0.5, 2.0, -3.0], [1.0, 700.0, 1.5]]),), {"axis": 1}, grad=("a",), vmap=("a",)),
        Example((np.array([0.5, 2.0, -3.0]),), {"b": np.array([1.0, 0.0, -2.5]), "keepdims": True,
                "return_sign": True}, grad=("a",), vmap=("a", "b")),
    ],
)  # fmt: skip
def logsumexp(a, axis, b, keepdims, return_sign):
    """log(sum(b exp(a))) along axes without overflow, and its sign where asked for.

    Parameters
    ----------
    a : array
        Exponents.
    axis : int, tuple of int or None
        Axes summed over.
    b : array, optional
        Weights, broadcast against `a`; a weight of 0 removes its term.
    keepdims, return_sign : bool
        As in SciPy: with ``return_sign`` the result is a pair.

    Examples
    --------
    >>> from sci.special import logsumexp
    >>> float(logsumexp([1000.0, 1000.0])) - 1000.0 < 0.6932
    True
    """
    value, sign = summed(a, b, axis)
    if not return_sign:
        value = jnp.where(sign < 0, jnp.nan, value)
    if not keepdims:
        value, sign = jnp.squeeze(value, axis), jnp.squeeze(sign, axis)
    return (value, sign) if return_sign else value


@implements(
    "scipy.special.softmax", static=("axis",), dtypes="float", prepare=checked_axis("x"), validate=in_range("x"),
    note="complex, float16 and empty arrays.",
    examples=lambda: [
        Example((np.array([[0.5, 2.0, -3.0], [1.0, 700.0, 1.5]]),), {"axis": 1}, grad=("x",), vmap=("x",))
    ],
)  # fmt: skip
def softmax(x, axis):
    """exp(x) / sum(exp(x)) along axes.

    Examples
    --------
    >>> from sci.special import softmax
    >>> softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]
    """
    top = jax.lax.stop_gradient(jnp.max(x, axis=axis, keepdims=True))
    e = jnp.exp(x - top)
    return e / jnp.sum(e, axis=axis, keepdims=True)


@implements(
    "scipy.special.log_softmax", static=("axis",), dtypes="float", prepare=checked_axis("x"),
    validate=in_range("x"), note="complex, float16 and empty arrays.",
    examples=lambda: [
        Example((np.array([[0.5, 2.0, -3.0], [1.0, 700.0, 1.5]]),), {"axis": 1}, grad=("x",), vmap=("x",))
    ],
)  # fmt: skip
def log_softmax(x, axis):
    """log of `softmax`.

    Examples
    --------
    >>> from sci.special import log_softmax
    >>> [round(v, 12) for v in log_softmax([0.0, 0.0]).tolist()]
    [-0.69314718056, -0.69314718056]
    """
    top = jax.lax.stop_gradient(jnp.max(x, axis=axis, keepdims=True))
    top = jnp.where(jnp.isfinite(top), top, 0.0)
    shifted = x - top
    return shifted - jnp.log(jnp.sum(jnp.exp(shifted), axis=axis, keepdims=True))
