"""`find_minimum`: the entry of the scalar minimisers."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from solvers.implicit import close, implicit_elementwise
from solvers.iterate import entry_jit, split
from solvers.scalar.bracket import BracketMinimum
from solvers.scalar.drive import iterate_elementwise
from solvers.scalar.entry import as_value
from solvers.scalar.minimum import BoundedMinimum, BrentMinimum, GoldenMinimum
from solvers.scalar.status import BRACKET_LIMIT, CONVERGED, NOT_CONVERGED, SIGN_ERROR

__all__ = ["ScalarMinimum", "find_minimum", "search_bracket"]


class ScalarMinimum(NamedTuple):
    """What `find_minimum` returns; all arrays have the shape of the start.

    Attributes
    ----------
    x : array
        Minimisers. Differentiable by the implicit function theorem.
    fun : array
        The function's values there. Differentiable.
    nfev, nit : int array
        Evaluations and iterations.
    status : int array
        0 converged, -1 the three points are no bracket, -2 too many iterations, -3 a value is NaN, -5 no bracket
        was found, -6 nor within the most iterations.
    success : bool array
        ``status == 0``.
    extra : dict
        ``bracket`` and ``f_bracket`` of the methods that have them.
    """

    x: Any
    fun: Any
    nfev: Any
    nit: Any
    status: Any
    success: Any
    extra: Any


@entry_jit()
def find_minimum(fun, start, args=(), method=None, *, search=None):
    """Minimise ``fun(x, *args)`` element by element.

    Parameters
    ----------
    fun : callable
        Maps an array to an array of its shape, element by element; a scalar to a scalar.
    start : tuple of arrays of one shape
        Three points that enclose a minimum; two bounds for `BoundedMinimum`; two points with `search`.
    args : tuple of pytrees
        Further arguments of `fun`.
    method : BrentMinimum, GoldenMinimum, BoundedMinimum or ChandrupatlaMinimum, optional
        The algorithm with its tolerances; `BrentMinimum()` if absent.
    search : BracketMinimum, optional
        How three points are found from two.

    Returns
    -------
    ScalarMinimum

    Notes
    -----
    ``x`` is differentiable with respect to `args` and everything `fun` closes over: ``dx = -dF' / F''``. A minimum
    of `BoundedMinimum` at a bound moves with the bound.

    Examples
    --------
    >>> import jax
    >>> from solvers.scalar import find_minimum
    >>> lowest = lambda a: find_minimum(lambda x: (x - a) ** 2 + a, (-9.0, 1.0, 9.0)).x
    >>> round(float(lowest(3.0)), 4), round(float(jax.grad(lowest)(3.0)), 4)
    (3.0, 1.0)
    """
    method = BrentMinimum() if method is None else method
    dtype = jnp.result_type(*(jnp.asarray(x).dtype for x in start))
    if not jnp.issubdtype(dtype, jnp.inexact):
        dtype = jnp.result_type(float)
    start = tuple(jnp.broadcast_arrays(*(jnp.asarray(x, dtype) for x in start)))
    pure, consts, _ = close(lambda x, *args: as_value(fun(x, *args), x), start[0], *args)
    bounds = start if isinstance(method, BoundedMinimum) else None
    carried, rebuild = split((method, search, start))

    def function(params, x):
        return pure(params[0], x, *params[1])

    def solve(params, carried):
        method, search, start = rebuild(carried)
        if params[2] is not None:
            start = params[2]
        return _solve(lambda x: function(params, x), method, search, start)

    def slope(x, params):
        return jax.jvp(lambda x: function(params, x), (x,), (jnp.ones_like(x),))[1]

    def stationarity(x, params):
        gradient = slope(x, params)
        if params[2] is None:
            return gradient
        # Held at a bound: a Newton step would leave the interval.
        low, high = params[2]
        _, curvature = jax.jvp(lambda x: slope(x, params), (x,), (jnp.ones_like(x),))
        room = jnp.where(gradient > 0, x - low, high - x)
        held = jax.lax.stop_gradient(jnp.abs(gradient) > 2 * jnp.abs(curvature * room))
        return jnp.where(held, x - jnp.where(gradient > 0, low, high), gradient)

    def outputs(x, params):
        return {"fun": function(params, x)}

    x, aux = implicit_elementwise(solve, stationarity, outputs, (consts, tuple(args), bounds), carried)
    return ScalarMinimum(x=x, success=aux["status"] == CONVERGED, **aux)


def _solve(fun, method, search, start):
    """Find a bracket if need be, minimise in it, and say which of the two failed."""
    if not isinstance(method, BrentMinimum | GoldenMinimum):
        state = iterate_elementwise(method, fun, method.init(fun, start))
        aux = {"fun": state.fun, "nfev": state.nfev, "nit": state.nit, "status": state.status}
        return state.x, aux | {"extra": getattr(state, "extra", {})}
    if search is None:
        points, values = start, jax.vmap(fun)(jnp.stack(start))
        wrong = ~((values[1] < values[0]) & (values[1] < values[2]))
        failure, before = jnp.where(wrong, SIGN_ERROR, CONVERGED), jnp.full(points[0].shape, 3, jnp.int32)
    else:
        found = iterate_elementwise(search, fun, search.init(fun, start))
        points, values = (found.xa, found.xb, found.xc), jnp.stack([found.fa, found.fb, found.fc])
        failure, before = jnp.where(found.status == NOT_CONVERGED, BRACKET_LIMIT, found.status), found.nfev
    failed = failure != CONVERGED
    state = method.init(fun, points)
    state = state._replace(status=jnp.where(failed, failure, state.status).astype(jnp.int32))
    state = iterate_elementwise(method, fun, state)
    # Without a bracket: the best point seen.
    best = jnp.argmin(jnp.where(jnp.isnan(values), -jnp.inf, values), axis=0)
    seen = jnp.take_along_axis(jnp.stack(points), best[None], axis=0)[0]
    value = jnp.take_along_axis(values, best[None], axis=0)[0]
    # Brent's first point is one of the bracket's; golden sections evaluate two points of their own.
    again = 1 if isinstance(method, BrentMinimum) else 0
    nfev = jnp.where(failed, before, before + state.nfev - again)
    aux = {
        "fun": jnp.where(failed, value, state.fun),
        "nfev": nfev.astype(jnp.int32),
        "nit": jnp.where(failed, 0, state.nit),
        "status": state.status,
        "extra": {"bracket": tuple(points), "f_bracket": tuple(values)},
    }
    return jnp.where(failed, seen, state.x), aux


@entry_jit()
def search_bracket(fun, start, args=(), search=None):
    """Three points that enclose a minimum of ``fun(x, *args)``, from two.

    Parameters
    ----------
    fun, args
        As of `find_minimum`.
    start : pair of arrays of one shape
    search : BracketMinimum, optional

    Returns
    -------
    BracketState
        With ``xa``, ``xb``, ``xc``, their values, ``nfev`` and ``status``: 0 found, -2 too many iterations, -5 none.

    Examples
    --------
    >>> from solvers.scalar import search_bracket
    >>> found = search_bracket(lambda x: (x - 9.0) ** 2, (0.0, 1.0))
    >>> bool(found.fb < found.fa) and bool(found.fb < found.fc)
    True
    """
    search = BracketMinimum() if search is None else search
    dtype = jnp.result_type(*(jnp.asarray(x).dtype for x in start), jnp.zeros((), jnp.float32))
    start = tuple(jnp.broadcast_arrays(*(jnp.asarray(x, dtype) for x in start)))

    def at(x):
        return as_value(fun(x, *args), x)

    return iterate_elementwise(search, at, search.init(at, start))
