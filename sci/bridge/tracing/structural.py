"""Nodes that move elements: views, gathers, functional updates, joins, casts and broadcasts."""

from __future__ import annotations

import jax
import numpy as np
from jax import lax

from .tape import current

canonical = jax.dtypes.canonicalize_dtype


def cast(x, dtype):
    """``x`` as an array of NumPy's ``dtype``, at the precision of the JAX world in force."""
    dtype = canonical(dtype)
    if not isinstance(x, jax.Array):
        return np.asarray(x).astype(dtype)
    if x.dtype == dtype:
        return x
    if dtype == np.bool_:
        return lax.ne(x, np.zeros((), x.dtype))
    if x.dtype.kind == "c" and np.dtype(dtype).kind != "c":
        x = lax.real(x)
    if x.dtype.kind == "f" and np.dtype(dtype).kind in "iu":
        return _float_to_integer(x, np.dtype(dtype))
    return lax.convert_element_type(x, dtype)


def _float_to_integer(x, dtype):
    """C's conversion as NumPy has it: small types wrap, what does not fit becomes the least integer."""
    wide = np.dtype(canonical(np.int64 if dtype.itemsize > 2 and dtype != np.int32 else np.int32))
    if dtype == np.uint64:
        return lax.convert_element_type(x, dtype)
    fits = lax.lt(lax.abs(x), lax.full_like(x, 2.0 ** (8 * wide.itemsize - 1)))
    whole = lax.convert_element_type(x, wide)
    whole = lax.select(fits, whole, lax.full_like(whole, np.iinfo(wide).min))
    return whole if wide == dtype else lax.convert_element_type(whole, dtype)


def reshape(x, shape):
    return x if np.shape(x) == shape else (lax.reshape(x, shape) if isinstance(x, jax.Array) else x.reshape(shape))


def broadcast(x, shape):
    """NumPy's broadcast; excess leading axes of length one are dropped as in an assignment."""
    have = np.shape(x)
    if have == shape:
        return x
    if not isinstance(x, jax.Array):
        return np.broadcast_to(np.reshape(x, have[len(have) - len(shape) :] if len(have) > len(shape) else have), shape)
    if len(have) > len(shape):
        x = lax.reshape(x, have[len(have) - len(shape) :])
        have = x.shape
    keep = [i for i, n in enumerate(have) if n != 1 or shape[len(shape) - len(have) + i] == 1]
    if len(keep) < len(have):
        x = lax.reshape(x, tuple(have[i] for i in keep))
    return lax.broadcast_in_dim(x, shape, tuple(len(shape) - len(have) + i for i in keep))


# -- views ------------------------------------------------------------------------------------------


class Step:
    """One view operation, as it acts on NumPy arrays and as it acts on JAX arrays."""

    __slots__ = ("key", "on_jax", "on_numpy")

    def __init__(self, on_numpy, on_jax, key=None):
        self.on_numpy, self.on_jax, self.key = on_numpy, on_jax, key


def is_basic(index):
    """Whether an index selects a view (no lists, arrays or booleans)."""
    parts = index if type(index) is tuple else (index,)
    return all(
        p is None or p is Ellipsis or type(p) is slice or (isinstance(p, (int, np.integer)) and not isinstance(p, bool))
        for p in parts
    )


def index_step(index, ndim):
    """Step of a basic index."""
    parts = index if type(index) is tuple else (index,)
    parts = tuple(p if p is None or p is Ellipsis or type(p) is slice else int(p) for p in parts)
    key = tuple(("s", p.start, p.stop, p.step) if type(p) is slice else p for p in parts)
    used = sum(1 for p in parts if p is not None and p is not Ellipsis)
    full = (slice(None),) * (ndim - used)
    if Ellipsis in parts:
        at = parts.index(Ellipsis)
        whole = parts[:at] + full + parts[at + 1 :]
    else:
        whole = parts + full
    return Step(lambda a: a[parts], lambda x: _static_index(x, whole), ("i", key))


def _static_index(x, parts):
    starts, limits, strides, flipped, shape = [], [], [], [], []
    axis = 0
    for part in parts:
        if part is None:
            shape.append(1)
            continue
        n = x.shape[axis]
        if isinstance(part, int):
            part = part + n if part < 0 else part
            starts.append(part), limits.append(part + 1), strides.append(1)
        else:
            start, stop, step = part.indices(n)
            length = len(range(start, stop, step))
            shape.append(length)
            if step < 0:
                flipped.append(axis)
                start, step = start + (length - 1) * step, -step
            starts.append(start if length else 0)
            limits.append(start + (length - 1) * step + 1 if length else 0)
            strides.append(step)
        axis += 1
    if limits != list(x.shape) or any(starts) or any(s != 1 for s in strides):
        x = lax.slice(x, starts, limits, strides if any(s != 1 for s in strides) else None)
    if flipped:
        x = lax.rev(x, flipped)
    return reshape(x, tuple(shape))


