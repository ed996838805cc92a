"""RQ factorisation, and products with the Q of a QR factorisation."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, implements
from sci.linalg._batch import core_shapes, over_batch, promoted
from sci.linalg._shared import adjoint, lapack_dtypes
from sci.linalg.decomp_qr import _complement, _economic, qr

__all__ = ["qr_multiply", "rq"]

_MODES = ("full", "r", "economic")


def _prepare(call: Call) -> None:
    lapack_dtypes(call, "a")
    if call["mode"] not in _MODES:
        raise ValueError(f"Mode argument should be one of {_MODES}, got {call['mode']!r}")


def _validate(call: Call) -> None:
    (core,) = core_shapes(call, a=2)
    if core is None or len(core) != 2:
        raise ValueError(f"expected matrix, argument 'a' has shape {np.shape(call['a'])}")


@implements(
    "scipy.linalg.rq",
    static=("mode",),
    ignored=("overwrite_a", "lwork"),
    finite=("a",),
    prepare=_prepare,
    validate=_validate,
    examples=lambda: [
        Example(([[1.0, 2.0, 0.5], [3.0, 4.0, 1.0]],), grad=("a",), vmap=("a",)),
        Example(([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]],), {"mode": "economic"}),
    ],
)
def rq(a: Any, mode: str) -> Any:
    """RQ factorisation ``a = R @ Q``.

    Parameters
    ----------
    a : array_like, shape (..., m, n)
        Matrices.
    mode : {'full', 'r', 'economic'}
        What is returned, as in SciPy.
    overwrite_a, lwork
        Without effect.

    Returns
    -------
    R : array, shape (..., m, n) or (..., m, k)
        Upper triangular, its diagonal ending in the last corner.
    Q : array, shape (..., n, n) or (..., k, n)
        Unless ``mode='r'``. Differentiable where the last rows are independent.

    Raises
    ------
    ValueError
        For an unknown mode, or if `a` is not a matrix.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 5.2: the QR factorisation of the reversed
    adjoint.

    Examples
    --------
    >>> from sci import linalg
    >>> r, q = linalg.rq([[0.0, -2.0], [3.0, 0.0]])
    >>> abs(r @ q)
    array([[0., 2.],
           [3., 0.]])
    """
    m, n = a.shape[-2:]
    k = min(m, n)
    if a.size == 0:
        width = k if mode == "economic" else n
        r = jnp.zeros((*a.shape[:-1], width), a.dtype)
        q = jnp.broadcast_to(jnp.eye(width, n, dtype=a.dtype), (*a.shape[:-2], width, n))
        return r if mode == "r" else (r, q)
    turned = adjoint(a[..., ::-1, ::-1])  # (n, m)
    q, r = _economic(turned)
    if mode != "economic" and n > k:
        q = jnp.concatenate([q, _complement(q, turned)], axis=-1)
        r = jnp.concatenate([r, jnp.zeros((*r.shape[:-2], n - k, m), r.dtype)], axis=-2)
    r = adjoint(r)[..., ::-1, ::-1]
    return r if mode == "r" else (r, adjoint(q)[..., ::-1, ::-1])


def _prepare_multiply(call: Call) -> None:
    if call["mode"] not in ("left", "right"):
        raise ValueError(f"Mode argument can only be 'left' or 'right' but not '{call['mode']}'")
    for name in ("pivoting", "conjugate"):
        call[name] = bool(call[name])
    call["whole"] = bool(call["overwrite_c"])


def _validate_multiply(call: Call) -> None:
    a, c = core_shapes(call, a=2, c="1|2")
    m, n = (1, *(a or (1,)))[-2:]
    c = c or (1,)
    left = call["mode"] == "left"
    have = c[0] if left or len(c) == 1 else c[1]
    want = (m if call["whole"] else min(m, n)) if left else m
    if have != want:
        raise ValueError(f"Array shapes are not compatible for Q and c, mode {call['mode']!r}: {a} vs {c}")


@implements(
    "scipy.linalg.qr_multiply",
    static=("mode", "pivoting", "conjugate", "whole"),
    ignored=("overwrite_a",),
    finite=("a", "c"),
    prepare=_prepare_multiply,
    validate=_validate_multiply,
    examples=lambda: [
        Example(
            ([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]], [[1.0, 2.0], [0.5, 1.0]]),
            {"mode": "left"},
            grad=("a", "c"),
            vmap=("a", "c"),
        ),
        Example(([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]], [1.0, 2.0, 3.0]), {"pivoting": True}, grad=("c",)),
    ],
)
def qr_multiply(a: Any, c: Any, mode: str, pivoting: bool, conjugate: bool, whole: bool) -> Any:
    """The QR factorisation's Q times a matrix, and R.

    Parameters
    ----------
    a : array_like, shape (..., m, n)
        Matrices to factor.
    c : array_like, shape (..., k, p) or (..., p, m), or a vector
        The other factor, k = min(m, n) (m with ``overwrite_c``).
    mode : {'left', 'right'}
        ``Q @ c`` or ``c @ Q``.
    pivoting, conjugate : bool
        Pivot the columns; use the conjugate of Q.

    Returns
    -------
    tuple of arrays
        The product, R (k, n), and the permutation if pivoted. Differentiable as `qr`.

    Raises
    ------
    ValueError
        For shapes that do not match, or an unknown mode.

    References
    ----------
    LAPACK's geqrf and ormqr.

    Examples
    --------
    >>> from sci import linalg
    >>> product, r = linalg.qr_multiply([[0.0, 1.0], [-1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]], mode="left")
    >>> abs(product @ r)
    array([[0., 1.],
           [1., 0.]])
    """
    a, c = promoted(jnp.atleast_2d(a), jnp.atleast_1d(c))

    def core(a: jax.Array, c: jax.Array) -> Any:
        full = whole and mode == "left"
        q, *rest = qr.__sci__.body(a, "full" if full else "economic", pivoting)  # type: ignore[attr-defined]
        rest[0] = rest[0][: min(a.shape)]
        q = q.conj() if conjugate else q
        if c.size == 0:
            return (c, *rest)
        return (q @ c if mode == "left" else c @ q, *rest)

    return over_batch(core, (a, c), (2, "1|2"))
