"""Rosenbrock's function and its derivatives."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, implements

__all__ = ["rosen", "rosen_der", "rosen_hess", "rosen_hess_prod"]

_POINT = np.array([0.3, -0.7, 1.2, 0.9])


def _need_vector(call: Call) -> None:
    """The derivatives are defined for vectors of two components at least, as SciPy's indexing demands."""
    x = call["x"]
    if np.ndim(x) == 0 or len(x) < 2:
        raise IndexError(f"x must have at least two components, got shape {np.shape(x)}")


@implements(
    "scipy.optimize.rosen",
    examples=lambda: [Example(args=(_POINT,), grad=("x",), vmap=("x",), skip_odd=("string",))],
)
def rosen(x):
    """Rosenbrock's function, the sum of ``100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2``.

    Parameters
    ----------
    x : (n, ...) array
        Point, or points along the further axes.

    Returns
    -------
    (...) array

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import rosen
    >>> float(rosen(np.array([1.0, 1.0, 2.0])))
    100.0
    """
    return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0, axis=0)


@implements(
    "scipy.optimize.rosen_der",
    validate=_need_vector,
    examples=lambda: [Example(args=(_POINT,), grad=("x",), vmap=("x",), skip_odd=("string", "one axis more"))],
)
def rosen_der(x):
    """Gradient of Rosenbrock's function.

    Parameters
    ----------
    x : (n,) array

    Returns
    -------
    (n,) array

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import rosen_der
    >>> rosen_der(np.array([0.0, 0.0])).tolist()
    [-2.0, 0.0]
    """
    miss = x[1:] - x[:-1] ** 2
    left = -400 * miss * x[:-1] - 2 * (1 - x[:-1])
    return jnp.zeros_like(x).at[:-1].add(left).at[1:].add(200 * miss)


def _diagonal(x):
    inner = jnp.full_like(x, 202.0).at[0].set(2.0).at[-1].set(200.0)
    return inner.at[:-1].add(1200 * x[:-1] ** 2 - 400 * x[1:])


@implements(
    "scipy.optimize.rosen_hess",
    validate=_need_vector,
    examples=lambda: [Example(args=(_POINT,), grad=("x",), vmap=("x",), skip_odd=("string", "one axis more"))],
)
def rosen_hess(x):
    """Hessian of Rosenbrock's function.

    Parameters
    ----------
    x : (n,) array

    Returns
    -------
    (n, n) array

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import rosen_hess
    >>> rosen_hess(np.ones(2)).tolist()
    [[802.0, -400.0], [-400.0, 200.0]]
    """
    off = -400 * x[:-1]
    return jnp.diag(_diagonal(x)) + jnp.diag(off, 1) + jnp.diag(off, -1)


@implements(
    "scipy.optimize.rosen_hess_prod",
    validate=_need_vector,
    examples=lambda: [
        Example(
            args=(_POINT, np.array([1.0, 0.5, -2.0, 0.1])),
            grad=("x", "p"),
            vmap=("x", "p"),
            skip_odd=("string", "one axis more", "0-d", "empty", "1x1"),
        )
    ],
)
def rosen_hess_prod(x, p):
    """Product of the Hessian of Rosenbrock's function and a vector.

    Parameters
    ----------
    x, p : (n,) array

    Returns
    -------
    (n,) array

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import rosen_hess_prod
    >>> rosen_hess_prod(np.ones(2), np.array([1.0, 0.0])).tolist()
    [802.0, -400.0]
    """
    out = _diagonal(x) * p
    return out.at[:-1].add(-400 * x[:-1] * p[1:]).at[1:].add(-400 * x[:-1] * p[:-1])
