"""The two worlds: which one a call belongs to, and how values cross between them.

NumPy world: everything becomes a NumPy array of a dtype that JAX has, in double precision.
JAX world: values are left alone but for integers, which become floats where SciPy would do so.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np

from sci.bridge.reasons import HostRoute, Reason

__all__ = [
    "all_finite", "double_precision", "is_jax", "is_traced", "to_host", "to_jax_world", "to_numpy_world", "unchanged",
    "writable",
]  # fmt: skip

_PLAIN = (np.ndarray, float, int, str, bool, type(None), complex, np.generic, slice, type)
_SCALARS = (float, int, bool, complex)

#: Types that need no closer look; a set of exact types is the quickest test there is.
PLAIN_TYPES = frozenset({np.ndarray, float, int, bool, str, complex, type(None), np.float64, type, np.dtype})

#: A result of at least this many bytes is handed out without a copy.
_ZERO_COPY_BYTES = 1 << 18


def double_precision() -> Any:
    """The scope in which NumPy-world calls run: float64, for this thread and block only."""
    return jax.enable_x64(True)


def is_jax(value: Any) -> bool:
    """Whether a value is, or (in lists, tuples and dictionaries) contains, a JAX array or tracer."""
    if type(value) in PLAIN_TYPES or isinstance(value, _PLAIN):
        return False
    if isinstance(value, jax.Array):
        return True
    if isinstance(value, (list, tuple)):
        return any(map(is_jax, value))
    if isinstance(value, dict):
        return any(map(is_jax, value.values()))
    return False


def is_traced(value: Any) -> bool:
    """Whether a value is, or contains, a tracer (a JAX value without a number)."""
    if isinstance(value, _PLAIN):
        return False
    if isinstance(value, jax.core.Tracer):
        return True
    if isinstance(value, (list, tuple)):
        return any(map(is_traced, value))
    if isinstance(value, dict):
        return any(map(is_traced, value.values()))
    return False


# --- dtype rules -----------------------------------------------------------------------------

RULES = ("inexact", "float", "keep")


def _rule_table(rule: str) -> dict[np.dtype, np.dtype]:
    """Input dtype -> dtype used, for all native dtypes that a rule accepts."""
    f8, f4 = np.dtype(np.float64), np.dtype(np.float32)
    same = {np.dtype(t): np.dtype(t) for t in "fd"}
    if rule != "float":
        same |= {np.dtype(t): np.dtype(t) for t in "FD"}
    integers = [np.dtype(t) for t in "?bBhHiIlLqQ"]
    if rule == "keep":
        return same | {t: t for t in integers} | {np.dtype(np.float16): np.dtype(np.float16)}
    return same | dict.fromkeys(integers, f8) | {np.dtype(np.float16): f4}


_TABLES = {rule: _rule_table(rule) for rule in RULES}


def unchanged(rule: str) -> frozenset[np.dtype]:
    """The dtypes of the NumPy world that a rule leaves alone."""
    return frozenset(dtype for dtype, wanted in _TABLES[rule].items() if dtype == wanted)


def _refuse(name: str, array: np.ndarray) -> HostRoute:
    dtype = array.dtype
    if dtype.kind == "O":
        return HostRoute(Reason.OBJECT, f"argument {name!r}")
    if dtype in (np.dtype(np.longdouble), np.dtype(np.clongdouble)):
        return HostRoute(Reason.LONGDOUBLE, f"argument {name!r} is {dtype}")
    return HostRoute(Reason.DTYPE, f"argument {name!r} is {dtype}")


def to_numpy_world(name: str, value: Any, rule: str) -> Any:
    """One dynamic argument as a NumPy array of a dtype that JAX has.

    Python scalars stay Python scalars (they are weakly typed, in NumPy as in JAX); integers
    follow the rule.

    Raises
    ------
    HostRoute
        For values that JAX cannot represent: the original deals with them, or raises.
    """
    table = _TABLES[rule]
    if type(value) is not np.ndarray:
        if value is None or type(value) is float:
            return value
        if isinstance(value, _SCALARS):
            return value if rule == "keep" or isinstance(value, complex) else float(value)
        if isinstance(value, np.ma.MaskedArray):
            raise HostRoute(Reason.MASKED, f"argument {name!r}")
        module = type(value).__module__
        if module.startswith(("scipy.sparse", "jax.experimental.sparse")):
            raise HostRoute(Reason.SPARSE, f"argument {name!r}")
        try:
            value = np.asarray(value)
        except (ValueError, TypeError) as error:  # ragged lists: the original words it
            raise HostRoute(Reason.DTYPE, f"argument {name!r}: {error}") from None
    dtype = value.dtype
    wanted = table.get(dtype)
    if wanted is None:
        native = dtype.newbyteorder("=")
        wanted = table.get(native)
        if wanted is None or dtype.kind in "OmM":
            raise _refuse(name, value)
    return value if wanted is dtype else value.astype(wanted, copy=False)


def to_jax_world(name: str, value: Any, rule: str) -> Any:
    """One dynamic argument in the JAX world: lists become arrays, integers follow the rule."""
    import jax.numpy as jnp

    if value is None or isinstance(value, (float, complex)):
        return value
    if isinstance(value, (int, bool)):
        return value if rule == "keep" else float(value)
    if not isinstance(value, (jax.Array, np.ndarray)):
        if isinstance(value, np.ma.MaskedArray) or type(value).__module__.startswith("scipy.sparse"):
            raise HostRoute(Reason.SPARSE if "sparse" in type(value).__module__ else Reason.MASKED, name)
        value = jnp.asarray(value)
    if isinstance(value, np.ndarray):
        value = to_numpy_world(name, value, rule)
        # without double precision: left as float64, it would contradict the program that it is given to
        value = value.astype(jax.dtypes.canonicalize_dtype(value.dtype), copy=False)
    if rule != "keep" and not jnp.issubdtype(value.dtype, jnp.inexact):
        value = value.astype(jnp.result_type(float))
    return value


def to_host(value: Any) -> Any:
    """Concrete JAX arrays inside a value as NumPy arrays, for a call on the original library."""
    if isinstance(value, jax.Array):
        return np.asarray(value)
    if isinstance(value, (list, tuple)):
        items = [to_host(v) for v in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if type(value) is dict:
        return {k: to_host(v) for k, v in value.items()}
    return value


#: Up to this size one product is quicker than two passes.
_SMALL = 4096


def all_finite(value: Any) -> bool:
    """Whether an array of the NumPy world, or a number, holds neither infinities nor NaN."""
    if type(value) is np.ndarray and value.size <= _SMALL and math.isfinite(np.vdot(value, value).real):
        return True  # not so where the sum overflows: a closer look then
    return bool(np.isfinite(value).all())


# --- results ---------------------------------------------------------------------------------


class _Buffer:
    """Presents a JAX array's memory as a writable NumPy array, and keeps it alive."""

    __slots__ = ("__array_interface__", "_owner")

    def __init__(self, array: jax.Array, pointer: int) -> None:
        self._owner = array
        self.__array_interface__ = {
            "version": 3,
            "shape": array.shape,
            "typestr": array.dtype.str,
            "data": (pointer, False),
        }


