"""The step of a linear model with linear constraints in a ball: a primal-dual interior point.

First as little violation as the ball allows, then as low a value as that allows; a large weight of the violation joins
the two.

References
----------
.. [1] M. J. D. Powell, "A direct search optimization method that models the objective and constraint functions by
   linear interpolation", Advances in Optimization and Numerical Analysis (1994) 51-67, section 2 (the problem).
.. [2] S. J. Wright, "Primal-Dual Interior-Point Methods", SIAM, 1997 (the method).
"""

import jax.numpy as jnp
from jax import lax

from solvers.minimize.quadratic import eliminate_with_pivots
from solvers.roots.vectors import inner, norm, product

__all__ = ["linear_step"]

_MOST, _CENTRING, _BACK = 60, 0.1, 0.99


def linear_step(gradient, rows, levels, radius):
    """Minimise ``gradient @ d`` subject to ``rows @ d >= levels`` as far as possible, and ``|d| <= radius``.

    Parameters
    ----------
    gradient : (n,) array
    rows, levels : (m, n) and (m,) array
    radius : float array

    Returns
    -------
    step : (n,) array
    multipliers : (m,) array
        Nonnegative; zero where a row does not hold the step back.
    """
    dtype, n, m = gradient.dtype, gradient.size, levels.size
    tiny = jnp.finfo(dtype).tiny
    double = jnp.finfo(dtype).eps < 1e-10
    weight, precision = (1e6, 1e-12) if double else (1e3, 1e-4)
    short = jnp.finfo(dtype).eps ** 0.5  # of several steps that are as good, the shortest
    # In units of the radius, the gradient's length and the longest row.
    size = jnp.maximum(norm(gradient), tiny)
    unit = jnp.maximum(jnp.sqrt(jnp.max(jnp.sum(rows * rows, axis=1), initial=0.0)) * radius, tiny)
    slope, a = gradient / size, rows * (radius / unit)
    b = jnp.maximum(levels / unit, -2.0)  # a lower level cannot be met within the ball
    eye = jnp.eye(n + 1, dtype=bool)
    on_u = lax.iota(jnp.int32, n + 1) < n
    objective = jnp.concatenate([slope, jnp.full(1, weight, dtype)])

    def slacks(w):
        u, z = w[:n], w[n]
        return jnp.concatenate([product(a, u) + z - b, z[None], 0.5 * (1 - inner(u, u))[None]])

    def jacobian(w):
        first = jnp.concatenate([a, jnp.ones((m, 1), dtype)], axis=1)
        last = jnp.where(on_u, jnp.stack([jnp.zeros_like(w), -w]), jnp.array([[1.0], [0.0]], dtype))
        return jnp.concatenate([first, last])

    def going(carry):
        _, s, multipliers, count = carry
        return (count < _MOST) & ~(inner(s, multipliers) <= precision * (m + 2))

    def advance(carry):
        w, s, v, count = carry
        target = _CENTRING * inner(s, v) / (m + 2)
        normals, missing = jacobian(w), slacks(w) - s
        # Not reduced to the normal equations: an equality is two rows whose ``v / s`` grows without end, beside which
        # the slope along it would be lost.
        largest = jnp.maximum(s, v)
        pull = jnp.where(on_u, short * w, 0.0)
        upper = jnp.concatenate([jnp.where(eye & on_u, v[-1] + short, 0.0), -normals.T], axis=1)
        lower = jnp.concatenate([(v / largest)[:, None] * normals, jnp.diag(s / largest)], axis=1)
        right = jnp.concatenate([product(normals.T, v) - objective - pull, (target - s * v - v * missing) / largest])
        found = eliminate_with_pivots(jnp.concatenate([upper, lower]), right)
        dw, dv = found[: n + 1], found[n + 1 :]
        ds = product(normals, dw) + missing
        shrink = jnp.min(jnp.where(ds < 0, -s / ds, jnp.inf)), jnp.min(jnp.where(dv < 0, -v / dv, jnp.inf))
        length = jnp.minimum(1.0, _BACK * jnp.minimum(*shrink))
        good = jnp.all(jnp.isfinite(dw)) & jnp.all(jnp.isfinite(dv))
        moved = tuple(jnp.where(good, p + length * q, p) for p, q in ((w, dw), (s, ds), (v, dv)))
        return *moved, jnp.where(good, count + 1, _MOST)

    start = jnp.where(on_u, 0.0, jnp.max(b, initial=0.0) + 1.0)
    s = slacks(start)
    v = jnp.where(lax.iota(jnp.int32, m + 2) == m, weight, 1.0) / s
    w, s, v, _ = lax.while_loop(going, advance, (start, s, v, 0))
    u = w[:n] / jnp.maximum(1.0, norm(w[:n]))
    # Of a product that has gone to zero, the smaller factor is the zero.
    multipliers = jnp.where(v > s, v, 0.0)[:m] * (size * radius / unit)
    return radius * u, multipliers
