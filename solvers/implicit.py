"""Derivatives of the solution of an equation, without differentiating the iteration.

If ``F(x*(t), t) = 0`` then ``dx* = -(dF/dx)^{-1} dF/dt dt`` (implicit function theorem). The rule is a
``custom_jvp`` whose linear solve JAX transposes, so that forward mode, reverse mode and their compositions of
any order hold.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import jaxpr_as_fun

__all__ = ["close", "implicit", "implicit_elementwise", "value_and_gradient"]


def close(fun, *example):
    """Trace ``fun(*example)`` once into ``pure(params, *args)`` and the `params` it closes over.

    Every array that `fun` holds (leaves of a pytree-callable, closure cells, tracers of an outer
    transformation) becomes a leaf of `params`, so that solutions can be differentiated with respect to it.
    """
    closed, shape = jax.make_jaxpr(fun, return_shape=True)(*example)
    structure = jax.tree.structure(shape)

    def pure(params, *args):
        flat = jaxpr_as_fun(closed.replace(consts=list(params)))(*jax.tree.leaves(args))
        return jax.tree.unflatten(structure, flat)

    return pure, tuple(closed.consts), shape


def value_and_gradient(fun, x):
    """Value and gradient of a scalar function of a vector.

    In reverse mode; in forward mode, n directions at once, where `fun` has loops that only forward mode can follow
    (``lax.while_loop``).
    """
    try:
        return jax.value_and_grad(fun)(x)
    except ValueError as error:
        if "Reverse-mode differentiation does not work" not in str(error):
            raise
    directions = jnp.eye(x.size, dtype=x.dtype)
    return jax.vmap(lambda d: jax.jvp(fun, (x,), (d,)), out_axes=(None, 0))(directions)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0, 1, 2))
def implicit(solve, residual, outputs, params, start):
    """Solve for ``x`` and attach the implicit derivative.

    Parameters
    ----------
    solve : callable
        ``solve(params, start) -> (x, aux)``: the iteration. `x` is a vector of shape (n,), `aux` a dict.
    residual : callable
        ``residual(x, params)`` of shape (n,), zero at the solution.
    outputs : callable
        ``outputs(x, params) -> dict``: the entries of `aux` that have derivatives of their own. The others
        (counters, status, inverse Hessian) are constants to differentiation.
    params : pytree
        What the solution depends on.
    start : pytree
        What only the iteration depends on (start, tolerances): derivative zero.

    Returns
    -------
    x : (n,) array
    aux : dict
    """
    return solve(params, start)


@implicit.defjvp
def _implicit_jvp(solve, residual, outputs, primals, tangents):
    params, start = primals
    d_params, _ = tangents
    x, aux = implicit(solve, residual, outputs, params, start)
    _, d_residual = jax.jvp(lambda p: residual(x, p), (params,), (d_params,))
    jacobian = jax.jacfwd(residual)(x, params)
    d_x = -jnp.linalg.solve(jacobian, d_residual)
    return (x, aux), (d_x, _d_aux(outputs, x, params, d_x, d_params, aux))


@functools.partial(jax.custom_jvp, nondiff_argnums=(0, 1, 2))
def implicit_elementwise(solve, residual, outputs, params, start):
    """As `implicit`, where each element of `x` (an array of any shape) solves an equation of its own."""
    return solve(params, start)


@implicit_elementwise.defjvp
def _implicit_elementwise_jvp(solve, residual, outputs, primals, tangents):
    params, start = primals
    d_params, _ = tangents
    x, aux = implicit_elementwise(solve, residual, outputs, params, start)
    _, d_residual = jax.jvp(lambda p: residual(x, p), (params,), (d_params,))
    _, slope = jax.jvp(lambda x: residual(x, params), (x,), (jnp.ones_like(x),))
    d_x = -d_residual / slope
    return (x, aux), (d_x, _d_aux(outputs, x, params, d_x, d_params, aux))


def _d_aux(outputs, x, params, d_x, d_params, aux):
    """Tangents of the outputs beside x; constants have none."""
    _, d_outputs = jax.jvp(outputs, (x, params), (d_x, d_params))
    return {k: d_outputs[k] if k in d_outputs else jax.tree.map(_zero, v) for k, v in aux.items()}


def _zero(value):
    if jnp.issubdtype(value.dtype, jnp.inexact):
        return jnp.zeros_like(value)
    return np.zeros(value.shape, jax.dtypes.float0)
