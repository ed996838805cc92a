"""Entry of the ODE solvers."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree

from solvers.implicit import close
from solvers.ode.diffrax_adapter import as_method
from solvers.ode.engine import Config, Control, Inputs, run
from solvers.ode.mass import as_mass
from solvers.ode.radau import Radau
from solvers.ode.rhs import MassFunction
from solvers.ode.rk45 import RK45
from solvers.ode.rodas5p import Rodas5P

_DEFAULT = RK45()


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
    jac=None,
    events=None,
    event_direction=0,
    event_limit=0,
    sparsity=None,
    limits=None,
    report=False,
    mass=None,
):
    """Integrate ``dy/dt = fun(t, y, *args)``, or ``mass @ dy/dt = fun(t, y, *args)``, from ``t0`` to ``t1``.

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
    method : a method's instance
        `RK45` (default), `RK23`, `DOP853`; `Radau`, `BDF`, `Rodas5P` for stiff problems; `LSODA` finds out itself.
        `StoermerVerlet`, `Yoshida4` for separable Hamiltonian systems, with fixed steps of ``first_step``.
        Or a Runge-Kutta solver object of diffrax (`Diffrax` says which, and what becomes of SDEs).
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
    jac : callable or (n, n) array, optional
        Jacobian ``jac(t, y, *args)`` for flat states, or a constant one; default: by differentiation. Used by
        implicit methods only.
    events : callable, optional
        ``events(t, y, *args)`` of shape (k,): the times at which its entries change sign are located. Each can
        have ``size // 8`` zeros; more are status -3.
    event_direction : int or (k,) array
        Only zeros where the function increases (positive), decreases (negative), or both (0).
    event_limit : int or (k,) array
        Number of zeros after which the solve ends (status 1); 0 for no end.
    sparsity : Pattern, optional
        Where the Jacobian may differ from zero, from `sparse_pattern` or `banded_pattern`: Radau, BDF and LSODA then
        take few derivatives for it, and eliminate inside the band where there is a narrow one.
    limits : Limits, optional
        Further bounds on the steps of LSODA.
    report : bool
        With `t_eval`: what LSODA knows at each output (`lsoda.Report`), as ``report``.
    mass : (n, n) array, optional
        Constant matrix for a flat ``y0``, differentiable as ``args`` are; by Radau and Rodas5P, without ``sparsity``.
        A singular one makes algebraic equations (of index 1), which ``y0`` has to satisfy: status -5 if it does not,
        `consistent` finds one that does.

    Returns
    -------
    Solution

    Raises
    ------
    ValueError
        If ``fun`` returns another shape than ``y0`` has, ``t_eval`` is not one-dimensional, or ``method`` is none.

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
    method = as_method(method)
    flat, unravel = _flatten(y0)
    dtype = jnp.finfo(flat.dtype).dtype
    real = partial(jnp.asarray, dtype=dtype)
    t_eval = None if t_eval is None else real(t_eval)
    if t_eval is not None and t_eval.ndim != 1:
        raise ValueError(f"`t_eval` must be 1-dimensional, got shape {t_eval.shape}.")
    rhs, leaves = _close(_rhs(unravel), real(t0), flat, (fun, args))
    if mass is not None:
        if not isinstance(method, (Radau, Rodas5P)):
            raise ValueError(f"`mass` takes a method Radau or Rodas5P, got {method!r}.")
        if sparsity is not None:
            raise ValueError("`mass` and `sparsity` do not go together: give one of them.")
        rhs, leaves = MassFunction(rhs), (leaves, as_mass(mass, flat))
    config = Config(rhs, method, int(size), bool(dense), first_step is None, report=bool(report))
    inputs = Inputs(leaves, real(t0), real(t1), flat, t_eval)
    control = Control(
        real(rtol),
        real(atol),
        real(max_step),
        real(0 if first_step is None else first_step),
        jnp.asarray(max_steps, jnp.int32),
        limits=jax.tree.map(real, limits),
        pattern=jax.tree.map(jnp.asarray, sparsity),
    )
    rows = sparsity.lower + sparsity.upper + 1 if sparsity is not None and sparsity.packed else flat.size
    if callable(jac):
        jac, leaves = _close(partial(_jac, rows), real(t0), flat, (jac, args))
        config, control = config._replace(jac=jac), control._replace(jac=leaves)
    elif jac is not None:
        control = control._replace(jac=_matrix(jac, flat, rows))
    if events is not None:
        zeros, leaves = _close(_events(unravel), real(t0), flat, (events, args))
        limit = jnp.asarray(event_limit, jnp.int32)
        shape = jax.eval_shape(zeros, leaves, real(t0), flat).shape
        config, inputs = config._replace(events=zeros), inputs._replace(watched=leaves)
        control = control._replace(
            direction=jnp.broadcast_to(jnp.asarray(event_direction), shape),
            limit=jnp.broadcast_to(jnp.where(limit > 0, limit, np.iinfo(np.int32).max), shape),
        )
    # compiled as a whole also where the caller does not compile
    solution = jax.jit(partial(run, config))(inputs, jax.tree.map(lax.stop_gradient, control))
    return solution if unravel is None else solution._replace(y=jax.vmap(unravel)(solution.y))


