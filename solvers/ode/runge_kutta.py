"""Explicit Runge-Kutta pairs: the machinery that their coefficient tables share.

A method of the driver loop has seven parts:

``init(problem, y0, first_step)``      the first `State`
``attempt(problem, state)``            one trial step, accepted or rejected
``coefficients(rhs, last)``            what interpolation inside the step ``last`` needs
``interpolate(coefficients, t)``       the solution inside that step
``counts(state, automatic)``           numbers of right-hand sides, Jacobians, factorisations
``replay(rhs, leaves, y0, t, h, rows)``         the states again, differentiable (`replay`)
``replayed(rhs, ys, t, h, memory, index)``      coefficients of those steps, differentiable

References
----------
.. [1] E. Hairer, S. P. Norsett, G. Wanner, "Solving Ordinary Differential Equations I", Sec. II.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp

from solvers.ode import control, replay
from solvers.ode.problem import State, min_step, next_step


class Step(NamedTuple):
    """The step from ``t`` to ``t + h``, which starts at ``y`` with slopes ``k``."""

    t: Any
    h: Any
    y: Any
    k: tuple


def combine(weights, k):
    """``sum_i weights[i] * k[i]`` without the zero terms (unrolled: XLA fuses it into one kernel)."""
    total = None
    for w, k_i in zip(weights.tolist(), k, strict=True):  # Python floats keep the dtype of k
        if w != 0:
            total = w * k_i if total is None else total + w * k_i
    return total


class ExplicitRungeKutta(replay.Method):
    """An embedded pair with first-same-as-last slopes and a polynomial interpolant.

    Subclasses give the tables ``A`` (s, s), ``B`` (s,), ``C`` (s,), ``E`` (s + 1,) and ``P`` (s + 1, d)
    as NumPy constants, ``order`` and ``error_order``. Instances are immutable, hashable and equal
    by class.
    """

    order: int
    error_order: int
    dense_nfev = 0  # right-hand sides that `coefficients` costs

    def init(self, problem, y0, first_step=None):
        """State at ``t0``; ``first_step`` (size) overrides the automatic choice."""
        p = problem
        f0 = p.rhs(p.t0, y0)
        if first_step is None:
            h = control.initial_step(p, y0, f0, self.error_order)
            h = jnp.maximum(h, min_step(p.t0, p.direction))
        else:
            h = jnp.asarray(first_step, p.t0.dtype)
        zero = jnp.zeros((), jnp.int32)
        # a step of length one with zero slopes: interpolates to y0 before the first step
        still = Step(p.t0, jnp.ones_like(p.t0), y0, self.kept([jnp.zeros_like(y0)] * self.slopes))
        return State(p.t0, y0, h, zero, zero, f0, still)

    def counts(self, state, automatic):
        """Right-hand sides (interpolation aside), Jacobians, factorisations; ``automatic``: the first step."""
        return (2 if automatic else 1) + (self.slopes - 1) * state.attempts, 0, 0

    @property
    def slopes(self):
        """Number of slopes of a step, the one at its end included."""
        return len(self.B) + 1

    def kept(self, k):
        """The slopes that the interpolant uses."""
        return tuple(k_i for k_i, row in zip(k, self.P, strict=True) if row.any())

    def stages(self, rhs, t, y, h, f):
        """New state and all slopes of the step from ``(t, y)`` with slope ``f``."""
        k = [f]
        for a, c in zip(self.A[1:], self.C[1:].tolist(), strict=True):
            k.append(rhs(t + c * h, y + h * combine(a[: len(k)], k)))
        y_new = y + h * combine(self.B, k)
        k.append(rhs(t + h, y_new))
        return y_new, k

    def error(self, k, h, scale):
        """Scaled norm of the local error estimate; a step is accepted below 1."""
        return control.rms_norm(h * combine(self.E, k) / scale)

    def attempt(self, problem, state):
        """Try one step of size ``state.h``, limited to ``max_step`` and to the end of the interval."""
        p, s = problem, state
        _, _, t_new, _ = next_step(p, s)
        h = t_new - s.t
        y_new, k = self.stages(p.rhs, s.t, s.y, h, s.cache)
        scale = p.atol + jnp.maximum(jnp.abs(s.y), jnp.abs(y_new)) * p.rtol
        error = self.error(k, h, scale)
        accept = error < 1
        factor = control.step_factor(error, -1 / (self.error_order + 1), s.h < 0)
        return State(
            t=jnp.where(accept, t_new, s.t),
            y=jnp.where(accept, y_new, s.y),
            h=jnp.where(accept, 1, -1) * jnp.abs(h) * factor,
            accepted=s.accepted + accept,
            attempts=s.attempts + 1,
            cache=jnp.where(accept, k[-1], s.cache),
            # of a rejected attempt as well: it is read only after an accepted one
            last=Step(s.t, h, s.y, self.kept(k)),
        )

    def coefficients(self, rhs, last):
        """Interpolation coefficients of the step ``last``."""
        return last

    def interpolate(self, coefficients, t):
        """Solution at scalar ``t`` inside the step."""
        t_old, h, y, k = coefficients
        x = (t - t_old) / h
        weights = [x * _horner(row.tolist(), x) for row in self.P if row.any()]
        return y + h * sum(w * k_i for w, k_i in zip(weights, k, strict=True))

    def advance(self, rhs, t, y, h, y_new):
        """State after the step from ``(t, y)`` of signed size ``h``."""
        k = [rhs(t, y)]
        for a, c in zip(self.A[1:], self.C[1:].tolist(), strict=True):
            k.append(rhs(t + c * h, y + h * combine(a[: len(k)], k)))
        return y + h * combine(self.B, k)

    def record(self, rhs, t, y, h, y_new):
        """What ``last`` is after that step."""
        _, k = self.stages(rhs, t, y, h, rhs(t, y))
        return Step(t, h, y, self.kept(k))


def _horner(coefficients, x):
    total = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = c + x * total
    return total
