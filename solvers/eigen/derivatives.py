"""Eigenpairs of operators with their implicit derivatives.

For ``A x = w M x`` with x a simple eigenvector the derivatives solve

    (A - w M) dx - M x dw = -(dA - w dM) x

beside a condition for the scaling of x. In the Hermitian case ``dw`` is a Rayleigh quotient, and what is left is
solved by MINRES in the complement of the eigenspace; in the general case the bordered system is solved by GMRES. Where
that does not converge the derivative is NaN.

Reference: N. P. van der Aa, H. G. ter Morsche, R. M. M. Mattheij, "Computation of eigenvalue and eigenvector
derivatives for a general complex-valued eigensystem", Electron. J. Linear Algebra 16 (2007) 300-314.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.linear import gmres as gmres_engine
from solvers.linear import krylov

__all__ = ["general_pairs", "hermitian_pairs"]

#: Unrestarted up to this many steps.
_RESTART = 150


@functools.partial(jax.custom_jvp, nondiff_argnums=(0, 1, 2, 3))
def hermitian_pairs(solve, apply, metric, scale, params, start):
    """``solve(params, start) -> (w, v, aux)`` with derivatives of w and v with respect to `params`.

    Parameters
    ----------
    solve : callable
        The iteration: w of shape (k,), v of shape (k, n) in rows. It may not close over tracers.
    apply, metric, scale : callable
        ``(params, x) -> A x``, ``M x``, and the product whose quadratic form is 1 for each vector; `metric` and
        `scale` may be None for the identity.
    params : pytree
    start : pytree
        What only the iteration depends on.
    """
    return solve(params, start)


@hermitian_pairs.defjvp
def _hermitian_jvp(solve, apply, metric, scale, primals, tangents):
    (params, start), (d_params, _) = primals, tangents
    w, v, aux = hermitian_pairs(solve, apply, metric, scale, params, start)
    eps = jnp.finfo(v.dtype).eps

    def times(product, x):
        """The product and its tangent at fixed x."""
        if product is None:
            return x, jnp.zeros_like(x)
        return jax.jvp(lambda p: product(p, x), (params,), (d_params,))

    images = jax.vmap(lambda x: times(metric, x)[0])(v)  # M x, in rows
    sizes = jnp.real((jnp.conj(v) * images).sum(-1))

    def tangent(w_i, x, image, size):
        (_, da), (_, dm), (b, db) = times(apply, x), times(metric, x), times(scale, x)
        load = da - w_i * dm
        dw = jnp.real(jnp.vdot(x, load)) / size
        near = jnp.abs(w - w_i) <= 1e3 * eps * jnp.abs(w).max()

        def complement(r):  # the residual's part that the neighbours of the same value take
            return r - jnp.where(near, jnp.conj(v) @ r / sizes, 0) @ images

        def operator(y):
            return apply(params, y) - w_i * (y if metric is None else metric(params, y))

        def iterate(_, r):
            y, info = krylov.minres(operator, r, jnp.zeros_like(r), 10 * eps, 10 * r.shape[0], lambda z: z)
            return jnp.where(info == 0, y, jnp.nan)

        y = lax.custom_linear_solve(
            operator, complement(dw * image - load), iterate, lambda _, r: jnp.conj(iterate(None, jnp.conj(r)))
        )
        # M-orthogonal to the neighbours, and of unit length to first order
        y = y - jnp.where(near, jnp.conj(images) @ y / sizes, 0) @ v
        slope = jnp.real(2 * jnp.vdot(b, y) + jnp.vdot(x, db))
        return dw, y - slope / (2 * jnp.real(jnp.vdot(x, b))) * x

    dw, dv = jax.vmap(tangent)(w, v, images, sizes)
    return (w, v, aux), (dw, dv, jax.tree.map(_zero, aux))


@functools.partial(jax.custom_jvp, nondiff_argnums=(0, 1, 2))
def general_pairs(solve, apply, metric, params, start):
    """As `hermitian_pairs` for a general operator; ``x^H M x`` is 1, and the largest component of x real."""
    return solve(params, start)


@general_pairs.defjvp
def _general_jvp(solve, apply, metric, primals, tangents):
    (params, start), (d_params, _) = primals, tangents
    w, v, aux = general_pairs(solve, apply, metric, params, start)
    eps = jnp.finfo(v.dtype).eps

    def times(product, x):
        if product is None:
            return x, jnp.zeros_like(x)
        return jax.jvp(lambda p: product(p, x), (params,), (d_params,))

    def tangent(w_i, x):
        (_, da), (image, dm) = times(apply, x), times(metric, x)
        n = x.shape[0]
        length = jnp.real(jnp.vdot(x, image))

        def bordered(z):
            y, s = z[:n], z[n]
            top = apply(params, y) - w_i * (y if metric is None else metric(params, y)) - s * image
            return jnp.concatenate([top, jnp.vdot(x, y)[None]])

        def iterate(product, r):
            steps = min(n + 1, _RESTART)
            target = jnp.maximum(1e3 * eps * krylov.norm(r), jnp.finfo(r.real.dtype).tiny)
            z, info = gmres_engine.gmres(product, r, jnp.zeros_like(r), target, 50, steps, lambda z: z)
            return jnp.where((info == 0) | (krylov.norm(r) == 0), z, jnp.nan)

        load = jnp.concatenate([w_i * dm - da, jnp.zeros(1, x.dtype)])
        z = lax.custom_linear_solve(bordered, load, iterate, iterate)
        y, top = z[:n], jnp.argmax(jnp.abs(x))
        beside = y if metric is None else metric(params, y)
        slope = jnp.real(jnp.vdot(x, beside) + jnp.vdot(y, image) + jnp.vdot(x, dm))
        y = y - x * (slope / (2 * length))
        return z[n], y - 1j * x * (y[top].imag / x[top].real)

    dw, dv = jax.vmap(tangent)(w, v)
    return (w, v, aux), (dw, dv, jax.tree.map(_zero, aux))


def _zero(value):
    if jnp.issubdtype(value.dtype, jnp.inexact):
        return jnp.zeros_like(value)
    return np.zeros(value.shape, jax.dtypes.float0)
