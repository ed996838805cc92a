"""Complex Schur forms."""

import jax.numpy as jnp
import numpy as np
from jax import lax

__all__ = ["complex_schur", "real_to_complex_schur"]


def complex_schur(a):
    """``(t, z)`` with a = z @ t @ z^H, t upper triangular, complex. LAPACK's gees: CPU only.

    A real matrix is brought to its real form first, which takes a third of the time.
    """
    t, z = lax.linalg.schur(a)
    return (t, z) if jnp.iscomplexobj(a) else real_to_complex_schur(t, z)


def real_to_complex_schur(t, z):
    """The complex Schur form of a real one (n, n): a rotation for each 2x2 block.

    Reference: G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 7.4.
    """
    dtype = jnp.result_type(t, jnp.complex64)
    t, z = t.astype(dtype), z.astype(dtype)
    n = t.shape[0]
    index = np.arange(n)

    def step(k, carry):
        t, z = carry
        m = n - 1 - k
        a, b = t[m - 1, m - 1], t[m - 1, m]
        c, d = t[m, m - 1], t[m, m]
        active = jnp.abs(c) > jnp.finfo(dtype).eps * (jnp.abs(a) + jnp.abs(d))
        half = (a - d) / 2
        mu = half + jnp.sqrt(half**2 + b * c)  # an eigenvalue of the block, less its last entry
        size = jnp.sqrt(jnp.abs(mu) ** 2 + jnp.abs(c) ** 2)
        safe = jnp.where(active, size, 1)
        cosine, sine = jnp.where(active, mu / safe, 1), jnp.where(active, c / safe, 0)
        rotation = jnp.array([[cosine.conj(), sine], [-sine, cosine]])
        rows = rotation @ lax.dynamic_slice(t, (m - 1, jnp.zeros_like(m)), (2, n))
        old = lax.dynamic_slice(t, (m - 1, jnp.zeros_like(m)), (2, n))
        t = lax.dynamic_update_slice(t, jnp.where(index >= m - 1, rows, old), (m - 1, jnp.zeros_like(m)))
        columns = lax.dynamic_slice(t, (jnp.zeros_like(m), m - 1), (n, 2))
        turned = jnp.where(index[:, None] <= m, columns @ rotation.conj().T, columns)
        t = lax.dynamic_update_slice(t, turned, (jnp.zeros_like(m), m - 1)).at[m, m - 1].set(0)
        vectors = lax.dynamic_slice(z, (jnp.zeros_like(m), m - 1), (n, 2)) @ rotation.conj().T
        return t, lax.dynamic_update_slice(z, vectors, (jnp.zeros_like(m), m - 1))

    return lax.fori_loop(0, n - 1, step, (t, z)) if n > 1 else (t, z)
