"""`minimize`: the entry of the minimisers."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from solvers.implicit import close, implicit, value_and_gradient
from solvers.iterate import entry_jit, iterate, split
from solvers.minimize.bfgs import BFGS
from solvers.minimize.status import SUCCESS

__all__ = ["MinimizeResult", "minimize"]


class MinimizeResult(NamedTuple):
    """What `minimize` returns.

    Attributes
    ----------
    x : pytree
        The minimiser, of the structure of `x0`. Differentiable by the implicit function theorem.
    fun : float array
        The minimum. Differentiable.
    jac : (n,) array
        Gradient at `x`. A constant to differentiation, as are all that follow.
    hess_inv : (n, n) array
        The method's last inverse Hessian.
    nfev, njev, nit : int array
        Evaluations of value and gradient, iterations.
    status : int array
        0 success, 1 too many iterations, 2 precision loss in the line search, 3 NaN; -1 paused.
    success : bool array
        ``status == 0``.
    path : (capacity, n) array
        The start and the iterates, the first ``nit + 1`` rows; the rest is zero.
    state : pytree or None
        The solver's state, to resume from.
    """

    x: Any
    fun: jax.Array
    jac: jax.Array
    hess_inv: jax.Array
    nfev: jax.Array
    njev: jax.Array
    nit: jax.Array
    status: jax.Array
    success: jax.Array
    path: jax.Array
    state: Any = None


@entry_jit("capacity", "keep_state")
def minimize(fun, x0, args=(), method=None, *, jac=None, capacity=0, state=None, keep_state=False):
    """Minimise ``fun(x, *args)`` from `x0`.

    Parameters
    ----------
    fun : callable
        Real scalar function of a pytree `x`; may itself be a pytree.
    x0 : pytree of float arrays
        Start; n numbers in all. Its precision is the iteration's.
    args : tuple of pytrees
        Further arguments of `fun`.
    method : BFGS or optimistix.AbstractMinimiser, optional
        The algorithm with its tolerances; `BFGS()` if absent.
    jac : callable or True, optional
        ``jac(x, *args)``, the gradient, or True if `fun` returns ``(value, gradient)``. By default the exact
        gradient is derived from `fun`, in forward mode if reverse mode cannot. Derivatives of the solution always
        come from `fun`'s own derivatives.
    capacity : int
        How many iterates to record in ``result.path``.
    state : pytree, optional
        ``result.state`` of an earlier call, to resume it.
    keep_state : bool
        Whether to return the state.

    Returns
    -------
    MinimizeResult

    Notes
    -----
    ``x`` and ``fun`` are differentiable in forward and reverse mode, to any order, with respect to `args` and
    everything `fun` closes over: ``dx = -H^{-1} d(grad f)`` with the exact Hessian H at the solution. Where H is
    singular the derivative is not finite. Derivatives with respect to `x0` are zero.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from solvers.minimize import minimize
    >>> def f(x, a):
    ...     return (x[0] - a) ** 2 + (x[1] - x[0]) ** 2
    >>> result = minimize(f, jnp.zeros(2), (3.0,))
    >>> bool(result.success)
    True
    >>> print(jax.jacfwd(lambda a: minimize(f, jnp.zeros(2), (a,)).x)(3.0))
    [1. 1.]
    """
    method = BFGS() if method is None else method
    start, unravel = ravel_pytree(x0)
    if not jnp.issubdtype(start.dtype, jnp.floating):
        if not jnp.issubdtype(start.dtype, jnp.integer):
            raise TypeError(f"x0 must be real, got dtype {start.dtype}")
        x0 = jax.tree.map(lambda leaf: jnp.asarray(leaf, float), x0)
        start, unravel = ravel_pytree(x0)

    value, value_and_grad, params = _functions(fun, jac, start, unravel, args)

    carried, rebuild = split((method, start, state))

    def solve(params, carried):
        method, start, state = rebuild(carried)

        def problem(x):
            return value_and_grad(params, x)

        if not isinstance(method, BFGS):
            from solvers.roots.optimistix_adapter import minimise

            return minimise(problem, lambda x: value(params, x), method, start)
        state = method.init(problem, start, capacity) if state is None else state
        state = iterate(method, problem, state)
        aux = {k: getattr(state, k) for k in ("fun", "jac", "hess_inv", "nfev", "nit", "status", "path")}
        return state.x, aux | ({"state": state} if keep_state else {})

    def gradient(x, params):
        return value_and_gradient(lambda x: value(params, x), x)[1]

    def outputs(x, params):
        return {"fun": value(params, x)}

    x, aux = implicit(solve, gradient, outputs, params, carried)
    return MinimizeResult(x=unravel(x), njev=aux["nfev"], success=aux["status"] == SUCCESS, **aux)


def _functions(fun, jac, start, unravel, args):
    """Pure ``value(params, x)`` and ``value_and_grad(params, x)`` of the flat x, and the params of both."""
    dtype = start.dtype

    def evaluate(x, *args):
        out = fun(unravel(x), *args)
        return _scalar(out[0] if jac is True else out, dtype)

    def both(x, *args):
        if jac is True:
            f, g = fun(unravel(x), *args)
        else:
            f, g = fun(unravel(x), *args), jac(unravel(x), *args)
        g = ravel_pytree(g)[0].astype(dtype)
        if g.shape != start.shape:
            raise ValueError(f"jac must return a gradient of {start.size} numbers, got {g.size}")
        return _scalar(f, dtype), g

    pure, consts, _ = close(evaluate, start, *args)
    if jac is None:

        def value_and_grad(params, x):
            return value_and_gradient(lambda x: pure(params[0], x, *params[2]), x)

        both_consts = ()
    else:
        pure_both, both_consts, _ = close(both, start, *args)

        def value_and_grad(params, x):
            return pure_both(params[1], x, *params[2])

    def value(params, x):
        return pure(params[0], x, *params[2])

    return value, value_and_grad, (consts, both_consts, tuple(args))


def _scalar(out, dtype):
    out = jnp.asarray(out)
    if out.size != 1:
        raise ValueError(f"fun must return a scalar value, got an array of shape {out.shape}")
    if not jnp.issubdtype(out.dtype, jnp.floating) and not jnp.issubdtype(out.dtype, jnp.integer):
        raise TypeError(f"fun must return a real number, got dtype {out.dtype}")
    return out.reshape(()).astype(dtype)
