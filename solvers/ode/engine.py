"""The compiled solve: the driver's record turned into a `Solution`, and its derivatives."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from solvers.batching import in_blocks
from solvers.ode import drive, status
from solvers.ode import events as watching
from solvers.ode import replay as replays
from solvers.ode.dense import Dense
from solvers.ode.problem import RUNNING, Problem, outcome

#: Recorded steps for each event that can be recorded.
STEPS_PER_EVENT = 8
#: What a lane works on in a step, for `in_blocks`: numbers for each of the state, and at least. Few lanes of small
#: systems go together, because each block ends with its own slowest lane.
_NUMBERS, _LEAST_NUMBERS = 16, 500


class Solution(NamedTuple):
    """Result of `solve`; a pytree.

    Attributes
    ----------
    t : (m,) output times
    y : pytree of (m, ...) arrays, the solution at ``t``
    n : number of valid outputs; without ``t_eval`` later rows repeat the last, with it they are NaN
    status : code of `solvers.ode.status` (0 success, 1 a terminal event)
    nfev, njev, nlu : numbers of right-hand sides, Jacobians and factorisations
    accepted, rejected : numbers of steps
    dense : `Dense` or None
    events : `Found` or None
    report : what the method reports at each output, or None
    """

    t: jax.Array
    y: Any
    n: jax.Array
    status: jax.Array
    nfev: jax.Array
    njev: jax.Array
    nlu: jax.Array
    accepted: jax.Array
    rejected: jax.Array
    dense: Dense | None
    events: watching.Found | None
    report: Any = None


class Config(NamedTuple):
    """What is fixed at compile time; the functions take the arrays they depend on first."""

    rhs: Callable  # rhs(leaves, t, y)
    method: Any
    size: int
    dense: bool
    auto_step: bool
    jac: Callable | None = None  # jac(leaves, t, y)
    events: Callable | None = None  # events(leaves, t, y) -> (k,)
    report: bool = False


class Inputs(NamedTuple):
    """What derivatives are taken of."""

    leaves: Any
    t0: jax.Array
    t1: jax.Array
    y0: jax.Array
    t_eval: jax.Array | None
    watched: Any = None  # what the events depend on


class Control(NamedTuple):
    """Numbers without derivatives."""

    rtol: jax.Array
    atol: jax.Array
    max_step: jax.Array
    first_step: jax.Array
    max_steps: jax.Array
    jac: Any = None  # what the Jacobian depends on, or the constant Jacobian
    direction: Any = None
    limit: Any = None
    limits: Any = None  # `lsoda.Limits`
    pattern: Any = None  # `pattern.Pattern` of the Jacobian


def _problem(config, inputs, control):
    c = control
    jac = c.jac if config.jac is None else partial(config.jac, c.jac)
    rhs = partial(config.rhs, inputs.leaves)
    return Problem(rhs, inputs.t0, inputs.t1, c.rtol, c.atol, c.max_step, c.max_steps, jac, c.limits, c.pattern)


def _record(config, inputs, control, dense):
    """The problem and what `drive.steps` recorded of it."""
    problem = _problem(config, inputs, control)
    state = _start(config, problem, inputs, control)
    watched = None
    if config.events is not None:
        watched = watching.Events(
            partial(config.events, inputs.watched),
            control.direction,
            control.limit,
            max(config.size // STEPS_PER_EVENT, 1),
        )
    return problem, *drive.steps(config.method, problem, state, config.size, dense, watched)


def _start(config, problem, inputs, control):
    return config.method.init(problem, inputs.y0, None if config.auto_step else control.first_step)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def run(config, inputs, control):
    """The `Solution` of a solve; of a batch under `vmap`, block by block."""
    return in_blocks(partial(_solved, config), lane_numbers(inputs.y0.size))(inputs, control)


def lane_numbers(n):
    """What `in_blocks` has to know of lanes with states of ``n`` entries."""
    return max(_LEAST_NUMBERS, _NUMBERS * n)


def _solved(config, inputs, control):
    if inputs.t_eval is not None and not config.dense and config.events is None:
        problem = _problem(config, inputs, control)
        state = _start(config, problem, inputs, control)
        report = config.method.report if config.report else None
        ys, state, touched, report = drive.outputs(config.method, problem, state, inputs.t_eval, report)
        return _solution(config, problem, state, state.t, inputs.t_eval, ys, touched, report=report)
    interpolated = config.dense or config.events is not None
    problem, rows, state, seen = _record(config, inputs, control, interpolated)
    ends = jnp.concatenate([inputs.t0[None], rows.t])
    ys = jnp.concatenate([inputs.y0[None], rows.y])

    def coefficients(index):
        return jax.tree.map(lambda a: a[index], rows.dense)

    return _assembled(config, problem, inputs, control, (rows, state, seen), ends, ys, coefficients)


@run.defjvp
def _run_jvp(config, primals, tangents):
    inputs, control = primals
    frozen = jax.tree.map(lax.stop_gradient, inputs)
    _, *record = _record(config, frozen, control, config.method.multistep)
    report = run(config, frozen, control).report if config.report else None
    again = partial(_replayed, config, control=control, record=record, report=report)
    return jax.jvp(again, (inputs,), (tangents[0],))


def _replayed(config, inputs, control, record, report):
    """The same solution as a differentiable function of the inputs, with the recorded steps."""
    method, problem = config.method, _problem(config, inputs, control)
    rows, state, _ = record
    t, h = replays.grid(problem, rows, state.t == lax.stop_gradient(problem.t1))
    ys, memory = method.replay(config.rhs, inputs.leaves, inputs.y0, t, h, rows)
    ends = jnp.concatenate([inputs.t0[None], t[1:], (t + h)[-1:]])
    coefficients = partial(method.replayed, problem.rhs, ys, t, h, memory)
    solution = _assembled(config, problem, inputs, control, record, ends, ys, coefficients)._replace(report=report)
    # under `vmap` all results of `in_blocks` have a batch axis: these must not do without, see `_lead_batch`
    batched = jnp.any(jnp.stack([jnp.any(x != x) for x in jax.tree.leaves((inputs, control))]))
    return jax.tree.map(lambda x: jnp.where(batched, x, x), solution)


def _assembled(config, problem, inputs, control, record, ends, ys, coefficients):
    """The solution from recorded steps: their ends, states, and interpolation coefficients by index."""
    rows, state, seen = record
    method, d, n, t_end = config.method, problem.direction, rows.n, state.t
    found, dense = None, None
    if config.events is not None:
        bounds = lax.stop_gradient(jnp.concatenate([inputs.t0[None], rows.t]))
        steps = coefficients(seen.step)
        found = watching.locate(method, config.events, inputs.watched, seen, bounds, d, control.limit, steps)
        t_end = jnp.where(found.stopped, found.stop_t, t_end)
        cut = found.stopped & (jnp.arange(config.size + 1) >= n)
        ends, ys = jnp.where(cut, found.stop_t, ends), jnp.where(cut[:, None], found.stop_y, ys)
    if config.dense:
        dense = Dense(method, ends, coefficients(jnp.arange(config.size)), n)
    out = partial(_solution, config, problem, state, t_end)
    used = jnp.zeros(config.size, bool)  # steps whose interpolants SciPy would make
    if found is not None:
        used = used.at[seen.step].max(jnp.arange(seen.step.shape[1]) < seen.zeros[:, None])
    if inputs.t_eval is None:
        return out(ends, ys, n if config.dense else jnp.sum(used), dense, n + 1, found)
    times = jnp.where(jnp.arange(config.size) < n, d * rows.t, jnp.inf)
    index = jnp.clip(jnp.searchsorted(times, d * inputs.t_eval, side="left"), 0, jnp.maximum(n - 1, 0))
    y = jax.vmap(method.interpolate)(coefficients(index), inputs.t_eval)
    reached = d * (inputs.t_eval - t_end) <= 0
    touched = n if config.dense else jnp.sum(used.at[index].max(reached))
    return out(inputs.t_eval, jnp.where(reached[:, None], y, jnp.nan), touched, dense, None, found)


def _solution(config, problem, state, t_end, t, y, touched, dense=None, n=None, found=None, report=None):
    """``touched``: number of steps whose interpolation coefficients were computed."""
    limited = report is not None and problem.limits is not None and problem.limits.budget is not None
    if n is None:
        n = jnp.sum(problem.direction * (t - t_end) <= 0)
    code = outcome(problem, state)
    code = jnp.where(code == RUNNING, status.MAX_STEPS if limited else status.FULL, code)
    refusal = config.method.refusal(problem)
    if refusal is not None:
        code = jnp.where(jnp.isnan(state.h) & (state.attempts == 0), refusal, code)
    if found is not None:
        code = jnp.where(found.full, status.FULL, jnp.where(found.stopped, status.EVENT, code))
    nfev, njev, nlu = config.method.counts(state, config.auto_step)
    nfev = nfev + config.method.dense_nfev * touched
    rejected = state.attempts - state.accepted
    counts = [jnp.asarray(c, jnp.int32) for c in (n, code, nfev, njev, nlu)]
    result = Solution(t, y, *counts, state.accepted, rejected, dense, found, report)
    return jax.tree.map(_lead_batch, result)


def _lead_batch(x):
    """``x`` itself; under `vmap` with the batch axis in front.

    JAX takes the batch axes of a `custom_jvp` function's results from the function, also where its rule is run
    later (inside `jit`), and mixes up the axes in silence if the rule's results have them elsewhere. The carry
    of a scan always has its batch axis in front.
    """
    return lax.scan(lambda c, _: ((c * 1).astype(c.dtype), None), x, None, length=1)[0] if x.ndim else x
