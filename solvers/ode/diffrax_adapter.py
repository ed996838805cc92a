"""Solver objects of diffrax as methods: their step, with our step control, outputs, events and derivatives.

diffrax is imported where one is used, not before.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from solvers.ode import control, replay
from solvers.ode.problem import State, fixed_step, min_step, next_step
from solvers.ode.runge_kutta import combine

__all__ = ["Diffrax", "as_method"]


class Step(NamedTuple):
    """The step from ``t`` of size ``h``, and what the solver's interpolant needs of it."""

    t: Any
    h: Any
    info: Any


def as_method(method):
    """``method`` itself, or a solver object of diffrax as a `Diffrax` method.

    Raises
    ------
    ValueError
        For anything else.
    """
    if isinstance(method, replay.Method):
        return method
    # asked by name: whoever has such an object has imported diffrax, nobody else should
    if any(c.__name__ == "AbstractSolver" and c.__module__.startswith("diffrax") for c in type(method).__mro__):
        return Diffrax(method)
    raise ValueError(f"`method` must be a method of solvers.ode or a solver object of diffrax, got {method!r}.")


class Diffrax(replay.Method):
    """A Runge-Kutta solver object of diffrax, such as ``Diffrax(diffrax.Tsit5())`` or ``Kvaerno5()``.

    The error per step is kept within the solve's tolerances, which implicit solvers use for their iteration too
    (unless their root finder has its own). A solver without an error estimate (`diffrax.Euler`) takes steps of
    ``first_step``. Right-hand sides are counted by stages: the iterations of implicit solvers are not seen.

    Stochastic and controlled equations, and split terms (``KenCarp4``, ``SemiImplicitEuler``, ``Sil3``), have more
    than a right-hand side: they stay with `diffrax.diffeqsolve`, which composes with everything here as any other
    JAX function. An Ornstein-Uhlenbeck process::

        noise = diffrax.VirtualBrownianTree(0.0, 1.0, tol=1e-3, shape=(), key=key)
        drift, diffusion = diffrax.ODETerm(lambda t, y, a: -y), diffrax.ControlTerm(lambda t, y, a: 0.3, noise)
        terms = diffrax.MultiTerm(drift, diffusion)
        path = diffrax.diffeqsolve(terms, diffrax.ItoMilstein(), 0.0, 1.0, 1e-2, 1.0, saveat=diffrax.SaveAt(ts=ts))

    Parameters
    ----------
    solver : diffrax.AbstractSolver
        An explicit or diagonally implicit Runge-Kutta method, `Euler`, `ImplicitEuler`, or a `HalfSolver` of those.

    Raises
    ------
    ValueError
        For solvers of other equations, for those that keep the step before (`LeapfrogMidpoint`, `ReversibleHeun`),
        and for solvers that hold arrays.

    References
    ----------
    .. [1] P. Kidger, "On Neural Differential Equations", PhD thesis, University of Oxford, 2021.
    """

    dense_nfev = 0
    traced_only = True  # its interpolants are not NumPy's

    def __init__(self, solver):
        import diffrax

        inner = solver.solver if isinstance(solver, diffrax.HalfSolver) else solver
        one_step = (diffrax.AbstractRungeKutta, diffrax.Euler, diffrax.ImplicitEuler)
        if inner.term_structure is not diffrax.AbstractTerm or isinstance(inner, diffrax.AbstractSRK):
            raise ValueError(
                f"method={solver!r} is for stochastic, controlled or split equations, which have more than a "
                "right-hand side: call `diffrax.diffeqsolve` for them."
            )
        if not isinstance(inner, one_step):
            raise ValueError(
                f"method={solver!r} is not a Runge-Kutta method of diffrax; allowed are explicit and diagonally "
                "implicit ones, Euler, ImplicitEuler, and HalfSolver of these."
            )
        try:
            hash(solver)
        except TypeError as error:
            raise ValueError(f"method={solver!r} holds arrays; give numbers.") from error
        self.solver = solver
        self.implicit = isinstance(inner, diffrax.AbstractImplicitSolver)
        self.adaptive = isinstance(solver, diffrax.AbstractAdaptiveSolver)
        #: the local error estimate is O(h**(error_order + 1))
        self.error_order = solver.error_order(diffrax.ODETerm(lambda t, y, args: y)) - 1
        stages = inner.tableau.num_stages if isinstance(inner, diffrax.AbstractRungeKutta) else 1 + self.implicit
        again = isinstance(inner, diffrax.AbstractRungeKutta) and inner.tableau.fsal
        self.nfev = (stages - again) * (1 if inner is solver else 3)

    def __eq__(self, other):
        return type(self) is type(other) and bool(self.solver == other.solver)

    def __hash__(self):
        return hash((type(self), type(self.solver), self.solver))

    def __repr__(self):
        return f"Diffrax({self.solver!r})"

    def init(self, problem, y0, first_step=None):
        """State at ``t0``; ``first_step`` (size) overrides the automatic choice."""
        p = problem
        if self.implicit and jnp.iscomplexobj(y0):
            raise ValueError(f"{self.solver!r} takes real states only, got dtype {y0.dtype}.")
        if first_step is not None:
            h = jnp.asarray(first_step, p.t0.dtype)
            h = h if self.adaptive else jnp.minimum(h, p.max_step)
        elif not self.adaptive:
            raise ValueError(
                f"method={self.solver!r} has no error estimate: give `first_step`, the size of all its steps, or wrap "
                "it in diffrax.HalfSolver."
            )
        else:
            h = control.initial_step(p, y0, p.rhs(p.t0, y0), self.error_order)
            h = jnp.maximum(h, min_step(p.t0, p.direction))
        solver, term = self._solver(p.rtol, p.atol), _term(p.rhs)
        memory = solver.init(term, p.t0, p.t0 + h, y0, None)
        one = jnp.ones_like(p.t0)
        shape = jax.eval_shape(lambda: solver.step(term, p.t0, p.t0 + one, y0, None, memory, False)[2])
        info = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), shape)
        # a step of length one that stays at y0
        info = {name: y0 if name in ("y0", "y1") else value for name, value in info.items()}
        zero = jnp.zeros((), jnp.int32)
        return State(p.t0, y0, h, zero, zero, memory, Step(p.t0, one, info))

    def counts(self, state, automatic):
        """Stages, and no Jacobians or factorisations: diffrax does not count them."""
        return (2 if automatic else 1) + self.nfev * state.attempts, 0, 0

    def _solver(self, rtol, atol):
        """The solver object, with the tolerances of the solve for its iteration."""
        import diffrax

        if not self.implicit:
            return self.solver
        import equinox

        inner = self.solver.solver if isinstance(self.solver, diffrax.HalfSolver) else self.solver
        finder = inner.root_finder
        ours = {"rtol": jnp.min(rtol), "atol": jnp.min(atol), "norm": control.rms_norm}
        open_ = [name for name in ours if not _given(getattr(finder, name))]
        if open_:
            finder = equinox.tree_at(
                lambda f: [getattr(f, name) for name in open_], finder, [ours[name] for name in open_]
            )
        half = inner is not self.solver
        inner = equinox.tree_at(lambda s: s.root_finder, inner, finder)
        return diffrax.HalfSolver(inner) if half else inner

    def attempt(self, problem, state):
        """Try one step of size ``state.h``, limited to ``max_step`` and to the end of the interval."""
        import diffrax

        p, s = problem, state
        t_new = next_step(p, s)[2] if self.adaptive else fixed_step(p, s)
        h = t_new - s.t
        y_new, error, info, memory, result = self._solver(p.rtol, p.atol).step(
            _term(p.rhs), s.t, t_new, s.y, None, s.cache, False
        )
        done = result == diffrax.RESULTS.successful
        if error is None:
            accept = done & jnp.isfinite(y_new).all()
            h_next = jnp.where(accept, s.h, jnp.nan)  # there is no other size to try
        else:
            scale = p.atol + jnp.maximum(jnp.abs(s.y), jnp.abs(y_new)) * p.rtol
            norm = jnp.where(done, control.rms_norm(error / scale), jnp.inf)
            accept = norm < 1
            factor = control.step_factor(norm, -1 / (self.error_order + 1), s.h < 0)
            h_next = jnp.where(accept, 1, -1) * jnp.abs(h) * factor
        select = lambda new, old: jnp.where(accept, new, old)  # noqa: E731
        return State(
            t=select(t_new, s.t),
            y=select(y_new, s.y),
            h=h_next,
            accepted=s.accepted + accept,
            attempts=s.attempts + 1,
            cache=jax.tree.map(select, memory, s.cache),
            # of a rejected attempt as well: it is read only after an accepted one
            last=Step(s.t, h, info),
        )

    def coefficients(self, rhs, last):
        """Interpolation coefficients of the step ``last``."""
        return last

    def interpolate(self, coefficients, t):
        """Solution at scalar ``t`` inside the step."""
        t_old, h, info = coefficients
        return self.solver.interpolation_cls(t0=t_old, t1=t_old + h, **info).evaluate(t)

    def advance(self, rhs, t, y, h, y_new):
        """State after the step from ``(t, y)`` of signed size ``h``."""
        return self._again(rhs, t, y, h)[0]

    def record(self, rhs, t, y, h, y_new):
        """What ``last`` is after that step."""
        return Step(t, h, self._again(rhs, t, y, h)[1])

    def _again(self, rhs, t, y, h):
        """New state and interpolation record of a step, differentiable in both modes."""
        import equinox

        if getattr(self.solver, "tableau", None) is not None and not self.implicit:
            return _explicit(self.solver.tableau, rhs, t, y, h)
        # far tighter than the step's own iteration: the derivative is that of the exact stages
        eps = jnp.finfo(y.dtype).eps
        solver, term = self._solver(eps**0.75, eps**0.75), _term(rhs)
        inner = [lambda s: s.solver, lambda s: s] if hasattr(solver, "solver") else [lambda s: s]
        for at in inner:
            if hasattr(at(solver), "scan_kind"):
                # of the loops over stages the one that both modes of differentiation go through
                solver = equinox.tree_at(lambda s: at(s).scan_kind, solver, "bounded", is_leaf=lambda x: x is None)  # noqa: B023
        y_new, _, info, _, _ = solver.step(term, t, t + h, y, None, solver.init(term, t, t + h, y, None), False)
        return y_new, info


def _explicit(tableau, rhs, t, y, h):
    """The same for an explicit tableau, unrolled: diffrax's loop over the stages compiles ten times as long."""
    k = [h * rhs(t, y)]
    for a, c in zip(tableau.a_lower, tableau.c.tolist(), strict=True):
        k.append(h * rhs(t + c * h, y + combine(a, k)))
    y_new = y + combine(tableau.b_sol, k)
    return y_new, {"y0": y, "y1": y_new, "k": jnp.stack(k)}


def _given(value):
    from diffrax._root_finder import use_stepsize_tol  # has no public name

    return value is not use_stepsize_tol


def _term(rhs):
    import diffrax

    return diffrax.ODETerm(lambda t, y, args: rhs(t, y))
