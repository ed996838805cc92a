"""Square root of a matrix, and what the functions of matrices share in their results."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import LinAlgError, LinAlgWarning

import solvers.linear as linear
from sci.bridge import Call, Example, implements, warn_user
from sci.linalg._batch import over_batch

__all__ = ["sqrtm"]

_REAL_TOLERANCE = {"F": 1e3 * float(np.finfo(np.float32).eps), "D": 1e6 * float(np.finfo(np.float64).eps)}
_LIMIT = 1000 * float(np.finfo(np.float64).eps)


def maybe_real(a: Any, result: Any) -> Any:
    """A function of a real matrix whose imaginary part is rounding error, as real (SciPy's rule)."""
    real = np.iscomplexobj(result) and not np.iscomplexobj(a)
    if real and np.allclose(result.imag, 0.0, atol=_REAL_TOLERANCE[result.dtype.char]):
        return np.ascontiguousarray(result.real)
    return result


def _deprecated(call: Call, *names: str) -> None:
    from scipy._lib.deprecation import _NoValue

    for name in names:
        if call.get(name, _NoValue) is not _NoValue:  # gone in SciPy 1.18
            message = f"The `{name}` argument is deprecated and will be removed in SciPy 1.18.0."
            warn_user(message, DeprecationWarning)
    call["disp"] = True if call.get("disp", _NoValue) is _NoValue else call["disp"]


def _schur(a: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Complex Schur form; a triangular matrix is its own."""
    t, z = linear.complex_schur(a)
    upper = (jnp.tril(a, -1) == 0).all()
    return jnp.where(upper, a.astype(t.dtype), t), jnp.where(upper, jnp.eye(a.shape[0], dtype=t.dtype), z)


@jax.custom_jvp
def _sqrtm(a: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The principal square root, complex, and the moduli of its eigenvalues (constants to differentiation)."""
    t, z = _schur(a)
    root = linear.sqrt_triangular(t)
    # infinite entries of a triangular root must not meet the zeros of z
    upper = (jnp.tril(a, -1) == 0).all()
    return jnp.where(upper, root, z @ root @ z.conj().T), jnp.abs(jnp.diagonal(root))


@_sqrtm.defjvp
def _sqrtm_jvp(primals: Any, tangents: Any) -> Any:
    root, size = _sqrtm(*primals)  # root @ d + d @ root = da
    return (root, size), (linear.solve_sylvester(root, root, tangents[0]), jnp.zeros_like(size))


def _validate_sqrtm(call: Call) -> None:
    shape = np.shape(call["A"])
    if len(shape) < 2 and np.prod(shape) == 1:
        return
    if len(shape) < 2:
        raise LinAlgError(f"The input array must be at least two-dimensional; argument 'A' has shape {shape}")
    if shape[-1] != shape[-2]:
        raise LinAlgError(f"Last 2 dimensions of the array must be square; argument 'A' has shape {shape}")


def _prepare_sqrtm(call: Call) -> None:
    """One full matrix of known values is tried by products first: less to compile and faster than Schur's form."""
    _deprecated(call, "disp", "blocksize")
    call["products"] = False
    if call.numpy:
        a = np.asarray(call["A"])
        full = a.ndim == 2 and a.shape[0] == a.shape[1] > 1 and a.dtype.kind in "biufc"
        # triangular ones are their own Schur form; a negative trace stands for eigenvalues where products fail
        call["products"] = bool(full and np.trace(a).real > 0 and np.tril(a, -1).any() and np.triu(a, 1).any())


def _drive_sqrtm(call: Call, run: Any) -> Any:
    out = run()
    if call["products"]:
        root, fine = out
        out = (root, np.ones(2)) if fine else run(products=False)
    return _finish_sqrtm(call, out)


def _finish_sqrtm(call: Call, out: Any) -> Any:
    root, size = out
    a = np.asarray(call["A"])
    if a.ndim < 2:
        return np.asarray(root.real)
    n = a.shape[-1]
    if not np.iscomplexobj(a) and not root.imag.any():
        root = np.ascontiguousarray(root.real)
    elif not np.iscomplexobj(a):
        root = maybe_real(a, root)
    if n > 1 and root.size:
        smallest, largest = size[..., 0], size[..., 1]
        if (smallest == 0).any() or not np.isfinite(root).all():
            message = "Matrix is singular. The result might be inaccurate or the array might not have a square root."
            warn_user(message, LinAlgWarning)
        elif (smallest < n * np.finfo(root.dtype).eps * largest).any():
            message = "Matrix is ill-conditioned. The result might be inaccurate or the array might not have a square "
            warn_user(message + "root.", LinAlgWarning)
    if call["disp"] is False:
        try:
            return root, np.linalg.norm(root @ root - a, "fro") ** 2 / np.linalg.norm(a, "fro")
        except ValueError:
            return root, np.inf
    return root


@implements(
    "scipy.linalg.sqrtm",
    static=("products",),
    prepare=_prepare_sqrtm,
    validate=_validate_sqrtm,
    drive=_drive_sqrtm,
    finish_jax=lambda call, out: out[0],
    examples=lambda: [
        Example(([[4.0, 1.0], [0.5, 3.0]],), grad=("A",), vmap=("A",), float32=False, skip_odd=("nan", "inf")),
        Example(([[0.0, 4.0], [-9.0, 0.5]],), grad=("A",), skip_odd=("nan", "inf")),
    ],
)  # the odd ones: LAPACK on NaN, which ends in zeros or NaN by the version
def sqrtm(A: Any, products: bool) -> Any:
    """The principal square root of a matrix.

    Parameters
    ----------
    A : array_like, shape (..., n, n)
        Matrices.
    disp, blocksize
        Deprecated, as in SciPy.

    Returns
    -------
    array, shape (..., n, n)
        Real in the NumPy world where the root of a real matrix is; always complex in the JAX world. Differentiable
        where no two eigenvalues of the root sum to zero.

    Raises
    ------
    LinAlgError
        If `A` is not square.

    Warns
    -----
    LinAlgWarning
        If a matrix is singular or nearly so (NumPy world).

    References
    ----------
    A. Bjorck, S. Hammarling, "A Schur method for the square root of a matrix", Linear Algebra Appl. 52/53 (1983)
    127-140. One matrix in the NumPy world by products and inverses, where these reach a residual of rounding errors:
    see `solvers.linear.sqrt_by_products`. The derivative solves a Sylvester equation: N. J. Higham, "Functions of
    Matrices", SIAM 2008, section 6.1.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.sqrtm([[1.0, 3.0], [0.0, 4.0]])
    array([[1., 1.],
           [0., 2.]])
    """
    A = jnp.asarray(A)
    complex_type = jnp.result_type(A, jnp.complex64)
    if A.ndim < 2:  # SciPy's rule for a lone number is the exponential
        return jnp.exp(A).reshape(1, 1), jnp.ones(2)
    if A.size == 0:
        return A, jnp.ones(2)
    if A.shape[-1] == 1:
        return jnp.sqrt(A.astype(complex_type)), jnp.ones(2)
    if products:
        return linear.sqrt_by_products(A)

    def core(a: jax.Array) -> tuple[jax.Array, jax.Array]:
        root, size = _sqrtm(a)
        return root, jnp.stack([size.min(), size.max()])

    return over_batch(core, (A,), (2,))
