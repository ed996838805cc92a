"""The dtypes of the kernels: what to compute in, and C's casts from float to integer.

SciPy computes every filter in double and casts the result with C's rules, which differ from XLA's (XLA
saturates): a filter truncates towards zero and wraps (``sobel`` of ``uint8`` images depends on it), an
interpolation rounds half away from zero and saturates for unsigned types only.
"""

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp


def compute_dtype(dtype):
    """Dtype of the arithmetic for input `dtype`: itself if inexact, else the widest float enabled."""
    dtype = np.dtype(dtype)
    if dtype == np.float16 or dtype == jnp.bfloat16:
        return np.dtype(np.float32)
    if dtype.kind in "fc":
        return dtype
    return np.dtype(jnp.result_type(float))


def real_dtype(dtype):
    """The float dtype of the real part of the inexact `dtype`."""
    return np.finfo(dtype).dtype


def _bounded(x, limit):
    """Values that C's double-to-integer instruction can convert; the rest becomes ``-limit`` as on x86."""
    return jnp.where(jnp.abs(x) < limit, x, -limit)


def truncate_to(x, dtype):
    """Cast as C does: towards zero, modulo the width of an integer type, real part of a complex value.

    Examples
    --------
    >>> truncate_to(jnp.array([-1.5, 1.9, 257.0]), np.uint8).tolist()
    [255, 1, 1]
    """
    dtype = np.dtype(dtype)
    if x.dtype == dtype:
        return x
    if jnp.iscomplexobj(x) and dtype.kind != "c":
        x = x.real
    if dtype.kind not in "biu" or x.dtype.kind not in "f":
        return x.astype(dtype)
    if dtype.kind == "b":
        return _bounded(x, 2.0**31).astype(np.int32) != 0
    wide = jax.config.jax_enable_x64 and dtype.itemsize >= 4 and dtype != np.int32
    through, limit = (np.int64, 2.0**63) if wide else (np.int32, 2.0**31)
    if dtype == np.uint64:
        high = x >= 2.0**63
        low = jnp.where(high, x - 2.0**63, x)
        return _bounded(low, limit).astype(through).astype(dtype) ^ (high.astype(dtype) << 63)
    return _bounded(x, limit).astype(through).astype(dtype)


def on_parts(function, x, cval):
    """``function(x, cval)`` for real `x`; applied to real and imaginary part of a complex one."""
    if not jnp.iscomplexobj(x):
        return function(x, cval)
    return lax.complex(function(x.real, jnp.real(cval)), function(x.imag, jnp.imag(cval)))


def round_to(x, dtype):
    """Cast an interpolated value: half away from zero, unsigned types saturated."""
    dtype = np.dtype(dtype)
    if dtype.kind == "u":
        x = jnp.clip(jnp.where(x > 0, x + 0.5, 0.0), 0.0, float(np.iinfo(dtype).max))
        return x.astype(dtype)
    if dtype.kind == "i":
        return truncate_to(jnp.where(x > 0, x + 0.5, x - 0.5), dtype)
    return truncate_to(x, dtype)


def rounding_guard(weights):
    """An integer zero that the compiler cannot know to be zero (one for NaN weights, where it is harmless).

    See `separate_product`. ``None`` where double precision is off: the guard serves exact integer results.
    """
    if not jax.config.jax_enable_x64 or weights.dtype != np.float64:
        return None
    return jnp.isnan(weights.ravel()[0]).astype(np.int64)


@jax.custom_jvp
def _rounded(product, guard):
    bits = lax.bitcast_convert_type(product, np.int64)
    return lax.bitcast_convert_type(bits ^ guard, np.float64)


@_rounded.defjvp
def _rounded_jvp(primals, tangents):
    return _rounded(*primals), tangents[0]


def separate_product(a, b, guard):
    """``a * b`` rounded by itself, never contracted with a following addition into one fused multiply-add.

    SciPy is compiled without fused multiply-add, and its truncation to integers shows the last bit: on a
    constant image a sum of weights that is one unit below 1 loses a whole grey level.
    """
    product = a * b
    return product if guard is None else _rounded(product, guard)
