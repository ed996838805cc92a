"""Matrices that depend on their order alone: Hilbert's, Pascal's, Hadamard's, Helmert's, Fourier's."""

from __future__ import annotations

import operator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from sci.bridge import Call, Example, HostRoute, Reason, implements

__all__ = ["dft", "hadamard", "helmert", "hilbert", "invhilbert", "invpascal", "pascal"]

_KINDS = ("symmetric", "lower", "upper")
#: The largest orders whose entries all fit in 64 bits.
_PASCAL, _INVHILBERT = 34, 14
#: Binomial coefficients beyond overflow in double precision.
_FLOAT = 500


def _order(call: Call) -> None:
    """The order as an integer; what has none, or no entries, is the original's to refuse or to return."""
    n = call["n"]
    if isinstance(n, (bool, np.bool_)) or not isinstance(n, (int, np.integer, np.ndarray, jax.Array)) or np.ndim(n):
        raise HostRoute(Reason.SHAPE, f"argument 'n' is {n!r}")
    call["n"] = operator.index(n)  # a traced order is JAX's error
    if call["n"] < 1:
        raise HostRoute(Reason.SHAPE, f"argument 'n' is {call['n']}")


def _prepare_pascal(call: Call) -> None:
    if call["kind"] not in _KINDS:
        raise ValueError(f"kind must be 'symmetric', 'lower', or 'upper', got {call['kind']!r}")
    _order(call)
    call["exact"] = bool(call["exact"])
    if call["exact"] and call["n"] > _PASCAL:
        raise HostRoute(Reason.DTYPE, f"integers of more than 64 bits: exact=True and n={call['n']} > {_PASCAL}")
    if call["n"] > _FLOAT:
        raise HostRoute(Reason.SHAPE, f"argument 'n' is {call['n']} > {_FLOAT}")


