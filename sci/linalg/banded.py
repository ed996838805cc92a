"""Banded systems."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import LinAlgError

import solvers.linear as linear
from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.linalg._batch import column_matrix, core_shapes, over_batch, promoted, stack_of

__all__ = ["cho_solve_banded", "cholesky_banded", "solve_banded", "solveh_banded"]


def _columns(b: jax.Array) -> jax.Array:
    return b[:, None] if b.ndim == 1 else b


def _to_lower(band: jax.Array, lower: bool) -> jax.Array:
    """A Hermitian band in lower form: ``out[k, j] = a[j + k, j]``; entries outside of the matrix are zero."""
    p, n = band.shape[0] - 1, band.shape[1]
    k = np.arange(p + 1)[:, None]
    inside = k + np.arange(n) < n
    if not lower:
        band = band[p - k, np.minimum(k + np.arange(n), n - 1)].conj()
    band = jnp.where(inside, band, 0)
    return band.at[0].set(band[0].real) if jnp.iscomplexobj(band) else band


def _from_lower(factor: jax.Array, lower: bool, original: jax.Array) -> jax.Array:
    """The factor's band in the form asked for; LAPACK leaves the corner outside of the matrix as it was."""
    p, n = factor.shape[0] - 1, factor.shape[1]
    k = np.arange(p + 1)[:, None]
    if lower:
        return jnp.where(k + np.arange(n) < n, factor, original)
    moved = factor[p - k, np.maximum(np.arange(n) + k - p, 0)].conj()
    return jnp.where(np.arange(n) + k - p >= 0, moved, original)


def _fits(call: Call, band: str) -> None:
    b, ab = core_shapes(call, b="1|2", **{band: 2})
    if not ab or not b or ab[-1] != b[0]:
        raise ValueError(
            f"shapes of {band} and b are not compatible: {np.shape(call[band])} and {np.shape(call['b'])}; the last "
            f"axis of {band} must be as long as the rows of b"
        )


def _prepare_banded(call: Call) -> None:
    lower, upper = call["l_and_u"]
    if np.ndim(lower) or np.ndim(upper):
        raise HostRoute(Reason.OPTION, "bandwidths that differ in the batch")
    call["below"], call["above"] = int(lower), int(upper)


def _validate_banded(call: Call) -> None:
    _fits(call, "ab")
    rows = np.shape(call["ab"])[-2] if np.ndim(call["ab"]) > 1 else np.shape(call["ab"])[0]
    if call["below"] < 0 or call["above"] < 0 or call["below"] + call["above"] + 1 != rows:
        raise ValueError(
            f"invalid values for the number of lower and upper diagonals: l+u+1 ({call['below'] + call['above'] + 1}) "
            f"does not equal ab.shape[0] ({rows})"
        )


def _finish_banded(call: Call, x: Any) -> Any:
    if np.shape(call["ab"])[-1] > 1 and np.isnan(x).any() and np.isfinite(call["ab"]).all():
        raise LinAlgError("singular matrix")
    return x


