"""Cosine-sine decomposition of unitary matrices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.linalg import LinAlgError, LinAlgWarning

from sci.bridge import Call, Example, implements, warn_user
from sci.linalg._batch import core_shapes, over_batch, promoted
from solvers.linear.cosine_sine import cosine_sine

__all__ = ["cossin"]

_BLOCKS = ("x11", "x12", "x21", "x22")
#: A larger distance of ``X^H X`` to the identity is no rounding error, of single precision either.
_UNITARY = 1e-4


def _blocks(call: Call) -> Iterable[Any]:
    x, p, q = call["X"], call["p"], call["q"]
    convert = np.asarray if call.numpy else jnp.asarray
    if not (p or q):
        if not isinstance(x, Iterable):
            raise ValueError(f"When p and q are None, X must be an Iterable containing the subblocks of X, got {x!r}")
        blocks = [convert(b) for b in x]
        if len(blocks) != 4:
            raise ValueError(f"When p and q are None, exactly four arrays should be in X, got {len(blocks)}")
        return [b.reshape((1,) * (2 - b.ndim) + b.shape) for b in blocks]
    p, q = 1 if p is None else int(p), 1 if q is None else int(q)
    x = convert(x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"Cosine Sine decomposition only supports square matrices, got {x.shape[-2:]}")
    m = x.shape[-1]
    for name, value in (("p", p), ("q", q)):
        if not 0 < value < m:
            raise ValueError(f"invalid {name}={value}, 0<{name}<{m} must hold")
    if call.numpy and x.dtype.kind in "fc" and not np.isfinite(x).all():
        raise ValueError("array must not contain infs or NaNs: argument 'X' of scipy.linalg.cossin")
    return x[..., :p, :q], x[..., :p, q:], x[..., p:, :q], x[..., p:, q:]


def _prepare(call: Call) -> None:
    call.update(zip(_BLOCKS, _blocks(call), strict=True))
    for name in ("separate", "swap_sign", "compute_u", "compute_vh"):
        call[name] = bool(call[name])


def _validate(call: Call) -> None:
    shapes: list[Any] = core_shapes(call, x11=2, x12=2, x21=2, x22=2)
    for name, shape in zip(_BLOCKS, shapes, strict=True):
        if 0 in shape:
            raise ValueError(f"{name} can't be empty, it has shape {shape}")
    (p, q), x12, x21, (rest, other) = shapes
    if x12 != (p, other):
        raise ValueError(f"Invalid x12 dimensions: desired {(p, other)}, got {x12}")
    if x21 != (rest, q):
        raise ValueError(f"Invalid x21 dimensions: desired {(rest, q)}, got {x21}")
    if p + rest != q + other:
        raise ValueError(
            f"The subblocks have compatible sizes but don't form a square array (instead they form a {p + rest}x"
            f"{q + other} array). This might be due to missing p, q arguments."
        )


def _finish(call: Call, out: Any) -> Any:
    *out, distance = out
    if np.isnan(distance).any():
        raise LinAlgError("the cosine-sine decomposition did not converge: X has entries that are not finite")
    if np.max(distance) > _UNITARY:
        warn_user(f"cossin: X is not unitary, X^H X is {np.max(distance):.2g} from the identity", LinAlgWarning)
    return tuple(out)


@implements(
    "scipy.linalg.cossin",
    static=("separate", "swap_sign", "compute_u", "compute_vh"),
    prepare=_prepare,
    validate=_validate,
    finish=_finish,
    finish_jax=lambda call, out: out[:3],
    grad=False,
    examples=lambda: [
        Example(([[0.6, 0.0, 0.8], [0.64, 0.6, -0.48], [-0.48, 0.8, 0.36]], 1, 2), output=lambda r: r[1], vmap=("X",),
                skip_odd=("object",)),
        Example(([[0.6j, 0.0, 0.8j], [0.64, 0.6, -0.48], [-0.48, 0.8, 0.36]], 2, 1),
                {"separate": True, "swap_sign": True, "compute_vh": False}, output=lambda r: r[1]),
    ],
)  # fmt: skip
def cossin(
    x11: Any, x12: Any, x21: Any, x22: Any, separate: bool, swap_sign: bool, compute_u: bool, compute_vh: bool
) -> Any:
    """Cosine-sine decomposition of a unitary matrix, ``X = u @ cs @ vh`` with block diagonal u and vh.

    Parameters
    ----------
    X : array_like, shape (..., m, m), or four blocks
        Unitary matrices; or ``X11, X12, X21, X22``, without `p` and `q`.
    p, q : int
        Rows and columns of X11, between 1 and m - 1.
    separate : bool
        Return ``(u1, u2), theta, (v1h, v2h)`` rather than the matrices (of a stack too).
    swap_sign : bool
        The negative sines are in the lower left rather than in the upper right.
    compute_u, compute_vh : bool
        Whether these are wanted; empty arrays else.

    Returns
    -------
    u : array, shape (..., m, m)
        Its blocks have shapes (p, p) and (m - p, m - p).
    cs : array, shape (..., m, m)
        Cosines and sines of the angles `theta` of shape (..., r), which ascend; r is the least of p, q, m - p, m - q.
    vh : array, shape (..., m, m)
        Its blocks have shapes (q, q) and (m - q, m - q). u and vh are unique up to phases only (and up to rotations
        where angles agree). Not differentiable.

    Raises
    ------
    ValueError
        For shapes that are no partition of a square matrix.
    LinAlgError
        For blocks that are not finite (NumPy world; NaN in the JAX world).

    Warns
    -----
    LinAlgWarning
        If X is not unitary, where the decomposition does not exist (NumPy world).

    References
    ----------
    E. S. Gawlik, Y. Nakatsukasa, B. D. Sutton, "A backward stable algorithm for computing the CS decomposition via the
    polar decomposition", SIAM J. Matrix Anal. Appl. 39 (2018) 1448-1469.

    Examples
    --------
    >>> from sci import linalg
    >>> u, cs, vh = linalg.cossin([[0.6, -0.8], [0.8, 0.6]], p=1, q=1)
    >>> cs
    array([[ 0.6, -0.8],
           [ 0.8,  0.6]])
    """
    x11, x12, x21, x22 = promoted(x11, x12, x21, x22)

    def core(x11: Any, x12: Any, x21: Any, x22: Any) -> Any:
        whole = jnp.concatenate([jnp.concatenate([x11, x12], axis=1), jnp.concatenate([x21, x22], axis=1)])
        distance = jnp.abs(whole.conj().T @ whole - jnp.eye(whole.shape[0], dtype=whole.dtype)).max()
        u1, u2, theta, v1h, v2h = cosine_sine(x11, x12, x21, x22, swap_sign, compute_vh)
        none = jnp.zeros((0, 0), x11.dtype)
        us = (u1, u2) if compute_u else (none, none)
        vs = (v1h, v2h) if compute_vh else (none, none)
        if separate:
            return us, theta, vs, distance
        cs = _middle(theta, x11.shape, x22.shape, swap_sign)
        return _diagonal(*us), cs, _diagonal(*vs), distance

    out: Any = over_batch(core, (x11, x12, x21, x22), (2, 2, 2, 2))
    return out


def _diagonal(a: Any, b: Any) -> Any:
    (m, _), (n, _) = a.shape, b.shape
    return lax.dynamic_update_slice(jnp.pad(a, (0, n)), b, (m, m)) if m + n else a


def _middle(theta: Any, first: tuple[int, int], last: tuple[int, int], swap_sign: bool) -> Any:
    """The matrix of cosines and sines: of each block, where they stand and what is one."""
    (p, q), (rest, other) = first, last
    r = theta.shape[0]
    ones, below = min(p, q) - r, min(rest, other) - r
    by_sine, by_minus = min(rest, q) - r, min(p, other) - r
    sign = -1 if swap_sign else 1
    cs = jnp.zeros((p + rest, q + other), theta.dtype)

    def put(cs: Any, row: int, column: int, values: Any, count: int) -> Any:
        k = np.arange(count)
        return cs.at[row + k, column + k].set(values)

    for row, column, values, count in (
        (0, 0, 1, ones),
        (ones, ones, jnp.cos(theta), r),
        (ones, q + below, -sign * jnp.sin(theta), r),
        (ones + r, q + below + r, -sign, by_minus),
        (p, q, 1, below),
        (p + below, ones, sign * jnp.sin(theta), r),
        (p + below, q + below, jnp.cos(theta), r),
        (p + below + r, ones + r, sign, by_sine),
    ):
        cs = put(cs, row, column, values, count)
    return cs
