"""Updates of a QR factorisation: rows and columns in and out, changes of low rank."""

from __future__ import annotations

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax, is_traced
from sci.linalg._batch import core_shapes, over_batch, promoted
from sci.linalg._shared import adjoint

__all__ = ["qr_delete", "qr_insert", "qr_update"]

#: Axes of one item; those before them are a batch (`sci.linalg._batch`).
_RANKS: dict[str, int | str] = {"Q": 2, "R": 2, "u": "1|2", "v": "1|2", "k": 0}


def _check_factors(call: Call) -> tuple[int, int, bool]:
    """m, n, and whether Q is thin.

    Raises
    ------
    ValueError
        For shapes that are no QR factorisation.
    """
    for name in ("Q", "R"):
        if np.ndim(call[name]) < 2:
            raise ValueError(f"{name} must be a matrix, got shape {np.shape(call[name])}")
    q, r = (np.shape(call[name])[-2:] for name in ("Q", "R"))
    core_shapes(call, **{name: rank for name, rank in _RANKS.items() if name in call})
    m, k = q
    n = r[1]
    if r[0] != k:
        raise ValueError(f"shapes of Q {q} and R {r} do not fit")
    thin = k == n and m > n
    if not thin and m != k:
        raise ValueError(
            f"Q has shape {q} and R {r}: allowed are full (m, m), (m, n) and economic (m, n), (n, n) factors"
        )
    if min(m, n) == 0:
        raise ValueError(f"empty factors: Q {q}, R {r}")
    return m, n, thin


def _position(call: Call, least: int, most: int) -> np.ndarray | None:
    """Argument `k` where its values are known: integers between the bounds."""
    if is_traced(call["k"]):
        return None
    k = np.asarray(call["k"])
    if not ((k >= least) & (k <= most)).all():
        raise ValueError(f"'k' is not a valid index: {call['k']}; allowed are {least} to {most}")
    return k


def _axis(call: Call) -> bool:
    if call["which"] not in ("row", "col"):
        raise ValueError(f"'which' must be either 'row' or 'col', got {call['which']!r}")
    return call["which"] == "row"


def _prepare(call: Call) -> None:
    for name in ("Q", "R", "u", "v"):
        if name in call and call.numpy:
            value = call[name] = np.asarray(call[name])
            if value.dtype.kind in "biu":  # SciPy does not convert them either
                raise ValueError(f"argument {name!r} is {value.dtype}; allowed are float32, float64 and complex arrays")
    if call.get("rcond") is not None:
        raise HostRoute(Reason.OPTION, "rcond")
    if "k" in call:
        value = call["k"]
        if not is_jax(value):
            call["k"] = np.asarray(value, int)  # refuses what is no number
            if not (call["k"] == value).all():
                raise ValueError(f"argument 'k' is {value!r}; allowed are integers")
    if "p" in call:
        call["p"] = int(call["p"])


def _product(q: Any, r: Any) -> tuple[Any, Any]:
    """The factors of ``q @ r`` for an orthonormal q."""
    full = q.shape[0] == q.shape[1] and r.shape[0] > r.shape[1]
    inner, upper = lax.linalg.qr(r, full_matrices=full) if r.shape[0] >= r.shape[1] else _wide(r)
    return q @ inner, upper


def _wide(r: Any) -> tuple[Any, Any]:
    rows = r.shape[0]
    inner, head = lax.linalg.qr(r[:, :rows], full_matrices=False)
    return inner, jnp.concatenate([head, adjoint(inner) @ r[:, rows:]], axis=1)


def _extended(q: Any, r: Any, columns: Any, size: int) -> tuple[Any, Any, Any]:
    """Thin q with the directions of `columns` beside it, r with zero rows, and the columns' coefficients."""
    inside = adjoint(q) @ columns
    rest = columns - q @ inside
    more = adjoint(q) @ rest  # once more: the rest may be small
    rest = rest - q @ more
    extra, upper = lax.linalg.qr(rest, full_matrices=False)
    q = jnp.concatenate([q, extra], axis=1)
    r = jnp.concatenate([r, jnp.zeros((size, r.shape[1]), r.dtype)])
    return q, r, jnp.concatenate([inside + more, upper])


