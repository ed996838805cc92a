"""Constant mass matrices: ``M y' = f(t, y)``, with a singular ``M`` a system with algebraic equations of index 1.

The matrix travels with the right-hand side, among the arrays that it depends on: so it is differentiated with them.

References
----------
.. [1] E. Hairer, G. Wanner, "Solving Ordinary Differential Equations II", Sec. VI.1, VI.3.
"""

import jax
import jax.numpy as jnp
from jax import lax

from solvers.implicit import close, implicit
from solvers.ode import control

#: An initial state is taken if Newton's correction to a consistent one is below this multiple of the tolerance.
NEAR = 10.0
MAX_ITERATIONS = 50


def slopes(problem):
    """The problem with slopes of the state in place of ``f``, as far as the matrix determines them."""
    if problem.mass is None:
        return problem
    inverse = jnp.linalg.pinv(problem.mass)
    return problem._replace(rhs=lambda t, y: inverse @ problem.rhs(t, y))


def _defect(mass):
    """Projection on what the range of ``mass`` lacks: it keeps the algebraic equations."""
    mass = lax.stop_gradient(mass)
    return jnp.eye(mass.shape[0], dtype=mass.dtype) - mass @ jnp.linalg.pinv(mass)


def checked_step(problem, y, h, jac):
    """``h``, or NaN where ``y`` does not satisfy the algebraic equations or these do not determine it."""
    p = problem
    if p.mass is None:
        return h
    keep = _defect(p.mass)
    change = jnp.linalg.solve(p.mass + keep @ jac, keep @ p.rhs(p.t0, y))
    near = control.rms_norm(change / (p.atol + p.rtol * jnp.abs(y))) <= NEAR
    return jnp.where(near, h, jnp.nan)


def consistent(fun, t0, y0, mass, args=()):
    """An initial state that satisfies the algebraic equations of ``mass @ y' = fun(t, y, *args)``.

    Newton's iteration changes ``y0`` in what ``mass`` does not see; ``mass @ y0`` stays. Differentiable in forward
    and reverse mode with respect to ``y0``, ``args`` and ``mass``.

    Parameters
    ----------
    fun : callable
        ``fun(t, y, *args)`` with ``y`` and the result of shape (n,).
    t0 : scalar
    y0 : (n,) array, real
        A guess of the algebraic part, and the differential part.
    mass : (n, n) array
        Singular, of index 1.
    args : tuple of pytrees
        Further arguments of ``fun``.

    Returns
    -------
    (n,) array; NaN where the iteration does not converge (the index is above 1, or the guess too far)

    Raises
    ------
    ValueError
        If ``mass`` is not a matrix of the size of ``y0``.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from solvers import ode
    >>> mass = jnp.array([[1.0, 0.0], [0.0, 0.0]])
    >>> y = ode.consistent(lambda t, y: jnp.array([-y[0], y[1] - y[0] ** 2]), 0.0, jnp.array([3.0, 0.0]), mass)
    >>> bool(abs(y[0] - 3) + abs(y[1] - 9) < 1e-4)
    True
    """
    y0 = jnp.asarray(y0)
    y0 = y0 if jnp.issubdtype(y0.dtype, jnp.inexact) else y0.astype(float)
    mass = as_mass(mass, y0)
    t0 = jnp.asarray(t0, y0.dtype)
    pure, consts, _ = close(lambda y, args: jnp.asarray(fun(t0, y, *args), y0.dtype), y0, args)

    def residual(y, params):
        start, mass, consts, args = params
        return mass @ (y - start) + _defect(mass) @ pure(consts, y, args)

    def solve(params, start):
        def body(carry):
            y, _, i = carry
            change = -jnp.linalg.solve(jax.jacfwd(residual)(y, params), residual(y, params))
            return y + change, jnp.max(jnp.abs(change)) / (1e-3 + jnp.max(jnp.abs(y))), i + 1

        enough = jnp.finfo(start.dtype).eps ** 0.6
        begin = start, jnp.full((), jnp.inf, start.dtype), 0
        y, size, _ = lax.while_loop(lambda c: (c[1] > enough) & (c[2] < MAX_ITERATIONS), body, begin)
        return jnp.where(size <= enough, y, jnp.nan), {}

    params = y0, mass, consts, args
    return implicit(solve, residual, lambda y, params: {}, params, lax.stop_gradient(y0))[0]


def as_mass(mass, y):
    """``mass`` as a matrix for states like ``y``, checked."""
    mass = jnp.asarray(mass)
    if mass.shape != (y.size, y.size):
        raise ValueError(f"`mass` must have shape {(y.size, y.size)}, got {mass.shape}.")
    if jnp.iscomplexobj(mass) and not jnp.iscomplexobj(y):
        raise ValueError("`mass` is complex for a real state; make `y0` complex.")
    return mass.astype(y.dtype)
