"""Norms of vectors and matrices."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from sci.bridge import Call, Example, HostRoute, Reason, implements

__all__ = ["norm"]

_MATRIX_ORDERS = (None, "fro", "f", "nuc", 1, -1, 2, -2, np.inf, -np.inf)


def _prepare(call: Call) -> None:
    axis = call["axis"]
    if axis is not None and not isinstance(axis, tuple):
        try:
            axis = int(axis)
        except Exception as error:
            raise TypeError(f"'axis' must be None, an integer or a tuple of integers, got {axis!r}") from error
        call["axis"] = (axis,)
    call["keepdims"] = bool(call["keepdims"])


def _validate(call: Call) -> None:
    shape, order, axis = np.shape(call["a"]), call["ord"], call["axis"]
    ndim = len(shape)
    if axis is None:
        if order is None or (order in ("f", "fro") and ndim == 2) or (order == 2 and ndim == 1):
            return
        axis = tuple(range(ndim))
    axis = tuple(np.lib.array_utils.normalize_axis_index(int(k), ndim) for k in axis)
    if len(axis) == 1:
        if isinstance(order, str):
            raise ValueError(f"Invalid norm order '{order}' for vectors")
        empty = shape[axis[0]] == 0 and order in (np.inf, -np.inf)
    elif len(axis) == 2:
        if axis[0] == axis[1]:
            raise ValueError(f"Duplicate axes given: {call['axis']}")
        if order not in _MATRIX_ORDERS:
            raise ValueError(f"Invalid norm order {order!r} for matrices; allowed are {_MATRIX_ORDERS}")
        empty = shape[axis[0]] * shape[axis[1]] == 0 and order not in (None, "fro", "f")
    else:
        raise ValueError(f"Improper number of dimensions to norm: axis is {call['axis']}, the array has {ndim}")
    if empty:  # NumPy's own errors and limits for norms that are a maximum over nothing
        raise HostRoute(Reason.SHAPE, "a norm over an empty axis")


def _supports(call: Call) -> Any:
    # the shape decides, which is known before conversion too
    if not hasattr(call["a"], "shape"):
        call["a"] = np.asarray(call["a"]) if call.numpy else jnp.asarray(call["a"])
    if np.dtype(call["a"].dtype).kind not in "OSU":
        _validate(call)
    return None


def _two_norm(a: jax.Array, axes: tuple[int, ...]) -> jax.Array:
    """Root of the sum of squares, scaled so that squares neither overflow nor vanish; derivative 0 at 0."""
    top = lax.stop_gradient(jnp.abs(a).max(axis=axes, keepdims=True))
    usable = (top > 0) & jnp.isfinite(top)
    scaled = a / jnp.where(usable, top, 1)
    square = (scaled.real**2 + scaled.imag**2 if jnp.iscomplexobj(a) else scaled**2).sum(axis=axes, keepdims=True)
    zero = square == 0
    root = jnp.where(zero, 0, jnp.sqrt(jnp.where(zero, 1, square)))
    return jnp.squeeze(root * jnp.where(usable, top, 1), axes)


def _vector(a: jax.Array, order: Any, axis: int) -> jax.Array:
    if order is None or order == 2:
        return _two_norm(a, (axis,))
    return jnp.linalg.norm(a, ord=order, axis=axis)


@implements(
    "scipy.linalg.norm",
    static=("ord", "axis", "keepdims"),
    finite=("a",),
    prepare=_prepare,
    supports=_supports,
    note="norms over an empty axis.",
    examples=lambda: [
        Example(([[1.0, 2.0], [3.0, 4.0]],), grad=("a",), vmap=("a",)),
        Example(([[1.0, 2.0, 0.5], [3.0, 4.0, 1.0]],), {"ord": 2}, grad=("a",), vmap=("a",)),
        Example(([[1.0, 2.0, 0.5], [3.0, 4.0, 1.0]],), {"ord": 1, "axis": 0}, grad=("a",)),
    ],
)
def norm(a: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    """Norm of a vector, a matrix, or of those along some axes.

    Parameters
    ----------
    a : array_like
        Any shape for ``ord=None`` (all entries as one vector), one or two dimensions otherwise unless `axis` is given.
    ord : {None, 'fro', 'nuc', inf, -inf, int, float}
        Which norm, as in NumPy.
    axis : int or tuple of two int, optional
        The axes of the vectors or matrices.
    keepdims : bool
        Keep the reduced axes with length one.

    Returns
    -------
    float or array
        Differentiable; the Euclidean norm has derivative 0 at 0.

    Raises
    ------
    ValueError
        For an unknown order, or a wrong number of axes.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., sections 2.2 and 2.3.

    Examples
    --------
    >>> from sci import linalg
    >>> float(linalg.norm([3.0, 4.0]))
    5.0
    """
    a = jnp.asarray(a)
    if a.size == 0:
        return jnp.linalg.norm(a, ord=ord, axis=axis, keepdims=keepdims)
    whole = axis is None and (ord is None or (ord in ("f", "fro") and a.ndim == 2) or (ord == 2 and a.ndim == 1))
    axes = tuple(range(a.ndim)) if axis is None else axis
    if whole or (len(axes) == 2 and ord in (None, "fro", "f")):
        result = _two_norm(a, axes)
    elif len(axes) == 1:
        result = _vector(a, ord, axes[0])
    else:
        result = jnp.linalg.norm(a, ord=ord, axis=axes)
    return jnp.expand_dims(result, axes) if keepdims else result
