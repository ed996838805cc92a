"""Matrices assembled from others: block_diag, the real form of complex eigenpairs, random sketches."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import sparse

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.bridge.randomness import borrow
from sci.bridge.worlds import is_jax
from sci.linalg._batch import over_batch

__all__ = ["block_diag", "cdf2rdf", "clarkson_woodruff_transform"]


def _prepare_blocks(call: Call) -> None:
    given: Any = call["arrs"] or ([],)
    arrays = [jnp.asarray(a) if is_jax(a) else np.asarray(a) for a in given]
    if call.numpy:
        if any(a.dtype.kind not in "biufc" for a in arrays):
            raise HostRoute(Reason.DTYPE, "blocks that are no numbers")
        dtype = np.result_type(*arrays)
        arrays = [a.astype(dtype, copy=False) for a in arrays]
    arrays = [a.reshape((1,) * (2 - a.ndim) + a.shape) for a in arrays]
    np.broadcast_shapes(*[a.shape[:-2] for a in arrays])
    call["blocks"] = tuple(arrays)


@implements(
    "scipy.linalg.block_diag",
    trees=("blocks",),
    dtypes="keep",
    prepare=_prepare_blocks,
    examples=lambda: [Example(([[1.0, 2.0]], [3.0], [[4.0], [5.0]]))],
)
def block_diag(blocks: Any) -> Any:
    """A block diagonal matrix.

    Parameters
    ----------
    *arrs : array_like, shape (..., m, n), or less dimensions
        Blocks; vectors are rows. Leading axes broadcast.

    Returns
    -------
    array, shape (..., sum of m, sum of n)
        Of the blocks' common dtype. Differentiable.

    Raises
    ------
    ValueError
        If leading axes do not broadcast.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.block_diag([1, 2], 3)
    array([[1, 2, 0],
           [0, 0, 3]])
    """
    dtype = jnp.result_type(*blocks)
    batch = np.broadcast_shapes(*[b.shape[:-2] for b in blocks])
    width = sum(b.shape[-1] for b in blocks)
    rows, before = [], 0
    for block in blocks:
        m, n = block.shape[-2:]
        block = jnp.broadcast_to(block.astype(dtype), (*batch, m, n))
        pad = [(0, 0)] * (len(batch) + 1)
        rows.append(jnp.pad(block, [*pad, (before, width - before - n)]))
        before += n
    return jnp.concatenate(rows, axis=-2)


def _prepare_cdf(call: Call) -> None:
    w = call["w"] if is_jax(call["w"]) else np.asarray(call["w"])
    if call.numpy and w.dtype.kind in "biufc" and not np.isfinite(w).all():
        raise ValueError("array must not contain infs or NaNs: argument 'w'")


def _validate_cdf(call: Call) -> None:
    w, v = call["w"], call["v"]
    ws, vs = np.shape(w), np.shape(v)
    if len(ws) < 1:
        raise ValueError(f"expected w to be at least 1D, got shape {ws}")
    if len(vs) < 2:
        raise ValueError(f"expected v to be at least 2D, got shape {vs}")
    if len(vs) != len(ws) + 1:
        raise ValueError(
            f"expected eigenvectors array to have exactly one dimension more than eigenvalues array: {vs}, {ws}"
        )
    if vs[-1] != vs[-2]:
        raise ValueError(f"expected v to be a square matrix or stacked square matrices, got shape {vs}")
    if vs[-1] != ws[-1]:
        raise ValueError(f"expected the same number of eigenvalues as eigenvectors, got {ws[-1]} and {vs[-1]}")
    if vs[:-2] != ws[:-1]:
        raise ValueError(f"leading shapes of w and v differ: {ws[:-1]} and {vs[:-2]}")
    if call.numpy and ((np.imag(w) != 0).sum(axis=-1) % 2).any():
        raise ValueError("expected complex-conjugate pairs of eigenvalues")


@implements(
    "scipy.linalg.cdf2rdf",
    prepare=_prepare_cdf,
    validate=_validate_cdf,
    finite=("v",),
    examples=lambda: [
        Example(
            (
                np.array([2.0, 1.0 + 1j, 1.0 - 1j]),
                np.array([[1.0, 0.5j, -0.5j], [0.0, 1.0 + 1j, 1.0 - 1j], [0.3, 2.0, 2.0]]),
            ),
            grad=(), vmap=("v",), skip_odd=("one axis more", "1x1", "0-d", "empty"),
        ),
    ],
)  # fmt: skip
def cdf2rdf(w: Any, v: Any) -> Any:
    """The real block diagonal form of complex eigenvalues and vectors.

    Parameters
    ----------
    w : array_like, shape (..., n)
        Eigenvalues, complex ones in pairs of neighbours.
    v : array_like, shape (..., n, n)
        Eigenvectors in columns.

    Returns
    -------
    wr, vr : array, shape (..., n, n)
        Real, with ``vr @ wr @ inv(vr) = v @ diag(w) @ inv(v)``. Differentiable.

    Raises
    ------
    ValueError
        For shapes that do not match, and for complex eigenvalues without a partner (NumPy world).

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> wr, vr = linalg.cdf2rdf(np.array([1j, -1j]), np.array([[1.0, 1.0], [1j, -1j]]))
    >>> wr
    array([[ 0.,  1.],
           [-1.,  0.]])
    """

    def core(w: jax.Array, v: jax.Array) -> tuple[jax.Array, jax.Array]:
        n = w.shape[0]
        paired = w.imag != 0
        # of the complex ones every second ends a pair, as they come
        place = jnp.cumsum(paired)
        first, second = paired & (place % 2 == 1), paired & (place % 2 == 0)
        index = jnp.arange(n)
        partner = _partner(first, second, index)
        eye = jnp.eye(n, dtype=w.real.dtype)
        to = (index[None, :] == partner[:, None]) & paired[:, None]
        wr = eye * w.real + jnp.where(to, w.imag[:, None], 0)
        # the pair (x, conj x) becomes (-Im x, Re x)
        other = jnp.take(v, partner, axis=1)
        vr = jnp.where(first, 0.5j * (v - other), jnp.where(second, 0.5 * (v + other), v)).real
        return wr, vr.astype(jnp.result_type(vr, float))

    if np.shape(w)[-1] == 0:
        return jnp.zeros((*w.shape, 0)), jnp.zeros(v.shape)
    return over_batch(core, (w, v), (1, 2))


def _partner(first: Any, second: Any, index: Any) -> Any:
    """The index of the other half of each pair (halves of later pairs may lie between)."""
    number = jnp.where(first, jnp.cumsum(first), 0) + jnp.where(second, jnp.cumsum(second), 0)
    same = (number[:, None] == number[None, :]) & (first[:, None] & second[None, :] | second[:, None] & first[None, :])
    return jnp.where(number > 0, jnp.argmax(same, axis=1), index)


def _prepare_sketch(call: Call) -> None:
    a = call["input_matrix"]
    if sparse.issparse(a):
        raise HostRoute(Reason.SPARSE, "argument 'input_matrix'")
    if not is_jax(a):
        a = call["input_matrix"] = np.asarray(a)
    if a.ndim < 2:
        raise ValueError(f"argument 'input_matrix' has shape {a.shape}; allowed are at least two dimensions")
    if call.numpy:  # the signs are integers
        if a.dtype.kind not in "biufc":
            raise HostRoute(Reason.DTYPE, f"argument 'input_matrix' is {a.dtype}")
        call["input_matrix"] = a.astype(np.result_type(a.dtype, np.int64))
    size = int(call["sketch_size"])
    if size < 1:
        raise ValueError(f"argument 'sketch_size' is {call['sketch_size']!r}; allowed are integers from 1")
    call["sketch_size"] = size
    n, key = a.shape[-2], call["key"]
    if key is not None:
        rows_key, signs_key = jax.random.split(key)
        call["rows"] = jax.random.randint(rows_key, (n,), 0, size)
        call["signs"] = jax.random.rademacher(signs_key, (n,))
        return
    rng = borrow(call, call["rng"] if call["seed"] is None else call["seed"])
    if rng is not None and not isinstance(rng, (int, np.integer, np.random.Generator, np.random.RandomState)):
        rng = np.random.default_rng(rng)
    if isinstance(rng, (int, np.integer)):
        # SciPy's transition: a seed given by position, or as `seed`, still means the old generator
        old = call["seed"] is not None or len(call.args) > 2
        rng = np.random.RandomState(rng) if old else np.random.default_rng(rng)
    rng = np.random.default_rng() if rng is None else rng
    integers = rng.integers if isinstance(rng, np.random.Generator) else rng.randint
    call["rows"] = integers(0, size, n)
    call["signs"] = rng.choice([1, -1], n)


@implements(
    "scipy.linalg.clarkson_woodruff_transform",
    static=("sketch_size",),
    dtypes="keep",
    extras={"key": None},
    prepare=_prepare_sketch,
    note="sparse input.",
    examples=lambda: [
        Example((np.cos(np.arange(24.0)).reshape(8, 3), 4), {"rng": 3}, grad=("input_matrix",), vmap=("input_matrix",),
                float32=False, skip_odd=("empty", "0-d", "string", "object", "one axis more")),
    ],
)  # fmt: skip
def clarkson_woodruff_transform(input_matrix: Any, sketch_size: int, rows: Any, signs: Any) -> Any:
    """A random sketch of a matrix, which keeps norms of products with vectors with high probability.

    Parameters
    ----------
    input_matrix : array_like, shape (..., n, d)
    sketch_size : int
        Rows of the sketch.
    rng, seed
        As in SciPy: the same sketch for the same seed.
    key : JAX random key, optional
        Ours; decides instead of `rng`.

    Returns
    -------
    array, shape (..., sketch_size, d)
        Differentiable.

    Raises
    ------
    ValueError
        For less than two dimensions or an empty sketch.

    References
    ----------
    K. L. Clarkson, D. P. Woodruff, "Low rank approximation and regression in input sparsity time", STOC 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> linalg.clarkson_woodruff_transform(np.eye(5), 3, rng=0).shape
    (3, 5)
    """
    dtype = input_matrix.dtype

    def core(a: jax.Array) -> jax.Array:
        return jax.ops.segment_sum(a.astype(dtype) * signs[:, None].astype(dtype), rows, sketch_size)

    return over_batch(core, (input_matrix,), (2,))
