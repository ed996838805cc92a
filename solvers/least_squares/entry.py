"""`least_squares`: the entry of the nonlinear least-squares solvers."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from solvers.batching import in_blocks
from solvers.implicit import close, implicit
from solvers.iterate import entry_jit, iterate, split
from solvers.least_squares.dogbox import Dogbox
from solvers.least_squares.lm import LM
from solvers.least_squares.loss import Loss
from solvers.least_squares.region import coleman_li
from solvers.least_squares.trf import TRF, Problem, active_set
from solvers.roots.entry import residual_functions

__all__ = ["LeastSquaresResult", "least_squares"]


class LeastSquaresResult(NamedTuple):
    """What `least_squares` returns.

    Attributes
    ----------
    x : pytree
        The minimiser, of the structure of `x0`. Differentiable by the implicit function theorem.
    fun : (m,) array
        Residuals at `x`. Differentiable.
    jac : (m, n) array
        Jacobian of the residuals at `x`. Differentiable.
    nfev, njev, nit : int array
        Evaluations of residuals and Jacobian, accepted steps.
    status : int array
        MINPACK's code: 1 ftol, 2 xtol, 3 both, 4 gtol, 5 too many evaluations, 6, 7, 8 a tolerance is too small,
        0 the residuals are not finite at `x0`. Of `TRF` and `Dogbox` SciPy's: 1 gtol, 2 ftol, 3 xtol, 4 both,
        0 too many evaluations, -1 the residuals are not finite at `x0`.
    success : bool array
        ``1 <= status <= 4``.
    cost : float array
        Half the sum of the losses of the residuals. Differentiable.
    optimality : float array
        Largest component of the gradient, scaled by the distance to the bounds.
    side : (n,) array
        At which bound a variable is: -1 the lower, 1 the upper, 0 neither.
    """

    x: Any
    fun: jax.Array
    jac: jax.Array
    nfev: jax.Array
    njev: jax.Array
    nit: jax.Array
    status: jax.Array
    success: jax.Array
    cost: jax.Array
    optimality: jax.Array
    side: jax.Array


@entry_jit()
def least_squares(fun, x0, args=(), method=None, *, jac=None, bounds=None, loss=None):
    """Minimise half the sum of squares (or robust losses) of ``fun(x, *args)`` from `x0`, within bounds.

    Parameters
    ----------
    fun : callable
        Maps a pytree of n numbers to a pytree of m residuals; may itself be a pytree.
    x0 : pytree of float arrays
        Start. Its precision is the iteration's.
    args : tuple of pytrees
        Further arguments of `fun`.
    method : LM, TRF, Dogbox or optimistix.AbstractLeastSquaresSolver, optional
        The algorithm with its tolerances; `LM()` if absent.
    jac : callable or True, optional
        ``jac(x, *args)`` of shape (m, n), or True if `fun` returns ``(residuals, jacobian)``. By default the
        exact Jacobian is derived from `fun`. Derivatives of the solution always come from `fun` itself.
    bounds : pair of (n,) arrays, optional
        Lower and upper bounds of the variables in `x0`'s flat order; infinite where there is none. Of `TRF` and
        `Dogbox`.
    loss : Loss, optional
        A robust loss, of `TRF` and `Dogbox`. ``jac`` in the result is then scaled such that ``J^T J`` models the
        Hessian.

    Returns
    -------
    LeastSquaresResult

    Notes
    -----
    ``x`` and ``fun`` are differentiable in forward and reverse mode, to any order, with respect to `args`, the
    bounds and everything `fun` closes over. The implicit equation is that the gradient is zero, with the full
    Hessian, not its Gauss-Newton part; a variable at a bound that the gradient holds it to moves with the bound.
    Where the Hessian is singular the derivative is not finite.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from solvers.least_squares import least_squares
    >>> t = jnp.linspace(0, 1, 8)
    >>> y = 2.0 * jnp.exp(-1.5 * t)
    >>> result = least_squares(lambda p, t, y: p[0] * jnp.exp(-p[1] * t) - y, jnp.ones(2), (t, y))
    >>> bool(result.success), result.x.round(3).tolist()
    (True, [2.0, 1.5])
    """
    method = LM() if method is None else method
    loss = Loss() if loss is None else loss
    if isinstance(method, LM) and (bounds is not None or loss.rho is not None):
        raise ValueError("LM takes neither bounds nor a robust loss")
    start, unravel, function, jacobian, params = residual_functions(fun, jac, x0, args)
    if bounds is not None:
        bounds = tuple(jnp.broadcast_to(jnp.asarray(b, start.dtype), start.shape) for b in bounds)
    if loss.rho is not None:
        rho, held, _ = close(loss.rho, jax.eval_shape(function, params, start))
        loss = Loss(Partial(rho, held), jnp.asarray(loss.scale, start.dtype))
    params = (params, bounds, loss)
    carried, rebuild = split((method, start))

    def problem_of(params):
        inner, bounds, loss = params
        lower, upper = (None, None) if bounds is None else bounds
        return Problem(lambda x: function(inner, x), lambda x: jacobian(inner, x), loss, lower, upper)

    def solve(params, carried):
        method, start = rebuild(carried)
        problem = problem_of(params)
        if not isinstance(method, LM | TRF | Dogbox):
            from solvers.roots.optimistix_adapter import find_least_squares

            x, aux = find_least_squares(problem.function, method, start)
            aux |= _plain(aux["fun"], aux["jac"])
        else:
            state = iterate(method, problem, method.init(problem, start))
            x, aux = state.x, {k: getattr(state, k) for k in ("fun", "nfev", "njev", "nit", "status")}
            if isinstance(method, LM):
                aux["jac"] = problem.jacobian(state.at)
                aux |= _plain(aux["fun"], aux["jac"])
            else:
                aux["jac"] = state.jac
                side = active_set(problem, x, method.xtol) if isinstance(method, TRF) else state.side
                aux |= {"cost": state.cost, "optimality": state.optimality, "side": side.astype(jnp.int32)}
        return x, aux

    def cost(x, params):
        problem = problem_of(params)
        return problem.loss.cost(problem.function(x))

    def stationarity(x, params):
        gradient = jax.grad(cost)(x, params)
        return gradient if params[1] is None else _at_bounds(x, gradient, *params[1])

    def outputs(x, params):
        problem = problem_of(params)
        fun = problem.function(x)
        jac = problem.loss.model(fun, problem.jacobian(x))[1]
        return {"fun": fun, "jac": jac, "cost": problem.loss.cost(fun)}

    values = jax.eval_shape(function, params[0], start).size
    solve = in_blocks(solve, 2 * values * (start.size + 1))
    x, aux = implicit(solve, stationarity, outputs, params, carried)
    success = (aux["status"] >= 1) & (aux["status"] <= 4)
    return LeastSquaresResult(x=unravel(x), success=success, **aux)


def _plain(fun, jac):
    """Cost, optimality and sides where there are neither losses nor bounds."""
    gradient = jnp.max(jnp.abs(jac.T @ fun))
    return {"cost": 0.5 * jnp.sum(fun * fun), "optimality": gradient, "side": jnp.zeros(jac.shape[1], jnp.int32)}


def _at_bounds(x, gradient, lower, upper):
    """The equation of a variable: the gradient is zero, or it is at the bound that the gradient holds it to."""
    distance, slope = coleman_li(*map(jax.lax.stop_gradient, (x, gradient, lower, upper)))
    near = distance <= 1e-4 * jnp.maximum(1.0, jnp.abs(x))
    held = (slope != 0) & near & (jnp.abs(gradient) > distance)
    return jnp.where(held, x - jnp.where(slope > 0, lower, upper), gradient)
