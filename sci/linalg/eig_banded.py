"""Eigenproblems of banded and tridiagonal Hermitian matrices."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import LinAlgError

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.linalg._batch import core_shapes, over_batch
from sci.linalg._shared import from_triangle
from sci.linalg.decomp_eigh import _check_vectors, _eigh

__all__ = ["eig_banded", "eigh_tridiagonal", "eigvals_banded", "eigvalsh_tridiagonal"]

_SELECT = {"a": "a", "v": "v", "i": "i", "all": "a", "value": "v", "index": "i", 0: "a", 1: "v", 2: "i"}
_DRIVERS = ("auto", "stemr", "sterf", "stebz", "stev", "stevd")

#: Larger tridiagonal problems of the NumPy world go to LAPACK's own solvers: here the matrix is filled up.
_LARGEST = 1000


def _prepare_select(call: Call) -> None:
    select = call["select"]
    select = select.lower() if isinstance(select, str) else select
    if select not in _SELECT:
        raise ValueError(f"invalid argument for select: {call['select']!r}; allowed are {list(_SELECT)}")
    call["kind"], call["part"] = _SELECT[select], None
    if call["kind"] == "a":
        return
    bounds = np.asarray(call["select_range"])
    if bounds.ndim != 1 or bounds.size != 2 or bounds[1] < bounds[0]:
        raise ValueError(
            f"select_range must be a 2-element array-like in nondecreasing order, got {call['select_range']!r}"
        )
    if call["kind"] == "i":
        if bounds.dtype.char.lower() not in "hilqp":
            raise ValueError(f'when using select="i", select_range must contain integers, got dtype {bounds.dtype}')
        call["part"] = (int(bounds[0]), int(bounds[1]))
    elif not call.numpy:
        raise HostRoute(Reason.OPTION, "the number of eigenvalues in a range depends on values")


def _validate_part(call: Call, n: int) -> None:
    if call["part"] is not None and not (call["part"][0] >= 0 and call["part"][1] < n):
        raise ValueError(f"select_range out of bounds: {call['part']}; allowed are 0 to {n - 1}")


def _finish(call: Call, out: Any) -> Any:
    w, v = out if isinstance(out, tuple) else (out, None)
    if np.isnan(w).any():
        raise LinAlgError("the eigenvalue iteration did not converge")
    if call["kind"] == "v":
        low, high = call["select_range"]
        keep = (w > low) & (w <= high)
        counts = np.unique(keep.sum(axis=-1))
        if len(counts) > 1:
            raise ValueError(f"select_range holds different numbers of eigenvalues in the stack: {counts.tolist()}")
        if v is not None:
            v = np.swapaxes(np.swapaxes(v, -1, -2)[keep].reshape(*w.shape[:-1], int(counts[0]), w.shape[-1]), -1, -2)
        w = w[keep].reshape(*w.shape[:-1], int(counts[0]))
    return w if v is None else (w, v)


def _pairs(a: jax.Array, part: tuple[int, int] | None, values_only: bool) -> Any:
    w, v = _eigh(a)
    if part is not None:
        chosen = slice(part[0], part[1] + 1)
        w, v = w[chosen], v[:, chosen]
    return w if values_only else (w, v)


# --- banded ------------------------------------------------------------------------------------


def _prepare_banded(call: Call) -> None:
    _prepare_select(call)
    call["lower"] = bool(call["lower"])
    call["eigvals_only"] = bool(call.get("eigvals_only", True))


def _validate_banded(call: Call) -> None:
    (core,) = core_shapes(call, a_band=2)
    if core is None or len(core) != 2:
        raise ValueError(f"expected a 2-D array, argument 'a_band' has shape {np.shape(call['a_band'])}")
    if np.size(call["a_band"]):
        _validate_part(call, core[1])


def _full(band: jax.Array, lower: bool) -> jax.Array:
    """The Hermitian matrix of a band."""
    p, n = band.shape[0] - 1, band.shape[1]
    i, j = np.arange(n)[:, None], np.arange(n)
    row = i - j if lower else p + i - j
    stored = (row >= 0) & (row <= p) & ((i >= j) if lower else (i <= j))
    return from_triangle(jnp.where(stored, band[np.clip(row, 0, p), j], 0), lower)


def _banded(band: jax.Array, lower: bool, part: Any, values_only: bool) -> Any:
    if band.size == 0:
        w = jnp.zeros((0,), band.real.dtype)
        return w if values_only else (w, jnp.zeros((0, 0), band.dtype))
    return over_batch(lambda a: _pairs(_full(a, lower), part, values_only), (band,), (2,))


_BAND = [[0.0, 1.0, 0.5, 0.4], [1.0, 3.0, 6.0, 10.0]]


@implements(
    "scipy.linalg.eig_banded",
    static=("lower", "eigvals_only", "part"),
    ignored=("overwrite_a_band",),
    finite=("a_band",),
    prepare=_prepare_banded,
    validate=_validate_banded,
    finish=_finish,
    note="select='v' inside jit (the size depends on values).",
    examples=lambda: [Example((_BAND,), check=_check_vectors, grad=("a_band",), vmap=("a_band",))],
)
def eig_banded(a_band: Any, lower: bool, eigvals_only: bool, part: Any) -> Any:
    """Eigenvalues and vectors of a banded Hermitian matrix.

    Parameters
    ----------
    a_band : array_like, shape (..., u + 1, n)
        Diagonals, as for `solveh_banded`.
    lower, eigvals_only, select, select_range, max_ev
        As in SciPy. All eigenvalues are computed, subsets are cut from them.

    Returns
    -------
    w : array, shape (..., k)
        Rising.
    v : array, shape (..., n, k)
        Vectors in columns, unless `eigvals_only`. Differentiable as those of `eigh`.

    Raises
    ------
    LinAlgError
        If the iteration does not converge (NumPy world).
    ValueError
        For an invalid selection, or if `a_band` is not a matrix.

    References
    ----------
    LAPACK's syevd, on the matrix filled up.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.eig_banded([[0.0, 1.0], [2.0, 2.0]], eigvals_only=True)
    array([1., 3.])
    """
    return _banded(a_band, lower, part, eigvals_only)


@implements(
    "scipy.linalg.eigvals_banded",
    static=("lower", "part"),
    ignored=("overwrite_a_band",),
    finite=("a_band",),
    prepare=_prepare_banded,
    validate=_validate_banded,
    finish=_finish,
    note="select='v' inside jit (the size depends on values).",
    examples=lambda: [Example((_BAND,), {"select": "i", "select_range": (1, 2)}, grad=("a_band",), vmap=("a_band",))],
)
def eigvals_banded(a_band: Any, lower: bool, part: Any) -> Any:
    """Eigenvalues of a banded Hermitian matrix; see `eig_banded`.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.eigvals_banded([[0.0, 1.0], [2.0, 2.0]])
    array([1., 3.])
    """
    return _banded(a_band, lower, part, True)


# --- tridiagonal -------------------------------------------------------------------------------


def _prepare_tridiagonal(call: Call) -> None:
    driver = call["lapack_driver"]
    if not isinstance(driver, str):
        raise TypeError(f"lapack_driver must be str, got {driver!r}")
    if driver not in _DRIVERS:
        raise ValueError(f"lapack_driver must be one of {_DRIVERS}, got {driver}")
    _prepare_select(call)
    call["eigvals_only"] = bool(call.get("eigvals_only", True))
    if driver in ("sterf", "stev", "stevd") and call["kind"] != "a":
        raise ValueError(f'{driver} can only be used when select == "a"')
    if driver == "sterf" and not call["eigvals_only"]:
        raise ValueError("sterf can only be used when eigvals_only is True")
    if call.numpy and np.ndim(call["d"]) and np.shape(call["d"])[-1] > _LARGEST:
        raise HostRoute(Reason.SHAPE, f"more than {_LARGEST} rows: LAPACK's tridiagonal solvers need no full matrix")


def _validate_tridiagonal(call: Call) -> None:
    for name in ("d", "e"):
        if np.ndim(call[name]) < 1:
            raise ValueError(f"expected a 1-D array, argument {name!r} has shape {np.shape(call[name])}")
        if np.iscomplexobj(call[name]):
            raise TypeError(f"Only real arrays currently supported; argument {name!r} is complex")
    d, e = core_shapes(call, d=1, e=1)
    if not d or not e or d[0] != e[0] + 1:
        raise ValueError(f"d ({d}) must have one more element than e ({e})")
    _validate_part(call, d[0])


def _tridiagonal(d: Any, e: Any, part: Any, values_only: bool) -> Any:
    def core(d: jax.Array, e: jax.Array) -> Any:
        n = d.shape[0]
        k = np.arange(n)
        full = jnp.zeros((n, n), d.dtype).at[k, k].set(d).at[k[1:], k[:-1]].set(e).at[k[:-1], k[1:]].set(e)
        return _pairs(full, part, values_only)

    return over_batch(core, (d, e), (1, 1))


_TRIDIAGONAL_NOTE = f"more than {_LARGEST} rows in the NumPy world; select='v' inside jit."


@implements(
    "scipy.linalg.eigh_tridiagonal",
    static=("eigvals_only", "part"),
    ignored=("tol", "lapack_driver"),
    finite=("d", "e"),
    prepare=_prepare_tridiagonal,
    validate=_validate_tridiagonal,
    finish=_finish,
    note=_TRIDIAGONAL_NOTE,
    examples=lambda: [
        Example(([1.0, 3.0, 6.0], [0.5, 0.25]), check=_check_vectors, grad=("d", "e"), vmap=("d", "e")),
        Example(([1.0, 3.0, 6.0], [0.5, 0.25]), {"select": "v", "select_range": (2.0, 5.0), "eigvals_only": True},
                jit=False),
    ],
)  # fmt: skip
def eigh_tridiagonal(d: Any, e: Any, eigvals_only: bool, part: Any) -> Any:
    """Eigenvalues and vectors of a real symmetric tridiagonal matrix.

    Parameters
    ----------
    d, e : array_like, shapes (..., n) and (..., n - 1)
        Diagonal and off-diagonal.
    eigvals_only, select, select_range, tol, lapack_driver
        As in SciPy (`tol` and the driver without effect). All eigenvalues are computed, subsets are cut from them.

    Returns
    -------
    w : array, shape (..., k)
        Rising.
    v : array, shape (..., n, k)
        Vectors in columns, unless `eigvals_only`. Differentiable as those of `eigh`.

    Raises
    ------
    LinAlgError
        If the iteration does not converge (NumPy world).
    TypeError
        For complex input.
    ValueError
        For shapes that do not match or an invalid selection.

    References
    ----------
    LAPACK's syevd, on the matrix filled up.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.eigh_tridiagonal([2.0, 2.0], [1.0], eigvals_only=True)
    array([1., 3.])
    """
    return _tridiagonal(d, e, part, eigvals_only)


@implements(
    "scipy.linalg.eigvalsh_tridiagonal",
    static=("part",),
    ignored=("tol", "lapack_driver"),
    finite=("d", "e"),
    prepare=_prepare_tridiagonal,
    validate=_validate_tridiagonal,
    finish=_finish,
    note=_TRIDIAGONAL_NOTE,
    examples=lambda: [Example(([1.0, 3.0, 6.0], [0.5, 0.25]), grad=("d", "e"), vmap=("d", "e"))],
)
def eigvalsh_tridiagonal(d: Any, e: Any, part: Any) -> Any:
    """Eigenvalues of a real symmetric tridiagonal matrix; see `eigh_tridiagonal`.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.eigvalsh_tridiagonal([2.0, 2.0], [1.0])
    array([1., 3.])
    """
    return _tridiagonal(d, e, part, True)
