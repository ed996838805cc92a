"""Complex Schur forms."""

import jax.numpy as jnp
from jax import lax

__all__ = ["complex_schur", "real_to_complex_schur"]


def complex_schur(a):
    """``(t, z)`` with a = z @ t @ z^H, t upper triangular, complex. LAPACK's gees: CPU only.

    A real matrix is brought to its real form first, which takes a third of the time.
    """
    t, z = lax.linalg.schur(a)
    return (t, z) if jnp.iscomplexobj(a) else real_to_complex_schur(t, z)


def real_to_complex_schur(t, z):
    """The complex Schur form of a real one (n, n): a rotation for each 2x2 block, all at once, as they share no row.

    In real arithmetic, since XLA takes twice as long to compile complex products. A complex `t` has to be triangular
    already; NaN else.

    Reference: G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 7.4.
    """
    dtype = jnp.result_type(t, z, jnp.complex64)
    if t.shape[0] < 2:
        return t.astype(dtype), z.astype(dtype)
    if jnp.iscomplexobj(t):
        return jnp.where((jnp.diagonal(t, -1) == 0).all(), jnp.triu(t), jnp.nan).astype(dtype), z.astype(dtype)
    t = t.astype(jnp.finfo(dtype).dtype)
    diagonal, above, below = jnp.diagonal(t), jnp.diagonal(t, 1), jnp.diagonal(t, -1)
    a, d = diagonal[:-1], diagonal[1:]
    active = jnp.abs(below) > jnp.finfo(dtype).eps * (jnp.abs(a) + jnp.abs(d))
    half = (a - d) / 2
    scale = jnp.maximum(jnp.maximum(jnp.abs(half), jnp.abs(above)), jnp.abs(below))  # or squares leave the range
    half, above, below = (jnp.where(active, x / jnp.where(active, scale, 1), 0) for x in (half, above, below))
    square = half**2 + above * below
    # an eigenvalue of the block, less its last entry; the roots' argument is 1 where they are not wanted
    real = half + jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1)), 0)
    imaginary = jnp.where(square < 0, jnp.sqrt(jnp.where(square < 0, -square, 1)), 0)
    size = jnp.sqrt(jnp.where(active, real**2 + imaginary**2 + below**2, 1))
    none = jnp.zeros(1, t.dtype)
    # the rotations as a matrix of three diagonals, of which only the middle one is complex
    first, second = (jnp.concatenate(pair) for pair in ((active, none > 0), (none > 0, active)))
    real, imaginary, sine = (jnp.where(active, x / size, 0) for x in (real, imaginary, below))
    real = jnp.concatenate([real, none]) + jnp.concatenate([none, real]) + jnp.where(first | second, 0, 1)
    imaginary = jnp.concatenate([none, imaginary]) - jnp.concatenate([imaginary, none])
    after, before = jnp.concatenate([sine, none]), jnp.concatenate([none, -sine])
    real, imaginary, after, before = (x[:, None] for x in (real, imaginary, after, before))

    def turned(x):
        """The rotations' real part times x; rows taken from beyond the ends have a weight of zero."""
        return real * x + after * jnp.roll(x, -1, 0) + before * jnp.roll(x, 1, 0)

    def turned_back(x, y):
        """``x + i y`` times the adjoint of the rotations."""
        x, y = x.T, y.T
        return lax.complex((turned(x) + imaginary * y).T, (turned(y) - imaginary * x).T)

    return jnp.triu(turned_back(turned(t), imaginary * t)), turned_back(z.real.astype(t.dtype), z.imag.astype(t.dtype))