def step_node(step, source, witness):
    """Node of a view read now."""
    key = step.key and ("view", step.key, source)
    return current().add(step.on_jax, (source,), np.shape(witness), _dtype(witness), True, key)


def _dtype(witness):
    return np.asarray(witness).dtype


# -- gathers and updates ------------------------------------------------------------------------------


def take_flat(x, places):
    """Elements of ``x`` (read flat) at the constant ``places``."""
    numbers = lax.GatherDimensionNumbers(offset_dims=(), collapsed_slice_dims=(0,), start_index_map=(0,))
    flat = reshape(x, (int(np.prod(np.shape(x))),))
    return lax.gather(
        flat, places.astype(np.int32)[..., None], numbers, (1,), mode=lax.GatherScatterMode.PROMISE_IN_BOUNDS
    )


def take_node(source, places, witness):
    """Node of an advanced index that is known when tracing."""
    return current().add(lambda x: take_flat(x, places), (source,), places.shape, witness.dtype, True)


def fit_node(source, shape, dtype):
    """Node of a value broadcast and cast as an assignment does."""
    node = current().nodes[source]
    if node.shape == shape and node.dtype == dtype:
        return source

    def fit(x):
        return broadcast(cast(x, dtype), shape)

    return current().add(fit, (source,), shape, dtype, True, ("fit", source, shape, dtype.char))


def overlay_node(base, overlay, witness):
    """Join single-element writes into one concatenation."""
    size, shape = witness.size, witness.shape
    if not shape:
        return overlay[0]
    places = sorted(overlay)
    ins = tuple(overlay[p] for p in places)
    if len(places) == size:

        def join(*values):
            return reshape(lax.concatenate([reshape(as_jax(v), (1,)) for v in values], 0), shape)

        return current().add(join, ins, shape, witness.dtype, True)

    def merge(old, *values):
        flat, parts, last = reshape(as_jax(old), (size,)), [], 0
        for place, value in zip(places, values, strict=True):
            if place > last:
                parts.append(lax.slice(flat, (last,), (place,)))
            parts.append(reshape(as_jax(value), (1,)))
            last = place + 1
        if last < size:
            parts.append(lax.slice(flat, (last,), (size,)))
        return reshape(lax.concatenate(parts, 0) if len(parts) > 1 else parts[0], shape)

    return current().add(merge, (base, *ins), shape, witness.dtype, True)


def as_jax(x):
    """Constants reach emitters as NumPy arrays; lax functions that join need arrays of one kind."""
    return x if isinstance(x, jax.Array) else jax.numpy.asarray(x)


def update_node(base, value, positions, witness):
    """Node of the buffer with ``value`` at the flat ``positions``; the last of equal ones wins."""
    size, shape = witness.size, witness.shape
    if positions.size == 0:
        return base
    flat = positions.reshape(-1)
    first, count = int(flat[0]), flat.size
    add, dtype = current().add, witness.dtype
    if count == size and np.array_equal(flat, np.arange(size)):
        return add(lambda x: reshape(as_jax(x), shape), (value,), shape, dtype, True)
    if flat[-1] - first + 1 == count and np.array_equal(flat, np.arange(first, first + count)):

        def splice(old, new):
            old, new = reshape(as_jax(old), (size,)), reshape(as_jax(new), (count,))
            return reshape(lax.dynamic_update_slice(old, new, (np.int32(first),)), shape)

        return add(splice, (base, value), shape, dtype, True)
    source = np.arange(size)
    source[flat] = size + np.arange(count)

    def merge(old, new):
        old, new = reshape(as_jax(old), (size,)), reshape(as_jax(new), (count,))
        return reshape(take_flat(lax.concatenate([old, new], 0), source), shape)

    return add(merge, (base, value), shape, dtype, True)


def stack_node(parts, shape, dtype):
    """Node that lays the parts (node numbers, in C order of ``shape``) one after the other."""

    def join(*values):
        values = [as_jax(cast(v, dtype)) for v in values]
        flat = [reshape(v, (int(np.prod(v.shape)),)) for v in values]
        return reshape(lax.concatenate(flat, 0) if len(flat) > 1 else flat[0], shape)

    return current().add(join, tuple(parts), shape, np.dtype(dtype), True, ("stack", tuple(parts), shape, dtype.char))


def cast_node(source, dtype):
    """Node of ``source`` converted as ``astype`` does."""
    dtype = np.dtype(dtype)
    node = current().nodes[source]
    if node.dtype == dtype:
        return source
    return current().add(lambda x: cast(x, dtype), (source,), node.shape, dtype, True, ("cast", source, dtype.char))
