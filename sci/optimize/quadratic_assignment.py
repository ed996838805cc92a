"""`quadratic_assignment`: matching two matrices by a permutation."""

from __future__ import annotations

import numbers
import operator
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.optimize import OptimizeResult, OptimizeWarning

from sci.bridge import Call, Example, HostRoute, Reason, implements, warn_user
from sci.bridge.platform import scipy_at_least
from sci.bridge.randomness import borrow
from sci.bridge.worlds import is_jax, is_traced
from solvers.linprog.quadratic import exchange, fast_approximate

__all__ = ["quadratic_assignment"]

_DEFAULTS: dict[str, dict[str, Any]] = {
    "faq": {
        "maximize": False, "partial_match": None, "rng": None, "P0": "barycenter", "shuffle_input": False,
        "maxiter": 30, "tol": 0.03,
    },
    "2opt": {"maximize": False, "rng": None, "partial_match": None, "partial_guess": None},
}  # fmt: skip
#: The most rows of a NumPy problem for which the iterations here are quicker than SciPy's around its C++ assignment.
_LARGEST = 32


def _prepare(call: Call) -> None:
    method = call["method"].lower()
    if method not in _DEFAULTS:
        raise ValueError(f"method {method!r} must be in {set(_DEFAULTS)}.")
    options = call["options"] or {}
    if unknown := sorted(set(options) - set(_DEFAULTS[method])):
        warn_user(f"Unknown solver options: {', '.join(unknown)}", OptimizeWarning)
    given = _DEFAULTS[method] | {k: v for k, v in options.items() if k in _DEFAULTS[method]}
    match = _matrices(call, given)
    n, fixed = call["A"].shape[0], len(match)
    call["method"], call["fixed"] = method, fixed
    call["sign"] = -1.0 if given["maximize"] else 1.0
    call["limit"], call["tol"], call["free"] = 1, 1.0, None
    call["start"] = np.zeros((0, 0))
    if method == "faq":
        _faq_options(call, given, n - fixed)
    guess = _pairs("partial_guess", "entries", given.get("partial_guess"), n)
    if n == 0:
        raise HostRoute(Reason.SHAPE, "nothing to assign")
    if call.numpy and n > _LARGEST and (method == "faq" and n > fixed):
        raise HostRoute(Reason.SHAPE, f"{n} rows: SciPy's C++ assignments are quicker beyond {_LARGEST}")
    rng = _generator(call, given["rng"])
    if fixed == n:  # as SciPy, which sorts nothing then
        call["method"], call["rows"], call["columns"] = "none", np.arange(n), match[:, 1]
    elif method == "faq":
        if isinstance(given["P0"], str) and given["P0"] == "randomized":
            call["start"] = (call["start"] + _doubly_stochastic(rng.uniform(size=call["start"].shape))) / 2
        others = np.setdiff1d(np.arange(n), match[:, 1])
        others = rng.permutation(others) if given["shuffle_input"] else others
        call["rows"] = np.concatenate([match[:, 0], np.setdiff1d(np.arange(n), match[:, 0])])
        call["columns"] = np.concatenate([match[:, 1], others])
    else:
        call["rows"], call["columns"], call["free"] = np.arange(n), *_first_guess(n, match, guess, rng)


def _matrices(call: Call, given: dict[str, Any]) -> np.ndarray:
    """Check A and B, and return the partial match."""
    for name in ("A", "B"):
        value = call[name] if is_jax(call[name]) else np.asarray(call[name])
        if value.dtype.kind not in "biuf" or (isinstance(value, np.ndarray) and value.dtype.char == "g"):
            raise HostRoute(Reason.DTYPE, f"argument {name!r} is {value.dtype}")
        call[name] = (jnp if is_jax(value) else np).atleast_2d(value)
    a, b = call["A"].shape, call["B"].shape
    match = given["partial_match"]
    match = np.zeros((0, 2), int) if match is None else np.atleast_2d(match).astype(int)
    if a[0] != a[1]:
        raise ValueError(f"`A` must be square; its shape is {a}")
    if b[0] != b[1]:
        raise ValueError(f"`B` must be square; its shape is {b}")
    if len(a) != 2 or len(b) != 2:
        raise ValueError(f"`A` and `B` must have exactly two dimensions; their shapes are {a} and {b}")
    if a != b:
        raise ValueError(f"`A` and `B` matrices must be of equal size; their shapes are {a} and {b}")
    call["exact"] = call["A"], call["B"]
    return _pairs("partial_match", "seeds", match, a[0])


