"""`approx_fprime` and `check_grad`: finite differences, and gradients compared with them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, need_callable, users
from sci.optimize.randomness import generator

__all__ = ["approx_fprime", "check_grad"]


def _vector(call: Call, name: str) -> None:
    """The point as a vector of floating numbers."""
    value = call[name]
    value = jnp.asarray(value) if is_jax(value) else np.asarray(value)
    if value.dtype.kind not in "biuf" or value.size == 0:
        raise HostRoute(Reason.DTYPE, f"argument {name!r} has dtype {value.dtype} and shape {value.shape}")
    if value.ndim > 1:
        raise ValueError(f"`{name}` must have at most 1 dimension, got shape {value.shape}")
    if not is_jax(value):
        value = value.astype(float)
    elif value.dtype.kind != "f":
        value = value.astype(jnp.zeros(0).dtype)
    call[name] = value.reshape(-1)


def _step(call: Call) -> None:
    """The absolute step, one for all variables or one for each."""
    if not is_jax(call["epsilon"]):
        call["epsilon"] = np.asarray(call["epsilon"], float)


def _differences(function: Any, x: Any, epsilon: Any) -> Any:
    """Forward differences, shape (m, n), of a function with values of shape (m,); steps of zero are replaced."""
    given = jnp.broadcast_to(jnp.asarray(epsilon, x.dtype), x.shape)
    usual = jnp.finfo(x.dtype).eps ** 0.5 * jnp.where(x >= 0, 1.0, -1.0) * jnp.maximum(1.0, jnp.abs(x))
    step = jnp.where((x + given) - x == 0, usual, given)
    points = jnp.concatenate([x[None], x + jnp.diag(step)])
    values = jax.vmap(function)(points)
    # The step that was really made, rounding included.
    made = jnp.diagonal(points[1:]) - x
    return ((values[1:] - values[0]) / made[:, None]).T


def _checked_step(call: Call, name: str) -> None:
    shape = np.shape(call["epsilon"])
    if shape not in ((), (1,), call[name].shape):
        raise ValueError(f"epsilon has shape {shape}; allowed are a number and {call[name].shape}")


def _prepare_fprime(call: Call) -> None:
    need_callable(call, "f")
    _vector(call, "xk")
    _step(call)
    bind_arguments(call, "f")


def _example_fprime(call: Call) -> tuple[Any, ...]:
    return (call["xk"], *call["args"])


@users
def _cubic(x: Any, weight: Any = 1.0) -> Any:
    return weight * x[0] ** 2 - 0.5 * x[1] ** 3


@users
def _cubic_slope(x: Any, weight: Any = 1.0) -> Any:
    return np.array([2 * weight * x[0], -1.5 * x[1] ** 2 + 1e-3])


def _fprime_examples() -> list[Example]:
    # A step at which rounding does not show.
    return [
        Example(args=([1.5, -1.5], _cubic, 1e-4, 2.0), grad=("xk",), vmap=("xk",), rtol=1e-8, atol=1e-9, float32=False)
    ]


@implements(
    "scipy.optimize.approx_fprime",
    callables={"f": _example_fprime},
    trees=("args",),
    dtypes={"xk": "float", "epsilon": "keep", "args": "keep"},
    prepare=_prepare_fprime,
    validate=lambda call: _checked_step(call, "xk"),
    examples=_fprime_examples,
)
def approx_fprime(xk, f, epsilon, args):
    """Forward differences of a function.

    Parameters
    ----------
    xk : (n,) array or number
        The point.
    f : callable
        ``f(x, *args)``, a number or a vector of shape (m,).
    epsilon : float or (n,) array
        Steps. One that is lost in rounding is replaced by ``sqrt(eps) * max(1, |x|)``.
    *args
        Further arguments of `f`.

    Returns
    -------
    (n,) or (m, n) array
        The differences, in one batch of ``n + 1`` evaluations. For the exact derivative take `jax.jacfwd` of
        ``sci.to_jax(f, xk)``. Differentiable with respect to `xk` and `args`.

    Raises
    ------
    ValueError
        Where `xk` or the values of `f` have more than one dimension, or `epsilon` has not the shape of `xk`.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import approx_fprime
    >>> approx_fprime([1.0, 2.0], lambda x: x[0] ** 2 + 3 * x[1], 1e-6).round(4).tolist()
    [2.0, 3.0]
    """
    slopes = _differences(lambda x: _values(f(x, *args)), xk, epsilon)
    return slopes[0] if slopes.shape[0] == 1 else slopes


def _values(out: Any) -> Any:
    out = jnp.atleast_1d(as_array(out))
    if out.ndim > 1:
        raise ValueError(f"`f` must return a number or a vector, got an array of shape {out.shape}")
    return out


def _prepare_check(call: Call) -> None:
    need_callable(call, "func", "grad")
    if call["direction"] not in ("all", "random"):
        raise ValueError(f"{call['direction']} is not a valid string for ``direction`` argument")
    _vector(call, "x0")
    _step(call)
    bind_arguments(call, "func", "grad")
    call["along"] = None
    if call["direction"] == "random":
        random = generator(call, "check_grad")
        if random is None:
            call["along"] = jax.random.normal(call["key"], call["x0"].shape)
        else:
            call["along"] = random.standard_normal(call["x0"].shape)


def _example_check(call: Call) -> tuple[Any, ...]:
    return (call["x0"], *call["args"])


def _validate_check(call: Call) -> None:
    if call["direction"] != "random":
        _checked_step(call, "x0")


def _check_examples() -> list[Example]:
    return [
        Example(
            args=(_cubic, _cubic_slope, [1.5, -1.5]), kwargs={"epsilon": 1e-4}, vmap=("x0",), rtol=1e-6, float32=False
        )
    ]


@implements(
    "scipy.optimize.check_grad",
    callables={"func": _example_check, "grad": _example_check},
    trees=("args",),
    dtypes={"x0": "float", "epsilon": "keep", "args": "keep", "along": "keep"},
    prepare=_prepare_check,
    validate=_validate_check,
    extras={"key": None},
    examples=_check_examples,
)
def check_grad(func, grad, x0, args, epsilon, along):
    """Distance of a gradient from the forward differences of its function.

    Parameters
    ----------
    func, grad : callable
        ``func(x, *args)``, a number or a vector of shape (m,), and its gradient (n,) or Jacobian (m, n).
    x0 : (n,) array
        The point.
    *args
        Further arguments of both functions.
    epsilon : float or (n,) array
        Steps of the differences.
    direction : {'all', 'random'}
        All partial derivatives, or one derivative along a random vector (standard normal; numbers only).
    rng, seed : optional
        As SciPy's; the same stream. With JAX arrays an integer, or `key`.
    key : jax.random key, keyword-only, optional
        Draws the direction in the JAX world.

    Returns
    -------
    float
        The root of the sum of the squared differences.

    Raises
    ------
    ValueError
        For another `direction`; for a random direction of a vector function.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import check_grad
    >>> bool(check_grad(lambda x: x[0] ** 2, lambda x: [2 * x[0]], [1.5]) < 1e-6)
    True
    """
    given = as_array(grad(x0, *args))
    if along is None:
        found = _differences(lambda x: _values(func(x, *args)), x0, epsilon)
        found = found[0] if found.shape[0] == 1 else found
        return jnp.sqrt(jnp.sum((given - found) ** 2))
    if given.ndim > 1:
        raise ValueError("'random' can only be used with scalar valued func")
    along = along.astype(x0.dtype)
    origin = jnp.zeros(1, x0.dtype)
    found = _differences(lambda w: _values(func(x0 + w[0] * along, *args)), origin, epsilon)
    return jnp.sqrt(jnp.sum((jnp.sum(given * along) - found) ** 2))
