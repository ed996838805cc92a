"""Square root and logarithm of a matrix."""

from __future__ import annotations

import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.linalg import LinAlgError, LinAlgWarning

import solvers.linear as linear
from sci.bridge import Call, Example, implements
from sci.bridge.reasons import user_frame
from sci.linalg._batch import over_batch, square_core
from sci.linalg._shared import widen
from sci.linalg.matrix_functions import _expm

__all__ = ["logm", "sqrtm"]

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
        if call[name] is not _NoValue:
            _, level = user_frame()
            message = f"The `{name}` argument is deprecated and will be removed in SciPy 1.18.0."
            warnings.warn(message, DeprecationWarning, stacklevel=level + 1)
    call["disp"] = True if call["disp"] is _NoValue else call["disp"]


def _warn(message: str, category: type[Warning]) -> None:
    _, level = user_frame()
    warnings.warn(message, category, stacklevel=level + 1)


# --- square root -------------------------------------------------------------------------------


def _schur(a: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Complex Schur form; a triangular matrix is its own."""
    t, z = linear.complex_schur(a)
    upper = (jnp.tril(a, -1) == 0).all()
    return jnp.where(upper, a.astype(t.dtype), t), jnp.where(upper, jnp.eye(a.shape[0], dtype=t.dtype), z)


@jax.custom_jvp
def _sqrtm(a: jax.Array) -> jax.Array:
    """The principal square root; complex."""
    t, z = _schur(a)
    root = linear.sqrt_triangular(t)
    # infinite entries of a triangular root must not meet the zeros of z
    upper = (jnp.tril(a, -1) == 0).all()
    return jnp.where(upper, root, z @ root @ z.conj().T)


@_sqrtm.defjvp
def _sqrtm_jvp(primals: Any, tangents: Any) -> Any:
    root = _sqrtm(*primals)  # root @ d + d @ root = da
    return root, linear.solve_sylvester(root, root, tangents[0])


def _validate_sqrtm(call: Call) -> None:
    shape = np.shape(call["A"])
    if len(shape) < 2 and np.prod(shape) == 1:
        return
    if len(shape) < 2:
        raise LinAlgError(f"The input array must be at least two-dimensional; argument 'A' has shape {shape}")
    if shape[-1] != shape[-2]:
        raise LinAlgError(f"Last 2 dimensions of the array must be square; argument 'A' has shape {shape}")


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
            _warn(message, LinAlgWarning)
        elif (smallest < n * np.finfo(root.dtype).eps * largest).any():
            message = "Matrix is ill-conditioned. The result might be inaccurate or the array might not have a square "
            _warn(message + "root.", LinAlgWarning)
    if call["disp"] is False:
        try:
            return root, np.linalg.norm(root @ root - a, "fro") ** 2 / np.linalg.norm(a, "fro")
        except ValueError:
            return root, np.inf
    return root


@implements(
    "scipy.linalg.sqrtm",
    prepare=lambda call: _deprecated(call, "disp", "blocksize"),
    validate=_validate_sqrtm,
    finish=_finish_sqrtm,
    finish_jax=lambda call, out: out[0],
    examples=lambda: [
        Example(([[4.0, 1.0], [0.5, 3.0]],), grad=("A",), vmap=("A",), float32=False, skip_odd=("nan", "inf")),
        Example(([[0.0, 4.0], [-9.0, 0.5]],), grad=("A",), skip_odd=("nan", "inf")),
    ],
)  # the odd ones: LAPACK on NaN, which ends in zeros or NaN by the version
def sqrtm(A: Any) -> Any:
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
    127-140. The derivative solves a Sylvester equation: N. J. Higham, "Functions of Matrices", SIAM 2008, section 6.1.

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

    def core(a: jax.Array) -> tuple[jax.Array, jax.Array]:
        root = _sqrtm(a)
        size = jnp.abs(jnp.linalg.eigvals(lax.stop_gradient(root)))
        return root, jnp.stack([size.min(), size.max()])

    return over_batch(core, (A,), (2,))


# --- logarithm ---------------------------------------------------------------------------------

# The diagonal Pade approximant of log(1 + x) of degree 7 as a sum of partial fractions over the Gauss-Legendre nodes
# of [0, 1], full double precision for norms up to theta: A. H. Al-Mohy, N. J. Higham, "Improved inverse scaling and
# squaring algorithms for the matrix logarithm", SIAM J. Sci. Comput. 34 (2012) C153-C169, table 2.1.
_NODES, _WEIGHTS = ((0.5 * (x + c)).tolist() for x, c in zip(np.polynomial.legendre.leggauss(7), (1, 0), strict=True))
_THETA = 0.288
_MOST_ROOTS = 100


def _log_divided(x: jax.Array, y: jax.Array) -> jax.Array:
    """(log y - log x) / (y - x) without cancellation."""
    gap = y - x
    same = gap == 0
    z = gap / jnp.where(x + y == 0, 1, x + y)
    plain = (jnp.log(y) - jnp.log(x)) / jnp.where(same, 1, gap)
    close = 2 * jnp.arctanh(z)
    winding = jnp.ceil(((jnp.log(y) - jnp.log(x)).imag - jnp.pi) / (2 * jnp.pi))
    close = (close + 2j * jnp.pi * winding) / jnp.where(same, 1, gap)
    return jnp.where(same, 1 / x, jnp.where(jnp.abs(z) < 0.5, close, plain))


def _log_triangular(t: jax.Array) -> jax.Array:
    """Logarithm of an upper triangular complex matrix, by inverse scaling and squaring."""
    n = t.shape[0]
    eye = jnp.eye(n, dtype=t.dtype)
    diagonal = jnp.diagonal(t)

    def excess(r: jax.Array) -> jax.Array:
        """How far the argument of the approximant is from zero: the spectrum first, then norms of powers."""
        e = r - eye
        spread = jnp.abs(jnp.diagonal(e)).max()

        def powers(e: jax.Array) -> jax.Array:
            e2 = e @ e
            norm = lambda m, k: jnp.abs(m).sum(axis=0).max() ** (1 / k)  # noqa: E731
            return jnp.maximum(norm(e2, 2), norm(e2 @ e, 3))

        return lax.cond(spread < _THETA, powers, lambda e: spread, e)

    def more(carry: tuple[Any, ...]) -> jax.Array:
        k, _, size = carry
        return (size > _THETA) & (k < _MOST_ROOTS)  # False for NaN

    def root(carry: tuple[Any, ...]) -> tuple[Any, ...]:
        k, r, _ = carry
        r = linear.sqrt_triangular(r)
        return k + 1, r, excess(r)

    k, r, _ = lax.while_loop(more, root, (0, t, excess(t)))
    # the diagonal of r - 1 without cancellation
    e = (r - eye) * (1 - eye) + jnp.diag(jnp.expm1(jnp.log(diagonal) / 2.0**k))
    total = jnp.zeros_like(t)
    for x, w in zip(_NODES, _WEIGHTS, strict=True):
        total = total + w * lax.linalg.triangular_solve(eye + x * e, e, left_side=True, lower=False)
    total = total * 2.0**k
    # the diagonal and the one above it have closed forms
    i = np.arange(n)
    total = total.at[i, i].set(jnp.log(diagonal))
    return total.at[i[:-1], i[1:]].set(jnp.diagonal(t, 1) * _log_divided(diagonal[:-1], diagonal[1:]))


@jax.custom_jvp
def _logm(a: jax.Array) -> jax.Array:
    """The principal logarithm; complex. Zero eigenvalues are moved to 1e-20, as in SciPy."""
    t, z = _schur(a)
    i = np.arange(a.shape[0])
    diagonal = jnp.diagonal(t)
    tiny = jnp.abs(diagonal) < 1e-20
    t = t.at[i, i].set(jnp.where(tiny, 1e-20, diagonal))
    return z @ _log_triangular(t) @ z.conj().T


def _log_frechet(a: jax.Array, e: jax.Array) -> jax.Array:
    """The derivative at a in direction e: the corner of the logarithm of [[a, e], [0, a]].

    R. Mathias, "A chain rule for matrix functions and applications", SIAM J. Matrix Anal. Appl. 17 (1996) 610-620.
    """
    n = a.shape[0]
    a, e = a.astype(jnp.result_type(a, e)), e.astype(jnp.result_type(a, e))
    return _logm(jnp.block([[a, e], [jnp.zeros_like(a), a]]))[:n, n:]


@_logm.defjvp
def _logm_jvp(primals: Any, tangents: Any) -> Any:
    # the derivative of the logarithm inverts that of the exponential: a linear system, which JAX transposes
    x = _logm(*primals)
    a, da = lax.stop_gradient(primals[0]), tangents[0].astype(x.dtype)
    dx = lax.custom_linear_solve(
        lambda d: jax.jvp(_expm, (x,), (d,))[1],
        da,
        lambda _, e: _log_frechet(a, e),
        lambda _, e: _log_frechet(a.T, e),
    )
    return x, dx


def _prepare_logm(call: Call) -> None:
    _deprecated(call, "disp")
    if call.numpy:  # SciPy gives double precision for single
        call["A"] = widen(call["A"])


def _finish_logm(call: Call, out: Any) -> Any:
    from scipy.linalg._matfuncs_inv_ssq import LogmExactlySingularWarning, LogmNearlySingularWarning

    x, smallest, error = out
    result = maybe_real(call["A"], x)
    if np.size(x):
        if (smallest == 0).any():
            _warn("The logm input matrix is exactly singular.", LogmExactlySingularWarning)
        elif (smallest < 1e-20).any():
            _warn("The logm input matrix may be nearly singular.", LogmNearlySingularWarning)
    if not call["disp"]:
        return result, error
    bad = ~(np.atleast_1d(error) < _LIMIT)
    if bad.any() and np.size(x):
        _warn(f"logm result may be inaccurate, approximate err = {np.atleast_1d(error)[bad][0]}", RuntimeWarning)
    return result


@implements(
    "scipy.linalg.logm",
    prepare=_prepare_logm,
    validate=lambda call: square_core(call, "A", "expected a square matrix") and None,
    finish=_finish_logm,
    finish_jax=lambda call, out: out[0] if call["disp"] else (out[0], out[2]),
    examples=lambda: [
        Example(([[4.0, 1.0], [0.5, 3.0]],), grad=("A",), vmap=("A",), float32=False, skip_odd=("nan", "inf")),
    ],
)
def logm(A: Any) -> Any:
    """The principal logarithm of a matrix.

    Parameters
    ----------
    A : array_like, shape (..., n, n)
        Matrices.
    disp
        Deprecated, as in SciPy.

    Returns
    -------
    array, shape (..., n, n)
        Real in the NumPy world where the logarithm of a real matrix is; always complex in the JAX world.
        Differentiable away from the negative axis.

    Raises
    ------
    ValueError
        If `A` is not square.

    Warns
    -----
    RuntimeWarning
        If ``expm(logm(A))`` misses `A`, or a matrix is singular (NumPy world).

    References
    ----------
    A. H. Al-Mohy, N. J. Higham, "Improved inverse scaling and squaring algorithms for the matrix logarithm", SIAM J.
    Sci. Comput. 34 (2012) C153-C169. The degree is fixed at 7. Derivative: the inverse of that of the exponential.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> linalg.logm(np.diag([1.0, np.e])).round(12)
    array([[0., 0.],
           [0., 1.]])
    """
    if A.size == 0:
        return A, jnp.ones(()), jnp.zeros(())

    def core(a: jax.Array) -> tuple[jax.Array, ...]:
        x = _logm(a)
        fixed = lax.stop_gradient(a)
        smallest = jnp.abs(jnp.linalg.eigvals(fixed)).min()
        column = lambda m: jnp.abs(m).sum(axis=0).max()  # noqa: E731
        error = column(_expm(lax.stop_gradient(x)) - fixed) / column(fixed)
        return x, smallest, error

    return over_batch(core, (A,), (2,))
