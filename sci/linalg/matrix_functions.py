"""Functions of matrices."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.linalg import LinAlgError

from sci.bridge import Call, Example, implements
from sci.linalg._batch import over_batch
from solvers.batching import any_lane
from solvers.linear import quotient
from solvers.linear.lu import one_norm

__all__ = ["expm"]

# Numerators of the diagonal Pade approximants of exp, of degree 13 (double) and 7 (single), the
# largest eta (below) at which they reach full precision, and 1/c of the leading term c x^(2m+1) of
# their backward error: A. H. Al-Mohy, N. J. Higham, "A new scaling and squaring algorithm for the
# matrix exponential", SIAM J. Matrix Anal. Appl. 31 (2009) 970-989; for single precision
# N. J. Higham, SIAM J. Matrix Anal. Appl. 26 (2005) 1179-1193, table 2.3.
_PADE_13 = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
    10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
_PADE_7 = (17297280.0, 8648640.0, 1995840.0, 277200.0, 25200.0, 1512.0, 56.0, 1.0)
_THETA = {13: 4.25, 7: 3.925724783138660}
_LOG2_INVERSE_C = {13: 116.447, 7: 51.995}

#: Squarings that the differentiable form has room for: norms up to 5 * 2^64.
_MAX_SQUARINGS = 64


def _pade(m: int, a: jax.Array, a2: jax.Array, a4: jax.Array, a6: jax.Array) -> jax.Array:
    """The diagonal Pade approximant of degree m, given a matrix and its powers."""
    eye = jnp.eye(a.shape[-1], dtype=a.dtype)
    c: tuple[float, ...] = _PADE_13 if m == 13 else _PADE_7
    if m == 13:
        u = a @ (a6 @ (c[13] * a6 + c[11] * a4 + c[9] * a2) + c[7] * a6 + c[5] * a4 + c[3] * a2 + c[1] * eye)
        v = a6 @ (c[12] * a6 + c[10] * a4 + c[8] * a2) + c[6] * a6 + c[4] * a4 + c[2] * a2 + c[0] * eye
    else:
        u = a @ (c[7] * a6 + c[5] * a4 + c[3] * a2 + c[1] * eye)
        v = c[6] * a6 + c[4] * a4 + c[2] * a2 + c[0] * eye
    # these denominators are well conditioned
    return over_batch(quotient, (v - u, v + u), (2, 2))


def _log2_norm(a: jax.Array) -> jax.Array:
    """log2 of the 1-norm."""
    return jnp.log2(one_norm(a))


def _log2_power_norm(a: jax.Array, k: int) -> jax.Array:
    """log2 of the 1-norm of |a|^k, by k products with a row vector, kept in range."""
    size = jnp.abs(a)

    def step(carry: tuple[jax.Array, jax.Array], _: None) -> tuple[Any, None]:
        row, log = carry
        row = jnp.einsum("...i,...ij->...j", row, size)
        top = row.max(axis=-1)
        safe = jnp.where(top > 0, top, 1.0)
        return (row / safe[..., None], log + jnp.where(top > 0, jnp.log2(safe), -jnp.inf)), None

    start = (jnp.ones(a.shape[:-1], size.dtype), jnp.zeros(a.shape[:-2], size.dtype))
    return lax.scan(step, start, None, length=k)[0][1]


def _scaled(a: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The approximant of exp(a / 2^s) and s, for each matrix of a stack.

    The scaling follows the norms of powers of `a`, not its own norm, which for non-normal matrices
    would ask for so many squarings that the rounding errors swamp the result. Rounding up ends
    the derivatives of these norms.
    """
    double = a.real.dtype == jnp.float64
    m = 13 if double else 7
    p = jnp.ceil(_log2_norm(a))  # powers of a / 2^p stay in range
    p = jnp.where(jnp.isfinite(p), p, 0.0)

    def power_of_two(k: jax.Array) -> jax.Array:
        return jnp.exp2(k)[..., None, None].astype(a.dtype)

    unit = a * power_of_two(-p)
    a2 = unit @ unit
    a4 = a2 @ a2
    a6 = a4 @ a2
    # together: each norm by itself is several operations to compile
    powers = [unit, a6, a4 @ a4] + ([a4 @ a6] if double else [])
    sizes = _log2_norm(jnp.stack(powers))
    d6, d8 = sizes[1] / 6, sizes[2] / 8
    eta = jnp.maximum(d6, d8)
    if double:
        eta = jnp.minimum(eta, jnp.maximum(d8, sizes[3] / 10))
    s = jnp.maximum(0.0, jnp.ceil(eta + p - np.log2(_THETA[m])))
    # more, where |a|^(2m+1) says that the bound by eta has missed the leading error term
    growth = _log2_power_norm(unit, 2 * m + 1) - sizes[0] + 2 * m * (p - s)
    precision = 53 if double else 24
    s = s + jnp.maximum(0.0, jnp.ceil((growth - _LOG2_INVERSE_C[m] + precision) / (2 * m)))
    s = jnp.where(jnp.isfinite(s), s, 0.0)
    back = power_of_two(p - s)
    for _ in range(2):  # one factor at a time: its sixth power may overflow where the product does not
        a2 = a2 * back
    for _ in range(4):
        a4 = a4 * back
    for _ in range(6):
        a6 = a6 * back
    return _pade(m, a * power_of_two(-s), a2, a4, a6), s


