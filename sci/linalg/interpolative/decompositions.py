"""Interpolative and singular value decompositions by chosen columns."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, implements
from sci.linalg.interpolative._arguments import (
    ODD,
    OVERSAMPLING,
    apply,
    draw,
    matrix,
    precision,
    sketch,
    sketch_sizes,
)
from solvers.linear.interpolative import columns_to_svd, interpolation, projected_svd

__all__ = ["interp_decomp", "svd"]


def _prepare(call: Call) -> None:
    dtype, shape, linear = matrix(call)
    precision(call, shape)
    call["columns"], call["rows"] = np.zeros(shape[1], dtype), np.zeros(shape[0], dtype)
    rank = call["rank"]
    random = linear or bool(call["rand"])
    if not random:
        sizes = []
    elif rank is not None:
        sizes = [min(shape[0], rank + OVERSAMPLING)]
    else:  # unknown: growing, where the host may look at what is found
        sizes = sketch_sizes(shape) if call.numpy else sketch_sizes(shape)[-1:]
    # a sketch of nearly all rows saves nothing
    if not linear:
        sizes = [size for size in sizes if 2 * size <= shape[0]]
    call["sizes"], call["dense"] = sizes, not linear
    call["normal"] = draw(call, (shape[0], sizes[-1]), dtype) if sizes else None
    call["omega"] = call["normal"][:, : sizes[0]] if sizes else None


def _drive(call: Call, run: Any) -> Any:
    """The least sketch that knows the rank; all of an array after the last one."""
    sizes = call["sizes"]
    if call["rank"] is not None or not sizes:
        return _exact(call, run())
    for size in sizes:
        out = run(omega=call["normal"][:, :size])
        if out[0] + OVERSAMPLING <= size or (size == sizes[-1] and not call["dense"]):
            return _exact(call, out)
    return _exact(call, run(omega=None))


def _exact(call: Call, out: Any) -> Any:
    count, *out = out
    k = int(count)
    if "order" in call:  # svd
        u, s, v = out
        return u[:, :k], s[:k], v[:, :k]
    order, t = out
    order, proj = order.astype(np.int64), np.ascontiguousarray(t[:k, k:])
    return (order, proj) if call["rank"] is not None else (k, order, proj)


def _exact_jax(call: Call, out: Any) -> Any:
    count, *out = out
    if "order" in call:
        return tuple(out)
    order, t = out
    proj = t[:, t.shape[0] :]
    return (order, proj) if call["rank"] is not None else (count, order, proj)


def _columns(op: Any, matvec: Any, columns: Any, order: Any) -> Any:
    """Some columns of an operator, by its products with unit vectors."""
    if matvec is None and not hasattr(op, "apply"):
        return op[:, order]
    units = jnp.zeros((columns.shape[0], order.shape[0]), columns.dtype)
    units = units.at[order, np.arange(order.shape[0])].set(1)
    return jax.vmap(lambda x: apply(op, matvec, x), in_axes=1, out_axes=1)(units)


_FACTS: dict[str, Any] = {
    "static": ("rank",),
    "callables": {"matvec": lambda call: (call["columns"],), "rmatvec": lambda call: (call["rows"],)},
    "trees": ("A",),
    "dtypes": {"A": "keep"},
    "extras": {"key": None},
    "drive": _drive,
    "finish_jax": _exact_jax,
    "note": "LinearOperator subclasses, and operators without an adjoint.",
}


def _example() -> np.ndarray:
    return np.array([[4.0, 1.0, 0.5, 0.2], [1.0, 3.0, 0.3, 0.1], [0.5, 0.2, 0.1, 2.0]])


@implements(
    "scipy.linalg.interpolative.interp_decomp",
    prepare=_prepare,
    **_FACTS,
    examples=lambda: [
        Example((_example(), 2), {"rand": False}, output=lambda r: r[1], grad=("A",), vmap=("A",), skip_odd=ODD),
        Example((_example(), 0.3), {"rand": False}, jit=False, skip_odd=ODD),
    ],
)
def interp_decomp(A: Any, matvec: Any, rmatvec: Any, omega: Any, eps: Any, rank: int | None) -> Any:
    """A matrix by k of its columns: ``A[:, idx[:k]] @ proj`` is ``A[:, idx[k:]]`` approximately.

    Parameters
    ----------
    A : array or LinearOperator with its adjoint, shape (m, n)
        Of float64 or complex128 in the NumPy world.
    eps_or_k : float or int
        The relative precision below 1, the number of columns from 1 on.
    rand : bool
        Choose the columns of a random sketch rather than of the array; an operator is always sketched.
    rng : Generator or seed, optional
        For the sketch, whose numbers are not SciPy's.
    key : JAX random key, optional
        Ours; decides instead of `rng`.

    Returns
    -------
    k : int
        If a precision is given.
    idx : int array, shape (n,)
        A permutation, the chosen columns first.
    proj : array, shape (k, n - k)
        Differentiable at fixed columns. In the JAX world, for a given precision, of shape (r, n - r) with r the least
        of m, n (and of the rows of the sketch); its rows from k on are zero, so that it is a decomposition with r
        columns.

    Raises
    ------
    ValueError
        For other types, shapes, ranks over the least side, and negative precisions.
    TypeError
        If `A` is no array or operator.

    References
    ----------
    H. Cheng, Z. Gimbutas, P. G. Martinsson, V. Rokhlin, "On the compression of low rank matrices", SIAM J. Sci. Comput.
    26 (2005) 1389-1404. Sketches are Gaussian: N. Halko, P. G. Martinsson, J. A. Tropp, "Finding structure with
    randomness", SIAM Review 53 (2011) 217-288.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.linalg import interpolative
    >>> idx, proj = interpolative.interp_decomp(np.array([[1.0, 2.0], [2.0, 4.0]]), 1, rand=False)
    >>> idx, proj.round(12)
    (array([1, 0]), array([[0.5]]))
    """
    sample = A if omega is None else sketch(A, rmatvec, omega)
    order, count, t = interpolation(sample, eps, rank)
    return count, order, t


def _prepare_svd(call: Call) -> None:
    _prepare(call)
    call["order"] = True


def _same_product(result: Any, original: Any) -> None:
    (u, s, v), (u0, s0, v0) = result, original
    np.testing.assert_allclose(s, s0, rtol=1e-10)
    np.testing.assert_allclose((u * s) @ v.conj().T, (u0 * s0) @ v0.conj().T, atol=1e-11)
    assert u.shape == u0.shape and v.shape == v0.shape


@implements(
    "scipy.linalg.interpolative.svd",
    prepare=_prepare_svd,
    **_FACTS,
    examples=lambda: [
        Example((_example(), 2), {"rand": False}, check=_same_product, vmap=("A",), skip_odd=ODD),
    ],
)
def svd(A: Any, matvec: Any, rmatvec: Any, omega: Any, eps: Any, rank: int | None, columns: Any) -> Any:
    """A singular value decomposition of low rank, by chosen columns.

    Parameters
    ----------
    A, eps_or_k, rand, rng, key
        As for `interp_decomp`.

    Returns
    -------
    U, S, V : array, shapes (m, k), (k,) and (n, k)
        ``U * S @ V^H`` is A approximately; signs are arbitrary. In the JAX world, for a given precision, k is the least
        of m, n (and of the rows of the sketch), with zeros in S. Differentiable for a given rank where the singular
        values are distinct.

    Raises
    ------
    ValueError, TypeError
        As `interp_decomp`.

    References
    ----------
    See `interp_decomp`; an array is projected on the space of the chosen columns.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.linalg import interpolative
    >>> u, s, v = interpolative.svd(np.array([[3.0, 0.0], [4.0, 0.0]]), 1, rand=False)
    >>> s
    array([5.])
    """
    sample = A if omega is None else sketch(A, rmatvec, omega)
    order, count, t = interpolation(sample, eps, rank)
    k = t.shape[0]
    if matvec is None and not hasattr(A, "apply"):
        return count, *projected_svd(A, order, count, k)
    chosen = jnp.where(np.arange(k) < count, _columns(A, matvec, columns, order[:k]), 0)
    return count, *columns_to_svd(chosen, jnp.zeros_like(t).at[:, order].set(t))