def _flatten(y0):
    """``y0`` as one inexact vector, and the function that turns it back (None if it is one already)."""
    if isinstance(y0, (jax.Array, np.ndarray)) and y0.ndim == 1:
        y0 = jnp.asarray(y0)
        return (y0 if jnp.issubdtype(y0.dtype, jnp.inexact) else y0.astype(float)), None
    y0 = jax.tree.map(lambda a: jnp.asarray(a) * 1.0, y0)
    return ravel_pytree(y0)


def _rhs(unravel):
    """The right-hand side as a function of flat states, checked."""

    def rhs(t, y, fun, args):
        slope = fun(t, y if unravel is None else unravel(y), *args)
        slope = jnp.asarray(slope) if unravel is None else ravel_pytree(slope)[0]
        if slope.shape != y.shape:
            raise ValueError(f"`fun` returned shape {slope.shape}, but the state has shape {y.shape}.")
        if jnp.iscomplexobj(slope) and not jnp.iscomplexobj(y):
            raise ValueError("`fun` returned complex values for a real state; make `y0` complex.")
        return slope.astype(y.dtype)

    return rhs


def _jac(rows, t, y, jac, args):
    return _matrix(jac(t, y, *args), y, rows)


def _matrix(jac, y, rows):
    """A Jacobian, or the ``rows`` diagonals of one, checked."""
    jac = jnp.asarray(jac)
    if jac.shape != (rows, y.size):
        raise ValueError(f"`jac` is expected to have shape {(rows, y.size)}, but actually has {jac.shape}.")
    return jac.astype(y.dtype)


def _events(unravel):
    def zeros(t, y, events, args):
        g = jnp.asarray(events(t, y if unravel is None else unravel(y), *args))
        if g.ndim != 1:
            raise ValueError(f"`events` must return a vector, got shape {g.shape}.")
        return g.astype(t.dtype)

    return zeros


def _close(call, t0, y0, held):
    """``call(t, y, *held)`` as ``fun(leaves, t, y)``, with every array that it depends on among ``leaves``."""
    leaves, tree = jax.tree.flatten(held)
    arrays = [isinstance(x, (jax.Array, np.ndarray, np.number, float, complex)) for x in leaves]
    dynamic = [jnp.asarray(x) for x, a in zip(leaves, arrays, strict=True) if a]

    def flat(dynamic, t, y):
        rest = iter(dynamic)
        mixed = [next(rest) if is_array else x for x, is_array in zip(leaves, arrays, strict=True)]
        return call(t, y, *jax.tree.unflatten(tree, mixed))

    # `jax.closure_convert` would leave integers where they are, and a `custom_jvp` may not close over tracers
    pure, captured, _ = close(flat, dynamic, t0, y0)
    return lambda all_leaves, t, y: pure(all_leaves[1], all_leaves[0], t, y), (dynamic, captured)
