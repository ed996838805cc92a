"""Symplectic methods for separable Hamiltonian systems: fixed steps, no drift of the energy.

The state holds positions, then momenta (or velocities), as halves: ``H(q, p, t) = T(p, t) + V(q, t)``. A step drifts
(the positions move with fixed momenta) and kicks (the momenta change at fixed positions) in turn. The error of the
energy stays bounded by O(h**order) over exponentially long times, where that of other methods grows.

References
----------
.. [1] E. Hairer, C. Lubich, G. Wanner, "Geometric Numerical Integration", Sec. I.1, II.4, VI.3.
.. [2] H. Yoshida, "Construction of higher order symplectic integrators", Physics Letters A 150, 1990.
.. [3] E. Forest, R. D. Ruth, "Fourth-order symplectic integration", Physica D 43, 1990.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from solvers.ode import replay, status
from solvers.ode.problem import State, fixed_step

__all__ = ["StoermerVerlet", "Yoshida4"]


class Step(NamedTuple):
    """The step from ``(t, y)`` of size ``h`` to ``y_new``."""

    t: Any
    h: Any
    y: Any
    y_new: Any


class Coefficients(NamedTuple):
    """Hermite's cubic: both ends and their slopes."""

    t: Any
    h: Any
    y: Any
    y_new: Any
    f: Any
    f_new: Any


class Symplectic(replay.Method):
    """Composition of drifts and kicks of the relative lengths ``DRIFTS`` and ``KICKS``, with cubic output.

    The step size is ``first_step``, which has to be given (at most ``max_step``); tolerances have no effect, and the
    last step is cut where the interval is no multiple. A right-hand side that is found not to be separable at the
    start (the slopes of the positions depend on them, or those of the momenta on these: friction) ends the solve with
    status -4 before its first step.
    """

    DRIFTS: tuple[float, ...]
    KICKS: tuple[float, ...]
    dense_nfev = 2

    def refusal(self, problem):
        """Status of a right-hand side that is not separable."""
        return status.NOT_SEPARABLE

    def init(self, problem, y0, first_step=None):
        """State at ``t0``; ``first_step`` is the size of all steps."""
        p = problem
        if y0.size % 2:
            raise ValueError(f"{self!r} takes positions and momenta, as many of each; got {y0.size} entries.")
        if first_step is None:
            raise ValueError(f"{self!r} takes fixed steps: give `first_step`, their size.")
        h = jnp.minimum(jnp.asarray(first_step, p.t0.dtype), p.max_step)
        h = jnp.where(_separable(p.rhs, p.t0, y0), h, jnp.nan)
        zero = jnp.zeros((), jnp.int32)
        return State(p.t0, y0, h, zero, zero, None, Step(p.t0, jnp.ones_like(p.t0), y0, y0))

    def counts(self, state, automatic):
        """Forces (interpolation aside), Jacobians, factorisations."""
        return len(self.KICKS) * state.attempts, 0, 0

    def attempt(self, problem, state):
        """One step."""
        p, s = problem, state
        t_new = fixed_step(p, s)
        y_new = self.advance(p.rhs, s.t, s.y, t_new - s.t, None)
        accept = jnp.isfinite(y_new).all()
        return State(
            t=jnp.where(accept, t_new, s.t),
            y=jnp.where(accept, y_new, s.y),
            h=jnp.where(accept, s.h, jnp.nan),  # there is no other size to try
            accepted=s.accepted + accept,
            attempts=s.attempts + 1,
            cache=None,
            last=Step(s.t, t_new - s.t, s.y, y_new),
        )

    def advance(self, rhs, t, y, h, y_new):
        """State after the step from ``(t, y)`` of signed size ``h``."""
        n = y.size // 2
        q, p = y[:n], y[n:]
        # of each slope one half is used; the compiler leaves out what the other would have cost
        drift_time = kick_time = 0.0
        for a, b in zip(self.DRIFTS, (*self.KICKS, None), strict=True):
            q = q + a * h * rhs(t + kick_time * h, jnp.concatenate([q, p]))[:n]
            drift_time += a
            if b is not None:
                p = p + b * h * rhs(t + drift_time * h, jnp.concatenate([q, p]))[n:]
                kick_time += b
        return jnp.concatenate([q, p])

    def record(self, rhs, t, y, h, y_new):
        """What ``last`` is after that step."""
        return Step(t, h, y, self.advance(rhs, t, y, h, y_new))

    def coefficients(self, rhs, last):
        """Interpolation coefficients of the step ``last``; costs two right-hand sides."""
        t, h, y, y_new = last
        return Coefficients(t, h, y, y_new, rhs(t, y), rhs(t + h, y_new))

    def interpolate(self, coefficients, t):
        """Solution at scalar ``t`` inside the step."""
        t_old, h, y, y_new, f, f_new = coefficients
        x = (t - t_old) / h
        rise = y_new - y
        return y + x * (rise + (1 - x) * ((1 - x) * (h * f - rise) + x * (rise - h * f_new)))


class StoermerVerlet(Symplectic):
    """The leapfrog method of Stoermer and Verlet: order 2, one force per step, time-reversible."""

    order = 2
    DRIFTS, KICKS = (0.5, 0.5), (1.0,)


_OUTER = 1 / (2 - 2 ** (1 / 3))
_INNER = 1 - 2 * _OUTER


class Yoshida4(Symplectic):
    """Three steps of `StoermerVerlet` of which the middle one goes back: order 4, three forces per step.

    Found by Forest and Ruth, by Yoshida and by others.
    """

    order = 4
    DRIFTS = (_OUTER / 2, (_OUTER + _INNER) / 2, (_OUTER + _INNER) / 2, _OUTER / 2)
    KICKS = (_OUTER, _INNER, _OUTER)


def _separable(rhs, t, y):
    """Whether each half of the slope is free of its own half of the state, to first order in one direction."""
    n = y.size // 2
    direction = jnp.cos(1 + jnp.arange(y.size, dtype=t.dtype)).astype(y.dtype)
    positions = jnp.arange(y.size) < n

    def own(mine):
        part = jnp.where(mine, direction, 0)
        return jnp.where(mine, jax.jvp(lambda y: rhs(t, y), (y,), (part,))[1], 0)

    coupling = jnp.max(jnp.abs(own(positions)) + jnp.abs(own(~positions)))
    # a slope that is not finite is reported by the first step
    return ~(coupling > 1e3 * jnp.finfo(t.dtype).eps)
