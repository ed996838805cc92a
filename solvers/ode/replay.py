"""Derivatives of an integration: the exact discrete adjoint of the recorded steps.

The step sizes that the controller chose are constants, except that the first step starts at ``t0`` and
the last one ends at ``t1``. The tangents of the states follow the recorded steps in a scan, which JAX
transposes into the reverse sweep. The states at which the steps are linearised carry the same rule again,
so that derivatives of any order are exact.

References
----------
.. [1] A. Sandu, "On the properties of Runge-Kutta discrete adjoints", ICCS 2006.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from solvers.batching import any_lane

#: Steps in a row without a test for the end. XLA runs the kernels of small buffers (512 bytes) in order
#: and without scheduling: 16 steps of three numbers stay below, 32 do not and take twice as long.
CHUNK = 16


def grid(problem, record, reached):
    """Start and size of each recorded step as functions of ``t0`` and ``t1``.

    ``record`` is a `drive.Steps` without derivatives, ``reached`` whether it ended at ``t1``.
    """
    p = problem
    start, end = lax.stop_gradient((p.t0, p.t1))
    shift, stretch = p.t0 - start, (p.t1 - end) - (p.t0 - start)
    last = reached & (jnp.arange(record.t.shape[0]) == record.n - 1)
    t = jnp.concatenate([start[None], record.t[:-1]]) + shift
    return t, record.h + jnp.where(last, stretch, 0)


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def states(method, rhs, leaves, y0, t, h, y, n):
    """States (size + 1, n) at the start and after each step: the recorded ``y``, with derivatives."""
    return jnp.concatenate([y0[None], y])


@states.defjvp
def _states_jvp(method, rhs, primals, tangents):
    leaves, _, t, h, _, n = primals
    d_leaves, d_y0, d_t, d_h, _, _ = tangents
    ys = states(method, rhs, *primals)

    # the reverse sweep computes the stages again: keeping them costs more than evaluating them
    @partial(jax.checkpoint, prevent_cse=False)
    def step(d_y, row):
        y, y_new, t, h, d_t, d_h = row

        def advance(leaves, y, t, h):
            return method.advance(partial(rhs, leaves), t, y, h, y_new)

        _, d_y = jax.jvp(advance, (leaves, y, t, h), (d_leaves, d_y, d_t, d_h))
        return d_y, d_y

    # steps of size zero, past the last, change nothing
    _, d_ys = bounded_scan(step, d_y0, (ys[:-1], ys[1:], t, h, d_t, d_h), n, (CHUNK, CHUNK**2))
    return ys, jnp.concatenate([d_y0[None], d_ys])


def bounded_scan(step, carry, rows, n, chunks):
    """`lax.scan` over the first ``n`` rows, rounded up; ``chunks`` are the nested sizes that are skipped.

    The remaining outputs repeat the carry: ``step`` returns it twice.
    """
    if not chunks:
        return lax.scan(step, carry, rows)
    *inner, chunk = chunks
    size = jax.tree.leaves(rows)[0].shape[0]
    if size <= chunk:
        return bounded_scan(step, carry, rows, n, inner)
    count = -(-size // chunk)

    def split(a):
        return jnp.pad(a, [(0, count * chunk - size)] + [(0, 0)] * (a.ndim - 1)).reshape(count, chunk, *a.shape[1:])

    def skip(carry, rows, n):
        return carry, jnp.broadcast_to(carry, (chunk, *carry.shape))

    def take(carry, rows, n):
        return bounded_scan(step, carry, rows, n, inner)

    def body(carry, row):
        i, rows = row
        left = n - i * chunk
        return lax.cond(any_lane(left > 0), take, skip, carry, rows, left)

    carry, out = lax.scan(body, carry, (jnp.arange(count, dtype=n.dtype), jax.tree.map(split, rows)))
    return carry, out.reshape(count * chunk, *out.shape[2:])[:size]


class Method:
    """Base of the methods: what one-step methods need for derivatives beside their step.

    ``advance(rhs, t, y, h, y_new)``  one step of given size, differentiable; ``y_new`` is its known result
    ``record(rhs, t, y, h, y_new)``   what ``last`` is after that step, differentiable

    Instances are immutable, hashable and equal by class.
    """

    multistep = False

    def __eq__(self, other):
        return type(self) is type(other)

    def __hash__(self):
        return hash(type(self))

    def __repr__(self):
        return f"{type(self).__name__}()"

    def refusal(self, problem):
        """Status where `init` refused to start, by a step that is not a number; None if it does not."""
        return None

    def replay(self, rhs, leaves, y0, t, h, rows):
        """States (size + 1, n) of the recorded steps, and None: a step depends on one state only."""
        return states(self, rhs, leaves, y0, t, h, rows.y, rows.n), None

    def replayed(self, rhs, ys, t, h, memory, index):
        """Interpolation coefficients of the steps ``index`` (any shape), their stages evaluated anew in one batch."""

        def one(t, h, y, y_new):
            # a step of size zero has no interior: one of size one keeps the interpolant finite
            h = jnp.where(h == 0, 1, h)
            return self.coefficients(rhs, self.record(rhs, t, y, h, y_new))

        flat = index.ravel()
        batch = jax.vmap(one)(t[flat], h[flat], ys[flat], lax.stop_gradient(ys[flat + 1]))
        return jax.tree.map(lambda a: a.reshape(*index.shape, *a.shape[1:]), batch)
