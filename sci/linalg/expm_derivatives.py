"""The derivative of the matrix exponential and its condition number; products by columns."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from sci.bridge import Call, Example, implements
from sci.linalg._batch import core_shapes, over_batch, promoted, square_core
from sci.linalg._shared import widen
from sci.linalg.matrix_functions import _expm

__all__ = ["expm_cond", "expm_frechet", "khatri_rao"]

_METHODS = ("SPS", "blockEnlarge")


def _prepare(call: Call) -> None:
    method = "SPS" if call["method"] is None else call["method"]
    if method not in _METHODS:
        raise ValueError(f"Unknown implementation {method}; allowed are {_METHODS}")
    call["compute_expm"] = bool(call["compute_expm"])
    if call.numpy and method == "SPS":  # SciPy's algorithm works in double precision
        call["A"], call["E"] = widen(call["A"]), widen(call["E"])


def _validate(call: Call) -> None:
    for name in ("A", "E"):
        square_core(call, name, f"expected {name} to be a square matrix")
    a, e = core_shapes(call, A=2, E=2)
    if a != e:
        raise ValueError(f"expected A and E to be the same shape, got {a} and {e}")


@implements(
    "scipy.linalg.expm_frechet",
    static=("compute_expm",),
    finite=("A", "E"),
    prepare=_prepare,
    validate=_validate,
    examples=lambda: [
        Example(
            ([[0.3, 1.0], [-0.5, 0.2]], [[1.0, 0.0], [2.0, 1.0]]), grad=("A", "E"), vmap=("A", "E"), skip_odd=("empty",)
        ),
    ],
)
def expm_frechet(A: Any, E: Any, compute_expm: bool) -> Any:
    """The exponential of A and its Frechet derivative in direction E.

    Parameters
    ----------
    A, E : array_like, shape (..., n, n)
        Point and direction.
    method : {'SPS', 'blockEnlarge'}
        Validated; both are computed by differentiating the scaling and squaring of `expm`.
    compute_expm : bool
        Return the exponential too.

    Returns
    -------
    expm_A, expm_frechet_AE : array, shape (..., n, n)
        Double precision in the NumPy world for ``SPS``. Differentiable.

    Raises
    ------
    ValueError
        For shapes that are not square or differ.

    References
    ----------
    A. H. Al-Mohy, N. J. Higham, "Computing the Frechet derivative of the matrix exponential, with an application to
    condition number estimation", SIAM J. Matrix Anal. Appl. 30 (2009) 1639-1657.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> linalg.expm_frechet(np.zeros((2, 2)), np.eye(2), compute_expm=False)
    array([[1., 0.],
           [0., 1.]])
    """
    A, E = promoted(A, E)
    if A.size == 0:
        return (A, E) if compute_expm else E

    def core(a: jax.Array, e: jax.Array) -> Any:
        both = jax.jvp(_expm, (a,), (e,))
        return both if compute_expm else both[1]

    return over_batch(core, (A, E), (2, 2))


def _prepare_cond(call: Call) -> None:
    if call.numpy:
        call["A"] = widen(call["A"])


@implements(
    "scipy.linalg.expm_cond",
    finite=("A",),
    prepare=_prepare_cond,
    validate=lambda call: square_core(call, "A", "expected a square matrix") and None,
    examples=lambda: [Example(([[0.3, 1.0], [-0.5, 0.2]],), grad=("A",), vmap=("A",), skip_odd=("empty",))],
)
def expm_cond(A: Any) -> Any:
    """Relative condition number of the matrix exponential in the Frobenius norm.

    Parameters
    ----------
    A : array_like, shape (..., n, n)
        Matrices. The work grows with the fifth power of n or more.

    Returns
    -------
    float or array, shape (...)
        Differentiable.

    Raises
    ------
    ValueError
        If `A` is not square.

    References
    ----------
    N. J. Higham, "Functions of Matrices", SIAM 2008, section 3.1: the norm of the derivative as an n^2 x n^2 matrix.

    Examples
    --------
    >>> from sci import linalg
    >>> float(linalg.expm_cond([[0.0, 1.0], [-1.0, 0.0]]).round(6))
    1.0
    """

    def core(a: jax.Array) -> jax.Array:
        n = a.shape[0]
        basis = jnp.eye(n * n, dtype=a.dtype).reshape(n * n, n, n)
        columns = jax.vmap(lambda e: jax.jvp(_expm, (a,), (e,))[1].reshape(-1))(basis)
        size = lambda m: jnp.sqrt((jnp.abs(m) ** 2).sum())  # noqa: E731
        return lax.linalg.svd(columns, compute_uv=False)[0] * size(a) / size(_expm(a))

    return over_batch(core, (A,), (2,))


def _validate_khatri_rao(call: Call) -> None:
    a, b = core_shapes(call, a=2, b=2)
    if a is None or b is None or len(a) != 2 or len(b) != 2:
        raise ValueError(
            f"The both arrays should be 2-dimensional, got shapes {np.shape(call['a'])} and {np.shape(call['b'])}"
        )
    if a[1] != b[1]:
        raise ValueError(f"The number of columns for both arrays should be equal, got {a[1]} and {b[1]}")


@implements(
    "scipy.linalg.khatri_rao",
    dtypes="keep",
    validate=_validate_khatri_rao,
    examples=lambda: [
        Example(
            ([[1.0, 2.0], [3.0, 4.0]], [[0.5, 1.0]]), grad=("a", "b"), vmap=("a", "b"), skip_odd=("object", "string")
        ),
    ],
)
def khatri_rao(a: Any, b: Any) -> Any:
    """The Kronecker products of the columns of two matrices.

    Parameters
    ----------
    a, b : array_like, shapes (..., m, k) and (..., n, k)
        Matrices.

    Returns
    -------
    array, shape (..., m * n, k)
        Differentiable.

    Raises
    ------
    ValueError
        For shapes that do not match.

    References
    ----------
    C. G. Khatri, C. R. Rao, "Solutions to some functional equations and their applications to characterization of
    probability distributions", Sankhya A 30 (1968) 167-180.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.khatri_rao([[1, 2]], [[3, 4], [5, 6]])
    array([[ 3,  8],
           [ 5, 12]])
    """

    def core(a: jax.Array, b: jax.Array) -> jax.Array:
        if a.size == 0 or b.size == 0:
            return jnp.zeros((a.shape[0] * b.shape[0], a.shape[1]), a.dtype)
        return (a[:, None, :] * b[None, :, :]).reshape(-1, a.shape[1])

    return over_batch(core, (a, b), (2, 2))
