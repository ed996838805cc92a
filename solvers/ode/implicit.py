"""What implicit methods share: Jacobians, and the inverses of their Newton matrices.

The factorisation is kept as an inverse: it is made rarely, applied often, and a product is one kernel where a
solve is two or three calls of LAPACK, each of which costs more than all the rest of a step of a small system.
The Newton iteration corrects the inverse's rounding.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.batching import any_lane
from solvers.ode import banded
from solvers.ode.small import SMALL, inverse


def jacobian(problem, t, y):
    """``df/dy`` at ``(t, y)``, (n, n) or by its diagonals; of complex states, of a function analytic in them."""
    pattern = problem.pattern
    if problem.jac is not None:
        jac = problem.jac(t, y) if callable(problem.jac) else problem.jac
        return jac if pattern is None else pattern.band(jac)
    if pattern is not None:
        return pattern.jacobian(lambda y: problem.rhs(t, y), y)
    columns = jax.vmap(lambda d: jax.jvp(lambda y: problem.rhs(t, y), (y,), (d,))[1])
    return columns(jnp.eye(y.size, dtype=y.dtype)).T


def newton_tolerance(rtol):
    """How far Newton's iteration goes, in units of the error that a step may have (as in SciPy)."""
    return jnp.maximum(10 * jnp.finfo(rtol.dtype).eps / rtol, jnp.minimum(0.03, rtol**0.5))


def weighted_norm(problem, jac, weights):
    """Norm of the Jacobian that belongs to the maximum norm with ``weights``."""
    pattern = problem.pattern
    if pattern is None or pattern.lower is None:
        return jnp.max(weights * jnp.sum(jnp.abs(jac) / weights, axis=1), initial=0)
    w = weights if pattern.order is None else weights[pattern.order]
    shares = jnp.abs(jac) / w
    shifts = range(-pattern.upper, pattern.lower + 1)
    # what wraps around is zero
    return jnp.max(w * sum(jnp.roll(row, k) for k, row in zip(shifts, shares, strict=True)), initial=0)


def constant(problem):
    """Whether the Jacobian was given as a matrix."""
    return problem.jac is not None and not callable(problem.jac)


def update(needed, old, new, n):
    """``new()`` where ``needed``, else ``old`` (a pytree); under `vmap` computed only if some lane needs it.

    For a state of few entries ``n`` it is computed anyway: a branch costs more.
    """

    def selected():
        return jax.tree.map(lambda a, b: jnp.where(needed, a, b), new(), old)

    if n <= SMALL:
        return selected()
    return lax.cond(any_lane(needed), selected, lambda: old)


def factorised(problem, shift, factor, jac):
    """Inverse of ``shift * M - factor * jac``, M the mass matrix or the identity: a matrix, or banded factors."""
    pattern = problem.pattern
    if pattern is None or pattern.lower is None:
        unit = jnp.eye(jac.shape[-1], dtype=jac.dtype) if problem.mass is None else problem.mass
        return inverse(shift * unit - factor * jac)
    main = (np.arange(jac.shape[0]) == pattern.upper)[:, None]
    return Ordered(banded.factorised(shift * main - factor * jac, pattern.lower, pattern.upper), pattern)


class Ordered(NamedTuple):
    """A banded factorisation, of states in another order."""

    factors: Any
    pattern: Any


def blank(problem, dtype, n):
    """Something of the shape of `factorised`, without values."""
    jac = blank_jacobian(problem, dtype, n)
    one = jnp.ones((), dtype)
    shapes = jax.eval_shape(lambda j: factorised(problem, one, one, j), jac)
    return jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), shapes)


def blank_jacobian(problem, dtype, n):
    """Zeros of the shape of `jacobian`."""
    pattern = problem.pattern
    rows = n if pattern is None or pattern.lower is None else pattern.lower + pattern.upper + 1
    return jnp.zeros((rows, n), dtype)


def apply(matrix, vector):
    """``matrix @ vector``, the matrix from `factorised`; for small systems in a form that fuses with its neighbours."""
    if isinstance(matrix, Ordered):
        order = matrix.pattern.order
        if order is None:
            return banded.solve(matrix.factors, vector)
        return banded.solve(matrix.factors, vector[order])[matrix.pattern.place]
    if matrix.shape[0] <= 2 * SMALL:
        return jnp.sum(matrix * vector, axis=1)
    return matrix @ vector