# signs and the directions beyond the columns are not unique: held against the original by tests of their own
def _example() -> tuple[np.ndarray, np.ndarray]:
    return np.linalg.qr(np.array([[1.0, 2.0], [3.0, 4.0], [0.5, 6.0], [1.0, -1.0]]), mode="complete")


_ODD = ("empty", "0-d", "1x1", "one axis more", "string", "object", "nan", "inf")


def _validate_insert(call: Call) -> None:
    m, n, thin = _check_factors(call)
    u, row = np.shape(call["u"])[-2:], _axis(call)
    count = 1 if len(u) == 1 else u[0 if row else 1] if len(u) == 2 else 0
    length = u[-1] if row else u[0] if u else 0
    if count == 0 or length != (n if row else m):
        raise ValueError(f"argument 'u' has shape {u}; allowed are {(n,) if row else (m,)} and blocks of these")
    limit = m if row else n
    _position(call, -limit, limit)
    if not row and thin and n + count > m:
        raise ValueError(f"{count} columns do not fit into an economic factorisation of shape {(m, n)}")


@implements(
    "scipy.linalg.qr_insert", static=("which",), dtypes={"k": "keep"}, ignored=("rcond", "overwrite_qru"),
    finite=("Q", "R", "u"), prepare=_prepare, validate=_validate_insert, note="rcond.",
    examples=lambda: [
        Example((*_example(), np.array([1.0, -2.0]), 2), oracle=False, grad=("Q", "R", "u"), vmap=("u",),
                skip_odd=_ODD),
        Example((*_example(), np.array([1.0, -2.0, 0.5, 0.3]), 1, "col"), oracle=False, skip_odd=_ODD),
    ],
)  # fmt: skip
def qr_insert(Q: Any, R: Any, u: Any, k: int, which: str) -> Any:
    """The QR factorisation with rows or columns inserted.

    Parameters
    ----------
    Q, R : array_like, shapes (..., m, m), (..., m, n), or economic (..., m, n), (..., n, n)
    u : array_like, shape (n,) or (..., p, n), for columns (m,) or (..., m, p)
    k : int, or array of them of the batch's shape (...)
        Index before which they are inserted.
    which : {'row', 'col'}
    rcond
        On the host.

    Returns
    -------
    Q1, R1 : array
        Differentiable where R is regular.

    Raises
    ------
    ValueError
        For shapes that are no factorisation, or an index out of range.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 6.5. The change is carried into R, whose new
    QR factorisation (LAPACK's) is multiplied into Q: unconditionally stable, of the order of one product with Q. Signs
    of rows of R (and columns of Q) may differ from SciPy's.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> q, r = linalg.qr_insert(np.eye(2), np.eye(2), np.array([3.0, 4.0]), 2)
    >>> abs(q @ r).round(12)
    array([[1., 0.],
           [0., 1.],
           [3., 4.]])
    """
    insert = _insert_rows if which == "row" else _insert_columns
    return over_batch(insert, (*promoted(Q, R, u), k), tuple(_RANKS[name] for name in ("Q", "R", "u", "k")))


def _places(k: Any, n: int, p: int) -> Any:
    """Where each of n + p rows comes from when the last p of them are moved in front of row k."""
    k = jnp.where(k < 0, k + n, k)
    at = jnp.arange(n + p)
    return jnp.where(at < k, at, jnp.where(at < k + p, n + at - k, at - p))


