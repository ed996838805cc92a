"""What implicit methods share: Jacobians, and the inverses of their Newton matrices.

The factorisation is kept as an inverse: it is made rarely, applied often, and a product is one kernel where a
solve is two or three calls of LAPACK, each of which costs more than all the rest of a step of a small system.
The Newton iteration corrects the inverse's rounding.
"""

import jax
import jax.numpy as jnp
from jax import lax

from solvers.batching import any_lane

#: Largest system whose matrices are inverted by unrolled elimination.
SMALL = 4


def jacobian(problem, t, y):
    """``df/dy`` (n, n) at ``(t, y)``; of complex states, of a function that is analytic in them."""
    if problem.jac is not None:
        return problem.jac(t, y) if callable(problem.jac) else problem.jac
    columns = jax.vmap(lambda d: jax.jvp(lambda y: problem.rhs(t, y), (y,), (d,))[1])
    return columns(jnp.eye(y.size, dtype=y.dtype)).T


def newton_tolerance(rtol):
    """How far Newton's iteration goes, in units of the error that a step may have (as in SciPy)."""
    return jnp.maximum(10 * jnp.finfo(rtol.dtype).eps / rtol, jnp.minimum(0.03, rtol**0.5))


def constant(problem):
    """Whether the Jacobian was given as a matrix."""
    return problem.jac is not None and not callable(problem.jac)


def update(needed, old, new):
    """``new()`` where ``needed``, else ``old``; under `vmap` computed only if some lane needs it.

    Small arrays are computed anyway: a branch costs more.
    """
    if old.shape[-1] <= SMALL:
        return jnp.where(needed, new(), old)
    return lax.cond(any_lane(needed), lambda: jnp.where(needed, new(), old), lambda: old)


def inverse(a):
    """Inverse of ``a`` (n, n); not finite for a singular matrix."""
    n = a.shape[0]
    if n == 1:
        return 1 / a
    if n == 2:
        determinant = a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]
        return _adjugate(a) / determinant
    if n <= SMALL:
        return _eliminated(a)
    return jnp.linalg.inv(a)


def _adjugate(a):
    return jnp.stack([jnp.stack([a[1, 1], -a[0, 1]]), jnp.stack([-a[1, 0], a[0, 0]])])


def _eliminated(a):
    """Inverse by Gauss-Jordan elimination with partial pivoting, as few whole-array operations."""
    n = a.shape[0]
    a = jnp.concatenate([a, jnp.eye(n, dtype=a.dtype)], axis=1)
    rows = jnp.arange(n)
    for k in range(n):
        size = jnp.where(rows >= k, jnp.abs(a[:, k]), -1)
        pivot = rows == jnp.argmax(size)
        row, other = jnp.sum(jnp.where(pivot[:, None], a, 0), axis=0), a[k]
        a = jnp.where(pivot[:, None], other, a)
        row = row / row[k]
        a = jnp.where((rows == k)[:, None], row, a - a[:, k : k + 1] * row)
    return a[:, n:]


def apply(matrix, vector):
    """``matrix @ vector``; for small systems in a form that fuses with its neighbours."""
    if matrix.shape[0] <= 2 * SMALL:
        return jnp.sum(matrix * vector, axis=1)
    return matrix @ vector
