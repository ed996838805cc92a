"""Simplicial homology global optimisation: samples on a graph, a local search from each sample below its neighbours."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from solvers.minimize import SLSQP, minimize

__all__ = ["HomologyResult", "homology", "sampled"]


class HomologyResult(NamedTuple):
    """What `homology` returns.

    Attributes
    ----------
    x, fun : arrays
        The lowest minimum and its value. Differentiable.
    xl, funl : arrays
        All local minima, lowest first, of shape (size, n) and (size,); infinite values behind the last one.
    success : bool array
        Whether the search of the lowest one succeeded.
    nfev, nlfev, nljev : int arrays
        Evaluations in all, and values and gradients in the local searches.
    pool : int array
        Samples below their neighbours. Only the `size` lowest are searched from.
    """

    x: Any
    fun: Any
    xl: Any
    funl: Any
    success: Any
    nfev: Any
    nlfev: Any
    nljev: Any
    pool: Any


def sampled(fun, points, inequalities=None):
    """Values at `points` (m, n) in one batch: infinite where infeasible or not a number; and which are feasible.

    ``inequalities(x)`` of shape (k,) is nonnegative where `x` is feasible.
    """
    values = jax.vmap(fun)(points)
    feasible = jnp.ones(values.shape, bool)
    if inequalities is not None:
        feasible = jnp.all(jax.vmap(inequalities)(points) >= 0, axis=1)
    return jnp.where(feasible & ~jnp.isnan(values), values, jnp.inf), feasible


def homology(
    fun, points, neighbours, args=(), method=None, *, bounds, narrow=False, constraints=None, inequalities=None,
    size=16,
):  # fmt: skip
    """Minimise ``fun(x, *args)`` from the samples that are lower than their neighbours.

    Parameters
    ----------
    fun : callable
    points : (m, n) array
    neighbours : (m, k) int array
        Indices of each sample's neighbours on the graph, filled up with its own.
    args : tuple of pytrees
    method : solver of `solvers.minimize`, optional
        Of the local searches: `SLSQP` by default.
    bounds : (lower, upper)
        The box.
    narrow : bool, static
        Whether a search keeps between the neighbours of its start.
    constraints, inequalities : callable, optional
        Functions of x: all constraints as `solvers.minimize.minimize` takes them, and those that make a sample
        infeasible.
    size : int, static
        Most local searches; they run in one batch.

    Returns
    -------
    HomologyResult

    References
    ----------
    .. [1] S. C. Endres, C. Sandrock, W. W. Focke, "A simplicial homology algorithm for Lipschitz optimisation",
       J. Global Optim. 72, 2018.
    """
    method = SLSQP(ftol=1e-12) if method is None else method
    values, feasible = sampled(lambda x: fun(x, *args), points, inequalities)
    own = jnp.arange(len(points))[:, None]
    others = jnp.where(neighbours == own, jnp.inf, values[neighbours])
    lowest = values < jnp.min(others, axis=1, initial=jnp.inf)
    size = min(size, len(points))
    chosen = jnp.argsort(jnp.where(lowest, values, jnp.inf))[:size]
    starts, near = points[chosen], points[neighbours[chosen]]
    lower, upper = (jnp.broadcast_to(b, starts.shape).astype(points.dtype) for b in bounds)
    if narrow:
        below, above = near < starts[:, None], near > starts[:, None]
        lower = jnp.maximum(lower, jnp.max(jnp.where(below, near, -jnp.inf), axis=1))
        upper = jnp.minimum(upper, jnp.min(jnp.where(above, near, jnp.inf), axis=1))

    def search(start, lower, upper):
        given = None if constraints is None else lambda x, *_: constraints(x)
        found = minimize.__wrapped__(fun, start, args, method, bounds=(lower, upper), constraints=given)
        held = jnp.asarray(True)
        if inequalities is not None:
            held = jnp.all(inequalities(found.x) >= -1e-6)
        return found.x, found.fun, found.success, held, found.nfev, found.njev

    xl, funl, success, held, nfev, njev = jax.vmap(search)(starts, lower, upper)
    live = lowest[chosen]
    funl = jnp.where(live & held & ~jnp.isnan(funl), funl, jnp.inf)
    order = jnp.argsort(funl)
    xl, funl, success = xl[order], funl[order], success[order]
    nlfev, nljev = jnp.sum(jnp.where(live, nfev, 0)), jnp.sum(jnp.where(live, njev, 0))
    return HomologyResult(
        x=xl[0],
        fun=funl[0],
        xl=jnp.where(jnp.isfinite(funl)[:, None], xl, jnp.inf),
        funl=funl,
        success=success[0] & jnp.isfinite(funl[0]),
        nfev=jnp.sum(feasible) + nlfev,
        nlfev=nlfev,
        nljev=nljev,
        pool=jnp.sum(lowest),
    )
