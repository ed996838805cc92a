"""How each NumPy ufunc is written in JAX, on inputs already cast to NumPy's loop types and broadcast.

`lax` primitives are used where they exist: binding one costs a tenth of calling the `jnp` function,
and NumPy's semantics are kept by hand where the two differ (integer division, logarithms to a base).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


def _scalar(x, value):
    return np.asarray(value, x.dtype)


def _full(x, value):
    return lax.full_like(x, value) if isinstance(x, jax.Array) else np.full_like(x, value)


def _divide_by_base(natural, base):
    """Logarithm to a base, exact at exact powers as NumPy's is; the gradient is the plain one."""

    def log(x):
        if x.dtype.kind == "c":
            return natural(x) / np.asarray(np.log(base), x.dtype)
        raw = lax.div(natural(x), _scalar(x, np.log(base)) * np.ones(x.shape, x.dtype))
        near = lax.round(raw, lax.RoundingMethod.TO_NEAREST_EVEN)
        exact = lax.eq(lax.pow(_full(x, float(base)), near), x)
        return raw + lax.stop_gradient(lax.select(exact, near - raw, _full(raw, 0)))

    return log


def _floor_divide(x, y):
    if x.dtype.kind in "iu":
        zero = lax.eq(y, _full(y, 0))
        safe = lax.select(zero, _full(y, 1), y)
        return lax.select(zero, _full(x, 0), jnp.floor_divide(x, safe))
    zero = lax.eq(y, _full(y, 0))
    rest = jnp.remainder(x, lax.select(zero, _full(y, 1), y))
    near = lax.round(lax.div(lax.sub(x, rest), y), lax.RoundingMethod.TO_NEAREST_EVEN)
    return lax.select(zero, lax.div(x, y), near)


def _remainder(x, y):
    if x.dtype.kind in "iu":
        zero = lax.eq(y, _full(y, 0))
        return lax.select(zero, _full(x, 0), jnp.remainder(x, lax.select(zero, _full(y, 1), y)))
    return jnp.remainder(x, y)


def _fmod(x, y):
    if x.dtype.kind in "iu":
        zero = lax.eq(y, _full(y, 0))
        return lax.select(zero, _full(x, 0), lax.rem(x, lax.select(zero, _full(y, 1), y)))
    return lax.rem(x, y)


def _power(x, y):
    if not isinstance(y, jax.Array) and np.ndim(y) and np.all(y == np.ravel(y)[0]):
        exponent = np.ravel(y)[0].item()
        if exponent == int(exponent.real if isinstance(exponent, complex) else exponent) and abs(exponent) <= 64:
            return lax.integer_pow(x, int(exponent.real if isinstance(exponent, complex) else exponent))
        if exponent == 0.5 and x.dtype.kind == "f":
            return lax.sqrt(x)
    if x.dtype.kind in "iu":
        return jnp.power(x, y)
    return lax.pow(x, y)


def _absolute(x):
    return x if x.dtype.kind in "bu" else lax.abs(x)


def _isinf(x):
    if x.dtype.kind == "c":
        return jnp.isinf(x)
    return lax.eq(lax.abs(x), _full(x, np.inf)) if x.dtype.kind == "f" else _full(x, 0).astype(bool)


def _trunc(x):
    return lax.select(lax.lt(x, _full(x, 0)), lax.ceil(x), lax.floor(x))


def _signed_zero_sign(x):
    return lax.sign(x) if x.dtype.kind != "c" else jnp.sign(x)


def _integers_pass(function):
    return lambda x: x if x.dtype.kind in "iub" else function(x)


def _shift_left(x, y):
    wide = lax.ge(y, _full(y, x.dtype.itemsize * 8))
    return lax.select(wide, _full(x, 0), lax.shift_left(x, y))


def _shift_right(x, y):
    shift = lax.shift_right_logical if x.dtype.kind == "u" else lax.shift_right_arithmetic
    return (
        shift(x, lax.min(y, _full(y, x.dtype.itemsize * 8 - 1)))
        if x.dtype.kind != "u"
        else lax.select(lax.ge(y, _full(y, x.dtype.itemsize * 8)), _full(x, 0), shift(x, y))
    )


def _logical(function):
    return lambda *xs: function(*(x if x.dtype == np.bool_ else lax.ne(x, _full(x, 0)) for x in xs))


