"""The loop that every solver of this package runs in, and the entry points' jit.

A solver is a frozen dataclass (a pytree whose tolerances are leaves) with three methods:

``init(problem, x0)``
    the state before anything was evaluated,
``step(problem, state)``
    one evaluation of the problem and everything that follows from it,
``converged(state)``
    whether the loop ends (converged or failed: the state's ``status`` says which).

One evaluation per step keeps a single copy of the user's function in the compiled loop, and lets the lanes of
a ``vmap`` advance without waiting for each other's inner loops.
"""

import functools

import jax
from jax import lax

__all__ = ["entry_jit", "iterate", "split"]


def iterate(solver, problem, state):
    """Step `solver` on `problem` from `state` until ``solver.converged(state)``."""
    return lax.while_loop(
        lambda s: ~solver.converged(s),
        lambda s: solver.step(problem, s),
        state,
    )


def entry_jit(*names):
    """Jit a function of arbitrary pytrees: numbers and arrays are traced, everything else is static.

    A plain ``jax.jit`` would refuse the callables and options among the arguments. Keywords in `names` are
    static, numbers or not. ``__wrapped__`` is the function itself, for callers that are already under a jit.
    """

    def decorate(function):
        @functools.partial(jax.jit, static_argnums=(0, 1))
        def compiled(static, options, traced):
            args, kwargs = _join(static, traced)
            return function(*args, **kwargs, **dict(options))

        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            options = tuple((name, kwargs.pop(name)) for name in names if name in kwargs)
            traced, static = _partition((args, kwargs))
            return compiled(static, options, traced)

        return wrapper

    return decorate


def split(tree):
    """The numbers and arrays of a pytree, and the function that puts them back among its other leaves."""
    traced, static = _partition(tree)
    return traced, functools.partial(_join, static)


class _Traced:
    """Marks the place of a traced leaf."""

    def __repr__(self):
        return "<traced>"


_TRACED = _Traced()


def _is_traced(leaf):
    if isinstance(leaf, bool):
        return False
    return isinstance(leaf, int | float | complex) or (hasattr(leaf, "shape") and hasattr(leaf, "dtype"))


def _partition(tree):
    leaves, structure = jax.tree.flatten(tree)
    traced = [leaf for leaf in leaves if _is_traced(leaf)]
    # The hash tells apart what JAX's comparison of structures does not: `register_dataclass` with equal fields.
    return traced, (structure, hash(structure), tuple(_TRACED if _is_traced(leaf) else leaf for leaf in leaves))


def _join(static, traced):
    structure, _, constants = static
    traced = iter(traced)
    return jax.tree.unflatten(structure, [next(traced) if c is _TRACED else c for c in constants])
