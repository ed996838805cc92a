"""Approximations of the inverse Jacobian for quasi-Newton iterations, each a small dataclass.

``first(x, fun)`` gives a model at the start, ``solve(model, x, fun, tol, linear)`` the vector ``J^{-1} fun``, and
``update(model, dx, df, fun, last)`` the model after a step.

References
----------
.. [1] C. G. Broyden, "A class of methods for solving nonlinear simultaneous equations", Math. Comp. 19, 1965.
.. [2] V. Eyert, "A comparative study on methods for convergence acceleration of iterative vector sequences",
   J. Comp. Phys. 124, 1996.
.. [3] D. A. Knoll, D. E. Keyes, "Jacobian-free Newton-Krylov methods", J. Comp. Phys. 193, 2004.
"""

from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp

from solvers.linear.gmres import gmres
from solvers.pytrees import pytree_dataclass
from solvers.roots.vectors import inner, norm

__all__ = ["Anderson", "Broyden1", "Broyden2", "DiagBroyden", "ExcitingMixing", "Krylov", "LinearMixing"]


def _static(default):
    return field(default=default, metadata={"static": True})


@dataclass(frozen=True)
class _Mixing:
    """The step ``-alpha fun`` where nothing is known; `alpha` of None is half the norm of x over that of fun.

    Parameters
    ----------
    alpha : float, optional
        The first inverse Jacobian is ``-alpha`` times the identity.
    """

    alpha: Any = None

    def scale(self, x, fun):
        """The `alpha` in force."""
        if self.alpha is not None:
            return jnp.asarray(self.alpha, x.dtype)
        size = norm(fun)
        return jnp.where(size > 0, 0.5 * jnp.maximum(norm(x), 1.0) / jnp.where(size > 0, size, 1.0), 1.0)


@pytree_dataclass
@dataclass(frozen=True)
class Broyden1(_Mixing):
    """Broyden's good method on the inverse Jacobian, a dense (n, n) matrix.

    Parameters
    ----------
    alpha : float, optional
    max_rank : int, optional, static
        Start again from the identity before more than this many updates.
    """

    max_rank: int | None = _static(None)

    def first(self, x, fun):
        alpha = self.scale(x, fun)
        return -alpha * jnp.eye(x.size, dtype=x.dtype), alpha, jnp.asarray(0, jnp.int32)

    def solve(self, model, x, fun, tol, linear):
        inverse, alpha, rank = model
        product = inverse @ fun
        good = jnp.isfinite(product).all()
        anew = self.scale(x, fun)
        alpha = jnp.where(good, alpha, anew)
        inverse = jnp.where(good, inverse, -anew * jnp.eye(x.size, dtype=x.dtype))
        return jnp.where(good, product, -anew * fun), (inverse, alpha, jnp.where(good, rank, 0))

    def update(self, model, dx, df, fun, last):
        inverse, alpha, rank = model
        if self.max_rank is not None and self.max_rank <= dx.size + 1:
            full = rank > self.max_rank - 1
            inverse = jnp.where(full, -alpha * jnp.eye(dx.size, dtype=dx.dtype), inverse)
            rank = jnp.where(full, 0, rank)
        column = dx - inverse @ df
        return inverse + column[:, None] * self.row(inverse, dx, df), alpha, rank + 1

    def row(self, inverse, dx, df):
        """The update's right factor."""
        v = inverse.T @ dx
        return v / inner(df, v)


@pytree_dataclass
@dataclass(frozen=True)
class Broyden2(Broyden1):
    """Broyden's bad method; parameters as `Broyden1`."""

    def row(self, inverse, dx, df):
        """The update's right factor."""
        return df / inner(df, df)


@pytree_dataclass
@dataclass(frozen=True)
class Anderson(_Mixing):
    """Extended Anderson mixing of the last steps.

    Parameters
    ----------
    alpha : float, optional
    w0 : float
        Regularisation relative to the diagonal.
    memory : int, static
        Number of steps that are kept.
    """

    w0: Any = 0.01
    memory: int = _static(5)

    def first(self, x, fun):
        history = jnp.zeros((self.memory, x.size), x.dtype)
        return history, history, self.scale(x, fun), jnp.asarray(0, jnp.int32)

    def solve(self, model, x, fun, tol, linear):
        steps, changes, alpha, count = model
        if self.memory == 0:
            return -alpha * fun, model
        known = jnp.arange(self.memory) >= self.memory - count  # the latest are at the end
        gram = changes @ changes.T
        gram = gram + jnp.diag(jnp.where(known, self.w0**2 * jnp.diagonal(gram), 1.0))
        weights = jnp.linalg.solve(gram, changes @ fun)
        good = jnp.isfinite(weights).all()
        weights = jnp.where(good & known, weights, 0.0)
        product = -alpha * fun + weights @ (steps + alpha * changes)
        return product, (steps, changes, alpha, jnp.where(good, count, 0))

    def update(self, model, dx, df, fun, last):
        steps, changes, alpha, count = model
        if self.memory == 0:
            return model
        known = (jnp.arange(self.memory) >= self.memory - count)[:, None]
        steps, changes = jnp.where(known, steps, 0.0), jnp.where(known, changes, 0.0)
        steps, changes = jnp.roll(steps, -1, 0).at[-1].set(dx), jnp.roll(changes, -1, 0).at[-1].set(df)
        return steps, changes, alpha, jnp.minimum(count + 1, self.memory)


@pytree_dataclass
@dataclass(frozen=True)
class LinearMixing(_Mixing):
    """The step ``-alpha fun`` throughout."""

    def first(self, x, fun):
        return self.scale(x, fun)

    def solve(self, model, x, fun, tol, linear):
        return -model * fun, model

    def update(self, model, dx, df, fun, last):
        return model


@pytree_dataclass
@dataclass(frozen=True)
class DiagBroyden(_Mixing):
    """The diagonal of Broyden's updates."""

    def first(self, x, fun):
        return jnp.full(x.size, 1 / self.scale(x, fun), x.dtype)

    def solve(self, model, x, fun, tol, linear):
        return -fun / model, model

    def update(self, model, dx, df, fun, last):
        return model - (df + model * dx) * dx / inner(dx, dx)


@pytree_dataclass
@dataclass(frozen=True)
class ExcitingMixing(_Mixing):
    """A diagonal that grows by `alpha` while a component keeps its sign, up to `alphamax`."""

    alphamax: Any = 1.0

    def first(self, x, fun):
        alpha = self.scale(x, fun)
        return jnp.full(x.size, alpha, x.dtype), alpha

    def solve(self, model, x, fun, tol, linear):
        return -model[0] * fun, model

    def update(self, model, dx, df, fun, last):
        beta, alpha = model
        beta = jnp.where(fun * last > 0, beta + alpha, alpha)
        return jnp.clip(beta, 0.0, self.alphamax), alpha


@pytree_dataclass
@dataclass(frozen=True)
class Krylov:
    """Newton's method with the exact Jacobian's products in GMRES.

    Parameters
    ----------
    steps : int, static
        Most products for one Newton step.
    """

    steps: int = _static(30)

    def first(self, x, fun):
        return ()

    def solve(self, model, x, fun, tol, linear):
        size = min(self.steps, x.size)
        found, _ = gmres(linear, fun, jnp.zeros_like(fun), tol * norm(fun), 1, size, lambda v: v)
        return found, model

    def update(self, model, dx, df, fun, last):
        return model