# safe: finite value and derivative for finite input, and cheap; both sides of a branch made only of
# these may be computed and selected from
SAFE = {
    "add": lax.add,
    "subtract": lax.sub,
    "multiply": lax.mul,
    "negative": lax.neg,
    "positive": lambda x: x,
    "absolute": _absolute,
    "fabs": lax.abs,
    "square": lambda x: lax.mul(x, x),
    "sign": _signed_zero_sign,
    "maximum": lax.max,
    "minimum": lax.min,
    "fmax": jnp.fmax,
    "fmin": jnp.fmin,
    "sin": lax.sin,
    "cos": lax.cos,
    "tanh": lax.tanh,
    "arctan": lax.atan,
    "floor": _integers_pass(lax.floor),
    "ceil": _integers_pass(lax.ceil),
    "trunc": _integers_pass(_trunc),
    "rint": lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN),
    "equal": lax.eq,
    "not_equal": lax.ne,
    "less": lax.lt,
    "less_equal": lax.le,
    "greater": lax.gt,
    "greater_equal": lax.ge,
    "logical_and": _logical(lax.bitwise_and),
    "logical_or": _logical(lax.bitwise_or),
    "logical_xor": _logical(lax.bitwise_xor),
    "logical_not": _logical(lax.bitwise_not),
    "bitwise_and": lax.bitwise_and,
    "bitwise_or": lax.bitwise_or,
    "bitwise_xor": lax.bitwise_xor,
    "invert": lax.bitwise_not,
    "isnan": lambda x: lax.ne(x, x),
    "isinf": _isinf,
    "isfinite": lambda x: lax.is_finite(x) if x.dtype.kind == "f" else jnp.isfinite(x),
    "signbit": jnp.signbit,
    "copysign": jnp.copysign,
    "conjugate": lambda x: lax.conj(x) if x.dtype.kind == "c" else x,
    "degrees": lambda x: lax.mul(x, _full(x, 180 / np.pi)),
    "rad2deg": lambda x: lax.mul(x, _full(x, 180 / np.pi)),
    "radians": lambda x: lax.mul(x, _full(x, np.pi / 180)),
    "deg2rad": lambda x: lax.mul(x, _full(x, np.pi / 180)),
}
PARTIAL = {
    "divide": lax.div,
    "floor_divide": _floor_divide,
    "remainder": _remainder,
    "fmod": _fmod,
    "divmod": lambda x, y: (_floor_divide(x, y), _remainder(x, y)),
    "power": _power,
    "float_power": _power,
    "exp": lax.exp,
    "exp2": lambda x: lax.exp2(x),
    "expm1": lax.expm1,
    "log": lax.log,
    "log2": _divide_by_base(lax.log, 2),
    "log10": _divide_by_base(lax.log, 10),
    "log1p": lax.log1p,
    "sqrt": lax.sqrt,
    "cbrt": lax.cbrt,
    "reciprocal": lambda x: lax.div(_full(x, 1), x),
    "tan": lax.tan,
    "arcsin": lax.asin,
    "arccos": lax.acos,
    "sinh": lax.sinh,
    "cosh": lax.cosh,
    "arcsinh": lax.asinh,
    "arccosh": lax.acosh,
    "arctanh": lax.atanh,
    "arctan2": lax.atan2,
    "hypot": jnp.hypot,
    "logaddexp": jnp.logaddexp,
    "logaddexp2": jnp.logaddexp2,
    "heaviside": jnp.heaviside,
    "nextafter": lax.nextafter,
    "spacing": lambda x: jnp.spacing(x),
    "ldexp": jnp.ldexp,
    "modf": jnp.modf,
    "frexp": jnp.frexp,
    "gcd": jnp.gcd,
    "lcm": jnp.lcm,
    "left_shift": _shift_left,
    "right_shift": _shift_right,
}
BOOLEAN = {  # NumPy's loops on booleans
    "add": lax.bitwise_or,
    "multiply": lax.bitwise_and,
    "maximum": lax.bitwise_or,
    "minimum": lax.bitwise_and,
    "fmax": lax.bitwise_or,
    "fmin": lax.bitwise_and,
    "absolute": lambda x: x,
    "isnan": lambda x: _full(x, False),
    "isinf": lambda x: _full(x, False),
    "isfinite": lambda x: _full(x, True),
}


def matmul(x, y):
    """Matrix product at full precision on every device."""
    return jnp.matmul(x, y, precision=lax.Precision.HIGHEST)


GENERAL = {"matmul": matmul, "vecdot": jnp.vecdot, "matvec": jnp.matvec, "vecmat": jnp.vecmat}


def emitter(name, kind):
    """(function, safe) for a NumPy ufunc name and the kind of its first loop type, or None."""
    if kind == "b" and name in BOOLEAN:
        return BOOLEAN[name], True
    if name in SAFE:
        return SAFE[name], True
    if name in PARTIAL:
        return PARTIAL[name], False
    return None