def writable(out: list[jax.Array], inputs: list[Any]) -> list[Any]:
    """Results of a compiled NumPy-world call as writable NumPy arrays (0-d ones as scalars).

    Small results are copied. A large one is handed out as it lies, without a copy, unless its
    memory is also that of an argument or of another result (a compiled function may forward an
    argument's buffer).
    """
    results: list[Any] = []
    taken: list[tuple[int, int]] | None = None
    for array in out:
        if not isinstance(array, jax.Array):
            results.append(array)
            continue
        view = np.asarray(array)  # waits, and is read-only; the attributes of JAX's own arrays are slow
        if view.nbytes < _ZERO_COPY_BYTES or view.dtype.kind not in "biufc":
            results.append(view.copy() if view.ndim else view[()])
            continue
        try:
            pointer = array.unsafe_buffer_pointer()
            on_cpu = next(iter(array.devices())).platform == "cpu"
        except Exception:  # several devices, or a backend without pointers
            results.append(view.copy())
            continue
        if taken is None:
            taken = [_extent(x) for x in inputs if isinstance(x, np.ndarray)]
        end = pointer + view.nbytes
        if not on_cpu or any(start < end and pointer < stop for start, stop in taken):
            results.append(view.copy())
            continue
        taken.append((pointer, end))
        results.append(np.asarray(_Buffer(array, pointer)))
    return results


def _extent(array: np.ndarray) -> tuple[int, int]:
    return np.lib.array_utils.byte_bounds(array)
