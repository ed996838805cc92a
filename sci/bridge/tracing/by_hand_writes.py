"""NumPy functions that write into an array, or scatter."""

from __future__ import annotations

import numpy as np
from jax import lax

from . import structural, ufuncs
from .by_hand import by_hand, where
from .creation import array_value
from .errors import TraceReason
from .tape import current, refuse
from .values import any_traced, plain, ref, traced, wrap, wrap_constant


@by_hand("copyto")
def _copyto(original, dst, src, casting="same_kind", where=True):
    ufuncs.store_out(dst, array_value(src), where if where is True else array_value(where), casting)


@by_hand("put")
def _put(original, a, ind, v, mode="raise"):
    if any_traced(ind):
        refuse(TraceReason.INDEX, "np.put at computed positions")
    places = np.ravel(plain(ind))
    values = array_value(v).reshape(-1) if np.ndim(plain(v)) else v
    for i, place in enumerate(places):
        index = (
            np.unravel_index(int(place) % a._w.size, a._w.shape)
            if mode == "wrap"
            else np.unravel_index(int(place) + (a._w.size if place < 0 else 0), a._w.shape)
        )
        a[tuple(int(j) for j in index)] = values[i % len(values)] if np.ndim(plain(v)) else v


@by_hand("putmask", "place")
def _putmask(original, a, mask, values):
    several = np.ndim(plain(values)) and np.size(plain(values)) != 1
    if several and (original is np.place or np.shape(plain(values)) != a._w.shape):
        refuse(TraceReason.UNSUPPORTED, f"np.{original.__name__} with several values", "use np.where")
    values = array_value(values)
    a[...] = where(np.where, mask, values.astype(a._w.dtype), a)


@by_hand("fill_diagonal")
def _fill_diagonal(original, a, val, wrap=False):
    if wrap or a._w.ndim != 2 or np.ndim(plain(val)):
        refuse(TraceReason.UNSUPPORTED, "np.fill_diagonal of this form")
    for i in range(min(a._w.shape)):
        a[i, i] = val


@by_hand("bincount")
def _bincount(original, x, weights=None, minlength=0):
    if any_traced(x):
        refuse(TraceReason.SHAPE, "np.bincount of computed values")
    places, weights = plain(x), None if weights is None else array_value(weights)
    if weights is None or not traced(weights):
        return wrap_constant(np.bincount(places, plain(weights), minlength))
    witness = np.bincount(places, weights._w, minlength)
    places = np.array(places)

    def emit(w):
        w = structural.cast(w, witness.dtype)
        return lax.full((witness.size,), 0, w.dtype).at[places].add(w)

    return wrap(current().add(emit, (ref(weights),), witness.shape, witness.dtype, False), witness)
