"""The cosine-sine decomposition of a unitary matrix in two by two blocks."""

import jax.numpy as jnp
from jax import lax

__all__ = ["cosine_sine"]


def _modulus(x):
    """``(x^H x)^(1/2)``, the Hermitian factor of the polar decomposition."""
    _, s, vh = lax.linalg.svd(x, full_matrices=False)
    return (vh.conj().T * s) @ vh


def _unitary(columns):
    """A unitary matrix whose first columns are those given, which are orthogonal, divided by their norms.

    The norms descend, so that errors of a small column do not enter the larger ones; a column of zeros is completed.
    """
    count = columns.shape[1]
    q, r = lax.linalg.qr(columns, full_matrices=True)
    diagonal = jnp.diagonal(r)
    size = jnp.abs(diagonal)
    phase = jnp.where(size == 0, 1, diagonal / jnp.where(size == 0, 1, size))
    return jnp.concatenate([q[:, :count] * phase, q[:, count:]], axis=1)


def cosine_sine(x11, x12, x21, x22, swap_sign=False, vectors=True):
    """``[[x11, x12], [x21, x22]] = diag(u1, u2) @ cs @ diag(v1h, v2h)`` with cs of sines and cosines.

    Parameters
    ----------
    x11, x12, x21, x22 : arrays, shapes (p, q), (p, m - q), (m - p, q), (m - p, m - q)
        Blocks of a unitary matrix.
    swap_sign : bool
        The negative sines are in the lower block of cs rather than in the upper one.
    vectors : bool
        Compute the last factor's second block, which takes both of the first.

    Returns
    -------
    u1, u2, theta, v1h, v2h : arrays
        ``theta`` (r,) ascends, r is the least of the blocks' sides. v2h is None without `vectors`.

    References
    ----------
    E. S. Gawlik, Y. Nakatsukasa, B. D. Sutton, "A backward stable algorithm for computing the CS decomposition via the
    polar decomposition", SIAM J. Matrix Anal. Appl. 39 (2018) 1448-1469. The Hermitian polar factors of x11 and x21
    commute, and the eigenvalues sin - cos of their difference rise with the angle at a rate of 1 at least, so that its
    eigenvectors serve both also where angles agree. Here u1 and u2 come by QR, as x11 need not be tall; v2 is what the
    other factors leave of x12 and x22.
    """
    (p, q), (rest, other) = x11.shape, x22.shape
    r = min(p, q, rest, other)
    c_one, s_one, lower = min(p, q) - r, min(rest, q) - r, min(rest, other) - r
    v1, _ = lax.linalg.eigh(_modulus(x21) - _modulus(x11), symmetrize_input=False)
    cosines, sines = x11 @ v1, x21 @ v1
    theta = jnp.arctan2(*(jnp.linalg.norm(x[:, c_one : c_one + r], axis=0) for x in (sines, cosines)))
    u1 = _unitary(cosines[:, : c_one + r])
    by_sine = _unitary(sines[:, c_one:][:, ::-1])
    sign = -1 if swap_sign else 1
    u2 = jnp.concatenate([by_sine[:, r + s_one :], sign * by_sine[:, : r + s_one][:, ::-1]], axis=1)
    if not vectors:
        return u1, u2, theta, v1.conj().T, None
    above, below = u1.conj().T @ x12, u2.conj().T @ x22
    c, s = jnp.cos(theta)[:, None], sign * jnp.sin(theta)[:, None]
    middle = c * below[lower : lower + r] - s * above[c_one : c_one + r]
    v2h = jnp.concatenate([below[:lower], middle, -sign * above[c_one + r :]])
    return u1, u2, theta, v1.conj().T, v2h
