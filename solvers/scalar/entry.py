"""`find_root`: the entry of the scalar root finders."""

from typing import Any, NamedTuple

import jax.numpy as jnp

from solvers.batching import in_blocks
from solvers.implicit import close, implicit_elementwise
from solvers.iterate import entry_jit, split
from solvers.scalar.bracketing import Brent
from solvers.scalar.drive import iterate_elementwise
from solvers.scalar.newton import Newton
from solvers.scalar.newton_array import NewtonArray
from solvers.scalar.status import CONVERGED

__all__ = ["ScalarRoot", "as_value", "find_root"]


class ScalarRoot(NamedTuple):
    """What `find_root` returns; all arrays have the shape of the start.

    Attributes
    ----------
    x : array
        Roots. Differentiable by the implicit function theorem.
    fun : array
        The function's values there.
    nfev, nit : int array
        Points at which the function was evaluated, iterations.
    status : int array
        0 converged, -1 no change of sign, -2 too many iterations, -3 a value is NaN, -4 the slope is zero.
    success : bool array
        ``status == 0``.
    extra : dict
        What else the method's state holds: ``bracket`` of those that have one, ``previous`` point of the secant method.
    """

    x: Any
    fun: Any
    nfev: Any
    nit: Any
    status: Any
    success: Any
    extra: Any


@entry_jit()
def find_root(fun, start, args=(), method=None):
    """Solve ``fun(x, *args) = 0`` element by element.

    Parameters
    ----------
    fun : callable
        Maps an array to an array of its shape, element by element; a scalar to a scalar. For `Newton` it returns a
        tuple of the value, the derivative and, for Halley's method, the second derivative.
    start : tuple of arrays of one shape
        The two ends of the bracket; for `Newton` one point, for `Secant` two.
    args : tuple of pytrees
        Further arguments of `fun`.
    method : Brent, Bisect, Ridder, TOMS748, Chandrupatla, Newton or Secant, optional
        The algorithm with its tolerances; `Brent()` if absent.

    Returns
    -------
    ScalarRoot

    Notes
    -----
    ``x`` is differentiable in forward and reverse mode, to any order, with respect to `args` and everything `fun`
    closes over: ``dx = -dF / F'``. Where ``F'`` is zero the derivative is not finite. Under `jax.vmap` the elements
    stop one by one.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from solvers.scalar import find_root
    >>> cube = lambda a: find_root(lambda x: x**3 - a, (0.0, 4.0)).x
    >>> round(float(cube(8.0)), 4), round(float(jax.grad(cube)(8.0)), 4)
    (2.0, 0.0833)
    """
    method = Brent() if method is None else method
    dtype = jnp.result_type(*(jnp.asarray(x).dtype for x in start))
    if not jnp.issubdtype(dtype, jnp.inexact):
        dtype = jnp.result_type(float)
    start = tuple(jnp.asarray(x, dtype) for x in start)
    start = tuple(jnp.broadcast_arrays(*start))
    open_method = isinstance(method, Newton | NewtonArray)

    def evaluate(x, *args):
        values = fun(x, *args)
        values = values if open_method else (values,)
        return tuple(as_value(value, x) for value in values)

    pure, consts, _ = close(evaluate, start[0], *args)
    carried, rebuild = split((method, start))

    def function(params, x):
        return pure(params[0], x, *params[1])

    def solve(params, carried):
        method, start = rebuild(carried)

        def at(x):
            values = function(params, x)
            return values if open_method else values[0]

        state = iterate_elementwise(method, at, method.init(at, start))
        aux = {k: getattr(state, k) for k in ("fun", "nfev", "nit", "status")}
        return state.x, aux | {"extra": getattr(state, "extra", {})}

    x, aux = implicit_elementwise(
        # a hundred lanes or two, whose state stays in the first-level cache: 7 ms where blocks of 2,600 take 11
        in_blocks(solve, 400 * start[0].size),
        lambda x, params: function(params, x)[0],
        lambda x, params: {},
        (consts, tuple(args)),
        carried,
    )
    return ScalarRoot(x=x, success=aux["status"] == CONVERGED, **aux)


def as_value(value, x):
    """A value of the user's function as an array of the point's shape and precision."""
    value = jnp.asarray(value)
    if value.shape != x.shape and value.size == x.size == 1:
        value = value.reshape(x.shape)
    if value.shape != x.shape:
        raise ValueError(f"fun must return the shape of its argument, {x.shape}; it returns shape {value.shape}")
    if jnp.issubdtype(value.dtype, jnp.complexfloating) and not jnp.issubdtype(x.dtype, jnp.complexfloating):
        raise TypeError(f"fun must return real numbers, got dtype {value.dtype}")
    return value.astype(x.dtype)
