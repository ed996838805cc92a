"""Sylvester and Lyapunov equations."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import solvers.linear as linear
from sci.bridge import Call, Example, implements
from sci.linalg._batch import core_shapes, over_batch, promoted
from sci.linalg._shared import adjoint, widen

__all__ = ["solve_continuous_lyapunov", "solve_discrete_lyapunov", "solve_lyapunov", "solve_sylvester"]


def _real_where(result: jax.Array, *given: jax.Array) -> jax.Array:
    """The complex solver's result in the arithmetic of the data: real equations have real solutions."""
    return result if any(jnp.iscomplexobj(x) for x in given) else result.real


def _validate_sylvester(call: Call) -> None:
    a, b, q = core_shapes(call, a=2, b=2, q=2)
    if np.size(call["a"]) == 0 or np.size(call["b"]) == 0:
        return
    for name, core in (("a", a), ("b", b)):
        if core is None or len(core) != 2 or core[0] != core[1]:
            raise ValueError(f"expected square matrix, argument {name!r} has shape {np.shape(call[name])}")
    if a is not None and b is not None and q != (a[0], b[0]):
        raise ValueError(f"q has shape {np.shape(call['q'])}, allowed is {(a[0], b[0])} for a {a} and b {b}")


@implements(
    "scipy.linalg.solve_sylvester",
    finite=("a", "b"),
    validate=_validate_sylvester,
    examples=lambda: [
        Example(
            (
                np.array([[-3.0, -2.0, 0.0], [-1.0, -1.0, 3.0], [3.0, -5.0, -1.0]]),
                np.array([[1.5, 0.2], [0.3, 2.0]]),
                np.array([[1.0, 0.5], [2.0, 3.0], [-1.0, 1.0]]),
            ),
            grad=("a", "b", "q"),
            vmap=("a", "b", "q"),
            skip_odd=("0-d", "nan", "inf", "empty"),  # SciPy's LAPACK wrappers decide by their own rules
        ),
    ],
)
def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """Solve ``a @ x + x @ b = q``.

    Parameters
    ----------
    a, b, q : array_like, shapes (..., m, m), (..., n, n), (..., m, n)
        Coefficients and right-hand side.

    Returns
    -------
    array, shape (..., m, n)
        Differentiable in all.

    Raises
    ------
    ValueError
        For shapes that do not match.

    References
    ----------
    R. H. Bartels, G. W. Stewart, "Algorithm 432: Solution of the matrix equation AX + XB = C", Commun. ACM 15 (1972)
    820-826, in complex arithmetic.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> linalg.solve_sylvester(np.eye(2), np.eye(2), np.array([[2.0, 4.0], [6.0, 8.0]]))
    array([[1., 2.],
           [3., 4.]])
    """
    a, b, q = promoted(a, b, q)
    if a.size == 0 or b.size == 0:
        return q
    return over_batch(lambda a, b, q: _real_where(linear.solve_sylvester(a, b, q), a, b, q), (a, b, q), (2, 2, 2))


def _square_pair(call: Call) -> None:
    a, q = core_shapes(call, a=2, q=2)
    for name, core in (("a", a), ("q", q)):
        if core is None or (len(core) == 2 and core[0] != core[1]) or (len(core) == 1 and core != (1,)):
            raise ValueError(f"Matrix {name} should be square, it has shape {np.shape(call[name])}")
    if np.atleast_2d(np.empty(a or ())).shape != np.atleast_2d(np.empty(q or ())).shape:
        raise ValueError(f"Matrix a and q should have the same shape, got {a} and {q}")


def _lyapunov(a: jax.Array, q: jax.Array) -> jax.Array:
    return _real_where(linear.solve_sylvester(a, adjoint(a), q), a, q)


_EXAMPLE = ([[-3.0, -2.0, 0.0], [-1.0, -1.0, 0.0], [0.0, -5.0, -1.0]], [[1.0, 0.2, 0.0], [0.2, 1.0, 0.5], [0.3, 0, 2]])


