"""Balancing of matrices for eigenvalue problems."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, implements
from sci.linalg._batch import core_shapes, over_batch
from solvers.linear.balance import balance

__all__ = ["matrix_balance"]


def _prepare(call: Call) -> None:
    for name in ("permute", "scale", "separate"):
        call[name] = bool(call[name])


def _validate(call: Call) -> None:
    (core,) = core_shapes(call, A=2)
    core = (*(1,) * (2 - len(core)), *core) if core is not None else ()
    if core[0] != core[1]:
        shape = np.shape(call["A"])
        raise ValueError(f"The data matrix for balancing should be square; argument 'A' has shape {shape}.")
    if call.numpy and not np.isfinite(call["A"]).all():
        raise ValueError("array must not contain infs or NaNs: argument 'A' of scipy.linalg.matrix_balance")


def _finish(call: Call, out: Any) -> Any:
    """SciPy's types: the transformation is of double precision; a stack's two vectors are one array."""
    balanced, transformation = out
    if not call["separate"]:
        return balanced, transformation.astype(float, copy=False)
    scale, order = transformation
    if balanced.ndim > 2:
        return balanced, np.stack([scale, order], axis=-2).astype(float, copy=False)
    return balanced, (scale.astype(float if balanced.size else balanced.dtype, copy=False), order)


@implements(
    "scipy.linalg.matrix_balance",
    static=("permute", "scale", "separate"),
    ignored=("overwrite_a",),
    prepare=_prepare,
    validate=_validate,
    finish=_finish,
    examples=lambda: [
        Example(([[1.0, 30.0, 0.1], [0.02, 1.0, 0.3], [0.2, 4.0, 2.0]],), grad=("A",), vmap=("A",)),
        Example(([[1.0, 2e4, 3.0], [0.0, 1.0, 0.0], [5.0, 2.0, 31.0]],), {"separate": True}),
    ],
)
def matrix_balance(A: Any, permute: bool, scale: bool, separate: bool) -> Any:
    """A similar matrix ``B = T^-1 @ A @ T`` whose rows and columns have norms of like size.

    Parameters
    ----------
    A : array_like, shape (..., n, n)
        Matrices.
    permute : bool
        Exchange rows and columns so that eigenvalues that can be read off come to the corners.
    scale : bool
        Scale what is left by powers of two.
    separate : bool
        Return the scaling and the order instead of T.
    overwrite_a : bool
        As in SciPy; nothing is overwritten.

    Returns
    -------
    B : array, shape (..., n, n)
        Differentiable at fixed T.
    T : array, shape (..., n, n)
        A permuted diagonal matrix. With `separate` ``(scale, perm)`` of shapes (..., n); for a stack in the NumPy world
        both in one array of shape (..., 2, n), as SciPy has it.

    Raises
    ------
    ValueError
        If `A` is not square, or not finite.

    References
    ----------
    B. N. Parlett, C. Reinsch, "Balancing a matrix for calculation of eigenvalues and eigenvectors", Numer. Math. 13
    (1969) 293-304; see `solvers.linear.balance`. The results are those of LAPACK's gebal, except in the last step of
    scalings by more than 1e200.

    Examples
    --------
    >>> from sci import linalg
    >>> b, t = linalg.matrix_balance([[1.0, 256.0], [1.0, 1.0]])
    >>> b
    array([[ 1., 16.],
           [16.,  1.]])
    """
    A = jnp.atleast_2d(A)

    def core(a: jax.Array) -> Any:
        n = a.shape[0]
        order, factors = balance(a, permute, scale) if n else (jnp.arange(0), jnp.ones(0, a.real.dtype))
        balanced = a[order][:, order] * factors / factors[:, None]
        if separate:
            return balanced, (factors, order)
        return balanced, jnp.zeros((n, n), factors.dtype).at[order, np.arange(n)].set(factors)

    return over_batch(core, (A,), (2,))
