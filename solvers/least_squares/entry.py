"""`least_squares`: the entry of the nonlinear least-squares solvers."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from solvers.implicit import implicit
from solvers.iterate import entry_jit, iterate, split
from solvers.least_squares.lm import LM
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
        0 the residuals are not finite at `x0`.
    success : bool array
        ``1 <= status <= 4``.
    """

    x: Any
    fun: jax.Array
    jac: jax.Array
    nfev: jax.Array
    njev: jax.Array
    nit: jax.Array
    status: jax.Array
    success: jax.Array


@entry_jit()
def least_squares(fun, x0, args=(), method=None, *, jac=None):
    """Minimise half the sum of squares of ``fun(x, *args)`` from `x0`.

    Parameters
    ----------
    fun : callable
        Maps a pytree of n numbers to a pytree of m residuals; may itself be a pytree.
    x0 : pytree of float arrays
        Start. Its precision is the iteration's.
    args : tuple of pytrees
        Further arguments of `fun`.
    method : LM or optimistix.AbstractLeastSquaresSolver, optional
        The algorithm with its tolerances; `LM()` if absent.
    jac : callable or True, optional
        ``jac(x, *args)`` of shape (m, n), or True if `fun` returns ``(residuals, jacobian)``. By default the
        exact Jacobian is derived from `fun`. Derivatives of the solution always come from `fun` itself.

    Returns
    -------
    LeastSquaresResult

    Notes
    -----
    ``x`` and ``fun`` are differentiable in forward and reverse mode, to any order, with respect to `args` and
    everything `fun` closes over. The implicit equation is ``J^T r = 0`` with the full Hessian, not its
    Gauss-Newton part. Where that is singular the derivative is not finite.

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
    start, unravel, function, jacobian, params = residual_functions(fun, jac, x0, args)

    carried, rebuild = split((method, start))

    def solve(params, carried):
        method, start = rebuild(carried)
        if not isinstance(method, LM):
            from solvers.roots.optimistix_adapter import find_least_squares

            return find_least_squares(lambda x: function(params, x), method, start)
        problem = (lambda x: function(params, x)), (lambda x: jacobian(params, x))
        state = iterate(method, problem, method.init(problem, start))
        return state.x, {k: getattr(state, k) for k in ("fun", "jac", "nfev", "njev", "nit", "status")}

    def gradient(x, params):
        return jax.grad(lambda x: 0.5 * jnp.sum(function(params, x) ** 2))(x)

    def outputs(x, params):
        return {"fun": function(params, x), "jac": jacobian(params, x)}

    x, aux = implicit(solve, gradient, outputs, params, carried)
    success = (aux["status"] >= 1) & (aux["status"] <= 4)
    return LeastSquaresResult(x=unravel(x), success=success, **aux)
