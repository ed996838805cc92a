"""QR factorisation."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from sci.bridge import Call, Example, implements
from sci.linalg._shared import adjoint, lapack_dtypes

__all__ = ["qr"]

_MODES = ("full", "qr", "r", "economic", "raw")


def _prepare(call: Call) -> None:
    lapack_dtypes(call, "a")
    if call["mode"] not in _MODES:
        raise ValueError(f"Mode argument should be one of {list(_MODES)}, got {call['mode']!r}")
    if call["mode"] == "qr":
        call["mode"] = "full"
    call["pivoting"] = bool(call["pivoting"])


def _validate(call: Call) -> None:
    if np.ndim(call["a"]) < 2:
        raise ValueError(f"expected a 2-D array, argument 'a' has shape {np.shape(call['a'])}")
    lwork, columns = call["lwork"], np.shape(call["a"])[-1]
    if isinstance(lwork, int) and lwork != -1 and lwork < max(1, columns):  # newer SciPy has a sentinel default
        raise ValueError(f"illegal value lwork={lwork} of qr; allowed are None, -1 and at least {max(1, columns)}")


def _economic(a: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Thin factors; a wide matrix is factored by its leading square, which is differentiable."""
    m, n = a.shape[-2:]
    if m >= n:
        return lax.linalg.qr(a, full_matrices=False)
    q, r = lax.linalg.qr(a[..., :m], full_matrices=False)
    return q, jnp.concatenate([r, adjoint(q) @ a[..., m:]], axis=-1)


def _complement(q: jax.Array, a: jax.Array) -> jax.Array:
    """The columns that complete `q` to a basis.

    Only the space they span is determined by `a`. Their derivative is the one without rotation
    inside that space: ``dQ2 = -Q1 dQ1^H Q2``.
    """
    full, _ = lax.linalg.qr(lax.stop_gradient(a), full_matrices=True)
    rest = full[..., q.shape[-1] :]
    return rest - q @ (adjoint(q) @ rest)


@implements(
    "scipy.linalg.qr",
    static=("mode", "pivoting"),
    ignored=("overwrite_a", "lwork"),
    finite=("a",),
    prepare=_prepare,
    validate=_validate,
    examples=lambda: [
        Example(([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]],), {"mode": "economic"}, grad=("a",), vmap=("a",)),
        Example(([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]],), grad=("a",), vmap=("a",)),
        Example(([[1.0, 2.0, 3.0], [3.0, 4.0, 4.5]],), {"mode": "r", "pivoting": True}, vmap=("a",)),
        Example(([[1.0, 2.0, 3.0], [3.0, 4.0, 4.5]],), grad=("a",)),
        Example(
            ([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]],), {"mode": "raw", "pivoting": True}, skip_odd=("one axis more",)
        ),
    ],
)
def qr(a: Any, mode: str, pivoting: bool) -> Any:
    """QR factorisation ``a = Q @ R``, or ``a[:, P] = Q @ R`` with column pivoting.

    Parameters
    ----------
    a : array_like, shape (..., m, n)
        Matrices.
    mode : {'full', 'r', 'economic', 'raw'}
        What is returned, as in SciPy.
    pivoting : bool
        Pivot columns by their norm.
    overwrite_a, lwork
        Without effect.

    Returns
    -------
    tuple of arrays
        ``(Q, R)``, ``(R,)`` or ``((qr, tau), R)`` (raw: LAPACK's reflectors), with the permutation (int32)
        last where pivoted. Differentiable, but for raw, where the leading columns are independent (at
        fixed pivots).

    Raises
    ------
    ValueError
        For an unknown mode or less than two dimensions.

    References
    ----------
    LAPACK's geqrf, geqp3 and orgqr.

    Examples
    --------
    >>> from sci import linalg
    >>> r, = linalg.qr([[3.0, 0.0], [4.0, 5.0]], mode="r")
    >>> r
    array([[-5., -4.],
           [ 0.,  3.]])
    """
    m, n = a.shape[-2:]
    k = min(m, n)
    if a.size == 0:
        return _empty(a, mode, pivoting)
    pivots: tuple[jax.Array, ...] = ()
    if pivoting:
        _, _, order = lax.linalg.qr(lax.stop_gradient(a), pivoting=True, full_matrices=False)
        pivots = (order.astype(jnp.int32),)
        a = jnp.take_along_axis(a, order[..., None, :], axis=-1)
    if mode == "raw":
        packed, tau = jnp.linalg.qr(a, mode="raw")
        packed = jnp.swapaxes(packed, -1, -2)
        return ((packed, tau), jnp.triu(packed[..., :k, :]), *pivots)
    q, r = _economic(a)
    if mode == "economic":
        return (q, r, *pivots)
    if m > k:
        r = jnp.concatenate([r, jnp.zeros((*r.shape[:-2], m - k, n), r.dtype)], axis=-2)
    if mode == "r":
        return (r, *pivots)
    if m > k:
        q = jnp.concatenate([q, _complement(q, a)], axis=-1)
    return (q, r, *pivots)


def _empty(a: jax.Array, mode: str, pivoting: bool) -> tuple[Any, ...]:
    m, n = a.shape[-2:]
    k = min(m, n)
    rows = k if mode in ("economic", "raw") else m
    r = jnp.zeros((*a.shape[:-2], rows, n), a.dtype)
    tail = (r, jnp.arange(n, dtype=jnp.int32)) if pivoting else (r,)
    if mode == "raw":
        return ((a, jnp.zeros((*a.shape[:-2], k), a.dtype)), *tail)
    q = jnp.broadcast_to(jnp.eye(m, rows, dtype=a.dtype), (*a.shape[:-2], m, rows))
    return tail if mode == "r" else (q, *tail)
