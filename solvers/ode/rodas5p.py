"""Rodas5P: a Rosenbrock method of order 5(4) for stiff problems, without iterations.

Every step has the same cost, whatever the problem: the method of choice for ensembles of small stiff problems.
The Jacobian is part of the method, so it has to be exact: by differentiation, or the user's.

References
----------
.. [1] G. Steinebach, "Construction of Rosenbrock-Wanner method Rodas5P and numerical benchmarks within the Julia
   Differential Equations package", BIT Numerical Mathematics 63, 2023.
.. [2] E. Hairer, G. Wanner, "Solving Ordinary Differential Equations II", Sec. IV.7.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from solvers.ode import control, implicit, mass, replay, small, status
from solvers.ode import rodas5p_tableau as tableau
from solvers.ode.problem import State, min_step, next_step
from solvers.ode.rhs import mass_of, mass_times
from solvers.ode.runge_kutta import combine


class Step(NamedTuple):
    """The step from ``(t, y)`` of size ``h`` to ``y_new``, with its eight stages."""

    t: Any
    h: Any
    y: Any
    y_new: Any
    u: Any


class Coefficients(NamedTuple):
    """Interpolation record: the step, and the three coefficients beside its ends."""

    t: Any
    h: Any
    y: Any
    y_new: Any
    k: Any


class Rodas5P(replay.Method):
    """Rosenbrock method of order 5, error estimate and output of order 4; with a mass matrix, of index at most 1."""

    order = 5
    error_order = 4
    dense_nfev = 0

    def init(self, problem, y0, first_step=None):
        """State at ``t0``; ``first_step`` (size) overrides the automatic choice."""
        p = problem
        if first_step is None:
            slope = mass.slopes(p)
            h = control.initial_step(slope, y0, slope.rhs(p.t0, y0), self.error_order)
            h = jnp.maximum(h, min_step(p.t0, p.direction))
        else:
            h = jnp.asarray(first_step, p.t0.dtype)
        if p.mass is not None:
            h = mass.checked_step(p, y0, h, implicit.jacobian(p, p.t0, y0))
        zero = jnp.zeros((), jnp.int32)
        still = Step(p.t0, jnp.ones_like(p.t0), y0, y0, (jnp.zeros_like(y0),) * tableau.STAGES)
        return State(p.t0, y0, h, zero, zero, None, still)

    def refusal(self, problem):
        """Status of an initial state that no solution starts from."""
        return None if problem.mass is None else status.INCONSISTENT

    def counts(self, state, automatic):
        """Right-hand sides, Jacobians, factorisations."""
        n = state.attempts
        return (2 if automatic else 0) + tableau.STAGES * n, n, n

    def stages(self, rhs, jac, t, y, h):
        """New state and the eight stages of the step from ``(t, y)``; the last is the error."""
        if jac is None:
            n = y.size
            directions = jnp.eye(n + 1, dtype=t.dtype)
            slopes = jax.vmap(lambda d: jax.jvp(rhs, (t, y), (d[n], d[:n].astype(y.dtype)))[1])(directions)
            jac, f_t = slopes[:n].T, slopes[n]
        else:
            jac = jac(t, y) if callable(jac) else jac
            _, f_t = jax.jvp(lambda t: rhs(t, y), (t,), (jnp.ones_like(t),))
        matrix = mass_of(rhs)
        unit = jnp.eye(y.size, dtype=y.dtype) if matrix is None else matrix
        inverse = small.inverse(unit / (tableau.GAMMA * h) - jac)
        u = []
        for a, c, time, d in zip(tableau.A, tableau.C, tableau.TIMES, tableau.D, strict=True):
            f = rhs(t + time * h, y + _mix(a, u) if u else y)
            if u:
                f = f + mass_times(matrix, _mix(c, u)) / h
            if d:
                f = f + d * h * f_t
            u.append(implicit.apply(inverse, f))
        return y + _mix([*tableau.A[-1], 1.0], u), u

    def attempt(self, problem, state):
        """Try one step of size ``state.h``, limited to ``max_step`` and to the end of the interval."""
        p, s = problem, state
        _, _, t_new, _ = next_step(p, s)
        h = t_new - s.t
        y_new, u = self.stages(p.rhs, p.jac, s.t, s.y, h)
        scale = p.atol + jnp.maximum(jnp.abs(s.y), jnp.abs(y_new)) * p.rtol
        error = control.rms_norm(u[-1] / scale)
        accept = error < 1
        factor = control.step_factor(error, -1 / (self.error_order + 1), s.h < 0)
        return State(
            t=jnp.where(accept, t_new, s.t),
            y=jnp.where(accept, y_new, s.y),
            h=jnp.where(accept, 1, -1) * jnp.abs(h) * factor,
            accepted=s.accepted + accept,
            attempts=s.attempts + 1,
            cache=None,
            # of a rejected attempt as well: it is read only after an accepted one
            last=Step(s.t, h, s.y, y_new, tuple(u)),
        )

    def coefficients(self, rhs, last):
        """Interpolation coefficients of the step ``last``."""
        return Coefficients(last.t, last.h, last.y, last.y_new, tuple(combine(row, last.u) for row in tableau.H))

    def interpolate(self, coefficients, t):
        """Solution at scalar ``t`` inside the step."""
        t_old, h, y, y_new, (k1, k2, k3) = coefficients
        x = (t - t_old) / h
        return (1 - x) * y + x * (y_new + (1 - x) * (k1 + x * (k2 + x * k3)))

    def advance(self, rhs, t, y, h, y_new):
        """State after the step from ``(t, y)`` of signed size ``h``."""
        h = jnp.where(h == 0, 1, h)
        return self.stages(rhs, None, t, y, h)[0]

    def record(self, rhs, t, y, h, y_new):
        """What ``last`` is after that step."""
        y_new, u = self.stages(rhs, None, t, y, h)
        return Step(t, h, y, y_new, tuple(u))


def _mix(weights, u):
    return sum(w * x for w, x in zip(weights, u, strict=True) if w != 0)
