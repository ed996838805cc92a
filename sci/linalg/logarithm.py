"""Logarithm of a matrix."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import solvers.linear as linear
from sci.bridge import Call, Example, implements, warn_user
from sci.linalg._batch import over_batch, square_core
from sci.linalg._shared import widen
from sci.linalg.matrix_functions import _expm, expm
from sci.linalg.square_root import _LIMIT, _deprecated, _schur, maybe_real
from solvers.linear.lu import one_norm

__all__ = ["logm"]

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
        """How far the argument of the approximant is from zero, by the norms of its powers."""
        e = r - eye
        e2 = e @ e
        norms = one_norm(jnp.stack([e2, e2 @ e]))
        return jnp.maximum(jnp.sqrt(norms[0]), jnp.cbrt(norms[1]))

    def more(carry: tuple[Any, ...]) -> jax.Array:
        k, _, size = carry
        return (size > _THETA) & (k < _MOST_ROOTS)  # False for NaN

    def root(carry: tuple[Any, ...]) -> tuple[Any, ...]:
        k, r, _ = carry
        # not in the first round, which only measures: one place to compile
        r = lax.cond(k < 0, lambda r: r, linear.sqrt_triangular, r)
        return k + 1, r, excess(r)

    k, r, _ = lax.while_loop(more, root, (-1, t, jnp.array(jnp.inf, t.real.dtype)))
    # the diagonal of r - 1 without cancellation
    e = (r - eye) * (1 - eye) + jnp.diag(jnp.expm1(jnp.log(diagonal) / 2.0**k))
    nodes, weights = (jnp.asarray(c, t.real.dtype) for c in (_NODES, _WEIGHTS))

    def fraction(j: jax.Array, total: jax.Array) -> jax.Array:
        return total + weights[j] * lax.linalg.triangular_solve(eye + nodes[j] * e, e, left_side=True, lower=False)

    total = lax.fori_loop(0, len(_NODES), fraction, jnp.zeros_like(t))
    total = total * 2.0**k
    # the diagonal and the one above it have closed forms
    i = np.arange(n)
    total = total.at[i, i].set(jnp.log(diagonal))
    return total.at[i[:-1], i[1:]].set(jnp.diagonal(t, 1) * _log_divided(diagonal[:-1], diagonal[1:]))


def _logm(a: jax.Array) -> jax.Array:
    """The principal logarithm; complex. Zero eigenvalues are moved to 1e-20, as in SciPy."""
    return _logm_and_smallest(a)[0]


@jax.custom_jvp
def _logm_and_smallest(a: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The logarithm, and the smallest modulus of an eigenvalue (a constant to differentiation)."""
    t, z = _schur(a)
    i = np.arange(a.shape[0])
    diagonal = jnp.diagonal(t)
    tiny = jnp.abs(diagonal) < 1e-20
    t = t.at[i, i].set(jnp.where(tiny, 1e-20, diagonal))
    return z @ _log_triangular(t) @ z.conj().T, jnp.abs(diagonal).min()


def _log_frechet(a: jax.Array, e: jax.Array) -> jax.Array:
    """The derivative at a in direction e: the corner of the logarithm of [[a, e], [0, a]].

    R. Mathias, "A chain rule for matrix functions and applications", SIAM J. Matrix Anal. Appl. 17 (1996) 610-620.
    """
    n = a.shape[0]
    a, e = a.astype(jnp.result_type(a, e)), e.astype(jnp.result_type(a, e))
    return _logm(jnp.block([[a, e], [jnp.zeros_like(a), a]]))[:n, n:]


@_logm_and_smallest.defjvp
def _logm_jvp(primals: Any, tangents: Any) -> Any:
    # the derivative of the logarithm inverts that of the exponential: a linear system, which JAX transposes
    x, smallest = _logm_and_smallest(*primals)
    a, da = lax.stop_gradient(primals[0]), tangents[0].astype(x.dtype)
    dx = lax.custom_linear_solve(
        lambda d: jax.jvp(_expm, (x,), (d,))[1],
        da,
        lambda _, e: _log_frechet(a, e),
        lambda _, e: _log_frechet(a.T, e),
    )
    return (x, smallest), (dx, jnp.zeros_like(smallest))


def _prepare_logm(call: Call) -> None:
    _deprecated(call, "disp")
    call["check"] = not call.numpy and not call["disp"]
    if call.numpy:  # SciPy gives double precision for single
        call["A"] = widen(call["A"])


def _residual(x: Any, a: Any) -> Any:
    """How far the exponential misses the matrix, in the 1-norm; in real arithmetic if the logarithm is real."""

    def size(m: Any) -> Any:
        return np.abs(m).sum(axis=-2).max(axis=-1)

    with np.errstate(all="ignore"):
        return size(expm(x) - a) / size(a)


def _finish_logm(call: Call, out: Any) -> Any:
    from scipy.linalg._matfuncs_inv_ssq import LogmExactlySingularWarning, LogmNearlySingularWarning

    x, smallest, _ = out
    result = maybe_real(call["A"], x)
    error = _residual(result, call["A"]) if np.size(x) else np.zeros(())
    if np.size(x):
        if (smallest == 0).any():
            warn_user("The logm input matrix is exactly singular.", LogmExactlySingularWarning)
        elif (smallest < 1e-20).any():
            warn_user("The logm input matrix may be nearly singular.", LogmNearlySingularWarning)
    if not call["disp"]:
        return result, error
    bad = ~(np.atleast_1d(error) < _LIMIT)
    if bad.any() and np.size(x):
        warn_user(f"logm result may be inaccurate, approximate err = {np.atleast_1d(error)[bad][0]}", RuntimeWarning)
    return result


@implements(
    "scipy.linalg.logm",
    static=("check",),
    prepare=_prepare_logm,
    validate=lambda call: square_core(call, "A", "expected a square matrix") and None,
    finish=_finish_logm,
    finish_jax=lambda call, out: out[0] if call["disp"] else (out[0], out[2]),
    examples=lambda: [
        Example(([[4.0, 1.0], [0.5, 3.0]],), grad=("A",), vmap=("A",), float32=False, skip_odd=("nan", "inf")),
    ],
)
def logm(A: Any, check: bool) -> Any:
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
        x, smallest = _logm_and_smallest(a)
        if not check:
            return x, smallest, jnp.zeros(())
        fixed = lax.stop_gradient(a)
        error = one_norm(_expm(lax.stop_gradient(x)) - fixed) / one_norm(fixed)
        return x, smallest, error

    return over_batch(core, (A,), (2,))
