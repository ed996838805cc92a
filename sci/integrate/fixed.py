"""Rules of fixed order: `fixed_quad`, `newton_cotes`."""

from __future__ import annotations

import functools
import math
from fractions import Fraction
from typing import Any

import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements
from sci.bridge.extras import bind_arguments
from sci.bridge.worlds import is_jax
from sci.integrate.samples import widen

__all__ = ["fixed_quad", "newton_cotes"]


# --- fixed_quad ------------------------------------------------------------------------------


@functools.lru_cache(64)
def _gauss_legendre(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(n)


def _prepare_fixed(call: Call) -> None:
    if not isinstance(call["args"], tuple) or not callable(call["func"]):
        raise HostRoute(Reason.OPTION, "args is not a tuple, or func not callable")
    bind_arguments(call, "func")
    n = call["n"]
    if isinstance(n, bool) or n != int(n) or n <= 0:
        raise ValueError(f"n must be a positive integer, got {n!r}.")
    call["nodes"], call["weights"] = _gauss_legendre(int(n))
    for name in ("a", "b"):
        value = call[name]
        if np.ndim(value) != 0:
            raise HostRoute(Reason.SHAPE, f"{name} is not a scalar")
        if not is_jax(value):
            call[name] = float(value)
            if math.isinf(value):
                raise ValueError(f"Gaussian quadrature is only available for finite limits; {name} is {value}.")


def _fixed_point(call: Call) -> tuple[Any, ...]:
    a, b, x = call["a"], call["b"], call["nodes"]
    if is_jax(a) or is_jax(b):
        a, b = 0.0, 1.0
    return (a + (b - a) * (x + 1) / 2, *call["args"])


def _power(x: Any, k: Any) -> Any:
    return np.exp(-k * x) * x


_power.__module__ = "user"


@implements(
    "scipy.integrate.fixed_quad",
    callables={"func": _fixed_point},
    trees=("args",),
    dtypes={"args": "keep"},
    prepare=_prepare_fixed,
    finish=lambda call, out: (out, None),
    finish_jax=lambda call, out: (out, None),
    examples=lambda: [
        Example(
            (_power, 0.25, 1.5),
            {"args": (np.array(0.7),), "n": 4},
            grad=("a", "b"),
            vmap=("b",),
            output=lambda r: r[0],
        )
    ],
    note="Array limits.",
)
def fixed_quad(func, a, b, args, nodes, weights):
    """Gauss-Legendre quadrature of fixed order.

    Parameters
    ----------
    func : callable
        ``func(x, *args)`` of an array `x` of shape (n,), returns (..., n).
    a, b : float
        Finite limits.
    args : tuple
        Further arguments.
    n : int
        Number of nodes.

    Returns
    -------
    tuple
        The integral, shape (...), and None. Differentiable with respect to `a`, `b`, `args` and what `func` closes
        over.

    Raises
    ------
    ValueError
        For infinite limits, or `n` that is no positive integer.

    References
    ----------
    .. [1] P. J. Davis, P. Rabinowitz, "Methods of Numerical Integration", 2nd ed., Sec. 2.7.

    Examples
    --------
    >>> from sci.integrate import fixed_quad
    >>> value, _ = fixed_quad(lambda x: x**7, 0.0, 1.0, n=4)
    >>> round(float(value), 12)
    0.125
    """
    dtype = jnp.result_type(a, b, float)
    half = jnp.asarray((b - a) / 2, dtype)
    y = as_array(func(half * (jnp.asarray(nodes, dtype) + 1) + a, *args))
    return half * jnp.sum(jnp.asarray(weights, dtype) * y, axis=-1)


# --- newton_cotes ----------------------------------------------------------------------------


@functools.lru_cache(64)
def _exact_weights(order: int) -> tuple[tuple[float, ...], float]:
    """Weights of equally spaced samples and the error coefficient, rounded once from rational numbers."""
    n = Fraction(order)
    nodal = [Fraction(1)]  # coefficients of the product of (r - j), lowest first
    for j in range(order + 1):
        nodal = [low - j * high for low, high in zip([Fraction(0), *nodal], [*nodal, Fraction(0)], strict=True)]
    weights = []
    for i in range(order + 1):
        # divided by (r - i), then integrated over [0, order]
        quotient, carry = [], Fraction(0)
        for c in reversed(nodal[1:]):
            carry = c + i * carry
            quotient.append(carry)
        power = order
        integral = sum(c * n ** (power - k + 1) / (power - k + 1) for k, c in enumerate(quotient))
        scale = math.factorial(i) * math.factorial(order - i) * (-1) ** (order - i)
        weights.append(integral / scale)
    power = order + 2 - order % 2
    defect = Fraction(order, power + 1) - sum(w * Fraction(i, order) ** power for i, w in enumerate(weights))
    error = defect * Fraction(order) ** power / math.factorial(power)
    return tuple(map(float, weights)), float(error)


#: Beyond this order the weights are of both signs and of 1e3 times their sum: no rule that anybody uses.
_LARGEST = 50


def _prepare_newton(call: Call) -> None:
    rn, equal = call["rn"], call["equal"]
    call["weights"] = call["error"] = None
    if np.ndim(rn) == 0 and not is_jax(rn):
        order, equal = rn, True
    else:
        if np.ndim(rn) != 1:
            raise HostRoute(Reason.SHAPE, "rn has more than one axis")
        order = np.shape(rn)[0] - 1
        if not is_jax(rn):
            equal = equal or bool(np.all(np.diff(rn) == 1))
    if not isinstance(order, (int, np.integer)) or order < 1 or order > _LARGEST:
        raise HostRoute(Reason.OPTION, f"order {order!r}")
    if equal:
        if np.ndim(rn) and not call["equal"] and not is_jax(rn) and (rn[0] != 0 or rn[-1] != order):
            raise ValueError(f"The sample positions must start at 0 and end at {order}, got {rn[0]} and {rn[-1]}.")
        weights, error = _exact_weights(int(order))
        call["rn"], call["weights"], call["error"] = None, np.array(weights), error
        return
    if not is_jax(rn):
        call["rn"] = rn = np.asarray(rn)
        if rn[0] != 0 or rn[-1] != order:
            raise ValueError(f"The sample positions must start at 0 and end at {order}, got {rn[0]} and {rn[-1]}.")
        if np.isfinite(rn).all() and len(set(rn.tolist())) <= order:
            raise np.linalg.LinAlgError(f"Singular matrix: the sample positions {rn} are not distinct.")
        widen(call, "rn")


@implements(
    "scipy.integrate.newton_cotes",
    dtypes={"weights": "keep", "error": "keep"},
    prepare=_prepare_newton,
    examples=lambda: [Example((np.array([0.0, 0.8, 2.5, 3.0]),), grad=("rn",), rtol=1e-8)],
    note="Orders above 50.",
)
def newton_cotes(rn, weights, error):
    """Weights and error coefficient of Newton-Cotes integration.

    Equally spaced rules are computed in rational arithmetic, exact to the last bit.

    Parameters
    ----------
    rn : int or array_like, shape (N + 1,)
        Order, or sample positions from 0 to N. A traced array is taken as not equally spaced.
    equal : int
        Take the positions as equally spaced.

    Returns
    -------
    an : array, shape (N + 1,)
        Weights.
    B : float
        Error coefficient. Both are differentiable with respect to positions.

    Raises
    ------
    ValueError
        If the positions do not run from 0 to N.
    LinAlgError
        If two positions are equal.

    References
    ----------
    .. [1] P. J. Davis, P. Rabinowitz, "Methods of Numerical Integration", 2nd ed., Sec. 2.5.

    Examples
    --------
    >>> from sci.integrate import newton_cotes
    >>> weights, error = newton_cotes(2)
    >>> weights.round(6)
    array([0.333333, 1.333333, 0.333333])
    """
    if rn is None:
        return weights, error
    order = rn.shape[0] - 1
    powers = np.arange(order + 1)
    t = 2 * rn / order - 1
    moments = jnp.asarray(np.where(powers % 2, 0.0, 2.0 / (powers + 1)), rn.dtype)
    # the rule integrates every power up to the order exactly
    vandermonde = jnp.concatenate(
        [jnp.ones((1, order + 1), rn.dtype), jnp.cumprod(jnp.broadcast_to(t, (order, order + 1)), axis=0)]
    )
    a = jnp.linalg.solve(vandermonde, moments)
    a = a + jnp.linalg.solve(vandermonde, moments - vandermonde @ a)
    a = a * order / 2
    power = order + 1
    defect = order / (order + 2) - jnp.dot((rn / order) ** power, a)
    return a, defect * math.exp(power * math.log(order) - math.lgamma(power + 1))