def _insert_rows(Q: Any, R: Any, u: Any, k: Any) -> Any:
    m, u = Q.shape[0], jnp.atleast_2d(u)
    p, dtype = u.shape[0], Q.dtype
    wide = jnp.concatenate(
        [
            jnp.concatenate([Q, jnp.zeros((m, p), dtype)], axis=1),
            jnp.concatenate([jnp.zeros((p, Q.shape[1]), dtype), jnp.eye(p, dtype=dtype)], axis=1),
        ]
    )[_places(k, m, p)]
    stacked = jnp.concatenate([R, u])
    if m > Q.shape[1]:
        inner, upper = lax.linalg.qr(stacked, full_matrices=False)
        return wide @ inner, upper
    return _product(wide, stacked)


def _insert_columns(Q: Any, R: Any, u: Any, k: Any) -> Any:
    m, n = Q.shape[0], R.shape[1]
    u = u.reshape(m, -1)
    p = u.shape[1]
    if m > Q.shape[1]:
        Q, R, u = _extended(Q, R, u, p)
    else:
        u = adjoint(Q) @ u
    return _product(Q, jnp.concatenate([R, u], axis=1)[:, _places(k, n, p)])


def _validate_delete(call: Call) -> None:
    m, n, thin = _check_factors(call)
    row, p = _axis(call), call["p"]
    limit = m if row else n
    k = _position(call, -limit, limit - 1)
    last = 0 if k is None else int((k % limit).max())
    if p < 1 or last + p > limit:
        raise ValueError(f"'p' is {p}; allowed are 1 to {limit - last} from index {last}")
    if row and thin and m - p < n:
        raise ValueError(f"{m - p} rows are left of an economic factorisation with {n} columns")
    if limit == p:
        raise ValueError("all rows or columns would be deleted")


@implements(
    "scipy.linalg.qr_delete", static=("p", "which"), dtypes={"k": "keep"}, ignored=("overwrite_qr",), finite=("Q", "R"),
    prepare=_prepare, validate=_validate_delete,
    examples=lambda: [
        Example((*_example(), 1), oracle=False, vmap=("R",), skip_odd=_ODD),
        Example((*_example(), 0, 1, "col"), oracle=False, skip_odd=_ODD),
    ],
)  # fmt: skip
def qr_delete(Q: Any, R: Any, k: int, p: int, which: str) -> Any:
    """The QR factorisation without some rows or columns.

    Parameters
    ----------
    Q, R : array_like, shapes (..., m, m), (..., m, n), or economic (..., m, n), (..., n, n)
    k : int, or array of them of the batch's shape (...)
        The first of them.
    p : int
        How many.
    which : {'row', 'col'}

    Returns
    -------
    Q1, R1 : array

    Raises
    ------
    ValueError
        For shapes that are no factorisation, or what does not exist.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 6.5. The change is carried into R, whose new
    QR factorisation (LAPACK's) is multiplied into Q: unconditionally stable, of the order of one product with Q. Signs
    of rows of R (and columns of Q) may differ from SciPy's.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> q, r = linalg.qr_delete(np.eye(3), np.array([[1.0, 2.0], [0.0, 3.0], [0.0, 0.0]]), 0, which="col")
    >>> abs(q @ r).round(12)
    array([[2.],
           [3.],
           [0.]])
    """
    delete = functools.partial(_delete_rows if which == "row" else _delete_columns, p=p)
    return over_batch(delete, (*promoted(Q, R), k), tuple(_RANKS[name] for name in ("Q", "R", "k")))


def _split(k: Any, n: int, p: int) -> tuple[Any, Any]:
    """The indices that stay when p of n go, and those that go."""
    k = jnp.where(k < 0, k + n, k)
    left = jnp.arange(n - p)
    return left + jnp.where(left >= k, p, 0), k + jnp.arange(p)


def _delete_columns(Q: Any, R: Any, k: Any, p: int) -> Any:
    left, _ = _split(k, R.shape[1], p)
    if Q.shape[1] == Q.shape[0]:
        return _product(Q, R[:, left])
    inner, upper = lax.linalg.qr(R[:, left], full_matrices=False)
    return Q @ inner, upper