def _pairs(name: str, what: str, value: Any, n: int) -> np.ndarray:
    value = np.zeros((0, 2), int) if value is None else np.atleast_2d(value).astype(int)
    if value.shape[0] > n:
        raise ValueError(f"`{name}` can have only as many {what} as there are nodes: {value.shape[0]} of {n}")
    if value.shape[1] != 2:
        raise ValueError(f"`{name}` must have two columns; its shape is {value.shape}")
    if value.ndim != 2:
        raise ValueError(f"`{name}` must have exactly two dimensions; its shape is {value.shape}")
    if (value < 0).any():
        raise ValueError(f"`{name}` must contain only positive indices; the least is {value.min()}")
    if (value >= n).any():
        raise ValueError(f"`{name}` entries must be less than number of nodes: {value.max()} of {n}")
    if any(len(set(column)) != len(column) for column in value.T):
        raise ValueError(f"`{name}` column entries must be unique")
    return value


def _faq_options(call: Call, given: dict[str, Any], size: int) -> None:
    start, limit, tol = given["P0"], operator.index(given["maxiter"]), given["tol"]
    if isinstance(start, str) and start not in ("barycenter", "randomized"):
        raise ValueError(f"Invalid 'P0' parameter string: {start!r}; allowed are 'barycenter' and 'randomized'")
    if limit <= 0:
        raise ValueError(f"'maxiter' must be a positive integer: {limit}")
    if not is_jax(tol) and not tol > 0:
        raise ValueError(f"'tol' must be a positive float: {tol}")
    call["limit"], call["tol"] = limit, tol
    if isinstance(start, str):
        call["start"] = np.full((size, size), 1 / max(size, 1))
        return
    start = start if is_jax(start) else np.atleast_2d(start)
    if start.shape != (size, size):
        raise ValueError(f"`P0` matrix must have shape m' x m', where m'=n-m: {(size, size)}, not {start.shape}")
    if not is_traced(start):
        p = np.asarray(start)
        if (p < 0).any() or not np.allclose(p.sum(axis=0), 1) or not np.allclose(p.sum(axis=1), 1):
            raise ValueError("`P0` matrix must be doubly stochastic")
    call["start"] = start


def _warn_of_seeds(rng: Any) -> None:
    if isinstance(rng, np.random.RandomState):
        message = "Use of `RandomState` with `quadratic_assignment` is deprecated: pass a `Generator`"
        warn_user(message, DeprecationWarning)
    if rng is None or rng is np.random:
        seeds = np.random.mtrand._rand._bit_generator._seed_seq  # type: ignore[attr-defined]
        if seeds is None:  # as left by `np.random.seed`
            message = "The NumPy global RNG was seeded by calling `np.random.seed`: it will no longer be used"
            warn_user(message, FutureWarning)
    elif isinstance(rng, (numbers.Integral, np.integer)):
        message = "The behavior when the rng option is an integer is changing: `np.random.default_rng` will take it"
        warn_user(message, FutureWarning)


def _generator(call: Call, rng: Any) -> Any:
    """The generator of SciPy's release: until 1.17 the legacy ones with warnings, `default_rng` from then on."""
    if scipy_at_least(1, 18):
        return np.random.default_rng(borrow(call, rng))
    _warn_of_seeds(rng)
    if rng is None or rng is np.random:
        return borrow(call, np.random)
    if isinstance(rng, (numbers.Integral, np.integer)):
        return np.random.RandomState(int(rng))
    if isinstance(rng, (np.random.RandomState, np.random.Generator)):
        return borrow(call, rng)
    raise ValueError(f"{rng!r} cannot be used to seed a numpy.random.RandomState instance")


def _doubly_stochastic(p: np.ndarray) -> np.ndarray:
    """Scale rows and columns by turns until both have sums of one (Sinkhorn, Knopp)."""
    rows, columns = np.ones(len(p)), 1 / p.sum(axis=0)
    for _ in range(1000):
        rows = 1 / (p @ columns)
        columns = 1 / (rows @ p)
        scaled = rows[:, None] * p * columns
        if np.abs(scaled.sum(axis=1) - 1).max(initial=0) < 1e-3:
            break
    return scaled


def _first_guess(n: int, match: np.ndarray, guess: np.ndarray, rng: Any) -> tuple[np.ndarray, np.ndarray]:
    perm = np.full(n, -1)
    perm[guess[:, 0]] = guess[:, 1]
    perm[match[:, 0]] = match[:, 1]
    known = perm[perm >= 0]
    if len(set(known)) != len(known):
        raise ValueError("`partial_guess` and `partial_match` give different rows the same column")
    perm[perm < 0] = rng.permutation(np.setdiff1d(np.arange(n), known))
    free = np.ones(n, bool)
    free[match[:, 0]] = False
    return perm, free


