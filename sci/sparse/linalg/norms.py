"""Norms of sparse matrices from their stored values: norm."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy import sparse
from scipy.sparse.linalg import ArpackNoConvergence

from sci.bridge import Call, Example, HostRoute, Reason, implements, platform
from sci.sparse.linalg._triangular import coordinates
from sci.sparse.linalg.svds import svds

__all__ = ["norm"]

_FROBENIUS = (None, "fro", "f")

#: Since 1.18 SciPy adds up integers and float32 in double precision, counts in the index type of the matrix, and
#: returns powers of a sparse matrix (not array) as a `numpy.matrix`. The result is that of the installed version.
_WIDENS = platform.scipy_at_least(1, 18)


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, tuple):
        return axis
    message = f"'axis' must be None, an integer or a tuple of integers; got {axis!r}"
    try:
        integer = int(axis)
    except (TypeError, ValueError):
        raise TypeError(message) from None
    if integer != axis:
        raise TypeError(message)
    return (integer,)


def _prepare(call: Call) -> None:
    x, order = call["x"], call["ord"]
    of_jax = type(x).__module__.startswith("jax.experimental.sparse")
    if type(x).__module__.partition(".")[0] == "sparse":
        raise HostRoute(Reason.SPARSE, "argument 'x' is of the package sparse")
    if not of_jax and not sparse.issparse(x):
        raise TypeError("input is not sparse. use numpy.linalg.norm")
    if x.dtype.kind not in "iufc" or np.dtype(x.dtype).char in "gG":
        raise HostRoute(Reason.DTYPE, f"argument 'x' is {x.dtype}")
    ndim = len(x.shape)
    if ndim > 2 or 0 in x.shape:
        raise HostRoute(Reason.SHAPE, f"a sparse array of shape {tuple(x.shape)}")
    default = call["axis"] is None and order in _FROBENIUS
    axis = _axes(call["axis"], ndim)
    if len(axis) not in (1, 2):
        raise ValueError(f"Improper number of dimensions to norm: axis={axis!r}; allowed are one or two.")
    if not all(-ndim <= a < ndim for a in axis):
        raise ValueError(f"Invalid axis {axis!r} for an array with shape {tuple(x.shape)!r}")
    if len(axis) == 2 and axis[0] % ndim == axis[1] % ndim:
        raise ValueError(f"Duplicate axes given: {axis!r}.")
    call["kind"], call["order"] = _kind(order, len(axis), default)
    call["length"] = call["other"] = 1
    call["lines"] = call["values"] = call["v0"] = call["out"] = None
    if of_jax:
        call.numpy = False
    if call["kind"] == "spectral":
        _spectral(call, x)
        return
    call["x"] = None
    reduced = axis[0] % ndim  # a vector norm: the axis that vanishes; a matrix norm: that of the sums
    if call["kind"] in ("inf", "-inf") and len(axis) == 2:
        call["kind"], reduced = call["kind"].replace("inf", "sum"), axis[1] % ndim
    elif len(axis) == 2 and call["kind"] != "frobenius":
        call["kind"] = {"1": "sum", "-1": "-sum"}[call["kind"]]
    _lines(call, x, of_jax, 1 - reduced if ndim == 2 else None)
    if not of_jax:
        call["reduced"], call["out"] = reduced, _form(call["kind"], x, reduced, call["values"])


def _form(kind: str, x: Any, reduced: int, values: np.ndarray) -> Any:
    """What the result of a NumPy-world call is turned into: a type or class, or None."""
    if kind == "0":
        if not _WIDENS:
            return None
        # along the compressed axis SciPy takes the differences of the pointers, unless zeros are stored
        along = {"csc": 0, "csr": 1, "bsr": 1, "dia": 1}.get(x.format)
        return np.int32 if len(x.shape) == 2 and along == reduced and values.all() else None
    return np.matrix if kind == "power" and _WIDENS and sparse.isspmatrix(x) else None


def _kind(order: Any, axes: int, default: bool) -> tuple[str, float]:
    """What the body does, and the exponent where it is any."""
    if default or (axes == 2 and order in _FROBENIUS):
        return "frobenius", 2.0
    named = {np.inf: "inf", -np.inf: "-inf", 1: "1", 0: "0", 2: "2", -1: "-1"}
    if axes == 2:
        if isinstance(order, (int, float)) and order in (1, -1, np.inf, -np.inf):
            return named[float(order)], 0.0
        if order == 2:
            return "spectral", 2.0
        if order == -2:
            raise NotImplementedError("the smallest singular value (ord=-2) is not implemented, as in SciPy")
        raise ValueError(
            f"Invalid norm order for matrices: ord={order!r}; allowed are None, 'fro', 1, 2, inf, -1, -inf"
        )
    if order is None:
        return "2", 2.0
    if not isinstance(order, (int, float, np.integer, np.floating)):
        raise ValueError(f"Invalid norm order for vectors: ord={order!r}; allowed are real numbers.")
    if order in (np.inf, -np.inf, 0, 1, 2):
        return named[float(order)], 0.0
    return "power", float(order)


def _spectral(call: Call, x: Any) -> None:
    inner = svds.__sci__.within(call, x, 1)  # type: ignore[attr-defined]
    call["x"], call["v0"] = inner["A"], inner["v0"]
    call["other"], call["length"] = inner["ncv"], int(inner["tall"])


def _lines(call: Call, x: Any, of_jax: bool, kept: int | None) -> None:
    """Stored values, the line that each belongs to, and how long lines are."""
    shape = tuple(x.shape)
    places: Any
    if not of_jax:
        values, places = _stored(x, None if call["kind"] == "frobenius" else kept)
    else:
        from jax.experimental import sparse as jax_sparse

        found: Any = coordinates(x) if len(shape) == 2 else None
        if found is None:
            x = x if isinstance(x, jax_sparse.BCOO) else jax_sparse.BCOO.fromdense(x.todense(), nse=x.nse)
            found = x.data, *x.indices.T
        values, places = found[0], found[1:]
        flat = places[0] if len(shape) == 1 else places[0] * shape[1] + places[1]
        values, places = _added(values, flat, shape)
    call["values"] = _summable(values, call["kind"], of_jax)
    call["length"] = shape[kept] if kept is not None else 1
    call["other"] = int(np.prod(shape)) // call["length"]
    if call["kind"] != "frobenius":
        lines = (jnp if of_jax else np).zeros(values.shape) if kept is None else places[kept]
        call["lines"] = lines.astype(np.int32, **({} if of_jax else {"copy": False}))


def _stored(x: Any, kept: int | None) -> tuple[Any, dict[int, Any]]:
    """Stored values of a SciPy matrix, no two at the same place, and their index along the axis that is kept."""
    if x.format in ("csr", "csc") and len(x.shape) == 2 and x.has_canonical_format:
        values = x.data[: x.nnz]  # the format may have room to spare
        if kept is None:
            return values, {}
        compressed = 0 if x.format == "csr" else 1
        if kept == compressed:
            return values, {kept: np.repeat(np.arange(x.shape[kept], dtype=np.int32), np.diff(x.indptr))}
        return values, {kept: x.indices[: x.nnz]}
    coo = x.tocoo()
    if not getattr(x, "has_canonical_format", False):
        coo = coo.copy()
        coo.sum_duplicates()
    return coo.data, dict(enumerate(coo.coords))


def _summable(values: Any, kind: str, of_jax: bool) -> Any:
    """The stored values in the type that is summed: there is no room for sums in small integers."""
    if _WIDENS and not of_jax and kind not in ("frobenius", "0"):
        return values.astype(float, copy=False) if np.can_cast(values.dtype, float) else values
    if values.dtype.kind not in "iu" or kind in ("inf", "-inf"):
        return values
    unsigned = values.dtype.kind == "u"
    summed = (np.uint64 if unsigned else np.int64) if kind in ("sum", "-sum", "0", "1") else np.float64
    return values.astype(jax.dtypes.canonicalize_dtype(summed) if of_jax else summed)


def _added(values: Any, flat: Any, shape: tuple[int, ...]) -> tuple[Any, tuple[Any, ...]]:
    """Entries at the same place added up; each place keeps one of them, the others become no entries (line -1)."""
    size = int(np.prod(shape))
    order = jnp.argsort(flat)
    flat, values = jnp.asarray(flat)[order], values[order]
    first = jnp.append(True, flat[1:] != flat[:-1])
    group = jnp.cumsum(first) - 1
    sums = jax.ops.segment_sum(values, group, values.shape[0])
    real = first & (flat < size)
    values = jnp.where(real, sums[group], 0)
    row = jnp.where(real, flat // shape[-1], -1)
    column = jnp.where(real, flat % shape[-1], -1)
    return values, ((column,) if len(shape) == 1 else (row, column))


def _finish(call: Call, out: Any) -> Any:
    if call["kind"] == "spectral" and np.isnan(out) and np.isfinite(call.args[0].data).all():
        raise ArpackNoConvergence("No convergence of the spectral norm", np.empty(0), np.empty((0, 0)))
    if call["out"] is np.matrix:
        lines = out[None, :] if call["reduced"] == 0 else out[:, None]
        return lines.view(np.matrix)  # the constructor warns
    return out if call["out"] is None else out.astype(call["out"])


def _example(*options: Any) -> tuple[Any, ...]:
    return sparse.csr_array(np.array([[1.5, 0.0, -2.0], [0.0, 0.5, 4.0]])), *options


def _root(total: Any) -> Any:
    """The square root with a finite derivative at zero."""
    return jnp.where(total == 0, 0, jnp.sqrt(jnp.where(total == 0, 1, total)))


@implements(
    "scipy.sparse.linalg.norm",
    static=("kind", "length", "other"),
    trees=("x",),
    dtypes={"x": "keep", "values": "keep", "lines": "keep", "v0": "keep"},
    prepare=_prepare,
    finish=_finish,
    note="arrays with no or more than two axes, empty ones.",
    examples=lambda: [Example(_example()), Example(_example(1))],
)
def norm(x, values, lines, v0, kind, order, length, other):
    """Norm of a sparse matrix, or of its rows or columns.

    Parameters
    ----------
    x : sparse matrix or array
        Of SciPy or of `jax.experimental.sparse`.
    ord : {None, 'fro', 1, -1, 2, inf, -inf}, or any real number for vector norms, optional
        Of matrices: the Frobenius norm by default, largest (-: smallest) absolute column (1) or row (inf) sum,
        spectral norm (2). Of vectors: as in `numpy.linalg.norm`; powers below zero look at stored entries only, as in
        SciPy.
    axis : int or pair of int, optional
        A vector norm along one axis, or a matrix norm.

    Returns
    -------
    scalar, or array of shape (m,)
        Differentiable in both modes with respect to the stored values of a JAX matrix.

    Raises
    ------
    TypeError
        If `x` is not sparse, or `axis` no integers.
    ValueError
        For an order or axis that is not allowed.
    NotImplementedError
        For the smallest singular value (``ord=-2``), as in SciPy.

    Notes
    -----
    The spectral norm is that of `svds`. In the NumPy world the result has the type that the installed SciPy gives it
    (sums of integers and float32 are float64 since 1.18); JAX matrices keep their precision.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> from sci.sparse.linalg import norm
    >>> print(norm(sparse.csr_array(np.array([[3.0, 0.0], [0.0, 4.0]]))))
    5.0
    """
    if kind == "spectral":
        tol = jnp.zeros((), v0.real.dtype)
        body = svds.__sci__.body  # type: ignore[attr-defined]
        out = body(x, None, None, 1, other, tol, "LA", v0, 10 * v0.shape[0], "arpack", bool(length), False)
        return jnp.where(out[3].all(), out[1][0], jnp.nan)
    if kind == "frobenius":
        values = values.ravel()
        return _root(jnp.vdot(values, values).real)  # XLA's sums are one addition at a time
    size = jnp.abs(values)
    real = jnp.where(lines < 0, length, lines)  # not counted
    add = lambda v: jax.ops.segment_sum(v, real, length)  # noqa: E731
    if kind in ("sum", "-sum"):
        return add(size).max() if kind == "sum" else add(size).min()
    if kind == "inf":
        return jnp.maximum(jax.ops.segment_max(size, real, length), 0)
    if kind == "-inf":
        full = add(jnp.ones(size.shape, int)) == other
        return jnp.where(full, jax.ops.segment_min(size, real, length), 0)
    if kind == "0":
        return add((values != 0).astype(int))
    if kind == "1":
        return add(size)
    if kind == "2":
        return _root(add(size**2))
    stored = lines >= 0
    size = size.astype(jnp.result_type(size.dtype, float))
    total = add(jnp.where(stored, jnp.where(stored, size, 1) ** lax.convert_element_type(order, size.dtype), 0))
    return total ** (1 / order)
