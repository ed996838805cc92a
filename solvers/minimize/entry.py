"""`minimize`: the entry of the minimisers."""

import functools
import operator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from solvers.implicit import implicit
from solvers.iterate import entry_jit, iterate, split
from solvers.minimize.bfgs import BFGS
from solvers.minimize.problem import Functions, Problem
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
    jac : (n,) array or None
        Gradient at `x`, of the methods that use it. A constant to differentiation, as are all that follow.
    hess_inv : (n, n) array or None
        The last inverse Hessian of a method that has one.
    nfev, njev, nit : int array
        Evaluations of value and gradient, iterations.
    status : int array
        0 success, 1 too many iterations, 2 precision loss in the line search, 3 NaN; -1 paused. Methods with codes of
        their own say so.
    success : bool array
        ``status == 0``.
    path : (capacity, n) array
        The start and the iterates, the first ``nit + 1`` rows; the rest is zero.
    state : pytree or None
        The solver's state, to resume from.
    extra : dict
        What only the method has: ``nhev``, multipliers, pairs of the limited memory.
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
    extra: Any = None


@entry_jit("capacity", "keep_state")
def minimize(
    fun, x0, args=(), method=None, *, jac=None, hess=None, hessp=None, bounds=None, constraints=None,
    constraints_jac=None, capacity=0, state=None, keep_state=False,
):  # fmt: skip
    """Minimise ``fun(x, *args)`` from `x0`.

    Parameters
    ----------
    fun : callable
        Real scalar function of a pytree `x`; may itself be a pytree.
    x0 : pytree of float arrays
        Start; n numbers in all. Its precision is the iteration's.
    args : tuple of pytrees
        Further arguments of `fun`.
    method : solver of this package or optimistix.AbstractMinimiser, optional
        The algorithm with its tolerances; `BFGS()` if absent.
    jac : callable or True, optional
        ``jac(x, *args)``, the gradient, or True if `fun` returns ``(value, gradient)``. By default the exact
        gradient is derived from `fun`, in forward mode if reverse mode cannot. Derivatives of the solution always
        come from `fun`'s own derivatives.
    hess, hessp : callable, optional
        ``hess(x, *args)`` of shape (n, n) and ``hessp(x, v, *args)`` of shape (n,), for the methods that use second
        derivatives. By default they are derived exactly.
    bounds : (lower, upper), optional
        Two vectors of shape (n,), infinite where there is no bound. The start is moved into them.
    constraints : callable, optional
        ``constraints(x, *args)`` of shape (m,), for methods that take constraints: equalities first.
    constraints_jac : callable, optional
        ``constraints_jac(x, *args)`` of shape (m, n); exact by default.
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
    singular the derivative is not finite. Derivatives with respect to `x0` are zero. Variables at an active bound
    follow the bound, the others solve the problem with these fixed.

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
    bounds = _checked_bounds(bounds, start, method)
    if bounds is not None and getattr(method, "clips_start", True):
        start = jnp.clip(start, *bounds)
    if constraints is not None and not getattr(method, "takes_constraints", False):
        raise ValueError(f"{type(method).__name__} takes no constraints")

    functions = Functions(fun, start, unravel, args, jac, hess, hessp, bounds, constraints, constraints_jac)
    carried, rebuild = split((method, start, state))

    def solve(params, carried):
        method, start, state = rebuild(carried)
        problem = Problem(functions, params)
        if not hasattr(method, "converged"):
            from solvers.roots.optimistix_adapter import minimise

            return minimise(problem, problem.value, method, start)
        state = method.init(problem, start, capacity) if state is None else state
        state = iterate(method, problem, state)
        names = ("fun", "jac", "nfev", "nit", "status", "path")
        aux = {k: getattr(state, k) for k in names}
        aux["hess_inv"] = getattr(state, "hess_inv", None)
        aux["njev"] = getattr(state, "njev", state.nfev)
        aux["extra"] = method.results(state) if hasattr(method, "results") else {}
        return state.x, aux | ({"state": state} if keep_state else {})

    def outputs(x, params):
        return {"fun": functions.value(params, x)}

    near = getattr(method, "near_bounds", 0.0)
    if constraints is None:
        x, aux = implicit(solve, _optimality(functions, near), outputs, functions.params, carried)
    else:
        n = start.size

        def solve_both(params, carried):
            x, aux = solve(params, carried)
            return jnp.concatenate([x, aux["extra"]["multipliers"]]), aux

        residual = _kkt(functions, n, method.equalities, near)
        both, aux = implicit(solve_both, residual, lambda z, p: outputs(z[:n], p), functions.params, carried)
        x = both[:n]
    aux.setdefault("njev", aux["nfev"])
    aux.setdefault("extra", {})
    if hess is not None:
        aux["extra"] = aux["extra"] | {"hess": functions.hess(functions.params, x)}
    success = functools.reduce(
        operator.or_, [aux["status"] == code for code in getattr(method, "successes", (SUCCESS,))]
    )
    if hasattr(method, "certifies"):
        success &= method.certifies(aux)
    return MinimizeResult(x=unravel(x), success=success, **aux)


def _checked_bounds(bounds, start, method):
    if bounds is None:
        return None
    if not getattr(method, "takes_bounds", False):
        raise ValueError(f"{type(method).__name__} takes no bounds")
    lower, upper = bounds
    return tuple(jnp.broadcast_to(jnp.asarray(b, start.dtype), start.shape) for b in (lower, upper))


def _kkt(functions, n, equalities, near):
    """What vanishes at a constrained solution: the first-order conditions in x and the multipliers."""

    def residual(both, params):
        x, multipliers = both[:n], both[n:]
        values, normals = functions.constraints_and_exact_jacobian(params, x)
        slope = functions.gradient(params, x) - multipliers @ normals
        active = (jnp.arange(values.size) < equalities) | (multipliers > 0)
        return jnp.concatenate([_held(x, slope, params["bounds"], near), jnp.where(active, values, multipliers)])

    return residual


def _optimality(functions, near):
    """What vanishes at the solution: the gradient, or the distance to the bound of a variable that is held by it."""

    def residual(x, params):
        return _held(x, functions.gradient(params, x), params["bounds"], near)

    return residual


def _held(x, slope, bounds, near):
    """The slope, with the distance to the bound in place of the slope of a variable that the bound holds.

    Interior methods end `near` it: of the two that vanish together, the smaller one is the zero.
    """
    if bounds is None:
        return slope
    lower, upper = bounds
    low = ((x <= lower) | ((x - lower < near) & (x - lower < slope))) & ((slope > 0) | (lower == upper))
    high = ((x >= upper) | ((upper - x < near) & (upper - x < -slope))) & (slope < 0)
    return jnp.where(low, x - lower, jnp.where(high, x - upper, slope))