def _binomials(n: int, dtype: Any) -> jax.Array:
    """``C(i, j)`` for i, j < n, row by row."""
    first = jnp.zeros(n, dtype).at[0].set(1)

    def step(row: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        return row + jnp.concatenate([jnp.zeros(1, dtype), row[:-1]]), row

    return lax.scan(step, first, None, length=n)[1]


@implements("scipy.linalg.hilbert", static=("n",), prepare=_order, examples=lambda: [Example((3,))])
def hilbert(n: int) -> Any:
    """Hilbert's matrix, ``1 / (i + j + 1)``.

    Parameters
    ----------
    n : int
        Its order.

    Returns
    -------
    array, shape (n, n)
        Double precision (the JAX world's default type inside a trace without it).

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.hilbert(2)
    array([[1.        , 0.5       ],
           [0.5       , 0.33333333]])
    """
    place = jnp.arange(n, dtype=float)
    return 1 / (place[:, None] + place + 1)


def _prepare_invhilbert(call: Call) -> None:
    _order(call)
    call["exact"] = bool(call["exact"])
    largest = _INVHILBERT if call["exact"] else _FLOAT // 2
    if call["n"] > largest:
        raise HostRoute(Reason.DTYPE, f"entries out of range: exact={call['exact']} and n={call['n']} > {largest}")


@implements(
    "scipy.linalg.invhilbert",
    static=("n", "exact"),
    prepare=_prepare_invhilbert,
    note="exact=True beyond n = 14 (integers of more than 64 bits); n > 250.",
    examples=lambda: [Example((4,))],
)
def invhilbert(n: int, exact: bool) -> Any:
    """The inverse of Hilbert's matrix, whose entries are integers.

    Parameters
    ----------
    n : int
        Its order.
    exact : bool
        64-bit integers, not floating point numbers.

    Returns
    -------
    array, shape (n, n)

    References
    ----------
    M.-D. Choi, "Tricks or treats with the Hilbert matrix", Amer. Math. Monthly 90 (1983) 301-312.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.invhilbert(2, exact=True)
    array([[ 4, -6],
           [-6, 12]])
    """
    dtype = jnp.int64 if exact else float
    table = _binomials(2 * n, dtype)
    i, j = np.arange(n)[:, None], np.arange(n)
    sign = np.where((i + j) % 2, -1, 1)
    # the order in which no product exceeds the result
    return (sign * (i + j + 1)) * table[n + i, n - j - 1] * table[n + j, n - i - 1] * table[i + j, i] ** 2


@implements(
    "scipy.linalg.pascal",
    static=("n", "kind", "exact"),
    prepare=_prepare_pascal,
    note="exact=True beyond n = 34 (integers of more than 64 bits); n > 500.",
    examples=lambda: [Example((4,)), Example((4,), {"kind": "upper", "exact": False})],
)
def pascal(n: int, kind: str, exact: bool) -> Any:
    """Pascal's matrix of binomial coefficients.

    Parameters
    ----------
    n : int
        Its order.
    kind : {'symmetric', 'lower', 'upper'}
    exact : bool
        64-bit unsigned integers, not floating point numbers.

    Returns
    -------
    array, shape (n, n)

    Raises
    ------
    ValueError
        For an unknown `kind`.

    References
    ----------
    A. Edelman, G. Strang, "Pascal matrices", Amer. Math. Monthly 111 (2004) 189-197.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.pascal(3, exact=False)
    array([[1., 1., 1.],
           [1., 2., 3.],
           [1., 3., 6.]])
    """
    lower = _binomials(n, jnp.uint64 if exact else float)
    if kind == "symmetric":
        return lower @ lower.T
    return lower.T if kind == "upper" else lower


@implements(
    "scipy.linalg.invpascal",
    static=("n", "kind", "exact"),
    prepare=_prepare_pascal,
    note="exact=True beyond n = 34 (integers of more than 64 bits); n > 500.",
    examples=lambda: [Example((4,)), Example((4,), {"kind": "lower", "exact": False})],
)
def invpascal(n: int, kind: str, exact: bool) -> Any:
    """The inverse of Pascal's matrix.

    Parameters
    ----------
    n, kind, exact
        As for `pascal`; the integers have a sign here.

    Returns
    -------
    array, shape (n, n)

    Raises
    ------
    ValueError
        For an unknown `kind`.

    References
    ----------
    A. M. Cohen, "The inverse of a Pascal matrix", Math. Gazette 59 (1975) 111-112.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.invpascal(2)
    array([[ 2, -1],
           [-1,  1]])
    """
    place = np.arange(n)
    sign = np.where((place[:, None] + place) % 2, -1, 1)
    lower = _binomials(n, jnp.int64 if exact else float) * sign
    if kind == "symmetric":
        return lower.T @ lower
    return lower.T if kind == "upper" else lower


def _prepare_hadamard(call: Call) -> None:
    _order(call)
    n = call["n"]
    if n & (n - 1):
        raise ValueError(f"n must be an positive integer, and n must be a power of 2, got {n}")
    call["dtype"] = np.dtype(call["dtype"])
    if call["dtype"].kind not in "iufc" or call["dtype"].char in "gG":
        raise HostRoute(Reason.DTYPE, f"argument 'dtype' is {call['dtype']}")


@implements(
    "scipy.linalg.hadamard",
    static=("n", "dtype"),
    prepare=_prepare_hadamard,
    note="dtype that is no number of at most 64 bits a part.",
    examples=lambda: [Example((4,))],
)
def hadamard(n: int, dtype: Any) -> Any:
    """Hadamard's matrix by Sylvester's construction.

    Parameters
    ----------
    n : int
        Its order, a power of 2.
    dtype : dtype
        Of the result.

    Returns
    -------
    array, shape (n, n)

    Raises
    ------
    ValueError
        If `n` is no power of 2.

    References
    ----------
    J. J. Sylvester, Phil. Mag. 34 (1867) 461-475: entry (i, j) is negative where i and j share an odd number of bits.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.hadamard(2)
    array([[ 1,  1],
           [ 1, -1]])
    """
    place = jnp.arange(n, dtype=jnp.uint32)
    odd = lax.population_count(place[:, None] & place) % 2 == 1
    one = jnp.ones((), dtype)
    return jnp.where(odd, -one, one)


def _prepare_helmert(call: Call) -> None:
    _order(call)
    call["full"] = bool(call["full"])


@implements(
    "scipy.linalg.helmert",
    static=("n", "full"),
    prepare=_prepare_helmert,
    examples=lambda: [Example((4,)), Example((3,), {"full": True})],
)
def helmert(n: int, full: bool) -> Any:
    """Helmert's orthogonal matrix.

    Parameters
    ----------
    n : int
        Its order.
    full : bool
        Whether the first row, which is constant, is returned too.

    Returns
    -------
    array, shape (n - 1, n), or (n, n)

    References
    ----------
    H. O. Lancaster, "The Helmert matrices", Amer. Math. Monthly 72 (1965) 4-12.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.helmert(2)
    array([[ 0.70710678, -0.70710678]])
    """
    place = jnp.arange(n, dtype=float)
    row = place[:, None]
    entries = jnp.where(place < row, 1.0, jnp.where(place == row, -row, 0.0))
    entries = jnp.where(row == 0, 1.0, entries) / jnp.sqrt(jnp.where(row == 0, float(n), row * (row + 1)))
    return entries if full else entries[1:]


def _prepare_dft(call: Call) -> None:
    if call["scale"] not in (None, "sqrtn", "n"):
        raise ValueError(f"scale must be None, 'sqrtn', or 'n'; {call['scale']!r} is not valid.")
    _order(call)


@implements("scipy.linalg.dft", static=("n", "scale"), prepare=_prepare_dft, examples=lambda: [Example((5, "sqrtn"))])
def dft(n: int, scale: str | None) -> Any:
    """The matrix of the discrete Fourier transform, ``exp(-2 pi i j k / n)``.

    Parameters
    ----------
    n : int
        Its order.
    scale : {None, 'sqrtn', 'n'}
        What it is divided by.

    Returns
    -------
    complex array, shape (n, n)
        Each entry to the last digit or two; SciPy's, which are powers, lose some for large n.

    Raises
    ------
    ValueError
        For an unknown `scale`.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 1.4.1.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.dft(2).round(12).real
    array([[ 1.,  1.],
           [ 1., -1.]])
    """
    place = np.arange(n, dtype=np.int64)
    angle = jnp.arange(n, dtype=float) * (-2 * np.pi / n)
    roots = lax.complex(jnp.cos(angle), jnp.sin(angle))
    divisor = {None: 1.0, "sqrtn": float(n) ** 0.5, "n": float(n)}[scale]
    return (roots / divisor)[jnp.asarray(place[:, None] * place % n, jnp.int32)]
