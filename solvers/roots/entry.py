"""`root`: the entry of the solvers of systems of equations."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from solvers.implicit import close, implicit
from solvers.iterate import entry_jit, iterate, split
from solvers.roots.hybr import CONVERGED, Hybr

__all__ = ["RootResult", "root"]


class RootResult(NamedTuple):
    """What `root` returns.

    Attributes
    ----------
    x : pytree
        The root, of the structure of `x0`. Differentiable by the implicit function theorem.
    fun : (n,) array
        The function at `x`.
    jac : (n, n) array or None
        The last Jacobian model of `Hybr` (exact at its last renewal, Broyden's updates since).
    model : (n, 2n + 1) array or None
        Its factors ``[R, Q^T, Q^T fun]``, of `Hybr` only.
    nfev, njev, nit : int array
        Evaluations of the function and of its Jacobian, accepted steps.
    status : int array
        1 converged, 2 too many evaluations or iterations; of `Hybr` 3 `xtol` too small, 4 and 5 no good progress; of
        `QuasiNewton` 3 values that are not finite, 4 a step of zero.
    success : bool array
        ``status == 1``.
    """

    x: Any
    fun: jax.Array
    jac: jax.Array | None
    model: jax.Array | None
    nfev: jax.Array
    njev: jax.Array
    nit: jax.Array
    status: jax.Array
    success: jax.Array


@entry_jit()
def root(fun, x0, args=(), method=None, *, jac=None):
    """Solve ``fun(x, *args) = 0`` from `x0`.

    Parameters
    ----------
    fun : callable
        Maps a pytree of n numbers to a pytree of n numbers; may itself be a pytree.
    x0 : pytree of float arrays
        Start. Its precision is the iteration's.
    args : tuple of pytrees
        Further arguments of `fun`.
    method : Hybr, QuasiNewton, DFSane or optimistix.AbstractRootFinder, optional
        The algorithm with its tolerances; `Hybr()` if absent.
    jac : callable or True, optional
        ``jac(x, *args)`` of shape (n, n), or True if `fun` returns ``(value, jacobian)``. By default the exact
        Jacobian is derived from `fun`. Derivatives of the solution always come from `fun` itself.

    Returns
    -------
    RootResult

    Notes
    -----
    ``x`` is differentiable in forward and reverse mode, to any order, with respect to `args` and everything
    `fun` closes over: ``dx = -J^{-1} dF``. Where J is singular the derivative is not finite.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> from solvers.roots import root
    >>> result = root(lambda x, a: x**2 - a, jnp.ones(2), (jnp.array([4.0, 9.0]),))
    >>> bool(result.success), result.x.round(4).tolist()
    (True, [2.0, 3.0])
    """
    method = Hybr() if method is None else method
    start, unravel, function, jacobian, params = residual_functions(fun, jac, x0, args)
    size = jax.eval_shape(function, params, start).size
    if size != start.size:
        raise ValueError(f"fun must return as many numbers as x has ({start.size}), got {size}")

    carried, rebuild = split((method, start))

    def solve(params, carried):
        method, start = rebuild(carried)
        if not hasattr(method, "converged"):
            from solvers.roots.optimistix_adapter import find_root

            return find_root(lambda x: function(params, x), method, start)
        state = method.init(None, start)
        problem = (lambda x: function(params, x)), (lambda x: jacobian(params, x))
        state = iterate(method, problem, state)
        names = ("fun", "jac", "model", "nfev", "njev", "nit", "status")
        return state.x, {k: getattr(state, k) for k in names if k != "model" or isinstance(method, Hybr)}

    def residual(x, params):
        return function(params, x)

    x, aux = implicit(solve, residual, lambda x, params: {}, params, carried)
    success = (aux["status"] == CONVERGED) & jnp.isfinite(aux["fun"]).all()
    return RootResult(x=unravel(x), success=success, **{"model": None} | aux)


def residual_functions(fun, jac, x0, args):
    """The flat start, its inverse, and pure ``function(params, x)``, ``jacobian(params, x)`` with their params."""
    start, unravel = ravel_pytree(x0)
    if not jnp.issubdtype(start.dtype, jnp.floating):
        if not jnp.issubdtype(start.dtype, jnp.integer):
            raise TypeError(f"x0 must be real, got dtype {start.dtype}")
        x0 = jax.tree.map(lambda leaf: jnp.asarray(leaf, float), x0)
        start, unravel = ravel_pytree(x0)
    dtype = start.dtype

    def evaluate(x, *args):
        out = fun(unravel(x), *args)
        return _flat(out[0] if jac is True else out, dtype)

    def derivative(x, *args):
        out = fun(unravel(x), *args)[1] if jac is True else jac(unravel(x), *args)
        return jnp.asarray(out, dtype)

    pure, consts, shape = close(evaluate, start, *args)
    expected = (shape.size, start.size)
    if jac is None:
        # Forward mode costs n directions, reverse mode m.
        transform = jax.jacrev if shape.size < start.size else jax.jacfwd

        def jacobian(params, x):
            return transform(lambda x: pure(params[0], x, *params[2]))(x)

        jac_consts = ()
    else:
        pure_jac, jac_consts, jac_shape = close(derivative, start, *args)
        if jac_shape.shape != expected:
            raise ValueError(f"jac must return an array of shape {expected}, got {jac_shape.shape}")

        def jacobian(params, x):
            return pure_jac(params[1], x, *params[2])

    def function(params, x):
        return pure(params[0], x, *params[2])

    return start, unravel, function, jacobian, (consts, jac_consts, tuple(args))


def _flat(out, dtype):
    flat = ravel_pytree(out)[0]
    if jnp.issubdtype(flat.dtype, jnp.complexfloating):
        raise TypeError(f"fun must return real numbers, got dtype {flat.dtype}")
    return flat.astype(dtype)