@implements(
    "scipy.linalg.solve_continuous_lyapunov",
    finite=("a", "q"),
    validate=_square_pair,
    examples=lambda: [Example(_EXAMPLE, grad=("a", "q"), vmap=("a", "q"))],
)
def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """Solve ``a @ x + x @ a^H = q``.

    Parameters
    ----------
    a, q : array_like, shape (..., n, n)
        Coefficient and right-hand side.

    Returns
    -------
    array, shape (..., n, n)
        Differentiable in both.

    Raises
    ------
    ValueError
        For shapes that are not square or differ.

    References
    ----------
    Bartels and Stewart, 1972; see `solve_sylvester`. Where two eigenvalues of `a` sum to zero the solution is infinite
    or NaN; SciPy perturbs the coefficients and warns.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> linalg.solve_continuous_lyapunov(np.eye(2), np.eye(2))
    array([[0.5, 0. ],
           [0. , 0.5]])
    """
    a, q = promoted(jnp.atleast_2d(a), jnp.atleast_2d(q))
    return a if a.size == 0 else over_batch(_lyapunov, (a, q), (2, 2))


#: SciPy's older name of `solve_continuous_lyapunov`.
solve_lyapunov = implements(
    "scipy.linalg.solve_lyapunov",
    finite=("a", "q"),
    validate=_square_pair,
    examples=lambda: [Example(_EXAMPLE, grad=("a", "q"), vmap=("a", "q"))],
)(solve_continuous_lyapunov.__sci__.body)  # type: ignore[attr-defined]


def _prepare_discrete(call: Call) -> None:
    method = call["method"]
    call["bilinear"] = None if method is None else method.lower() == "bilinear"
    if method is not None and method.lower() not in ("direct", "bilinear"):
        raise ValueError(f"Unknown solver {method}; allowed are 'direct' and 'bilinear'")
    if call.numpy:  # SciPy mixes in an identity of double precision
        call["a"], call["q"] = widen(call["a"]), widen(call["q"])


def _validate_discrete(call: Call) -> None:
    a, q = core_shapes(call, a=2, q=2)
    for name, core in (("a", a), ("q", q)):
        if core is None or len(core) != 2 or core[0] != core[1]:
            raise ValueError(f"Matrix {name} should be square, it has shape {np.shape(call[name])}")
    if a != q:
        raise ValueError(f"Matrix a and q should have the same shape, got {a} and {q}")


@implements(
    "scipy.linalg.solve_discrete_lyapunov",
    static=("bilinear",),
    prepare=_prepare_discrete,
    validate=_validate_discrete,
    examples=lambda: [
        Example(
            ([[0.2, 0.5], [0.7, -0.9]], [[1.0, 0.2], [0.2, 1.5]]),
            grad=("a", "q"),
            vmap=("a", "q"),
            skip_odd=("0-d", "nan", "inf", "empty", "1x1"),  # SciPy's own errors come from inside its helpers
        ),
        Example(([[0.2, 0.5], [0.7, -0.9]], [[1.0, 0.2], [0.2, 1.5]]), {"method": "bilinear"}, grad=("a", "q"),
                skip_odd=("0-d", "nan", "inf", "empty", "1x1")),
    ],
)  # fmt: skip
def solve_discrete_lyapunov(a: Any, q: Any, bilinear: bool | None) -> Any:
    """Solve ``a @ x @ a^H - x + q = 0``.

    Parameters
    ----------
    a, q : array_like, shape (..., n, n)
        Coefficient and right-hand side.
    method : {'direct', 'bilinear'}, optional
        As one linear system of n^2 unknowns, or through the continuous equation; by default direct for n < 10.

    Returns
    -------
    array, shape (..., n, n)
        Differentiable in both.

    Raises
    ------
    ValueError
        For shapes that are not square or differ, or an unknown method.

    References
    ----------
    J. D. Hamilton, "Time Series Analysis", Princeton 1994, pp. 265 and 268.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> linalg.solve_discrete_lyapunov(np.eye(2) / 2, np.eye(2) * 3)
    array([[4., 0.],
           [0., 4.]])
    """
    a, q = promoted(a, q)
    n = a.shape[-1]
    if a.size == 0:
        return a

    def direct(a: jax.Array, q: jax.Array) -> jax.Array:
        system = jnp.eye(n * n, dtype=a.dtype) - jnp.kron(a, a.conj())
        return jnp.linalg.solve(system, q.reshape(-1)).reshape(n, n)

    def through_continuous(a: jax.Array, q: jax.Array) -> jax.Array:
        eye = jnp.eye(n, dtype=a.dtype)
        inverse = jnp.linalg.inv(adjoint(a) + eye)
        b = (adjoint(a) - eye) @ inverse
        c = 2 * jnp.linalg.solve(a + eye, q) @ inverse
        return _lyapunov(adjoint(b), -c)

    use = n >= 10 if bilinear is None else bilinear
    return over_batch(through_continuous if use else direct, (a, q), (2, 2))
