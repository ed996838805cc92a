"""Boundary value problems by collocation with control of the residual, and the derivative of the solution."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.bvp import mesh as meshes
from solvers.bvp import status
from solvers.bvp.collocation import Equations, linearised, relative_residuals, residual
from solvers.bvp.condense import factor
from solvers.bvp.condense import solve as solve_chain
from solvers.bvp.newton import newton
from solvers.implicit import close

#: Solutions of the collocation system at most on meshes that need no more nodes.
MAX_ITERATIONS = 10


def solve(fun, bc, x, y, p, *, intervals=128, **options):
    """Solve ``y' = f(x, y, p)`` with ``bc(y(a), y(b), p) = 0`` on a mesh that is refined as needed.

    Runs under `jit` and `vmap`. Differentiable to any order with respect to the ends of the mesh, what the functions
    close over, and S: by the implicit function theorem, for the final mesh.

    Parameters
    ----------
    fun : callable
        ``fun(x, y, p)`` of a scalar, (n,) and (k,); shape (n,).
    bc : callable
        ``bc(ya, yb, p)``, shape (n + k,).
    x : (m,) array
        Increasing.
    y : (m, n) array
        A first guess, real or complex.
    p : (k,) array
        A guess of the unknown parameters, (0,) if there are none.
    intervals : int
        Capacity, a power of two.
    **options
        As of `advance`.

    Returns
    -------
    Mesh

    References
    ----------
    .. [1] J. Kierzenka, L. F. Shampine, "A BVP solver based on residual control and the Matlab PSE", ACM Trans. Math.
           Softw. 27 (2001) 299-316.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from solvers import bvp
    >>> x = jnp.linspace(0.0, 1.0, 5)
    >>> m = bvp.solve(lambda x, y, p: jnp.array([y[1], y[0]]), lambda a, b, p: jnp.array([a[0], b[0] - 1]),
    ...               x, jnp.zeros((5, 2)), jnp.zeros(0))
    >>> bool(abs(m.y[0, 1] - 1 / jnp.sinh(1.0)) < 1e-3)
    True
    """
    return advance(fun, bc, meshes.start(x, y, p, intervals), **options)


def advance(
    fun, bc, mesh, *, jac=None, bc_jac=None, singular=None, a=None, project=None, tol=1e-3, bc_tol=1e-3,
    max_nodes=1000, until=None,
):  # fmt: skip
    """Refine and solve until the residuals are small enough.

    Parameters
    ----------
    fun, bc : callable
        As of `solve`.
    mesh : Mesh
        To go on from.
    jac, bc_jac : callable, optional
        Derivatives (n, n + k) of `fun` and (n + k, 2 n + k) of `bc`. Default: by differentiation.
    singular : tuple of two (n, n) arrays, optional
        S and the pseudo-inverse of 1 - S, of a term ``S y / (x - a)``.
    a : scalar, optional
        Where that term is singular.
    project : (n, n) array, optional
        Makes ``S y(a) = 0``.
    tol, bc_tol : scalar
        Bounds of the relative residuals and of the boundary conditions.
    max_nodes : scalar
    until : scalar, optional
        Pause after this many solutions (status `RUNNING`).

    Returns
    -------
    Mesh
    """
    if singular is not None:
        fun, jac = _with_singular_term(fun, jac, singular, a)
    x, y, p = mesh.x[0], mesh.y[0], mesh.p
    n, k = y.shape[0], p.shape[0]
    pure_fun, in_fun, shape = close(fun, x, y, p)
    if shape.shape != (n,):
        raise ValueError(f"`fun` must return shape {(n,)}, got {shape.shape}.")
    pure_bc, in_bc, shape = close(bc, y, y, p)
    if shape.shape != (n + k,):
        raise ValueError(f"`bc` must return shape {(n + k,)}, got {shape.shape}.")
    pure_jac, in_jac = (None, ()) if jac is None else close(jac, x, y, p)[:2]
    pure_bc_jac, in_bc_jac = (None, ()) if bc_jac is None else close(bc_jac, y, y, p)[:2]
    equations = _equations(pure_fun, pure_jac, pure_bc, pure_bc_jac, y.dtype)
    params = in_fun, in_jac, in_bc, in_bc_jac
    mesh = jax.tree.map(jnp.asarray, mesh)
    until = jnp.asarray(np.iinfo(np.int32).max if until is None else until, jnp.int32)
    rules = jax.tree.map(lax.stop_gradient, (project, tol, bc_tol, max_nodes, until))
    return _advance(equations, params, (mesh.x[0], mesh.x[-1]), jax.tree.map(lax.stop_gradient, mesh), rules)


def _with_singular_term(fun, jac, singular, a):
    matrix, inverse = singular

    def split(x):
        at_end = x == a
        return at_end, jnp.where(at_end, 1, x - a)

    def with_term(x, y, p):
        f = fun(x, y, p)
        at_end, distance = split(x)
        return jnp.where(at_end, inverse @ f, f + matrix @ y / distance)

    def jacobian(x, y, p):
        j = jac(x, y, p)
        at_end, distance = split(x)
        term = jnp.zeros_like(j).at[:, : y.shape[0]].set(matrix / distance)
        return jnp.where(at_end, inverse @ j, j + term)

    return with_term, None if jac is None else jacobian


def _equations(fun, jac, bc, bc_jac, dtype):
    """`Equations` of functions that take only their own parameters."""

    def columns(function, x):
        # along the real axis, as differences would be taken: the derivative of a holomorphic function
        units = jnp.eye(x.size, dtype=dtype)
        return jax.vmap(lambda unit: jax.jvp(function, (x,), (unit,))[1], out_axes=1)(units)

    def differentiated(params, x, y, p):
        n = y.shape[0]
        return columns(lambda z: fun(params[0], x, z[:n], z[n:]), jnp.concatenate([y, p]))

    def bc_differentiated(params, ya, yb, p):
        n = ya.shape[0]
        return columns(lambda z: bc(params[2], z[:n], z[n : 2 * n], z[2 * n :]), jnp.concatenate([ya, yb, p]))

    return Equations(
        lambda params, *v: fun(params[0], *v),
        differentiated if jac is None else lambda params, *v: jac(params[1], *v),
        lambda params, *v: bc(params[2], *v),
        bc_differentiated if bc_jac is None else lambda params, *v: bc_jac(params[3], *v),
    )


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _advance(equations, params, ends, mesh, rules):
    until = rules[-1]

    def step(mesh):
        return _once(equations, params, mesh, rules)

    return lax.while_loop(lambda m: (m.status == status.RUNNING) & (m.iteration < until), step, mesh)


def _once(equations, params, mesh, rules):
    """Refine as decided, solve the collocation system, and decide what follows."""
    project, tol, bc_tol, max_nodes, _ = rules
    x, y, count = refined_or_same(mesh)
    y, p, at, singular = newton(equations, params, x, count, y, mesh.p, project, tol, bc_tol)
    rms = relative_residuals(equations, params, x, y, p, at)
    inside = jnp.arange(rms.size) < count - 1
    rms = jnp.where(inside, rms, 0)
    added = jnp.where(rms > tol, jnp.where(rms < 100 * tol, 1, 2), 0).astype(jnp.int32)
    total = jnp.sum(added)
    worst = jnp.stack([jnp.max(rms), jnp.max(jnp.abs(at.outer))])
    iteration = mesh.iteration + 1
    converged = (worst[0] <= tol) & (worst[1] <= bc_tol)
    code = jnp.where(converged, status.SUCCESS, jnp.where(iteration >= MAX_ITERATIONS, status.BOUNDARY, status.RUNNING))
    wanted = jnp.where(count + total > mesh.x.size, status.FULL, status.RUNNING)
    code = jnp.where(total > 0, jnp.where(count + total > max_nodes, status.MAX_NODES, wanted), code)
    code = jnp.where(count > max_nodes, status.MAX_NODES, code)
    code = jnp.where(singular, status.SINGULAR, code).astype(jnp.int32)
    return meshes.Mesh(x, y, at.f, p, count, added, rms, worst, iteration, code)


def refined_or_same(mesh):
    """`refined`, or the very same arrays where nothing is added."""
    x, y, count = meshes.refined(mesh)
    same = jnp.sum(mesh.added) == 0
    return jnp.where(same, mesh.x, x), jnp.where(same, mesh.y, y), jnp.where(same, mesh.count, count)


@_advance.defjvp
def _advance_jvp(equations, primals, tangents):
    params, ends, mesh, rules = primals
    d_params, (d_a, d_b), _, _ = tangents
    out = _advance(equations, params, ends, mesh, rules)
    # the nodes keep their places relative to the ends
    place = (out.x - ends[0]) / (ends[1] - ends[0])
    d_x = (1 - place) * d_a + place * d_b
    at, moved = jax.jvp(
        lambda params, x: residual(equations, params, x, out.y, out.p), (params, out.x), (d_params, d_x)
    )
    factors = factor(linearised(equations, params, out.x, out.y, out.p, at.y_middle))
    d_y, d_p = solve_chain(factors, -moved.inner, -moved.outer)
    slope = jax.vmap(equations.fun, in_axes=(None, 0, 0, None))
    d_f = jax.jvp(slope, (params, out.x, out.y, out.p), (d_params, d_x, d_y, d_p))[1]
    return out, jax.tree.map(_zero, out)._replace(x=d_x, y=d_y, f=d_f, p=d_p)


def _zero(value):
    if jnp.issubdtype(value.dtype, jnp.inexact):
        return jnp.zeros_like(value)
    return np.zeros(value.shape, jax.dtypes.float0)