def _finish(call: Call, out: dict[str, Any]) -> OptimizeResult:
    a, b = call["exact"]  # as given: sums of integers are integers
    perm = out["col_ind"].astype(int)
    return OptimizeResult(col_ind=perm, fun=np.sum(a * b[perm][:, perm]), nit=int(out["nit"]))


def _finish_jax(call: Call, out: dict[str, Any]) -> OptimizeResult:
    return OptimizeResult(out)


def _example() -> tuple[Any, ...]:
    return np.cos(np.arange(16.0) ** 2).reshape(4, 4), np.sin(1.5 * np.arange(16.0)).reshape(4, 4)


@implements(
    "scipy.optimize.quadratic_assignment",
    static=("method", "fixed"),
    ignored=("options",),
    dtypes={"rows": "keep", "columns": "keep", "free": "keep", "limit": "keep"},
    prepare=_prepare,
    finish=_finish,
    finish_jax=_finish_jax,
    note=f"NumPy problems of more than {_LARGEST} rows with 'faq', on which SciPy's C++ assignments are quicker.",
    examples=lambda: [
        Example(_example(), output=lambda r: r["fun"], vmap=("A",), grad=("A", "B"), grad_rtol=1e-4,
                skip_odd=("nan", "inf", "string", "object", "empty", "1x1", "0-d")),
        Example((*_example(), "2opt"), {"options": {"partial_guess": np.array([[0, 0], [1, 1], [2, 2], [3, 3]])}},
                output=lambda r: (r["col_ind"], r["nit"]), skip_odd=("nan", "inf", "string", "object", "empty", "1x1")),
    ],
)  # fmt: skip
def quadratic_assignment(A, B, start, rows, columns, free, sign, limit, tol, method, fixed):
    """Match the rows of two square matrices so that ``sum(A * B[perm][:, perm])`` is small.

    Parameters
    ----------
    A, B : arrays, shape (n, n)
    method : {'faq', '2opt'}
        Frank-Wolfe iterations over doubly stochastic matrices, or exchanges of pairs.
    options : dict, optional
        `maximize`, `partial_match` (fixed pairs) and `rng`; of 'faq' also `P0` ('barycenter', 'randomized' or a doubly
        stochastic array), `shuffle_input`, `maxiter` (30), `tol` (0.03); of '2opt' also `partial_guess`. As in SciPy;
        what is random is drawn on the host, from SciPy's stream. Pairs may come in any order (SciPy wants them sorted).

    Returns
    -------
    OptimizeResult
        ``col_ind`` (n,) the column of each row, ``fun`` the sum (differentiable with respect to A and B, for the
        permutation found), ``nit`` the number of iterations, or of pairs looked at.

    Raises
    ------
    ValueError
        For shapes and options that do not match.

    Warns
    -----
    OptimizeWarning
        For unknown options.

    Notes
    -----
    The problem is NP-hard: neither result need be the best. '2opt' finds the gains of all exchanges from two products
    of matrices and makes the first improving one, as SciPy does by trying; a gain within rounding errors is none.
    J. T. Vogelstein et al., PLoS ONE 10, 2015; D. Fishkind et al., Pattern Recognition 87, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import quadratic_assignment
    >>> a = np.array([[0, 80, 150, 170], [80, 0, 130, 100], [150, 130, 0, 120], [170, 100, 120, 0]])
    >>> b = np.array([[0, 5, 2, 7], [0, 0, 3, 8], [0, 0, 0, 3], [0, 0, 0, 0]])
    >>> found = quadratic_assignment(a, b)
    >>> print(found.col_ind, found.fun)
    [0 3 2 1] 3260
    """
    dtype = jnp.promote_types(A.dtype, B.dtype)
    a, b = A.astype(dtype), B.astype(dtype)
    rows, columns = jnp.asarray(rows), jnp.asarray(columns)
    count = jnp.asarray(0)
    if method == "faq":
        near = start.astype(dtype)
        a_rows, b_rows = a[rows][:, rows], b[columns][:, columns]
        behind, count = fast_approximate(a_rows, b_rows, near, fixed, sign, limit, tol)
        matched = jnp.concatenate([columns[:fixed], columns[fixed + behind]])
        perm = jnp.zeros_like(columns).at[rows].set(matched)
    elif method == "2opt":
        perm, count = exchange(a, b, columns, free, jnp.asarray(sign, dtype))
    else:
        perm = columns
    return {"col_ind": perm, "fun": (a * b[perm][:, perm]).sum(), "nit": count}
