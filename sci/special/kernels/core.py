"""What every kernel stands on: promotion, derivatives of any order, polynomial evaluation.

A kernel is a pure elementwise function of arrays of one real floating dtype. `elementwise` brings
arguments there; `smooth` gives a kernel its known partial derivatives, so that loops and selections
inside never have to be differentiated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

__all__ = ["FORWARD", "chebyshev", "count_of_turns", "elementwise", "horner", "scaled", "smooth", "working_dtype"]

#: As a partial derivative: push a unit tangent through the kernel's own steps.
FORWARD = "forward"


def working_dtype(dtype: Any) -> Any:
    """The precision to compute in: double where it exists, as SciPy's float32 loops do."""
    if jnp.issubdtype(dtype, jnp.complexfloating):
        return dtype
    wide = jnp.result_type(float)
    return wide if jnp.finfo(dtype).bits < jnp.finfo(wide).bits else dtype


def elementwise(kernel: Callable[..., Any], *args: Any) -> Any:
    """Call a kernel on broadcast arguments of one dtype; results have the arguments' common dtype."""
    dtype = jnp.result_type(*args)
    if not jnp.issubdtype(dtype, jnp.inexact):
        dtype = jnp.result_type(float)
    work = working_dtype(dtype)
    arrays = jnp.broadcast_arrays(*(jnp.asarray(a, work) for a in args))
    return jax.tree_util.tree_map(lambda v: v.astype(dtype), kernel(*arrays))


def smooth(*partials: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give an elementwise kernel its partial derivatives.

    Parameters
    ----------
    *partials : callable, None or FORWARD
        One per argument: a function of all arguments; None where the kernel does not depend smoothly
        on the argument (an order): its derivative is zero; `FORWARD` for the derivative by forward
        mode through the kernel's own code, which serves reverse mode and every higher order as well.

    Notes
    -----
    A partial multiplies the tangent only where that argument is perturbed at all: an infinite
    derivative with respect to one argument does not spoil the gradient with respect to another.
    """

    def decorate(kernel: Callable[..., Any]) -> Callable[..., Any]:
        function = jax.custom_jvp(kernel)
        resolved = list(partials)

        def partial(i: int) -> Callable[..., Any]:
            if resolved[i] == FORWARD:

                @smooth(*[FORWARD] * len(partials))
                def along(*args: Any) -> Any:
                    unit = [jnp.ones_like(a) if j == i else jnp.zeros_like(a) for j, a in enumerate(args)]
                    return jax.jvp(kernel, args, tuple(unit))[1]

                resolved[i] = along
            return resolved[i]

        def rule(primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
            out = function(*primals)
            total = jnp.zeros_like(out)
            for i, t in enumerate(tangents):
                if resolved[i] is not None and type(t) is not jax.custom_derivatives.SymbolicZero:
                    total = total + partial(i)(*primals) * t
            return out, total

        function.defjvp(rule, symbolic_zeros=True)
        return function

    return decorate


def horner(coefficients: Sequence[float], x: jax.Array) -> jax.Array:
    """sum_k c_k x^k."""
    total = jnp.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        total = total * x + c
    return total


def scaled(x: jax.Array, low: float, high: float) -> jax.Array:
    """[low, high] -> [-1, 1]."""
    return (x - (0.5 * (low + high))) * (2.0 / (high - low))


def chebyshev(coefficients: Sequence[float], t: jax.Array) -> jax.Array:
    """sum_k c_k T_k(t) by Clenshaw's recurrence.

    Reference: C. W. Clenshaw, "A note on the summation of Chebyshev series", Math. Comp. 9 (1955).
    """
    s = t + t
    b1 = jnp.full_like(t, coefficients[-1])
    b2 = jnp.zeros_like(t)
    for c in coefficients[-2:0:-1]:
        b1, b2 = s * b1 - b2 + c, b1
    return t * b1 - b2 + coefficients[0]


def count_of_turns(condition: Callable[..., Any], body: Callable[..., Any], start: Any, limit: int) -> Any:
    """`lax.while_loop` that ends after `limit` turns at the latest."""

    def go_on(state: Any) -> Any:
        return (state[0] < limit) & condition(*state[1])

    def step(state: Any) -> Any:
        return state[0] + 1, body(state[0], *state[1])

    return lax.while_loop(go_on, step, (0, start))[1]
