"""`fixed_point`: iteration of a function, with Steffensen's acceleration."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.flatten_util import ravel_pytree

from solvers.implicit import close, implicit
from solvers.iterate import entry_jit

__all__ = ["FixedPointResult", "fixed_point"]


class FixedPointResult(NamedTuple):
    """What `fixed_point` returns.

    Attributes
    ----------
    x : pytree
        The fixed point, of the structure of `x0`. Differentiable by the implicit function theorem.
    nit : int array
        Iterations.
    success : bool array
        Whether the last relative change was below the tolerance in every component.
    """

    x: Any
    nit: jax.Array
    success: jax.Array


@entry_jit("accelerate")
def fixed_point(fun, x0, args=(), *, xtol=1e-8, maxiter=500, accelerate=True):
    """Solve ``fun(x, *args) = x`` by iteration from `x0`.

    Parameters
    ----------
    fun : callable
        Maps a pytree to one of the same structure.
    x0 : pytree of float or complex arrays
    args : tuple of pytrees
    xtol : float
        Relative change below which a component has converged.
    maxiter : int
    accelerate : bool, static
        Aitken's delta-squared on every component, with two evaluations an iteration.

    Returns
    -------
    FixedPointResult

    References
    ----------
    .. [1] R. L. Burden, J. D. Faires, "Numerical Analysis", section 2.5 (Steffensen's method).

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from solvers.roots import fixed_point
    >>> root = lambda a: fixed_point(lambda x: 0.5 * (x + a / x), 1.0).x
    >>> round(float(root(9.0)), 4), round(float(jax.grad(root)(9.0)), 4)
    (3.0, 0.1667)
    """
    start, unravel = ravel_pytree(x0)
    if not jnp.issubdtype(start.dtype, jnp.inexact):
        start, unravel = ravel_pytree(jax.tree.map(lambda leaf: jnp.asarray(leaf, float), x0))

    def flat(x, *args):
        value = ravel_pytree(fun(unravel(x), *args))[0]
        if value.shape != x.shape:
            raise ValueError(f"fun must return the shape of its argument; {value.size} numbers for {x.size}")
        return value.astype(x.dtype)

    pure, consts, _ = close(flat, start, *args)

    def function(params, x):
        return pure(params[0], x, *params[1])

    def solve(params, carried):
        start, xtol, maxiter = carried

        def body(carry):
            p0, nit, _ = carry
            p = p1 = function(params, p0)
            if accelerate:
                p2 = function(params, p1)
                curve = p2 - 2 * p1 + p0
                safe = jnp.where(curve == 0, 1, curve)
                p = jnp.where(curve == 0, p2, p0 - (p1 - p0) ** 2 / safe)
            change = jnp.where(p0 == 0, p, (p - p0) / jnp.where(p0 == 0, 1, p0))
            return p, nit + 1, jnp.all(jnp.abs(change) < xtol) & jnp.all(jnp.isfinite(p))

        first = (start, jnp.zeros((), jnp.int32), jnp.asarray(False))
        x, nit, done = lax.while_loop(lambda c: ~c[2] & (c[1] < maxiter), body, first)
        return x, {"nit": nit, "success": done}

    x, aux = implicit(
        solve,
        lambda x, params: x - function(params, x),
        lambda x, params: {},
        (consts, tuple(args)),
        (start, jnp.asarray(xtol, float), jnp.asarray(maxiter)),
    )
    return FixedPointResult(x=unravel(x), **aux)
