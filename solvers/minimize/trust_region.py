"""Trust-region minimisers with exact second derivatives: trust-exact, trust-krylov, dogleg, trust-ncg."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.minimize import subproblems
from solvers.minimize.searcher import Pausing
from solvers.minimize.status import MAX_ITERATIONS, NOT_FINITE, PRECISION_LOSS, RUNNING, SUCCESS
from solvers.pytrees import pytree_dataclass
from solvers.roots.vectors import entry, inner, norm, pack

__all__ = ["Dogleg", "TrustExact", "TrustKrylov", "TrustNCG", "TrustRegionState"]


class TrustRegionState(NamedTuple):
    """Iterate and model of the trust-region methods.

    ``spectrum`` and ``basis`` are the Hessian's eigenvalues and eigenvectors (empty for `TrustNCG`). ``scalars`` packs
    value, iterations, evaluations, products or evaluations of the Hessian, status, whether the start is yet to be
    evaluated, radius, evaluations of the gradient.
    """

    x: jax.Array
    jac: jax.Array
    spectrum: jax.Array
    basis: jax.Array
    scalars: jax.Array
    path: jax.Array

    fun = property(lambda self: entry(self.scalars, 0))
    nit = property(lambda self: entry(self.scalars, 1).astype(jnp.int32))
    nfev = property(lambda self: entry(self.scalars, 2).astype(jnp.int32))
    nhev = property(lambda self: entry(self.scalars, 3).astype(jnp.int32))
    status = property(lambda self: entry(self.scalars, 4).astype(jnp.int32))
    fresh = property(lambda self: entry(self.scalars, 5) > 0)
    radius = property(lambda self: entry(self.scalars, 6))
    njev = property(lambda self: entry(self.scalars, 7).astype(jnp.int32))


@pytree_dataclass
@dataclass(frozen=True)
class _TrustRegion(Pausing):
    """The iteration that the methods share; termination and constants are SciPy's.

    Parameters
    ----------
    gtol : float
        Success when the Euclidean norm of the gradient is below it.
    initial_radius, max_radius : float
        First and greatest trust radius.
    eta : float
        Least ratio of actual to predicted reduction of an accepted step.
    maxiter : int, optional
        Most iterations, ``200 n`` if absent.
    pause : int, optional
        Stop, with status -1, once this many iterations are done, so that the caller can look and resume.

    Notes
    -----
    Status 2: the model predicts no reduction. Status 3: not a number, or (dogleg) a Hessian that is not positive
    definite.

    References
    ----------
    .. [1] J. Nocedal and S. J. Wright, "Numerical Optimization", 2nd ed., algorithm 4.1.
    """

    gtol: Any = 1e-4
    initial_radius: Any = 1.0
    max_radius: Any = 1000.0
    eta: Any = 0.15
    maxiter: Any = None
    pause: Any = None

    spectral = True

    def init(self, problem, x0, capacity=0):
        """State at `x0` before any evaluation, with room to record `capacity` iterates."""
        del problem
        n, dtype = x0.size, x0.dtype
        scalars = np.zeros(8, dtype)
        scalars[4:6] = RUNNING, True
        k = n if self.spectral else 0
        return TrustRegionState(
            x0, np.zeros(n, dtype), np.zeros(k, dtype), np.zeros((k, k), dtype), scalars, np.zeros((capacity, n), dtype)
        )

    def results(self, state):
        """Entries of the result that only these methods have."""
        return {"nhev": state.nhev}

    def step(self, problem, state):
        """Minimise the model within the radius, evaluate there, and judge the model."""
        dtype, fresh = state.x.dtype, state.fresh
        radius = jnp.where(fresh, jnp.asarray(self.initial_radius, dtype), state.radius)
        move, image, at_boundary, products = self._propose(problem, state, radius)
        predicted = -(inner(state.jac, move) + 0.5 * inner(move, image))
        hopeless = ~fresh & ~(predicted > 0)
        trial = jnp.where(fresh | hopeless, state.x, state.x + move)
        fun, jac = problem(trial)

        ratio = (state.fun - fun) / predicted
        good = jnp.isfinite(fun)
        radius = jnp.where(
            fresh,
            radius,
            jnp.where(
                ~(ratio >= 0.25) | ~good,
                0.25 * radius,
                jnp.where((ratio > 0.75) & at_boundary, jnp.minimum(2 * radius, self.max_radius), radius),
            ),
        )
        taken = fresh | ((ratio > self.eta) & good & ~hopeless)
        nit = state.nit + ~(fresh | hopeless)
        value, gradient = jnp.where(taken, fun, state.fun), jnp.where(taken, jac, state.jac)
        x = jnp.where(taken, trial, state.x)
        maxiter = 200 * x.size if self.maxiter is None else self.maxiter
        small = norm(gradient) < self.gtol
        status = jnp.where(~fresh & (nit >= maxiter), MAX_ITERATIONS, RUNNING)
        status = jnp.where(small, SUCCESS, status)
        broken = jnp.where(jnp.all(jnp.isfinite(move)), PRECISION_LOSS, NOT_FINITE)
        status = jnp.where(hopeless, broken, status)
        undefined = ~jnp.isfinite(value) | ~jnp.all(jnp.isfinite(gradient))
        status = jnp.where(undefined, NOT_FINITE, status)

        renew = taken & (status == RUNNING)
        spectrum, basis = state.spectrum, state.basis
        if self.spectral:
            spectrum, basis = lax.cond(
                renew, lambda: tuple(jnp.linalg.eigh(problem.hess(x))), lambda: (spectrum, basis)
            )
        if not problem.counts_products:
            products = renew
        nfev = state.nfev + ~hopeless
        rest = (value, nit, nfev, state.nhev + products, status, False, radius, nfev)
        path = state.path
        if path.shape[0]:
            path = path.at[jnp.where(hopeless, path.shape[0], nit)].set(x, mode="drop")
        return TrustRegionState(x, gradient, spectrum, basis, pack(rest, dtype), path)

    def _propose(self, problem, state, radius):
        """The step, the Hessian times the step, whether it ends at the boundary, products used."""
        coordinates = state.jac @ state.basis
        move, at_boundary = self._subproblem(state.spectrum, coordinates, radius)
        return state.basis @ move, state.basis @ (state.spectrum * move), at_boundary, 0

    def _subproblem(self, spectrum, gradient, radius):
        return subproblems.exact(spectrum, gradient, radius)


@pytree_dataclass
@dataclass(frozen=True)
class TrustExact(_TrustRegion):
    """Trust region with the global minimiser of the model, from the Hessian's spectrum."""


@pytree_dataclass
@dataclass(frozen=True)
class TrustKrylov(_TrustRegion):
    """Trust region with the global minimiser of the model over the whole Krylov space.

    The space is taken at its full dimension, where it gives what the spectrum of the Hessian gives.
    """


@pytree_dataclass
@dataclass(frozen=True)
class Dogleg(_TrustRegion):
    """Trust region with Powell's dogleg path; the Hessian has to be positive definite."""

    def _subproblem(self, spectrum, gradient, radius):
        return subproblems.dogleg(spectrum, gradient, radius)


@pytree_dataclass
@dataclass(frozen=True)
class TrustNCG(_TrustRegion):
    """Trust region with Steihaug's truncated conjugate gradients: products with the Hessian only."""

    spectral = False

    def _propose(self, problem, state, radius):
        move, image, at_boundary, products = subproblems.steihaug(problem.linearised(state.x), state.jac, radius)
        return move, image, at_boundary, products
