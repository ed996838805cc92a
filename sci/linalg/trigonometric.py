"""Cosine, sine, tangent and their hyperbolic twins of a matrix, through the exponential."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from sci.bridge import Call, Example, implements
from sci.linalg._batch import over_batch, square_core
from sci.linalg.matrix_functions import _expm
from sci.linalg.square_root import maybe_real

__all__ = ["coshm", "cosm", "sinhm", "sinm", "tanhm", "tanm"]


def _validate(call: Call) -> None:
    square_core(call, "A", "expected square array_like input")


def _pair(a: jax.Array) -> tuple[jax.Array, jax.Array]:
    """exp(i a) and exp(-i a); for a real matrix the second is the conjugate of the first."""
    turned = 1j * a.astype(jnp.result_type(a, jnp.complex64))
    plus = _expm(turned)
    return plus, (_expm(-turned) if jnp.iscomplexobj(a) else plus.conj())


def _cos(a: jax.Array) -> jax.Array:
    plus, minus = _pair(a)
    return (plus + minus) / 2 if jnp.iscomplexobj(a) else plus.real


def _sin(a: jax.Array) -> jax.Array:
    plus, minus = _pair(a)
    return (plus - minus) / 2j if jnp.iscomplexobj(a) else plus.imag


def _cosh(a: jax.Array) -> jax.Array:
    return (_expm(a) + _expm(-a)) / 2


def _sinh(a: jax.Array) -> jax.Array:
    return (_expm(a) - _expm(-a)) / 2


def _tan(a: jax.Array) -> jax.Array:
    plus, minus = _pair(a)
    if jnp.iscomplexobj(a):
        return jnp.linalg.solve(plus + minus, -1j * (plus - minus))
    return jnp.linalg.solve(plus.real, plus.imag)


def _tanh(a: jax.Array) -> jax.Array:
    plus, minus = _expm(a), _expm(-a)
    return jnp.linalg.solve(plus + minus, plus - minus)


def _each(function: Any, a: jax.Array) -> jax.Array:
    return a if a.size == 0 else over_batch(function, (a,), (2,))


def _facts(**more: Any) -> dict[str, Any]:
    return {
        "validate": _validate,
        "finish": lambda call, out: maybe_real(call["A"], out),
        "examples": lambda: [
            Example(([[0.3, 1.0], [-0.5, 0.2]],), grad=("A",), vmap=("A",), skip_odd=("empty", "nan", "inf")),
            Example(([[0.3, 1.0j], [-0.5, 0.2]],)),
        ],
        **more,
    }


@implements("scipy.linalg.cosm", **_facts())
def cosm(A: Any) -> Any:
    """The cosine of a matrix.

    Parameters
    ----------
    A : array_like, shape (..., n, n)
        Matrices.

    Returns
    -------
    array, shape (..., n, n)
        Differentiable.

    Raises
    ------
    ValueError
        If `A` is not square.

    References
    ----------
    Euler's formula; see `expm`.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> linalg.cosm(np.zeros((2, 2)))
    array([[1., 0.],
           [0., 1.]])
    """
    return _each(_cos, A)


@implements("scipy.linalg.sinm", **_facts())
def sinm(A: Any) -> Any:
    """The sine of a matrix; see `cosm`.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> linalg.sinm(np.diag([0.0, np.pi / 2])).round(12)
    array([[0., 0.],
           [0., 1.]])
    """
    return _each(_sin, A)


@implements("scipy.linalg.tanm", **_facts())
def tanm(A: Any) -> Any:
    """The tangent of a matrix; see `cosm`.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> linalg.tanm(np.diag([0.0, np.pi / 4])).round(12)
    array([[0., 0.],
           [0., 1.]])
    """
    return _each(_tan, A)


@implements("scipy.linalg.coshm", **_facts())
def coshm(A: Any) -> Any:
    """The hyperbolic cosine of a matrix; see `cosm`.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> linalg.coshm(np.zeros((2, 2)))
    array([[1., 0.],
           [0., 1.]])
    """
    return _each(_cosh, A)


@implements("scipy.linalg.sinhm", **_facts())
def sinhm(A: Any) -> Any:
    """The hyperbolic sine of a matrix; see `cosm`.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> linalg.sinhm(np.diag([0.0, 1.0])).round(6)
    array([[0.      , 0.      ],
           [0.      , 1.175201]])
    """
    return _each(_sinh, A)


@implements("scipy.linalg.tanhm", **_facts())
def tanhm(A: Any) -> Any:
    """The hyperbolic tangent of a matrix; see `cosm`.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> linalg.tanhm(np.diag([0.0, 1.0])).round(6)
    array([[0.      , 0.      ],
           [0.      , 0.761594]])
    """
    return _each(_tanh, A)
