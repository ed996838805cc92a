"""Functions of matrices by the Schur form and Parlett's recurrence."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.implicit import close
from solvers.linear.schur import complex_schur

__all__ = ["funm", "parlett"]


def parlett(t, values):
    """The function of an upper triangular matrix (n, n) whose diagonal has the function's `values` (n,).

    From the commutation of ``t`` and its function, column by column: a triangular system each. Linear in `values`;
    where two diagonal entries are equal the recurrence says nothing, and the division is left out.

    References
    ----------
    B. N. Parlett, "A recurrence among the elements of functions of triangular matrices", Linear Algebra Appl. 14
    (1976) 117-121.
    """
    n = t.shape[0]
    index = np.arange(n)
    diagonal = jnp.diagonal(t)

    def column(j, f):
        above = index < j
        entries = jnp.where(above, t[:, j], 0)
        rhs = jnp.where(above, f @ entries - values[j] * entries, 0)
        gap = diagonal - diagonal[j]
        system = jnp.where(above[:, None] & above, t, 0)
        system = system.at[index, index].set(jnp.where(above & (gap != 0), gap, 1))
        solved = lax.linalg.triangular_solve(system, rhs[:, None], left_side=True, lower=False)[:, 0]
        return f.at[:, j].set(jnp.where(above, solved, f[:, j]))

    return lax.fori_loop(1, n, column, jnp.diag(values.astype(t.dtype)))


def _of_form(t, z, values):
    return z @ parlett(t, values) @ z.conj().T


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _funm(pure, params, a):
    return _evaluate(pure, params, a)[0]


def _evaluate(pure, params, a):
    t, z = complex_schur(a)
    w = jnp.diagonal(t)
    upper = np.triu(np.ones(t.shape, bool), 1)
    gaps = jnp.where(upper, jnp.abs(w - w[:, None]), jnp.inf)
    closest = jnp.minimum(jnp.abs(w[0]), gaps.min())
    coupling = jnp.where(upper, jnp.abs(t), 0).sum(axis=0).max()
    return (_of_form(t, z, pure(params, w)), closest, coupling), (t, z)


@_funm.defjvp
def _funm_jvp(pure, primals, tangents):
    (params, a), (d_params, da) = primals, tangents
    out, (t, z) = _evaluate(pure, params, a)
    w = jnp.diagonal(t)
    _, d_values = jax.jvp(lambda p: pure(p, w), (params,), (d_params,))
    # Daleckii and Krein: divided differences in the basis of eigenvectors
    w, v = jnp.linalg.eig(a)
    values, slopes = jax.jvp(lambda w: pure(params, w).astype(w.dtype), (w,), (jnp.ones_like(w),))
    gaps = w[:, None] - w
    near = jnp.abs(gaps) <= jnp.finfo(w.dtype).eps ** (1 / 3) * jnp.maximum(jnp.abs(w[:, None]), jnp.abs(w))
    mean = (slopes[:, None] + slopes) / 2
    differences = jnp.where(near, mean, (values[:, None] - values) / jnp.where(near, 1, gaps))
    inner = differences * jnp.linalg.solve(v, da @ v)
    change = _of_form(t, z, d_values) + jnp.linalg.solve(v.T, (v @ inner).T).T
    return out, (change, jnp.zeros_like(out[1]), jnp.zeros_like(out[2]))


def funm(fun, a):
    """The function of one matrix (n, n) that extends the scalar function `fun`.

    Parameters
    ----------
    fun : callable
        Elementwise, of a complex vector.
    a : array, shape (n, n)

    Returns
    -------
    f : complex array, shape (n, n)
    closest : scalar
        The least distance of two eigenvalues (and the modulus of the first): the smaller, the less is known of `f`.
    coupling : scalar
        The 1-norm of the Schur form above its diagonal.

    Notes
    -----
    Differentiable where `a` is diagonalisable, in it and in what `fun` holds; once.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., algorithm 9.1.1; N. J. Higham, "Functions of Matrices",
    SIAM 2008, theorem 3.11 (the derivative).
    """
    example = jnp.zeros(a.shape[0], jnp.result_type(a, jnp.complex64))
    pure, params, _ = close(fun, example)
    return _funm(pure, params, a)
