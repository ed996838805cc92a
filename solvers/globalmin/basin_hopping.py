"""Basin hopping: random steps between local minima."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax

from solvers.globalmin.differential_evolution import uniform_numbers
from solvers.globalmin.stationary import stationary
from solvers.implicit import close, implicit
from solvers.iterate import split
from solvers.minimize import BFGS, minimize

__all__ = ["HoppingResult", "basin_hopping"]


class HoppingResult(NamedTuple):
    """What `basin_hopping` returns.

    Attributes
    ----------
    x, fun : arrays
        The lowest minimum and its value. Differentiable.
    success : bool array
        Whether the local search that found it succeeded.
    nfev, njev, nit, failures : int arrays
        Counts, the last of local searches without success.
    """

    x: Any
    fun: Any
    success: Any
    nfev: Any
    njev: Any
    nit: Any
    failures: Any


class _Walk(NamedTuple):
    x: Any
    fun: Any
    good: Any
    best: Any
    lowest: Any
    success: Any
    stepsize: Any
    generator: Any
    accepted: Any
    since: Any
    nfev: Any
    njev: Any
    nit: Any
    failures: Any
    done: Any


def basin_hopping(
    fun, x0, key, args=(), method=None, *, bounds=None, niter=100, temperature=1.0, stepsize=0.5, interval=50,
    target=0.5, factor=0.9, patience=None,
):  # fmt: skip
    """Minimise ``fun(x, *args)`` by a walk over local minima with Metropolis' rule.

    Parameters
    ----------
    fun : callable
    x0 : (n,) array
    key : (2,) uint32 array
        Seeds XLA's generator.
    args : tuple of pytrees
    method : solver of `solvers.minimize`, optional
    bounds : (lower, upper), optional
        Of the local searches.
    niter : int
        Number of steps.
    temperature, stepsize : float
    interval : int
        Every how many steps the step size adapts, by `factor`, to the rate of acceptance `target`.
    patience : int, optional
        Stop after more than this many steps without a new lowest minimum.

    Returns
    -------
    HoppingResult

    References
    ----------
    .. [1] D. J. Wales, J. P. K. Doye, "Global optimization by basin-hopping and the lowest energy structures of
       Lennard-Jones clusters containing up to 110 atoms", J. Phys. Chem. A 101, 1997.
    """
    method = BFGS() if method is None else method
    dtype = x0.dtype
    patience = niter + 2 if patience is None else patience
    pure, consts, _ = close(lambda x, *a: jnp.asarray(fun(x, *a)).reshape(()), x0, *args)
    params = {"fun": consts, "args": tuple(args), "bounds": bounds}
    options = (niter, temperature, stepsize, interval, target, factor, patience)
    carried, rebuild = split((method, x0, key, options))

    def value(params, x):
        return pure(params["fun"], x, *params["args"])

    def solve(params, carried):
        method, x0, key, (niter, temperature, stepsize, interval, target, factor, patience) = rebuild(carried)
        integers = jnp.asarray(0, jnp.int32)

        def local(x):
            return minimize.__wrapped__(lambda x: value(params, x), x, (), method, bounds=params["bounds"])

        def hop(w):
            start = w.nit < 0
            generator, uniform = uniform_numbers(w.generator, (x0.size + 1,), dtype)
            steps = w.nit + 1
            adapt = (steps > 0) & (steps % interval == 0)
            rate = w.accepted / jnp.maximum(steps, 1)
            size = jnp.where(adapt, jnp.where(rate > target, w.stepsize / factor, w.stepsize * factor), w.stepsize)
            found = local(jnp.where(start, w.x, w.x + size * (2 * uniform[:-1] - 1)))
            rise = jnp.maximum(found.fun - w.fun, 0.0)
            chance = jnp.where(rise == 0, 1.0, jnp.exp(-rise / jnp.where(temperature > 0, temperature, 1e-300)))
            accept = start | ((chance >= uniform[-1]) & (found.success | ~w.good))
            lower = start | (accept & found.success & ((found.fun < w.lowest) | ~w.success))
            since = jnp.where(lower, 0, w.since + 1)
            nit = w.nit + 1
            return _Walk(
                x=jnp.where(accept, found.x, w.x),
                fun=jnp.where(accept, found.fun, w.fun),
                good=jnp.where(accept, found.success, w.good),
                best=jnp.where(lower, found.x, w.best),
                lowest=jnp.where(lower, found.fun, w.lowest),
                success=jnp.where(lower, found.success, w.success),
                stepsize=size,
                generator=generator,
                accepted=w.accepted + (accept & ~start),
                since=since,
                nfev=w.nfev + found.nfev,
                njev=w.njev + found.njev,
                nit=nit,
                failures=w.failures + ~found.success,
                done=(nit >= niter) | (~lower & (since > patience)),
            )

        infinite, no = jnp.asarray(jnp.inf, dtype), jnp.asarray(False)
        seed = jnp.concatenate([jnp.ravel(key), jnp.ravel(key) ^ jnp.uint32(0x9E3779B9)])
        first = _Walk(x0, infinite, no, x0, infinite, no, jnp.asarray(stepsize, dtype), seed, integers, integers,
                      integers, integers, integers - 1, integers, no)  # fmt: skip
        w = lax.while_loop(lambda w: ~w.done, hop, first)
        return w.best, {"fun": w.lowest, "success": w.success & jnp.isfinite(w.lowest), "nfev": w.nfev,
                        "njev": w.njev, "nit": w.nit, "failures": w.failures}  # fmt: skip

    x, aux = implicit(solve, stationary(value), lambda x, p: {"fun": value(p, x)}, params, carried)
    return HoppingResult(x=x, **aux)
