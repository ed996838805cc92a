"""JAX primitives in NumPy, for `interp`."""

from __future__ import annotations

import math

import numpy as np
from jax import lax


def _unary(function):
    return lambda v, p: function(v[0])


def _binary(function):
    return lambda v, p: function(v[0], v[1])


def _dtype(params):
    return np.dtype(params["new_dtype"])


def _div(v, p):
    if v[0].dtype.kind in "iu":
        zero = v[1] == 0
        safe = np.where(zero, 1, v[1])
        return np.where(zero, -1, _integer_div(v[0], safe))
    return np.divide(v[0], v[1])


def _integer_div(a, b):
    quotient = np.abs(a) // np.abs(b)
    return np.where((a < 0) != (b < 0), -quotient, quotient)


def _pow(v, p):
    return np.power(v[0], v[1])


def _integer_pow(v, p):
    x, y = v[0], p["y"]
    return np.power(x, y) if x.dtype.kind in "fc" or y >= 0 else np.power(x, float(y))


def _broadcast_in_dim(v, p):
    shape, dims = p["shape"], p["broadcast_dimensions"]
    lined = [1] * len(shape)
    for i, d in enumerate(dims):
        lined[d] = v[0].shape[i]
    return np.broadcast_to(v[0].reshape(lined), shape)


def _slice(v, p):
    strides = p["strides"] or (1,) * v[0].ndim
    return v[0][tuple(map(slice, p["start_indices"], p["limit_indices"], strides))]


def _starts(operand, sizes, starts):
    return [int(np.clip(int(s), 0, n - m)) for s, n, m in zip(starts, operand.shape, sizes, strict=True)]


def _dynamic_slice(v, p):
    sizes = p["slice_sizes"]
    starts = _starts(v[0], sizes, v[1:])
    return v[0][tuple(slice(s, s + m) for s, m in zip(starts, sizes, strict=True))]


def _dynamic_update_slice(v, p):
    result = v[0].copy()
    starts = _starts(result, v[1].shape, v[2:])
    result[tuple(slice(s, s + m) for s, m in zip(starts, v[1].shape, strict=True))] = v[1]
    return result


def _iota(v, p):
    shape, axis = p["shape"], p["dimension"]
    lined = [1] * len(shape)
    lined[axis] = shape[axis]
    return np.broadcast_to(np.arange(shape[axis], dtype=p["dtype"]).reshape(lined), shape)


def _convert(v, p):
    x, dtype = v[0], _dtype(p)
    return (x.real if x.dtype.kind == "c" and dtype.kind != "c" else x).astype(dtype)


def _bitcast(v, p):
    if np.dtype(p["new_dtype"]).itemsize != v[0].dtype.itemsize:
        raise NotImplementedError
    return np.ascontiguousarray(v[0]).view(p["new_dtype"]).reshape(v[0].shape)


def _pad(v, p):
    x, fill, config = v[0], v[1], p["padding_config"]
    for axis, (_, _, inner) in enumerate(config):
        if inner:
            shape = list(x.shape)
            shape[axis] = max(0, (x.shape[axis] - 1) * (inner + 1) + 1)
            wide = np.full(shape, fill, x.dtype)
            wide[(slice(None),) * axis + (slice(None, None, inner + 1),)] = x
            x = wide
    x = np.pad(x, [(max(a, 0), max(b, 0)) for a, b, _ in config], constant_values=fill)
    return x[tuple(slice(-min(a, 0), n + min(b, 0)) for (a, b, _), n in zip(config, x.shape, strict=True))]


def _dot_general(v, p):
    (contract_l, contract_r), (batch_l, batch_r) = p["dimension_numbers"]
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    left = list(letters[: v[0].ndim])
    right = list(letters[v[0].ndim : v[0].ndim + v[1].ndim])
    for i, j in zip([*contract_l, *batch_l], [*contract_r, *batch_r], strict=True):
        right[j] = left[i]
    batch = [left[i] for i in batch_l]
    free_l = [c for i, c in enumerate(left) if i not in contract_l and i not in batch_l]
    free_r = [c for i, c in enumerate(right) if i not in contract_r and i not in batch_r]
    text = f"{''.join(left)},{''.join(right)}->{''.join(batch + free_l + free_r)}"
    return np.einsum(text, v[0], v[1], optimize=v[0].ndim > 1 and v[1].ndim > 1)