@implements(
    "scipy.linalg.solve_banded",
    static=("below", "above"),
    ignored=("overwrite_ab", "overwrite_b"),
    finite=("ab", "b"),
    prepare=_prepare_banded,
    validate=_validate_banded,
    finish=_finish_banded,
    note="bandwidths that are arrays.",
    examples=lambda: [
        Example(
            (
                (1, 2),
                [[0.0, 0.0, 1.0, 2.0], [0.0, 3.0, 1.0, 2.0], [4.0, 1.0, 5.0, 3.0], [6.0, 2.0, 1.0, 0.0]],
                [1.0, 2.0, 3.0, 4.0],
            ),
            grad=("ab", "b"),
            vmap=("ab", "b"),
        ),
    ],
)
def solve_banded(ab: Any, b: Any, below: int, above: int) -> Any:
    """Solve ``a @ x = b`` for a banded matrix.

    Parameters
    ----------
    l_and_u : tuple of int
        Numbers of diagonals below and above the main one.
    ab : array_like, shape (..., l + u + 1, n)
        The diagonals: ``ab[u + i - j, j] = a[i, j]``.
    b : array_like, shape (n,) or (..., n, k)
        Right-hand sides.

    Returns
    -------
    array, shape of `b`
        Differentiable in `ab` and `b`.

    Raises
    ------
    LinAlgError
        If the matrix is singular (NumPy world; NaN in the JAX world).
    ValueError
        For shapes that do not match.

    References
    ----------
    Gaussian elimination with partial pivoting; LAPACK's gtsv for three diagonals.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.solve_banded((1, 1), [[0.0, 1.0, 1.0], [2.0, 2.0, 2.0], [1.0, 1.0, 0.0]], [3.0, 4.0, 3.0])
    array([1., 1., 1.])
    """
    ab, b = promoted(ab, b)
    if b.size == 0:
        return b

    def core(ab: jax.Array, b: jax.Array) -> jax.Array:
        if ab.shape[-1] == 1:
            return b / ab[above, 0]
        return linear.solve_banded(ab, below, above, _columns(b)).reshape(b.shape)

    return over_batch(core, (ab, b), (2, "1|2"))


def _validate_solveh(call: Call) -> None:
    _fits(call, "ab")
    if np.ndim(call["ab"]) < 2:
        raise ValueError(f"expected a 2-D array of diagonals, argument 'ab' has shape {np.shape(call['ab'])}")


def _finish_solveh(call: Call, out: Any) -> Any:
    x, minor = out
    _raise_minor(minor)
    return x


def _raise_minor(minor: Any) -> None:
    """SciPy's error, from the order of the first leading minor that is not positive (0: none)."""
    bad = np.atleast_1d(minor).ravel()
    bad = bad[bad > 0]
    if len(bad):
        raise LinAlgError(f"{bad[0]}-th leading minor not positive definite")


def _first_bad(factor: jax.Array) -> jax.Array:
    bad = jnp.isnan(factor[0].real)
    return jnp.where(bad.any(), jnp.argmax(bad) + 1, 0)


@implements(
    "scipy.linalg.solveh_banded",
    static=("lower",),
    ignored=("overwrite_ab", "overwrite_b"),
    finite=("ab", "b"),
    validate=_validate_solveh,
    finish=_finish_solveh,
    finish_jax=lambda call, out: out[0],
    examples=lambda: [
        Example(
            ([[0.0, 0.0, 0.5, 0.4], [0.0, 1.0, 1.0, 2.0], [4.0, 5.0, 6.0, 7.0]], [1.0, 2.0, 3.0, 4.0]),
            grad=("ab", "b"),
            vmap=("ab", "b"),
        ),
    ],
)
def solveh_banded(ab: Any, b: Any, lower: bool) -> Any:
    """Solve ``a @ x = b`` for a banded Hermitian positive definite matrix.

    Parameters
    ----------
    ab : array_like, shape (..., u + 1, n)
        The main diagonal and those on one side: ``ab[u + i - j, j] = a[i, j]`` (upper form) or
        ``ab[i - j, j] = a[i, j]`` (lower form).
    b : array_like, shape (n,) or (..., n, k)
        Right-hand sides.
    lower : bool
        Which form `ab` has.

    Returns
    -------
    array, shape of `b`
        Differentiable in `ab` and `b`.

    Raises
    ------
    LinAlgError
        If the matrix is not positive definite (NumPy world; NaN in the JAX world).
    ValueError
        For shapes that do not match.

    References
    ----------
    Banded Cholesky factorisation, as LAPACK's pbsv.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.solveh_banded([[0.0, 1.0, 1.0], [3.0, 3.0, 3.0]], [4.0, 5.0, 4.0])
    array([1., 1., 1.])
    """
    ab, b = promoted(ab, b)
    if b.size == 0:
        return b, jnp.zeros((), jnp.int32)

    def core(ab: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array]:
        factor = linear.banded_cholesky(_to_lower(ab, bool(lower)))
        return linear.banded_cholesky_solve(factor, _columns(b)).reshape(b.shape), _first_bad(factor)

    return over_batch(core, (ab, b), (2, "1|2"))


