"""LDL factorisation of symmetric and Hermitian matrices."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import solvers.linear.ldl as engine
from sci.bridge import Call, Example, implements, warn_user
from sci.linalg._batch import core_shapes, over_batch
from sci.linalg._shared import from_triangle

__all__ = ["ldl"]


def _prepare(call: Call) -> None:
    call["lower"], call["hermitian"] = bool(call["lower"]), bool(call["hermitian"])


def _validate(call: Call) -> None:
    (core,) = core_shapes(call, A=2)
    core = (*(1,) * (2 - len(core)), *core) if core is not None else ()
    if core[0] != core[1]:
        raise ValueError(f"The input array \"a\" should be square; argument 'A' has shape {np.shape(call['A'])}.")


def _finish(call: Call, out: Any) -> Any:
    a = np.atleast_2d(call["A"])
    if call["hermitian"] and np.iscomplexobj(a) and np.diagonal(a, 0, -2, -1).imag.any():
        message = "scipy.linalg.ldl():\nThe imaginary parts of the diagonal are ignored. "
        message += 'Use "hermitian=False" for factorization of complex symmetric arrays.'
        warn_user(message, np.exceptions.ComplexWarning)
    return out


@implements(
    "scipy.linalg.ldl",
    static=("lower", "hermitian"),
    ignored=("overwrite_a",),
    finite=("A",),
    prepare=_prepare,
    validate=_validate,
    finish=_finish,
    examples=lambda: [
        Example(([[0.1, 2.0, 1.0], [2.0, 0.2, 0.5], [1.0, 0.5, 3.0]],), grad=("A",), vmap=("A",)),
        Example(([[0.1, 2.0 + 1j, 1.0], [2.0 - 1j, 0.2, 0.5j], [1.0, -0.5j, 3.0]],), {"lower": False}),
    ],
)
def ldl(A: Any, lower: bool, hermitian: bool) -> Any:
    """``A = lu @ d @ lu^H`` with a triangular factor whose rows are permuted, and blocks of order 1 and 2.

    Parameters
    ----------
    A : array_like, shape (..., n, n)
        Symmetric or Hermitian matrices; only the triangle named by `lower` is read.
    lower : bool
        ``lu[perm]`` is lower (upper) triangular.
    hermitian : bool
        A complex matrix is Hermitian; symmetric else, with ``A = lu @ d @ lu^T``.
    overwrite_a, check_finite : bool
        As in SciPy; nothing is overwritten.

    Returns
    -------
    lu : array, shape (..., n, n)
    d : array, shape (..., n, n)
        Block diagonal. Both are differentiable at fixed pivots, where d is regular.
    perm : int array, shape (..., n)

    Raises
    ------
    ValueError
        If `A` is not square.

    Warns
    -----
    ComplexWarning
        If the diagonal of a Hermitian matrix has imaginary parts (NumPy world).

    References
    ----------
    J. R. Bunch, L. Kaufman, "Some stable methods for calculating inertia and solving symmetric linear systems", Math.
    Comp. 31 (1977) 163-179. The pivots are those of LAPACK's sytrf and hetrf, up to ties that rounding decides.

    Examples
    --------
    >>> from sci import linalg
    >>> lu, d, perm = linalg.ldl([[0.0, 2.0], [2.0, 0.0]])
    >>> lu @ d @ lu.T
    array([[0., 2.],
           [2., 0.]])
    """
    A = jnp.atleast_2d(A)
    if A.size == 0:
        return A, A, jnp.zeros(A.shape[:-1], int)
    hermitian = hermitian and jnp.iscomplexobj(A)

    def core(a: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        return engine.ldl(from_triangle(a, lower, hermitian), hermitian, lower)

    return over_batch(core, (A,), (2,))