def _gather(v, p):
    x, places = v
    numbers, sizes = p["dimension_numbers"], p["slice_sizes"]
    mode = str(p["mode"])
    if numbers.operand_batching_dims or ("FILL" in mode):
        if numbers.operand_batching_dims:
            raise NotImplementedError
        inside = np.ones(places.shape[:-1], bool)
        for k, axis in enumerate(numbers.start_index_map):
            inside &= (places[..., k] >= 0) & (places[..., k] <= x.shape[axis] - sizes[axis])
        fill = p["fill_value"]
        if not inside.all() and (numbers.offset_dims or (fill is None and x.dtype.kind not in "fc")):
            raise NotImplementedError
    else:
        inside = None
    index = [None] * x.ndim
    kept = [d for d in range(x.ndim) if d not in numbers.collapsed_slice_dims]
    batch = places.shape[:-1]
    for k, axis in enumerate(numbers.start_index_map):
        start = np.clip(places[..., k], 0, x.shape[axis] - sizes[axis])
        index[axis] = start.reshape(batch + (1,) * len(kept))
    for axis in range(x.ndim):
        base = index[axis] if index[axis] is not None else np.zeros((1,) * (len(batch) + len(kept)), int)
        if axis in kept:
            shape = [1] * (len(batch) + len(kept))
            shape[len(batch) + kept.index(axis)] = sizes[axis]
            base = base + np.arange(sizes[axis]).reshape(shape)
        index[axis] = base
    result = x[tuple(index)] if x.ndim else x
    result = np.broadcast_to(result, batch + tuple(sizes[d] for d in kept))
    if inside is not None and not inside.all():
        result = np.where(inside, result, np.nan if p["fill_value"] is None else p["fill_value"])
    rank = len(batch) + len(kept)
    order, b, o = [], 0, len(batch)
    for d in range(rank):
        if d in numbers.offset_dims:
            order.append(o)
            o += 1
        else:
            order.append(b)
            b += 1
    return result.transpose(order)


def _sort(v, p):
    axis, keys = p["dimension"], p["num_keys"]
    if keys == 1:
        order = np.argsort(v[0], axis=axis, kind="stable")
    else:
        order = np.lexsort(tuple(reversed(v[:keys])), axis=axis)
    return [np.take_along_axis(x, order, axis) for x in v]


def _reduce(function):
    return lambda v, p: function(v[0], axis=tuple(p["axes"])) if p["axes"] else v[0]


def _cumulative(function):
    def run(v, p):
        axis = p["axis"]
        if p.get("reverse"):
            return np.flip(function(np.flip(v[0], axis), axis=axis), axis)
        return function(v[0], axis=axis)

    return run


def _clamp(v, p):
    return np.minimum(np.maximum(v[1], v[0]), v[2])


def _round(v, p):
    if p["rounding_method"] == lax.RoundingMethod.TO_NEAREST_EVEN:
        return np.rint(v[0])
    return np.copysign(np.floor(np.abs(v[0]) + 0.5), v[0])


def _select_n(v, p):
    which = v[0] if v[0].dtype != np.bool_ else v[0].astype(int)
    if len(v) == 3:
        return np.where(v[0].astype(bool), v[2], v[1])
    return np.choose(which, v[1:])


def _split(v, p):
    return np.split(v[0], np.cumsum(p["sizes"])[:-1], axis=p["axis"])


def _lu(v, p):
    from scipy.linalg import lapack

    if v[0].ndim != 2 or v[0].dtype != np.float64:
        raise NotImplementedError
    lu, pivots, _ = lapack.dgetrf(v[0])
    order = np.arange(v[0].shape[0])
    for i, j in enumerate(pivots):
        order[[i, j]] = order[[j, i]]
    return [lu, pivots, order]


def _triangular_solve(v, p):
    a, b = v
    if a.ndim != 2 or b.ndim != 2:
        raise NotImplementedError
    a = np.tril(a) if p["lower"] else np.triu(a)
    if p["unit_diagonal"]:
        a = a - np.diag(np.diag(a)) + np.eye(a.shape[0])
    a = a.T if p["transpose_a"] else a
    a = a.conj() if p["conjugate_a"] else a
    if np.any(np.diag(a) == 0):
        raise NotImplementedError
    return np.linalg.solve(a, b) if p["left_side"] else np.linalg.solve(a.T, b.T).T


