"""Updates of a QR factorisation: rows and columns in and out, changes of low rank."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.linalg._shared import adjoint

__all__ = ["qr_delete", "qr_insert", "qr_update"]


def _check_factors(call: Call) -> tuple[int, int, bool]:
    """m, n, and whether Q is thin.

    Raises
    ------
    ValueError
        For shapes that are no QR factorisation.
    """
    q, r = (np.shape(call[name]) for name in ("Q", "R"))
    for name, shape in (("Q", q), ("R", r)):
        if len(shape) != 2:
            raise ValueError(f"{name} must be a matrix, got shape {shape}")
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
        if int(value) != value:
            raise ValueError(f"argument 'k' is {value!r}; allowed are integers")
        call["k"] = int(value)
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
    u, row, k = np.shape(call["u"]), _axis(call), call["k"]
    count = 1 if len(u) == 1 else u[0 if row else 1] if len(u) == 2 else 0
    length = u[-1] if row else u[0] if u else 0
    if count == 0 or length != (n if row else m):
        raise ValueError(f"argument 'u' has shape {u}; allowed are {(n,) if row else (m,)} and blocks of these")
    limit = m if row else n
    if not -limit <= k <= limit:
        raise ValueError(f"'k' is not a valid index: {k}; allowed are {-limit} to {limit}")
    if not row and thin and n + count > m:
        raise ValueError(f"{count} columns do not fit into an economic factorisation of shape {(m, n)}")


@implements(
    "scipy.linalg.qr_insert", static=("k", "which"), ignored=("rcond", "overwrite_qru"), finite=("Q", "R", "u"),
    prepare=_prepare, validate=_validate_insert, note="rcond.",
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
    Q, R : array_like, shapes (m, m), (m, n), or economic (m, n), (n, n)
    u : array_like, shape (n,) or (p, n), for columns (m,) or (m, p)
    k : int
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
    dtype = jnp.result_type(Q, R, u)
    Q, R, u = Q.astype(dtype), R.astype(dtype), u.astype(dtype)
    m, n = Q.shape[0], R.shape[1]
    thin = Q.shape[0] > Q.shape[1]
    if which == "row":
        u = jnp.atleast_2d(u)
        p, k = u.shape[0], k % m if k < 0 else k
        place = np.insert(np.arange(m), k, np.arange(m, m + p))
        eye = jnp.eye(p, dtype=dtype)
        wide = jnp.concatenate(
            [
                jnp.concatenate([Q, jnp.zeros((m, p), dtype)], axis=1),
                jnp.concatenate([jnp.zeros((p, Q.shape[1]), dtype), eye], axis=1),
            ]
        )[place]
        stacked = jnp.concatenate([R, u])
        if thin:
            inner, upper = lax.linalg.qr(stacked, full_matrices=False)
            return wide @ inner, upper
        return _product(wide, stacked)
    u = u.reshape(m, -1)
    p, k = u.shape[1], k % n if k < 0 else k
    if thin:
        Q, R, u = _extended(Q, R, u, p)
    else:
        u = adjoint(Q) @ u
    columns = jnp.concatenate([R[:, :k], u, R[:, k:]], axis=1)
    return _product(Q, columns)


def _validate_delete(call: Call) -> None:
    m, n, thin = _check_factors(call)
    row, k, p = _axis(call), call["k"], call["p"]
    limit = m if row else n
    if not -limit <= k < limit:
        raise ValueError(f"'k' is not a valid index: {k}; allowed are {-limit} to {limit - 1}")
    k = k % limit
    if p < 1 or k + p > limit:
        raise ValueError(f"'p' is {p}; allowed are 1 to {limit - k} from index {k}")
    if row and thin and m - p < n:
        raise ValueError(f"{m - p} rows are left of an economic factorisation with {n} columns")
    if limit == p:
        raise ValueError("all rows or columns would be deleted")


@implements(
    "scipy.linalg.qr_delete", static=("k", "p", "which"), ignored=("overwrite_qr",), finite=("Q", "R"),
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
    Q, R : array_like, shapes (m, m), (m, n), or economic (m, n), (n, n)
    k, p : int
        The first of them and how many.
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
    dtype = jnp.result_type(Q, R)
    Q, R = Q.astype(dtype), R.astype(dtype)
    m, n = Q.shape[0], R.shape[1]
    if which == "col":
        left = np.delete(np.arange(n), np.arange(k % n, k % n + p))
        if Q.shape[1] == m:
            return _product(Q, R[:, left])
        inner, upper = lax.linalg.qr(R[:, left], full_matrices=False)
        return Q @ inner, upper
    gone = np.arange(k % m, k % m + p)
    left = np.delete(np.arange(m), gone)
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
    u, v = np.shape(call["u"]), np.shape(call["v"])
    if len(u) != len(v) or len(u) not in (1, 2):
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
    Q, R : array_like, shapes (m, m), (m, n), or economic (m, n), (n, n)
    u : array_like, shape (m,) or (m, k)
    v : array_like, shape (n,) or (n, k)

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
    dtype = jnp.result_type(Q, R, u, v)
    Q, R, u, v = (x.astype(dtype) for x in (Q, R, u, v))
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