def _square(x: jax.Array, active: jax.Array) -> jax.Array:
    return jnp.where(active[..., None, None], x @ x, x)


@jax.custom_jvp
def _expm(a: jax.Array) -> jax.Array:
    x, squarings = _scaled(a)
    most = squarings.max()
    return lax.while_loop(
        lambda carry: carry[0] < most,
        lambda carry: (carry[0] + 1, _square(carry[1], carry[0] < squarings)),
        (0.0, x),
    )[1]


def _expm_scan(a: jax.Array) -> jax.Array:
    """The same with a bounded loop, which reverse mode can go through. Idle rounds cost a test."""
    x, squarings = _scaled(a)
    most = squarings.max()

    def step(x: jax.Array, k: jax.Array) -> tuple[jax.Array, None]:
        return lax.cond(any_lane(k < most), lambda x: _square(x, k < squarings), lambda x: x, x), None

    return lax.scan(step, x, jnp.arange(_MAX_SQUARINGS, dtype=squarings.dtype))[0]


@_expm.defjvp
def _expm_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> Any:
    return jax.jvp(_expm_scan, primals, tangents)


def _validate(call: Call) -> None:
    shape = np.shape(call["A"])
    if len(shape) < 2 and math.prod(shape) == 1:
        return
    if len(shape) < 2:
        raise LinAlgError(f"The input array must be at least two-dimensional; argument 'A' has shape {shape}")
    if shape[-1] != shape[-2]:
        raise LinAlgError(f"Last 2 dimensions of the array must be square; argument 'A' has shape {shape}")


@implements(
    "scipy.linalg.expm",
    validate=_validate,
    examples=lambda: [
        Example(([[0.1, 1.0], [-1.0, 0.3]],), grad=("A",), vmap=("A",)),
        Example((np.array([[[0.0, 9.0], [-4.0, 0.5]], [[-1.0, 2.0], [0.0, -3.0]]]),), grad=("A",)),
        Example(([[1j, 1.0], [-1.0, 0.5]],)),
    ],
)
def expm(A: Any) -> Any:
    """The exponential of a matrix, or of each of a stack of matrices.

    Parameters
    ----------
    A : array_like, shape (..., n, n)
        Square matrices. A scalar is taken as a 1x1 matrix.

    Returns
    -------
    array, shape (..., n, n)
        Differentiable in both modes and at every order.

    Raises
    ------
    LinAlgError
        If `A` is not square.

    References
    ----------
    A. H. Al-Mohy, N. J. Higham, "A new scaling and squaring algorithm for the matrix exponential",
    SIAM J. Matrix Anal. Appl. 31 (2009) 970-989. SciPy chooses the degree by the matrix; here it
    is fixed (13 in double precision, 7 in single).

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> linalg.expm(np.zeros((2, 2)))
    array([[1., 0.],
           [0., 1.]])
    """
    A = jnp.asarray(A)
    if A.ndim < 2:
        return jnp.exp(A).reshape(1, 1)
    if A.size == 0:
        return A
    if A.shape[-1] == 1:
        return jnp.exp(A)
    return _expm(A)
