"""Ensembles of uneven lanes: rounds of steps, between which the lanes that go on are packed together.

Under `jax.vmap` the lanes of a block (some 160 neighbours) are computed until the slowest of them ends. Here the host
looks after every round at which lanes go on, and when they are few, these alone are computed further, in a smaller
batch.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from solvers.batching import in_blocks
from solvers.ode import drive
from solvers.ode.diffrax_adapter import as_method
from solvers.ode.engine import lane_numbers
from solvers.ode.problem import Problem, outcome, running
from solvers.ode.rodas5p import Rodas5P
from solvers.ode.solve import _flatten, _matrix, _rhs

__all__ = ["Ensemble", "ensemble"]

#: Sizes of batches: this one times powers of `_RATIO`; each is compiled once.
_LEAST, _RATIO = 16, 4


class Ensemble(NamedTuple):
    """Result of `ensemble`; a pytree.

    Attributes
    ----------
    t : (m,) output times; without ``t_eval`` (lanes,) times that were reached
    y : pytree of (lanes, m, ...) arrays, or (lanes, ...) without ``t_eval``
    status : (lanes,) codes of `solvers.ode.status`
    nfev, njev, nlu, accepted, rejected : (lanes,) counts as in `Solution`
    """

    t: jax.Array
    y: Any
    status: jax.Array
    nfev: jax.Array
    njev: jax.Array
    nlu: jax.Array
    accepted: jax.Array
    rejected: jax.Array


class _Static(NamedTuple):
    """What the compiled functions depend on; hashable."""

    tree: Any  # of (fun, jac)
    fixed: tuple  # its leaves that are no arrays, None where one is
    args: Any  # structure of the arguments
    axes: tuple  # whether each of their leaves has a lane axis
    unravel: Any
    method: Any
    auto_step: bool


class _Lanes(NamedTuple):
    """Arrays with a leading lane axis."""

    t0: Any
    t1: Any
    args: list


class _Shared(NamedTuple):
    """Arrays without one."""

    functions: list
    args: list
    rtol: Any
    atol: Any
    max_step: Any
    first_step: Any
    max_steps: Any
    attempts: Any  # of a round


def _problem(static, shared, t0, t1, own):
    functions = iter(shared.functions)
    leaves = [next(functions) if f is None else f for f in static.fixed]
    fun, jac = jax.tree.unflatten(static.tree, leaves)
    common, mine = iter(shared.args), iter(own)
    args = jax.tree.unflatten(static.args, [next(mine if axis else common) for axis in static.axes])
    rhs = _rhs(static.unravel)
    slope = None if jac is None else lambda t, y: _matrix(jac(t, y, *args), y, y.size)
    s = shared
    return Problem(
        lambda t, y: rhs(t, y, fun, args), t0, t1, s.rtol, s.atol, s.max_step, s.max_steps, slope, None, None
    )


@partial(jax.jit, static_argnums=0)
def _start(static, shared, lanes, y0):
    def one(t0, t1, own, y):
        problem = _problem(static, shared, t0, t1, own)
        return static.method.init(problem, y, None if static.auto_step else shared.first_step)

    return jax.vmap(one)(*lanes, y0)


@partial(jax.jit, static_argnums=0)
def _round(static, shared, lanes, states, target):
    """States after a round at most, and which lanes have not come to ``target`` (their end for an infinite one)."""

    def one(params, state):
        shared, target, (t0, t1, own) = params
        problem = _problem(static, shared, t0, t1, own)
        d, most = problem.direction, state.attempts + shared.attempts

        def ahead(s):
            return jnp.isinf(target) | (d * (target - s.t) > 0)

        state = drive.run(static.method, problem, state, lambda s: ahead(s) & (s.attempts < most))
        return state, ahead(state) & running(problem, state)

    run = in_blocks(one, lane_numbers(states.y.shape[1]))
    return jax.vmap(lambda lanes, state: run((shared, target, lanes), state))(lanes, states)


@partial(jax.jit, static_argnums=0)
def _output(static, shared, lanes, states, t):
    def one(t0, t1, own, state):
        problem = _problem(static, shared, t0, t1, own)
        y = static.method.interpolate(static.method.coefficients(problem.rhs, state.last), t)
        return jnp.where(problem.direction * (t - state.t) > 0, jnp.nan, y)

    return jax.vmap(one)(*lanes, states)


@partial(jax.jit, static_argnums=0)
def _summary(static, shared, lanes, states):
    def one(t0, t1, own, state):
        code = outcome(problem := _problem(static, shared, t0, t1, own), state)
        refusal = static.method.refusal(problem)
        if refusal is not None:
            code = jnp.where(jnp.isnan(state.h) & (state.attempts == 0), refusal, code)
        counts = static.method.counts(state, static.auto_step)
        return code, *(jnp.asarray(c, jnp.int32) for c in counts)

    return jax.vmap(one)(*lanes, states)


@jax.jit
def _taken(tree, index):
    return jax.tree.map(lambda a: jnp.take(a, index, axis=0, mode="clip"), tree)


@jax.jit
def _put(tree, index, part):
    return jax.tree.map(lambda a, b: a.at[index].set(b, mode="drop"), tree, part)


def _run_to(static, shared, lanes, states, target):
    """All states after their steps to ``target``, in rounds of ever smaller batches."""
    size = lanes.t0.shape[0]
    index, some, part = None, lanes, states
    while True:
        part, ahead = _round(static, shared, some, part, target)
        live = np.flatnonzero(np.asarray(ahead))
        small = _LEAST
        while small < live.size:
            small *= _RATIO
        if live.size and 2 * small > ahead.size:
            continue
        if index is None:
            states = part
        else:
            states = _put(states, index, part)
        if not live.size:
            return states
        own = live if index is None else np.asarray(index)[live]
        own = own[own < size]  # what fills the batch is no lane
        if not own.size:
            return states
        index = np.full(small, size)
        index[: own.size] = own
        some, part = _taken((lanes, states), index)


def ensemble(
    fun,
    t0,
    t1,
    y0,
    args=(),
    *,
    in_axes=0,
    method=None,
    rtol=1e-3,
    atol=1e-6,
    max_step=np.inf,
    first_step=None,
    max_steps=1_000_000,
    t_eval=None,
    jac=None,
    round_steps=128,
):
    """Integrate an initial value problem for every lane of a batch, where some lanes take far more steps than others.

    The result is that of `solvers.ode.solve` under `jax.vmap`, lane by lane the same steps; it comes sooner where the
    lanes are uneven (stiffness that differs, events in time), and later where they are alike. For calls outside `jit`:
    the host decides which lanes go on. There are no derivatives; for these, ``jax.vmap`` of `solve`.

    Parameters
    ----------
    fun : callable
        ``fun(t, y, *args)`` for one lane, as in `solve`. A function made anew for each call compiles anew.
    t0, t1 : scalar or (lanes,) array
        Intervals.
    y0 : array (lanes, ...) or pytree of such
        Initial states.
    args : tuple of pytrees
        Further arguments of ``fun``.
    in_axes : int, None, or a tuple of these
        As in `jax.vmap`, for ``args``: 0 for arrays with a lane axis in front, None for what all lanes share.
    method : a method's instance, or a solver object of diffrax
        Default: `Rodas5P`.
    rtol, atol, max_step, first_step, max_steps
        As in `solve`, the same for all lanes.
    t_eval : (m,) array, optional
        Output times, sorted in the direction of integration, the same for all lanes; default: only the end.
    jac : callable, optional
        Jacobian ``jac(t, y, *args)`` for flat states.
    round_steps : int
        Attempted steps between two looks at the lanes.

    Returns
    -------
    Ensemble

    Raises
    ------
    ValueError
        If an argument is traced, for a lane axis of another length, and for ``round_steps`` below 1.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from solvers import ode
    >>> rates = jnp.array([1.0, 1000.0])
    >>> s = ode.ensemble(lambda t, y, k: -k * (y - jnp.cos(t)), 0.0, 1.0, jnp.ones((2, 1)), (rates,), rtol=1e-6)
    >>> s.y.shape, bool((s.status == 0).all())
    ((2, 1), True)
    """
    method = Rodas5P() if method is None else as_method(method)
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((fun, t0, t1, y0, args, t_eval, jac))):
        raise ValueError("`ensemble` looks at values: call it outside jit, vmap and grad, or vmap `solvers.ode.solve`.")
    if round_steps < 1:
        raise ValueError(f"`round_steps` must be at least 1, got {round_steps}.")
    sizes = {np.shape(leaf)[:1] for leaf in jax.tree.leaves(y0)}
    if len(sizes) != 1 or () in sizes:
        raise ValueError(f"`y0` must have one lane axis in front of each array, got {sorted(sizes)}.")
    ((lanes,),) = sizes
    unravel = _flatten(jax.tree.map(lambda a: jnp.asarray(a)[0], y0))[1]
    flat = jax.vmap(lambda y: _flatten(y)[0])(jax.tree.map(jnp.asarray, y0))
    real = partial(jnp.asarray, dtype=jnp.finfo(flat.dtype).dtype)
    arguments, args_tree, axes = _arguments(args, in_axes, lanes)
    leaves, tree = jax.tree.flatten((fun, jac))
    arrays = [isinstance(leaf, (jax.Array, np.ndarray, np.number, float, complex)) for leaf in leaves]
    fixed = tuple(None if a else leaf for leaf, a in zip(leaves, arrays, strict=True))
    static = _Static(tree, fixed, args_tree, axes, unravel, method, first_step is None)
    shared = _Shared(
        [leaf for leaf, a in zip(leaves, arrays, strict=True) if a],
        [a for a, axis in zip(arguments, axes, strict=True) if not axis],
        real(rtol), real(atol), real(max_step), real(0 if first_step is None else first_step),
        jnp.asarray(max_steps, jnp.int32), jnp.asarray(round_steps, jnp.int32),
    )  # fmt: skip
    ends = [jnp.broadcast_to(real(t), (lanes,)) for t in (t0, t1)]
    own = _Lanes(*ends, [a for a, axis in zip(arguments, axes, strict=True) if axis])
    states = _start(static, shared, own, flat)
    shape = jax.vmap(lambda y: y if unravel is None else unravel(y))
    if t_eval is None:
        states = _run_to(static, shared, own, states, real(np.inf))
        t, y = states.t, shape(states.y)
    else:
        t, rows = real(t_eval), []
        if t.ndim != 1:
            raise ValueError(f"`t_eval` must be 1-dimensional, got shape {t.shape}.")
        for time in t:
            states = _run_to(static, shared, own, states, time)
            rows.append(_output(static, shared, own, states, time))
        states = _run_to(static, shared, own, states, real(np.inf))
        y = jax.tree.map(
            lambda *a: jnp.stack(a, axis=1), *map(shape, rows)
        ) if rows else jax.tree.map(lambda a: a[:, None][:, :0], shape(flat))  # fmt: skip
    code, *counts = _summary(static, shared, own, states)
    return Ensemble(t, y, code, *counts, states.accepted, states.attempts - states.accepted)


def _arguments(args, in_axes, lanes):
    """Leaves of the arguments as arrays, lane axes in front; their structure; which of them have one."""
    args = tuple(args)
    spread = jax.tree.map(
        lambda axis, part: jax.tree.map(lambda _: -1 if axis is None else axis, part),
        in_axes, args if not isinstance(in_axes, list) else list(args), is_leaf=lambda x: x is None,
    ) if args else ()  # fmt: skip
    leaves, tree = jax.tree.flatten(args)
    axes = jax.tree.leaves(spread)
    arrays = []
    for leaf, axis in zip(leaves, axes, strict=True):
        leaf = jnp.asarray(leaf)
        if axis >= 0:
            if leaf.ndim <= axis or leaf.shape[axis] != lanes:
                raise ValueError(f"an argument has shape {leaf.shape}, but axis {axis} must have {lanes} lanes.")
            leaf = jnp.moveaxis(leaf, axis, 0)
        arrays.append(leaf)
    return arrays, tree, tuple(axis >= 0 for axis in axes)
