"""Collocation by a cubic spline at both ends and the middle of each interval (Lobatto IIIA of order 4).

All arrays have the nodes first: y is (N + 1, n). Nodes after the last repeat it, so that their intervals are empty
and ask for equal values.

References
----------
.. [1] J. Kierzenka, L. F. Shampine, "A BVP solver based on residual control and the Matlab PSE", ACM Trans. Math.
       Softw. 27 (2001) 299-316.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from solvers.bvp.condense import Chain


class Equations(NamedTuple):
    """The problem, for one node: callables that take ``params`` first.

    ``fun(params, x, y, p)`` (n,), ``jac`` of it (n, n + k), ``bc(params, ya, yb, p)`` (n + k,), ``bc_jac`` of it
    (n + k, 2 n + k).
    """

    fun: Any
    jac: Any
    bc: Any
    bc_jac: Any


class Residual(NamedTuple):
    """Defects (N, n) and (n + k,), slopes at the nodes (N + 1, n), values and slopes at the middles (N, n)."""

    inner: Any
    outer: Any
    f: Any
    y_middle: Any
    f_middle: Any


def residual(equations, params, x, y, p):
    """Defects of a spline with values ``y`` at the nodes."""
    slope = jax.vmap(lambda x, y: equations.fun(params, x, y, p))
    h = jnp.diff(x)[:, None]
    f = slope(x, y)
    y_middle = 0.5 * (y[1:] + y[:-1]) - 0.125 * h * (f[1:] - f[:-1])
    f_middle = slope(middles(x), y_middle)
    inner = y[1:] - y[:-1] - h / 6 * (f[:-1] + f[1:] + 4 * f_middle)
    return Residual(inner, equations.bc(params, y[0], y[-1], p), f, y_middle, f_middle)


def middles(x):
    """Middles of the intervals."""
    return x[:-1] + 0.5 * jnp.diff(x)


def linearised(equations, params, x, y, p, y_middle):
    """Derivative of `residual` with respect to y and p, as a `Chain`."""
    n, count = y.shape[1], y.shape[0] - 1
    at = jnp.concatenate([x, middles(x)]), jnp.concatenate([y, y_middle])
    both = jax.vmap(lambda x, y: equations.jac(params, x, y, p))(*at)
    j0, j1, jm = both[:count, :, :n], both[1 : count + 1, :, :n], both[count + 1 :, :, :n]
    p0, p1, pm = both[:count, :, n:], both[1 : count + 1, :, n:], both[count + 1 :, :, n:]
    h = jnp.diff(x)[:, None, None]
    one = jnp.eye(n, dtype=y.dtype)
    left = -one - h / 6 * (j0 + 2 * jm) - h**2 / 12 * (jm @ j0)
    right = one - h / 6 * (j1 + 2 * jm) + h**2 / 12 * (jm @ j1)
    param = -h / 6 * (p0 + p1 + 4 * (pm + h / 8 * (jm @ (p0 - p1))))
    border = equations.bc_jac(params, y[0], y[-1], p)
    return Chain(left, right, param, border[:, :n], border[:, n : 2 * n], border[:, 2 * n :])


def hermite(y, f, h, xp=jnp):
    """Coefficients (4, N, n) of the cubic spline, highest power first, in the distance from each left node."""
    h = xp.where(h == 0, 1, h)[:, None]
    slope = (y[1:] - y[:-1]) / h
    t = (f[:-1] + f[1:] - 2 * slope) / h
    return xp.stack([t / h, (slope - f[:-1]) / h - t, f[:-1], y[:-1]])


def relative_residuals(equations, params, x, y, p, at):
    """Root mean square of ``(y' - f) / (1 + |f|)`` on each interval (N,), by five-point Lobatto quadrature."""
    h = jnp.diff(x)
    c = hermite(y, at.f, h)
    t = jnp.stack([0.5 * h + 0.5 * h * (3 / 7) ** 0.5, 0.5 * h - 0.5 * h * (3 / 7) ** 0.5])[..., None]
    value = ((c[0] * t + c[1]) * t + c[2]) * t + c[3]
    slope = (3 * c[0] * t + 2 * c[1]) * t + c[2]
    n = y.shape[1]
    places = (x[:-1] + t[..., 0]).ravel(), value.reshape(-1, n)
    f = jax.vmap(lambda x, y: equations.fun(params, x, y, p))(*places).reshape(value.shape)
    sides = _square((slope - f) / (1 + jnp.abs(f)))
    middle = 1.5 * at.inner / jnp.where(h == 0, 1, h)[:, None] / (1 + jnp.abs(at.f_middle))
    total = 32 / 45 * _square(middle) + 49 / 90 * (sides[0] + sides[1])
    return jnp.where(h == 0, 0, jnp.sqrt(0.5 * total))


def _square(r):
    return jnp.sum(r.real**2 + r.imag**2, axis=-1)
