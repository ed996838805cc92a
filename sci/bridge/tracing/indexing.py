"""Reads and writes of arrays where the index itself is computed."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import lax

from . import structural
from .errors import TraceReason
from .tape import current, refuse
from .values import Dual, Scalar, plain, ref, wrap

_HINT = "use np.where, np.interp or np.take on a constant index"


def _kinds(index):
    """('mask' | 'integer' | 'other') of an index that holds traced values."""
    if issubclass(type(index), Dual):
        witness = np.asarray(index._w)
        return "mask" if witness.dtype == np.bool_ else "integer" if witness.dtype.kind in "iu" else "other"
    return "other"


def traced_read(array, index):
    """``array[index]`` with a computed index."""
    kind = _kinds(index)
    if kind == "mask":
        from .masked import read

        return read(array, index)
    if type(index) is tuple and len(index) == 1:
        return traced_read(array, index[0])
    if kind == "integer" and not (type(index) is Scalar and type(index._w) is int):
        return _gather(array, index)
    refuse(TraceReason.INDEX, "an array element at a computed position", _HINT)


def _gather(array, index):
    """Elements along the first axis at computed integer places; outside it NaN (NumPy raises)."""
    if array._w.dtype.kind not in "fc":
        refuse(TraceReason.INDEX, "an integer array read at a computed position", _HINT)
    n = array._w.shape[0] if array._w.ndim else 0
    if n == 0:
        raise IndexError("too many indices for array")
    places = np.asarray(index._w)
    witness = array._w[np.clip(places, -n, n - 1)]
    shape, dtype = np.shape(witness), array._w.dtype

    def gather(x, i):
        wrapped = lax.select(lax.lt(i, jnp.zeros_like(i)), i + n, i)
        inside = (wrapped >= 0) & (wrapped < n)
        taken = jnp.take(x, jnp.clip(wrapped, 0, n - 1), axis=0)
        inside = jnp.reshape(inside, inside.shape + (1,) * (taken.ndim - inside.ndim))
        return jnp.where(inside, taken, jnp.nan)

    number = current().add(gather, (ref(array), ref(index)), shape, dtype, False)
    return wrap(number, witness)


def traced_write(array, index, value):
    """``array[index] = value`` with a computed index: only masks of the array's shape."""
    if _kinds(index) != "mask":
        refuse(TraceReason.INDEX, "a write at a computed position", _HINT)
    mask = index
    if np.shape(mask._w) != array._w.shape:
        if np.shape(mask._w) != array._w.shape[: np.ndim(mask._w)]:
            array._w[plain(mask)]  # NumPy's IndexError
        mask = mask.reshape(np.shape(mask._w) + (1,) * (array._w.ndim - np.ndim(mask._w)))
    from .masked import Masked, same_mask

    if type(value) is Masked:
        if not same_mask(value, index):
            refuse(TraceReason.SHAPE, "values of one mask written under another")
        value = value.full
    elif np.ndim(plain(value)) and not (np.ndim(plain(value)) < array._w.ndim or np.size(plain(value)) == 1):
        refuse(TraceReason.SHAPE, "as many values as a computed mask has places", "use np.where")
    old = array
    shape, dtype = array._w.shape, array._w.dtype

    def blend(m, new, x):
        return lax.select(structural.broadcast(m, shape), structural.broadcast(structural.cast(new, dtype), shape), x)

    number = current().add(blend, (ref(mask), ref(value), ref(old)), shape, dtype, True)
    fill = np.broadcast_to(np.asarray(plain(value)), shape) if np.size(plain(value)) else np.zeros(shape)
    witness = np.where(np.broadcast_to(plain(mask), shape), fill.astype(dtype), array._w)
    array[...] = wrap(number, witness)
