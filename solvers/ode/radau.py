"""Radau IIA of order 5: an implicit Runge-Kutta method for stiff problems.

One attempt of the driver loop is one Newton iteration to its end, for one step size and one Jacobian. If it does
not converge with an old Jacobian, the next attempt repeats the step with a new one.

References
----------
.. [1] E. Hairer, G. Wanner, "Solving Ordinary Differential Equations II", Sec. IV.8.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.implicit import close
from solvers.implicit import implicit as implicitly
from solvers.ode import control, implicit, mass, replay, status
from solvers.ode.problem import State, min_step, next_step
from solvers.ode.rhs import mass_of, mass_times

_S6 = 6**0.5
C = np.array([(4 - _S6) / 10, (4 + _S6) / 10, 1.0])
#: The collocation matrix, of which the eigenvalues below are the inverses'.
A = np.array(
    [
        [(88 - 7 * _S6) / 360, (296 - 169 * _S6) / 1800, (-2 + 3 * _S6) / 225],
        [(296 + 169 * _S6) / 1800, (88 + 7 * _S6) / 360, (-2 - 3 * _S6) / 225],
        [(16 - _S6) / 36, (16 + _S6) / 36, 1 / 9],
    ]
)
#: Weights of the stages in the error estimate.
E = np.array([-13 - 7 * _S6, -13 + 7 * _S6, -1]) / 3
MU_REAL = 3 + 3 ** (2 / 3) - 3 ** (1 / 3)
MU_COMPLEX = 3 + 0.5 * (3 ** (1 / 3) - 3 ** (2 / 3)) - 0.5j * (3 ** (5 / 6) + 3 ** (7 / 6))
#: Eigenvectors of the inverse of A: one real, and the real and imaginary part of a complex pair.
T = np.array(
    [
        [0.09443876248897524, -0.14125529502095421, 0.03002919410514742],
        [0.25021312296533332, 0.20412935229379994, -0.38294211275726192],
        [1.0, 1.0, 0.0],
    ]
)
T_INVERSE = np.linalg.inv(T)
#: Stages -> coefficients of the collocation polynomial.
P = np.array(
    [
        [13 / 3 + 7 * _S6 / 3, -23 / 3 - 22 * _S6 / 3, 10 / 3 + 5 * _S6],
        [13 / 3 - 7 * _S6 / 3, -23 / 3 + 22 * _S6 / 3, 10 / 3 - 5 * _S6],
        [1 / 3, -8 / 3, 10 / 3],
    ]
)
MAX_ITERATIONS = 6


class Step(NamedTuple):
    """The step from ``(t, y)`` of size ``h`` with stage increments ``z`` (3, n)."""

    t: Any
    h: Any
    y: Any
    z: Any


class Cache(NamedTuple):
    """What travels from attempt to attempt."""

    jac: Any
    real: Any  # inverse of (MU_REAL / h - J)
    complex: Any  # inverse of (MU_COMPLEX / h - J)
    renew: Any  # whether J has to be computed
    fresh: Any  # whether J belongs to the step's start
    refactor: Any
    rejected: Any  # whether the error test has failed in this step
    plan: Any  # the size planned at the beginning of the step
    before: Any  # (2,) that of the step before, and its error; 0 if unknown
    counts: Any  # right-hand sides, Jacobians, factorisations


class Newton(NamedTuple):
    """State of the Newton iteration in the eigenvector coordinates ``w`` (3, n)."""

    w: Any
    k: Any
    norm: Any
    rate: Any
    done: Any
    failed: Any


class Radau(replay.Method):
    """Radau IIA of order 5, error estimate of order 3 and cubic output; with a mass matrix, of index at most 1."""

    order = 5
    error_order = 3
    dense_nfev = 0

    def init(self, problem, y0, first_step=None):
        """State at ``t0``; ``first_step`` (size) overrides the automatic choice."""
        p, n, dtype = problem, y0.size, y0.dtype
        if jnp.iscomplexobj(y0):
            raise ValueError(f"Radau takes real states only, got dtype {dtype}.")
        if first_step is None:
            slope = mass.slopes(p)
            h = control.initial_step(slope, y0, slope.rhs(p.t0, y0), self.error_order)
            h = jnp.maximum(h, min_step(p.t0, p.direction))
        else:
            h = jnp.asarray(first_step, p.t0.dtype)
        if p.mass is not None:
            h = mass.checked_step(p, y0, h, implicit.jacobian(p, p.t0, y0))
        zero, yes = jnp.zeros((), jnp.int32), jnp.ones((), bool)
        matrix = implicit.blank(p, dtype, n)
        cache = Cache(
            jac=implicit.jacobian(p, p.t0, y0).astype(dtype)
            if implicit.constant(p)
            else implicit.blank_jacobian(p, dtype, n),
            real=matrix,
            complex=implicit.blank(p, jnp.result_type(dtype, jnp.complex64), n),
            renew=jnp.asarray(not implicit.constant(p)),
            fresh=yes,
            refactor=yes,
            rejected=~yes,
            plan=h,
            before=jnp.zeros(2, h.dtype),
            counts=jnp.array([0, not implicit.constant(p), 0], jnp.int32),
        )
        still = Step(p.t0, jnp.ones_like(p.t0), y0, jnp.zeros((3, n), dtype))
        return State(p.t0, y0, h, zero, zero, cache, still)

    def refusal(self, problem):
        """Status of an initial state that no solution starts from."""
        return None if problem.mass is None else status.INCONSISTENT

    def counts(self, state, automatic):
        """Right-hand sides, Jacobians, factorisations."""
        nfev, njev, nlu = state.cache.counts
        return (2 if automatic else 1) + nfev, njev, nlu

    def attempt(self, problem, state):
        """Try one step of size ``state.h``, limited to ``max_step`` and to the end of the interval."""
        p, s, c = problem, state, state.cache
        least, size, t_new, _ = next_step(p, s)
        known = (c.before > 0).all() & (c.plan <= p.max_step) & (c.plan >= least)
        h = t_new - s.t
        size = jnp.abs(h)
        n = s.y.size
        jac = c.jac if implicit.constant(p) else implicit.update(
            c.renew, c.jac, lambda: implicit.jacobian(p, s.t, s.y), n
        )  # fmt: skip
        refactor = c.refactor | c.renew
        real = implicit.update(refactor, c.real, lambda: implicit.factorised(p, MU_REAL / h, 1, jac), n)
        pair = implicit.update(refactor, c.complex, lambda: implicit.factorised(p, MU_COMPLEX / h, 1, jac + 0j), n)

        times = s.t + h * jnp.asarray(C, h.dtype)
        guess = jnp.where(s.accepted > 0, jax.vmap(self.interpolate, (None, 0))(s.last, times) - s.y, 0)
        scale = p.atol + jnp.abs(s.y) * p.rtol
        z, newton = self._newton(p, s.y, times, h, guess, scale, real, pair)

        f = p.rhs(s.t, s.y)
        y_new = s.y + z[2]
        estimate = mass_times(p.mass, _mix(E, z)) / h
        scale = p.atol + jnp.maximum(jnp.abs(s.y), jnp.abs(y_new)) * p.rtol
        error = implicit.apply(real, f + estimate)
        norm = control.rms_norm(error / scale)
        # a second look where the first error test of a step failed: the filtered estimate is an upper bound only
        second = newton.done & c.rejected & (norm > 1)
        filtered = implicit.apply(real, p.rhs(s.t, s.y + error) + estimate)
        norm = jnp.where(second, control.rms_norm(filtered / scale), norm)

        accept = newton.done & (norm <= 1)
        safety = 0.9 * (2 * MAX_ITERATIONS + 1) / (2 * MAX_ITERATIONS + newton.k)
        multiplier = jnp.where(known & (norm > 0), size / c.before[0] * (c.before[1] / norm) ** 0.25, 1)
        factor = safety * jnp.minimum(1, multiplier) * norm**-0.25
        slow = (newton.k > 2) & (newton.rate > 1e-3) & (not implicit.constant(p))
        grown = jnp.minimum(control.MAX_FACTOR, factor)
        keep = ~slow & (grown < 1.2)
        # NaN counts as a failed error test
        shrunk = jnp.where(factor > control.MIN_FACTOR, factor, control.MIN_FACTOR)
        again = ~newton.done & ~c.fresh  # with a new Jacobian
        retry = jnp.where(newton.done, shrunk, jnp.where(again, 1.0, 0.5))
        factor = jnp.where(accept, jnp.where(keep, 1.0, grown), retry)
        renew = jnp.where(accept, slow, again)
        counts = jnp.stack([3 * newton.k + accept + second, renew, 2 * refactor])
        cache = Cache(
            jac=jac,
            real=real,
            complex=pair,
            renew=renew,
            fresh=jnp.where(accept, slow | implicit.constant(p), c.fresh | again),
            refactor=jnp.where(accept, ~keep, True),
            rejected=~accept & (c.rejected | newton.done),
            plan=jnp.where(accept, size * factor, c.plan),
            before=jnp.where(accept, jnp.stack([c.plan, norm]), jnp.where(known, c.before, 0)),
            counts=c.counts + counts.astype(jnp.int32),
        )
        return State(
            t=jnp.where(accept, t_new, s.t),
            y=jnp.where(accept, y_new, s.y),
            h=jnp.where(accept, size, -size) * factor,
            accepted=s.accepted + accept,
            attempts=s.attempts + 1,
            cache=cache,
            last=jax.tree.map(lambda new, old: jnp.where(accept, new, old), Step(s.t, h, s.y, z), s.last),
        )

    def _newton(self, p, y, times, h, guess, scale, real, pair):
        """Stage increments (3, n) by simplified Newton iteration, in the coordinates that decouple them."""
        rtol = jnp.min(p.rtol)
        tolerance = implicit.newton_tolerance(rtol)

        def body(i):
            z = _transform(T, i.w)
            f = _transform(T_INVERSE, jax.vmap(p.rhs)(times, y + z))
            w = jax.lax.complex(i.w[1], i.w[2])
            d_real = implicit.apply(real, f[0] - MU_REAL / h * mass_times(p.mass, i.w[0]))
            d_pair = implicit.apply(pair, jax.lax.complex(f[1], f[2]) - MU_COMPLEX / h * mass_times(p.mass, w))
            d = jnp.stack([d_real, d_pair.real, d_pair.imag])
            norm = control.rms_norm(d / scale)
            first = i.k == 0
            rate = norm / i.norm
            left = rate ** (MAX_ITERATIONS - i.k) / (1 - rate) * norm
            failed = ~jnp.isfinite(norm) | (~first & ((rate >= 1) | (left > tolerance)))
            done = ~failed & ((norm == 0) | (~first & (rate / (1 - rate) * norm < tolerance)))
            w = jnp.where(failed, i.w, i.w + d)
            return Newton(w, i.k + 1, norm, jnp.where(first, 0, rate), done, failed)

        start = Newton(
            _transform(T_INVERSE, guess), jnp.zeros((), jnp.int32), jnp.ones_like(h), jnp.zeros_like(h),
            jnp.zeros((), bool), jnp.zeros((), bool),
        )  # fmt: skip
        end = lax.while_loop(lambda i: (i.k < MAX_ITERATIONS) & ~i.done & ~i.failed, body, start)
        return _transform(T, end.w), end

    def coefficients(self, rhs, last):
        """Interpolation coefficients of the step ``last``."""
        return last

    def interpolate(self, coefficients, t):
        """Solution at scalar ``t`` inside the step."""
        t_old, h, y, z = coefficients
        x = (t - t_old) / h
        return y + sum(x * (p[0] + x * (p[1] + x * p[2])) * z_i for p, z_i in zip(P.tolist(), z, strict=True))

    def advance(self, rhs, t, y, h, y_new):
        """State after the step from ``(t, y)`` of signed size ``h``; its stages are solved for again."""
        return y + self.record(rhs, t, y, h, y_new).z[2]

    def record(self, rhs, t, y, h, y_new):
        """What ``last`` is after that step, differentiable by the implicit function theorem."""
        n = y.size

        def residual(z, params):
            t, y, h, consts, matrix = params
            z = z.reshape(3, n)
            f = jax.vmap(lambda t, y: pure(consts, t, y))(t + h * jnp.asarray(C, h.dtype), y + z)
            heavy = z if matrix is None else z @ matrix.T
            return (heavy - h * jnp.asarray(A, y.dtype) @ f).ravel()

        def solve(params, start):
            def body(carry):
                z, _, i = carry
                d = jnp.linalg.solve(jax.jacfwd(residual)(z, params), -residual(z, params))
                size = jnp.max(jnp.abs(d) / (jnp.abs(z) + tiny))
                return z + d, size, i + 1

            tiny = jnp.finfo(start.dtype).tiny ** 0.5 + 1e-3 * jnp.max(jnp.abs(start))
            enough = jnp.finfo(start.dtype).eps ** 0.6
            z, _, _ = lax.while_loop(
                lambda carry: (carry[1] > enough) & (carry[2] < 10), body, (start, jnp.full((), jnp.inf, h.dtype), 0)
            )
            return z, {}

        pure, consts, _ = close(rhs, t, y)
        guess = (C[:, None] * (lax.stop_gradient(y_new - y))).ravel().astype(y.dtype)
        z, _ = implicitly(solve, residual, lambda x, params: {}, (t, y, h, consts, mass_of(rhs)), guess)
        return Step(t, h, y, z.reshape(3, n))


def _mix(weights, rows):
    """``weights @ rows`` as one fused sum."""
    return sum(w * row for w, row in zip(weights.tolist(), rows, strict=True))


def _transform(matrix, rows):
    """``matrix @ rows`` of three rows."""
    m = jnp.asarray(matrix, rows.dtype)
    return m[:, 0, None] * rows[0] + m[:, 1, None] * rows[1] + m[:, 2, None] * rows[2]