def _finish_cholesky(call: Call, out: Any) -> Any:
    factor, minor = out
    _raise_minor(minor)
    return factor


@implements(
    "scipy.linalg.cholesky_banded",
    static=("lower",),
    ignored=("overwrite_ab",),
    finite=("ab",),
    validate=stack_of(ab=2),
    finish=_finish_cholesky,
    finish_jax=lambda call, out: out[0],
    examples=lambda: [
        Example(([[0.0, 1.0, 1.0, 2.0], [4.0, 5.0, 6.0, 7.0]],), grad=("ab",), vmap=("ab",)),
        Example(([[4.0, 5.0, 6.0, 7.0], [1 + 1j, 1.0, 2.0, 0.0]],), {"lower": True}),
    ],
)
def cholesky_banded(ab: Any, lower: bool) -> Any:
    """Cholesky factor of a banded Hermitian positive definite matrix.

    Parameters
    ----------
    ab : array_like, shape (..., u + 1, n)
        The diagonals, as for `solveh_banded`.
    lower : bool
        Which form `ab` has, and which factor is computed.

    Returns
    -------
    array, shape (..., u + 1, n)
        The factor's diagonals. Differentiable.

    Raises
    ------
    LinAlgError
        If the matrix is not positive definite (NumPy world; NaN in the JAX world).
    ValueError
        If `ab` is not a matrix.

    References
    ----------
    LAPACK's pbtrf.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.cholesky_banded([[4.0, 5.0], [2.0, 0.0]], lower=True)
    array([[2., 2.],
           [1., 0.]])
    """
    shape = np.shape(ab)
    ab = column_matrix(ab)
    if ab.size == 0:
        return ab, jnp.zeros((), jnp.int32)

    def core(ab: jax.Array) -> tuple[jax.Array, jax.Array]:
        factor = linear.banded_cholesky(_to_lower(ab, bool(lower)))
        return _from_lower(factor, bool(lower), ab), _first_bad(factor)

    factor, minor = over_batch(core, (ab,), (2,))
    return factor.reshape(shape), minor


def _prepare_cho_solve(call: Call) -> None:
    call["cb"], lower = call["cb_and_lower"]
    call["lower"] = bool(lower)


@implements(
    "scipy.linalg.cho_solve_banded",
    static=("lower",),
    finite=("cb", "b"),
    prepare=_prepare_cho_solve,
    validate=lambda call: _fits(call, "cb"),
    examples=lambda: [
        Example(((np.array([[2.0, 2.0, 3.0], [1.0, 0.5, 0.0]]), True), [4.0, 2.0, 1.0]), grad=("b",), vmap=("b",)),
    ],
)
def cho_solve_banded(cb: Any, b: Any, lower: bool) -> Any:
    """Solve ``a @ x = b`` with the factor of `cholesky_banded`.

    Parameters
    ----------
    cb_and_lower : tuple
        ``(cb, lower)``: the factor's diagonals (..., u + 1, n) and their form.
    b : array_like, shape (n,) or (..., n, k)
        Right-hand sides.

    Returns
    -------
    array, shape of `b`
        Differentiable.

    Raises
    ------
    ValueError
        For shapes that do not match.

    References
    ----------
    LAPACK's pbtrs.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.cho_solve_banded((linalg.cholesky_banded([[4.0, 5.0], [2.0, 0.0]], lower=True), True), [6.0, 7.0])
    array([1., 1.])
    """
    cb, b = promoted(cb, b)
    if b.size == 0:
        return b

    def core(cb: jax.Array, b: jax.Array) -> jax.Array:
        n, p = cb.shape[1], cb.shape[0] - 1
        k = np.arange(p + 1)[:, None]
        if not lower:  # U[j, j + k] = conj(L[j + k, j])
            cb = cb[p - k, np.minimum(k + np.arange(n), n - 1)].conj()
        cb = jnp.where(k + np.arange(n) < n, cb, 0)
        return linear.banded_cholesky_solve(cb, _columns(b)).reshape(b.shape)

    return over_batch(core, (cb, b), (2, "1|2"))