def _delete_rows(Q: Any, R: Any, k: Any, p: int) -> Any:
    m = Q.shape[0]
    left, gone = _split(k, m, p)
    if Q.shape[1] == m:
        # a rotation that turns the rows to go into the last unit vectors leaves the others without these columns
        turn, _ = lax.linalg.qr(adjoint(Q[gone]), full_matrices=True)
        turn = jnp.concatenate([turn[:, p:], turn[:, :p]], axis=1)
        inner, upper = Q[left] @ turn[:, : m - p], (adjoint(turn) @ R)[: m - p]
        return _product(inner, upper)
    # economic: the rows that stay are no longer orthonormal, but their span has a basis
    basis, change = lax.linalg.qr(Q[left], full_matrices=False)
    inner, upper = lax.linalg.qr(change @ R, full_matrices=False)
    return basis @ inner, upper


def _validate_update(call: Call) -> None:
    m, n, _ = _check_factors(call)
    u, v = np.shape(call["u"])[-2:], np.shape(call["v"])[-2:]
    if len(u) != len(v) or len(u) == 0:
        raise ValueError(f"u and v must have the same number of dimensions, got shapes {u} and {v}")
    if u[0] != m or v[0] != n or (len(u) == 2 and u[1] != v[1]):
        raise ValueError(f"arguments 'u' {u} and 'v' {v} do not fit factors of a matrix of shape {(m, n)}")
    if len(u) == 2 and u[1] == 0:
        raise ValueError(f"argument 'u' has shape {u}: there is no update")


@implements(
    "scipy.linalg.qr_update", ignored=("overwrite_qruv",), finite=("Q", "R", "u", "v"), prepare=_prepare,
    validate=_validate_update,
    examples=lambda: [
        Example((*_example(), np.array([1.0, 0.0, -1.0, 2.0]), np.array([0.5, 1.0])), oracle=False,
                grad=("R", "u", "v"), vmap=("u", "v"), skip_odd=_ODD),
    ],
)  # fmt: skip
def qr_update(Q: Any, R: Any, u: Any, v: Any) -> Any:
    """The QR factorisation of ``Q @ R + u @ v^H``.

    Parameters
    ----------
    Q, R : array_like, shapes (..., m, m), (..., m, n), or economic (..., m, n), (..., n, n)
    u : array_like, shape (m,) or (..., m, k)
    v : array_like, shape (n,) or (..., n, k)

    Returns
    -------
    Q1, R1 : array
        Differentiable where R1 is regular.

    Raises
    ------
    ValueError
        For shapes that do not match.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 6.5. The change is carried into R, whose new
    QR factorisation (LAPACK's) is multiplied into Q: unconditionally stable, of the order of one product with Q. Signs
    of rows of R (and columns of Q) may differ from SciPy's.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> q, r = linalg.qr_update(np.eye(2), np.eye(2), np.array([1.0, 0.0]), np.array([2.0, 3.0]))
    >>> abs(q @ r).round(12)
    array([[3., 3.],
           [0., 1.]])
    """
    return over_batch(_update, promoted(Q, R, u, v), tuple(_RANKS[name] for name in ("Q", "R", "u", "v")))


def _update(Q: Any, R: Any, u: Any, v: Any) -> Any:
    m, n = Q.shape[0], R.shape[1]
    u, v = u.reshape(m, -1), v.reshape(n, -1)
    if Q.shape[1] == m:
        return _product(Q, R + adjoint(Q) @ u @ adjoint(v))
    k = u.shape[1]
    if n + k > m:  # the extended basis would not be thin: the matrix itself
        return lax.linalg.qr(Q @ R + u @ adjoint(v), full_matrices=False)
    q, r, inside = _extended(Q, R, u, k)
    inner, upper = lax.linalg.qr(r + inside @ adjoint(v), full_matrices=False)
    return q @ inner, upper
