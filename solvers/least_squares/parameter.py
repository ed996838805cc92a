"""The damping that makes a Levenberg-Marquardt step fit the trust region.

References
----------
.. [1] J. J. More, "The Levenberg-Marquardt algorithm: implementation and theory", in Numerical Analysis,
   G. A. Watson (ed.), Springer, 1978, section 5.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.linalg import cho_factor, cho_solve

from solvers.least_squares.factors import UNROLLED, eliminated
from solvers.roots.vectors import inner, norm, product

__all__ = ["damping"]

_MAX_ITERATIONS = 10
_SMALL = 32


def damping(gram, slope, full_rank, delta, guess):
    """Solve ``norm(z(par)) = delta`` to a tenth, where ``(gram + par I) z = slope``.

    Parameters
    ----------
    gram : (n, n) array
        ``A^T A`` of the scaled Jacobian A: far from singular, or diagonal.
    slope : (n,) array
        ``A^T`` times the residuals, zero where a diagonal `gram` is.
    full_rank : bool array
        Whether `gram` is regular.
    delta : float array
        Radius of the trust region.
    guess : float array
        The parameter of the previous step.

    Returns
    -------
    par : float array
        Zero if the undamped step lies within the region.
    z : (n,) array
        The step (negated).
    """
    tiny = jnp.finfo(gram.dtype).tiny
    solve = _written_out(gram, slope) if len(slope) <= UNROLLED else functools.partial(_solve, gram, slope)
    gradient = norm(slope)
    highest = gradient / delta
    highest = jnp.where(highest == 0, tiny / jnp.minimum(delta, 0.1), highest)

    def body(carry):
        par, lower, upper, previous, _, _, count = carry
        # The first round is the undamped step, which tells where the others begin.
        undamped = count == 0
        par = jnp.where((par == 0) & ~undamped, jnp.maximum(tiny, 0.001 * upper), par)
        z, size, curvature = solve(par)
        excess = size - delta
        correction = excess / delta * size**2 / jnp.where(curvature > 0, curvature, 1.0)

        inside = ~(excess > 0.1 * delta)
        done = (jnp.abs(excess) <= 0.1 * delta) | ((lower == 0) & (excess <= previous) & (previous < 0))
        done = jnp.where(undamped, inside, done | (count >= _MAX_ITERATIONS))

        # Bounds of the parameter; the lower one holds only at full rank.
        least = jnp.where(full_rank, correction, 0.0)
        start = jnp.minimum(jnp.maximum(guess, least), highest)
        start = jnp.where(start == 0, gradient / size, start)
        lower = jnp.where(undamped, least, jnp.where(excess > 0, jnp.maximum(lower, par), lower))
        upper = jnp.where(undamped, highest, jnp.where(excess < 0, jnp.minimum(upper, par), upper))
        new = jnp.where(undamped, start, jnp.maximum(lower, par + correction))
        return jnp.where(done, par, new), lower, upper, excess, z, done, count + 1

    zero = jnp.zeros((), gram.dtype)
    nothing = jax.tree.map(jnp.zeros_like, jax.eval_shape(solve, zero)[0])
    carry = (zero, zero, highest, zero, nothing, jnp.asarray(False), jnp.int32(0))
    par, _, _, _, z, _, _ = lax.while_loop(lambda c: ~c[5], body, carry)
    return par, jnp.stack(z) if isinstance(z, tuple) else z


def _written_out(gram, slope):
    """`_solve` of few equations, number by number: under `vmap` each is a row of all lanes. z is a tuple."""
    n = len(slope)
    entries = [[gram[i, j] for j in range(i + 1)] for i in range(n)]
    right = [slope[i] for i in range(n)]

    def solve(par):
        low, _, inverse = eliminated([[*row[:-1], row[-1] + par] for row in entries])
        # L w = slope, L^T z = D^-1 w
        w = []
        for i in range(n):
            w.append(right[i] - sum(low[i][k] * w[k] for k in range(i)))
        z = [None] * n
        for i in reversed(range(n)):
            z[i] = w[i] * inverse[i] - sum(low[k][i] * z[k] for k in range(i + 1, n))
        # z^T (L D L^T)^-1 z = v^T D^-1 v of L v = z
        v = []
        for i in range(n):
            v.append(z[i] - sum(low[i][k] * v[k] for k in range(i)))
        size = jnp.sqrt(sum(a * a for a in z))
        return tuple(z), size, sum(a * a * d for a, d in zip(v, inverse, strict=True))

    return solve


def _solve(gram, slope, par):
    """The solution z of ``(gram + par I) z = slope``, its norm, and ``z^T (gram + par I)^-1 z``."""
    n = len(slope)
    if n > _SMALL:
        factors = cho_factor(gram + jnp.diag(jnp.full(n, par) + jnp.where(jnp.diagonal(gram) == 0, 1.0, 0.0)))
        z = cho_solve(factors, slope)
        return z, norm(z), inner(z, cho_solve(factors, z))
    inverse = _inverse(gram, par)
    z = product(inverse, slope)
    return z, norm(z), inner(z, product(inverse, z))


def _inverse(gram, par):
    """The inverse of ``gram + par I`` by Gauss-Jordan elimination; pivots of zero stay zero."""
    n = len(gram)
    index = np.arange(n, dtype=np.int32)

    def eliminate(k, a):
        row = lax.dynamic_index_in_dim(a, k, 0, keepdims=False)
        column = lax.dynamic_index_in_dim(a, k, 1, keepdims=True)
        pivot = lax.dynamic_index_in_dim(row, k, keepdims=False)
        pivot = jnp.where(pivot > 0, 1 / jnp.where(pivot > 0, pivot, 1.0), 0.0)
        in_row, in_column = index[:, None] == k, index == k
        outside = jnp.where(in_row, row * pivot, jnp.where(in_column, -column * pivot, a - column * (row * pivot)))
        return jnp.where(in_row & in_column, pivot, outside)

    return lax.fori_loop(0, n, eliminate, gram + jnp.where(index[:, None] == index, par, 0.0))
