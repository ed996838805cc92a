"""Algebraic Riccati equations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.linalg import LinAlgError

import solvers.linear as linear
from sci.bridge import Call, Example, implements
from sci.linalg._batch import core_shapes, over_batch, promoted
from sci.linalg._shared import adjoint, widen

__all__ = ["solve_continuous_are", "solve_discrete_are"]

_NAMES = ("a", "b", "q", "r", "e", "s")
_EPS = float(np.finfo(np.float64).eps)
#: A relative residual above it is no solution.
_ACCEPTED = 1e-7
#: A weight r of smaller relative eigenvalues counts as singular.
_SINGULAR = 1e-12


def _prepare(call: Call) -> None:
    if call.numpy:  # SciPy computes in double precision
        for name in _NAMES:
            if call[name] is not None:
                call[name] = widen(call[name])


def _regular(name: str, matrix: Any) -> None:
    smallest = np.linalg.svd(matrix, compute_uv=False)[..., -1]
    if np.any((smallest == 0) | (smallest < _EPS * np.abs(matrix).sum(axis=-2).max(axis=-1))):
        raise ValueError(f"Matrix {name} is numerically singular.")


def _validate(call: Call) -> None:
    ranks: dict[str, Any] = dict.fromkeys(_NAMES, 2)
    cores = dict(zip(_NAMES, core_shapes(call, **ranks), strict=True))
    shapes = {k: (1,) * (2 - len(v)) + v for k, v in cores.items() if v is not None}
    for name in ("a", "q", "r", "e"):
        if name in shapes and shapes[name][0] != shapes[name][1]:
            raise ValueError(f"Matrix {name} should be square, it has shape {shapes[name]}.")
    m, n = shapes["b"]
    wanted = {"a": (m, m), "q": (m, m), "r": (n, n), "e": (m, m), "s": (m, n)}
    for name, shape in wanted.items():
        if name in shapes and shapes[name] != shape:
            raise ValueError(f"Matrix {name} has shape {shapes[name]}, allowed with b of shape {(m, n)} is {shape}")
    if not call.numpy:
        return
    for name in _NAMES:
        if call[name] is not None and not np.isfinite(call[name]).all():
            raise ValueError(f"array must not contain infs or NaNs: argument {name!r}")
    for name in ("q", "r"):
        matrix = np.atleast_2d(call[name])
        size = np.abs(matrix).sum(axis=-2).max(axis=-1)
        odd = np.abs(matrix - np.swapaxes(matrix, -1, -2).conj()).sum(axis=-2).max(axis=-1)
        if np.any(odd > np.spacing(size) * 100):
            raise ValueError(f"Matrix {name} should be symmetric/hermitian.")
    if "discrete" not in call:
        _regular("r", np.atleast_2d(call["r"]))
    if call["e"] is not None:
        _regular("e", np.atleast_2d(call["e"]))


def _prepare_discrete(call: Call) -> None:
    _prepare(call)
    call["discrete"] = True


def _finish(call: Call, out: Any) -> Any:
    x, residual = out
    if not np.all(residual <= _ACCEPTED):
        raise LinAlgError(f"Failed to find a stabilising solution: the relative residual is {np.max(residual)}.")
    return x


def _shift_for(b: Any, q: Any, r: Any) -> Any:
    """How much of the identity is taken out of the solution, so that a singular r becomes regular: else 0."""
    q, r = lax.stop_gradient((q, r))
    values = jnp.abs(jnp.linalg.eigvalsh((r + adjoint(r)) / 2))
    size = jnp.where((q == 0).all(), 1, jnp.abs(q).max())
    return jnp.where(values.min() <= _SINGULAR * values.max(), size, 0).astype(b.dtype)


def _solve(engine: Callable[..., Any], discrete: bool, *given: Any) -> Any:
    given = promoted(*(None if x is None else jnp.atleast_2d(x) for x in given))

    def core(a: Any, b: Any, q: Any, r: Any, e: Any, s: Any) -> tuple[jax.Array, jax.Array]:
        if e is not None:  # y = e^H x e solves the equation of e^-1 a, e^-1 b
            a, b = jnp.linalg.solve(e, a), jnp.linalg.solve(e, b)
        shift = jnp.zeros(())
        if discrete:  # x = shift + z, and z solves the equation of other weights
            shift = _shift_for(b, q, r)
            cross = shift * adjoint(a) @ b
            s = cross if s is None else s + cross
            q, r = q + shift * (adjoint(a) @ a - jnp.eye(a.shape[0])), r + shift * adjoint(b) @ b
        if s is not None:  # the square is completed
            half = jnp.linalg.solve(r, adjoint(s))
            a, q = a - b @ half, q - s @ half
            q = (q + adjoint(q)) / 2
        x, residual = engine(a, b, q, r)
        x = x + shift * jnp.eye(a.shape[0], dtype=x.dtype) if discrete else x
        if e is not None:
            x = jnp.linalg.solve(adjoint(e), adjoint(jnp.linalg.solve(adjoint(e), x)))
        return (x + adjoint(x)) / 2, residual

    return over_batch(core, given, (2,) * 6)


_A, _B = [[1.0, 2.0], [3.0, -4.0]], [[1.0], [2.0]]
_Q, _R = [[2.0, 1.0], [1.0, 3.0]], [[2.0]]


def _examples(a: Any) -> Any:
    # SciPy's errors for numbers in place of matrices come from inside its helpers
    skip = ("1x1", "0-d", "empty")
    return lambda: [
        Example((a, _B, _Q, _R), grad=("a", "b", "q", "r"), vmap=("a", "b"), rtol=1e-8, skip_odd=skip),
        Example(
            (a, _B, _Q, _R),
            {"e": [[2.0, 0.1], [0.0, 1.0]], "s": [[0.1], [0.2]]},
            grad=("a", "e", "s"),
            rtol=1e-8,
            skip_odd=skip,
        ),
    ]


@implements(
    "scipy.linalg.solve_continuous_are",
    ignored=("balanced",),
    prepare=_prepare,
    validate=_validate,
    finish=_finish,
    finish_jax=lambda call, out: out[0],
    examples=_examples(_A),
)
def solve_continuous_are(a: Any, b: Any, q: Any, r: Any, e: Any, s: Any) -> Any:
    """Solve ``a^H x e + e^H x a - (e^H x b + s) r^-1 (b^H x e + s^H) + q = 0`` for the stabilising x.

    Parameters
    ----------
    a, q : array_like, shape (..., m, m)
        System and weight of the state, the latter Hermitian.
    b : array_like, shape (..., m, n)
        Input.
    r : array_like, shape (..., n, n)
        Weight of the input, Hermitian, regular.
    e, s : array_like, shapes (..., m, m) and (..., m, n), optional
        Descriptor (regular) and cross weight.
    balanced : bool
        Without effect.

    Returns
    -------
    array, shape (..., m, m)
        Hermitian. Differentiable in all.

    Raises
    ------
    LinAlgError
        If there is no solution of small residual (NumPy world; NaN or garbage of large residual in the JAX world).
    ValueError
        For shapes that do not match, weights that are not Hermitian, a singular `r` or `e`.

    References
    ----------
    E. K.-W. Chu, H.-Y. Fan, W.-W. Lin, "A structure-preserving doubling algorithm for continuous-time algebraic
    Riccati equations", Linear Algebra Appl. 396 (2005) 55-80, and one step of Newton's method.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.solve_continuous_are([[0.0]], [[1.0]], [[4.0]], [[1.0]]).round(12)
    array([[2.]])
    """
    return _solve(linear.care, False, a, b, q, r, e, s)


@implements(
    "scipy.linalg.solve_discrete_are",
    ignored=("balanced",),
    prepare=_prepare_discrete,
    validate=_validate,
    finish=_finish,
    finish_jax=lambda call, out: out[0],
    examples=_examples([[1.0, 0.5], [-0.5, 1.0]]),
)
def solve_discrete_are(a: Any, b: Any, q: Any, r: Any, e: Any, s: Any) -> Any:
    """Solve ``a^H x a - e^H x e - (a^H x b + s) (r + b^H x b)^-1 (b^H x a + s^H) + q = 0`` for the stabilising x.

    Parameters
    ----------
    a, b, q, r, e, s, balanced
        As for `solve_continuous_are`, but `r` may be singular where ``r + b^H x b`` is not: a multiple of ``e^H e``
        is then taken out of the solution first, which makes another, regular weight of it.

    Returns
    -------
    array, shape (..., m, m)
        Hermitian. Differentiable in all.

    Raises
    ------
    LinAlgError
        If there is no solution of small residual (NumPy world).
    ValueError
        For shapes that do not match, weights that are not Hermitian, a singular `e`.

    References
    ----------
    E. K.-W. Chu, H.-Y. Fan, W.-W. Lin, C.-S. Wang, "Structure-preserving algorithms for periodic discrete-time
    algebraic Riccati equations", Int. J. Control 77 (2004) 767-788, and one step of Newton's method.

    Examples
    --------
    >>> from sci import linalg
    >>> float(linalg.solve_discrete_are([[1.0]], [[1.0]], [[2.0]], [[4.0]])[0, 0].round(6))
    4.0
    """
    return _solve(linear.dare, True, a, b, q, r, e, s)
