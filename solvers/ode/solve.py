"""Entry of the ODE solvers."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree

from solvers.ode import drive, status
from solvers.ode import replay as replays
from solvers.ode.dense import Dense
from solvers.ode.problem import RUNNING, Problem, outcome
from solvers.ode.rk45 import RK45

_DEFAULT = RK45()


class Solution(NamedTuple):
    """Result of `solve`; a pytree.

    Attributes
    ----------
    t : (m,) output times
    y : pytree of (m, ...) arrays, the solution at ``t``
    n : number of valid outputs; without ``t_eval`` later rows repeat the last, with it they are NaN
    status : code of `solvers.ode.status` (0 success)
    nfev : number of right-hand sides
    accepted, rejected : numbers of steps
    dense : `Dense` or None
    """

    t: jax.Array
    y: Any
    n: jax.Array
    status: jax.Array
    nfev: jax.Array
    accepted: jax.Array
    rejected: jax.Array
    dense: Dense | None


class _Config(NamedTuple):
    """What is fixed at compile time."""

    rhs: Callable  # rhs(leaves, t, y)
    method: Any
    size: int
    dense: bool
    auto_step: bool


class _Inputs(NamedTuple):
    """What derivatives are taken of."""

    leaves: Any
    t0: jax.Array
    t1: jax.Array
    y0: jax.Array
    t_eval: jax.Array | None


class _Control(NamedTuple):
    """Numbers without derivatives."""

    rtol: jax.Array
    atol: jax.Array
    max_step: jax.Array
    first_step: jax.Array
    max_steps: jax.Array


def solve(
    fun,
    t0,
    t1,
    y0,
    args=(),
    *,
    method=_DEFAULT,
    rtol=1e-3,
    atol=1e-6,
    max_step=np.inf,
    first_step=None,
    max_steps=1_000_000,
    t_eval=None,
    size=4096,
    dense=False,
):
    """Integrate ``dy/dt = fun(t, y, *args)`` from ``t0`` to ``t1``.

    Runs under `jit` and `vmap` (each lane takes its own steps). Differentiable in forward and reverse
    mode, to any order, with respect to ``y0``, ``args``, ``t0``, ``t1``, ``t_eval`` and the values that
    ``fun`` closes over or holds as a pytree; the derivative is that of the steps taken (tolerances and
    step sizes are constants of it).

    Parameters
    ----------
    fun : callable
        ``fun(t, y, *args)``, scalar ``t``, ``y`` as ``y0``; returns the same structure and shapes.
    t0, t1 : scalar
        Interval; ``t1 < t0`` integrates backward.
    y0 : array or pytree of arrays, real or complex
        Initial state.
    args : tuple of pytrees
        Further arguments of ``fun``.
    method : `RK45`, `RK23` or `DOP853` instance
        Default `RK45`.
    rtol, atol : scalar, or arrays of the shape of a flat ``y0``
        Error per step is kept below ``atol + rtol * abs(y)`` in the root mean square.
    max_step : scalar
        Largest step.
    first_step : scalar, optional
        Size of the first step; default: chosen from two slopes.
    max_steps : int
        Bound on attempted steps.
    t_eval : (m,) array, optional
        Sorted output times in the interval. Default: the ends of the accepted steps.
    size : int
        Capacity for recorded steps: those returned (without ``t_eval``, or with ``dense``) and those
        replayed for derivatives. Exceeding it is status -3.
    dense : bool
        Also return continuous output.

    Returns
    -------
    Solution

    Raises
    ------
    ValueError
        If ``fun`` returns another shape than ``y0`` has, or ``t_eval`` is not one-dimensional.

    References
    ----------
    .. [1] E. Hairer, S. P. Norsett, G. Wanner, "Solving Ordinary Differential Equations I".

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from solvers import ode
    >>> s = ode.solve(lambda t, y: -y, 0.0, 1.0, jnp.ones(1), t_eval=jnp.array([1.0]), rtol=1e-6)
    >>> bool(abs(s.y[0, 0] - jnp.exp(-1.0)) < 1e-5)
    True
    """
    flat, unravel = _flatten(y0)
    dtype = jnp.finfo(flat.dtype).dtype
    real = partial(jnp.asarray, dtype=dtype)
    t_eval = None if t_eval is None else real(t_eval)
    if t_eval is not None and t_eval.ndim != 1:
        raise ValueError(f"`t_eval` must be 1-dimensional, got shape {t_eval.shape}.")
    rhs, leaves = _close(fun, real(t0), flat, unravel, args)
    config = _Config(rhs, method, int(size), bool(dense), first_step is None)
    inputs = _Inputs(leaves, real(t0), real(t1), flat, t_eval)
    control = _Control(
        real(rtol),
        real(atol),
        real(max_step),
        real(0 if first_step is None else first_step),
        jnp.asarray(max_steps, jnp.int32),
    )
    # compiled as a whole also where the caller does not compile
    solution = jax.jit(partial(_solve, config))(inputs, jax.tree.map(lax.stop_gradient, control))
    return solution if unravel is None else solution._replace(y=jax.vmap(unravel)(solution.y))


def _flatten(y0):
    """``y0`` as one inexact vector, and the function that turns it back (None if it is one already)."""
    if isinstance(y0, (jax.Array, np.ndarray)) and y0.ndim == 1:
        y0 = jnp.asarray(y0)
        return (y0 if jnp.issubdtype(y0.dtype, jnp.inexact) else y0.astype(float)), None
    y0 = jax.tree.map(lambda a: jnp.asarray(a) * 1.0, y0)
    return ravel_pytree(y0)


def _close(fun, t0, y0, unravel, args):
    """``rhs(leaves, t, y)`` on flat states, with every array that it depends on among ``leaves``."""
    leaves, tree = jax.tree.flatten((fun, args))
    arrays = [isinstance(x, (jax.Array, np.ndarray, np.number, float, complex)) for x in leaves]
    dynamic = [jnp.asarray(x) for x, a in zip(leaves, arrays, strict=True) if a]

    def call(dynamic, t, y):
        rest = iter(dynamic)
        mixed = [next(rest) if is_array else x for x, is_array in zip(leaves, arrays, strict=True)]
        f, extra = jax.tree.unflatten(tree, mixed)
        slope = f(t, y if unravel is None else unravel(y), *extra)
        slope = jnp.asarray(slope) if unravel is None else ravel_pytree(slope)[0]
        if slope.shape != y.shape:
            raise ValueError(f"`fun` returned shape {slope.shape}, but the state has shape {y.shape}.")
        if jnp.iscomplexobj(slope) and not jnp.iscomplexobj(y):
            raise ValueError("`fun` returned complex values for a real state; make `y0` complex.")
        return slope.astype(y.dtype)

    closed, captured = jax.closure_convert(call, dynamic, t0, y0)
    return lambda all_leaves, t, y: closed(all_leaves[0], t, y, *all_leaves[1]), (dynamic, captured)


def _problem(config, inputs, control):
    rhs = partial(config.rhs, inputs.leaves)
    return Problem(rhs, inputs.t0, inputs.t1, control.rtol, control.atol, control.max_step, control.max_steps)


def _start(config, inputs, control):
    problem = _problem(config, inputs, control)
    first = None if config.auto_step else control.first_step
    return problem, config.method.init(problem, inputs.y0, first)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _solve(config, inputs, control):
    problem, state = _start(config, inputs, control)
    if inputs.t_eval is not None and not config.dense:
        ys, state, touched = drive.outputs(config.method, problem, state, inputs.t_eval)
        return _solution(config, problem, state, inputs.t_eval, ys, touched)
    rows, state = drive.steps(config.method, problem, state, config.size, config.dense)
    t = jnp.concatenate([inputs.t0[None], rows.t])
    dense = Dense(config.method, t, rows.dense, rows.n) if config.dense else None
    if inputs.t_eval is not None:
        ys = _mask(problem, state, inputs.t_eval, dense(inputs.t_eval))
        return _solution(config, problem, state, inputs.t_eval, ys, rows.n, dense)
    ys = jnp.concatenate([inputs.y0[None], rows.y])
    return _solution(config, problem, state, t, ys, rows.n if dense else 0, dense, rows.n + 1)


def _solution(config, problem, state, t, y, touched, dense=None, n=None):
    """``touched``: number of steps whose interpolation coefficients were computed."""
    if n is None:
        n = jnp.sum(problem.direction * (t - state.t) <= 0)
    code = outcome(problem, state)
    nfev = config.method.nfev(state, config.auto_step) + config.method.dense_nfev * touched
    rejected = state.attempts - state.accepted
    code = jnp.where(code == RUNNING, status.FULL, code)
    result = Solution(t, y, n.astype(jnp.int32), code, nfev.astype(jnp.int32), state.accepted, rejected, dense)
    return jax.tree.map(_lead_batch, result)


def _lead_batch(x):
    """``x`` itself; under `vmap` with the batch axis in front.

    JAX takes the batch axes of a `custom_jvp` function's results from the function, also where its rule is run
    later (inside `jit`), and mixes up the axes in silence if the rule's results have them elsewhere. The carry
    of a scan always has its batch axis in front.
    """
    return lax.scan(lambda c, _: (c * 1, None), x, None, length=1)[0] if x.ndim else x


def _mask(problem, state, t, y):
    missed = problem.direction * (t - state.t) > 0
    return jnp.where(missed[:, None], jnp.nan, y)


@_solve.defjvp
def _solve_jvp(config, primals, tangents):
    inputs, control = primals
    frozen = jax.tree.map(lax.stop_gradient, inputs)
    problem, start = _start(config, frozen, control)
    record, state = drive.steps(config.method, problem, start, config.size, False)
    again = partial(_replayed, config, control=control, record=record, state=state)
    return jax.jvp(again, (inputs,), (tangents[0],))


def _replayed(config, inputs, control, record, state):
    """The same solution as a differentiable function of the inputs, with the recorded steps."""
    method, problem = config.method, _problem(config, inputs, control)
    reached = state.t == problem.t1
    t, h = replays.grid(problem, record, reached)
    ys = replays.states(method, config.rhs, inputs.leaves, inputs.y0, t, h, record.y, record.n)
    ends = jnp.concatenate([inputs.t0[None], t[1:], (t + h)[-1:]])
    dense = None
    if config.dense:
        index = jnp.arange(config.size)
        dense = Dense(method, ends, replays.interpolants(method, problem.rhs, ys, t, h, index), record.n)
    if inputs.t_eval is None:
        return _solution(config, problem, state, ends, ys, record.n if dense else 0, dense, record.n + 1)
    d = problem.direction
    times = jnp.where(jnp.arange(config.size) < record.n, d * record.t, jnp.inf)
    index = jnp.clip(jnp.searchsorted(times, d * inputs.t_eval, side="left"), 0, jnp.maximum(record.n - 1, 0))
    coefficients = replays.interpolants(method, problem.rhs, ys, t, h, index)
    out = _mask(problem, state, inputs.t_eval, jax.vmap(method.interpolate)(coefficients, inputs.t_eval))
    reached = d * (inputs.t_eval - state.t) <= 0
    used = jnp.zeros(config.size, jnp.int32).at[index].max(reached.astype(jnp.int32))
    touched = record.n if config.dense else jnp.sum(used)
    return _solution(config, problem, state, inputs.t_eval, out, touched, dense)