def _scalarwise(function):
    wide = np.vectorize(function, otypes=[float])

    def run(v, p):
        if v[0].dtype != np.float64:
            raise NotImplementedError
        return wide(v[0]) if v[0].size else v[0]

    return run


def _lgamma(x):
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):
        return math.inf if not math.isnan(x) else x


def _rsqrt(x):
    return 1 / np.sqrt(x)


def _logistic(x):
    return 1 / (1 + np.exp(-x))


def _shift_logical(v, p):
    unsigned = np.dtype(f"u{v[0].dtype.itemsize}")
    return np.right_shift(v[0].astype(unsigned), v[1].astype(unsigned)).astype(v[0].dtype)


PRIMITIVES = {
    "optimization_barrier": lambda values, params: list(values),
    **{
        name: _unary(function)
        for name, function in {
            "neg": np.negative, "sign": np.sign, "floor": np.floor, "ceil": np.ceil, "abs": np.abs, "exp": np.exp,
            "exp2": np.exp2, "log": np.log, "log1p": np.log1p, "expm1": np.expm1, "sin": np.sin, "cos": np.cos,
            "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh,
            "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "sqrt": np.sqrt,
            "rsqrt": _rsqrt, "cbrt": np.cbrt, "square": np.square, "logistic": _logistic, "is_finite": np.isfinite,
            "not": np.invert, "real": np.real, "imag": np.imag, "conj": np.conj, "copy": np.copy, "copy_p": np.copy,
            "stop_gradient": np.asarray,
        }.items()
    },
    **{
        name: _binary(function)
        for name, function in {
            "add": np.add, "add_any": np.add, "sub": np.subtract, "mul": np.multiply, "rem": np.fmod,
            "max": np.maximum, "min": np.minimum, "eq": np.equal, "ne": np.not_equal, "lt": np.less,
            "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "and": np.bitwise_and,
            "or": np.bitwise_or, "xor": np.bitwise_xor, "atan2": np.arctan2, "nextafter": np.nextafter,
            "shift_left": np.left_shift, "shift_right_arithmetic": np.right_shift, "complex": lambda a, b: a + 1j * b,
        }.items()
    },
    "div": _div, "pow": _pow, "integer_pow": _integer_pow, "broadcast_in_dim": _broadcast_in_dim,
    "reshape": lambda v, p: v[0].reshape(p["new_sizes"]), "squeeze": lambda v, p: v[0].squeeze(tuple(p["dimensions"])),
    "expand_dims": lambda v, p: np.expand_dims(v[0], tuple(p["dimensions"])),
    "transpose": lambda v, p: v[0].transpose(p["permutation"]),
    "rev": lambda v, p: np.flip(v[0], tuple(p["dimensions"])),
    "bitcast_convert_type": _bitcast, "slice": _slice,
    "dynamic_slice": _dynamic_slice, "dynamic_update_slice": _dynamic_update_slice, "iota": _iota,
    "concatenate": lambda v, p: np.concatenate(v, p["dimension"]), "convert_element_type": _convert, "pad": _pad,
    "dot_general": _dot_general, "gather": _gather, "sort": _sort, "reduce_sum": _reduce(np.sum),
    "reduce_max": _reduce(np.max), "reduce_min": _reduce(np.min), "reduce_prod": _reduce(np.prod),
    "reduce_and": _reduce(np.all), "reduce_or": _reduce(np.any), "cumsum": _cumulative(np.cumsum),
    "cumprod": _cumulative(np.cumprod), "cummax": _cumulative(np.maximum.accumulate),
    "cummin": _cumulative(np.minimum.accumulate), "clamp": _clamp, "round": _round, "select_n": _select_n,
    "argmax": lambda v, p: np.argmax(v[0], axis=p["axes"][0]),
    "argmin": lambda v, p: np.argmin(v[0], axis=p["axes"][0]),
    "split": _split, "lu": _lu, "triangular_solve": _triangular_solve, "erf": _scalarwise(math.erf),
    "erfc": _scalarwise(math.erfc), "lgamma": _scalarwise(_lgamma), "shift_right_logical": _shift_logical,
}  # fmt: skip
