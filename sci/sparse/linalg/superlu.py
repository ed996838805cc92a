"""LU factors of sparse matrices: splu, spilu, factorized. SuperLU makes them on the host; JAX solves with them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import sparse
from scipy.sparse import linalg as original

from sci.bridge import HostOnlyError, Reason
from sci.bridge.reasons import record_host
from sci.bridge.worlds import is_jax, is_traced
from sci.sparse.linalg._triangular import Triangular, coordinates, triangular

__all__ = ["factorized", "spilu", "splu"]

_DETAIL = "factored by SuperLU on the host; solving for JAX arrays is native"


@functools.partial(jax.jit, static_argnames=("trans",))
def _solve(lower: Triangular, upper: Triangular, perm_r: Any, perm_c: Any, b: Any, trans: str) -> Any:
    # Pr A Pc = L U with Pr[perm_r[i], i] = 1 and Pc[i, perm_c[i]] = 1
    if trans == "N":
        x = upper.solve(lower.solve(jnp.zeros_like(b).at[perm_r].set(b)))
        return x[perm_c]
    if trans == "H":
        b = jnp.conj(b)
    x = lower.solve(upper.solve(jnp.zeros_like(b).at[perm_c].set(b), transposed=True), transposed=True)[perm_r]
    return jnp.conj(x) if trans == "H" else x


class _Solve:
    """What solves with factors: an object, and no method, so that `sci.to_jax` takes it as a function of ours."""

    __name__ = __qualname__ = "solve"

    def __init__(self, factors: Any) -> None:
        self._factors = factors

    @functools.cached_property
    def _sweeps(self) -> tuple[Any, ...]:
        lower, upper = self._factors.L.tocoo(), self._factors.U.tocoo()
        n = lower.shape[0]
        return (
            triangular(lower.data, lower.row, lower.col, n, lower=True, unit=True),
            triangular(upper.data, upper.row, upper.col, n, lower=False, unit=False),
            np.asarray(self._factors.perm_r), np.asarray(self._factors.perm_c),
        )  # fmt: skip

    def __call__(self, rhs: Any, trans: str = "N") -> Any:
        """Solve with the factored matrix A.

        Parameters
        ----------
        rhs : array, shape (n,) or (n, k)
        trans : {'N', 'T', 'H'}
            For A, its transpose or its adjoint.

        Returns
        -------
        array, shape of rhs
            Of JAX where `rhs` is, then differentiable with respect to it.

        Raises
        ------
        ValueError
            For shapes that do not fit, or another `trans`.
        TypeError
            For a complex NumPy `rhs` of a real matrix.
        """
        if not is_jax(rhs):
            return self._factors.solve(rhs, trans)
        if trans not in ("N", "T", "H"):
            raise ValueError(f"trans must be N, T, or H; got {trans!r}")
        rhs = jnp.asarray(rhs)
        n = self._factors.shape[0]
        if rhs.ndim not in (1, 2) or rhs.shape[0] != n:
            raise ValueError(f"b is of incompatible size: argument 'rhs' has shape {rhs.shape}; A is of order {n}")
        if not jnp.issubdtype(rhs.dtype, jnp.inexact):
            rhs = rhs.astype(jax.dtypes.canonicalize_dtype(self._sweeps[0].values.dtype))
        # in the precision in force: JAX does not convert constants of a program that is inside another one
        sweeps = jax.tree.map(lambda v: v.astype(jax.dtypes.canonicalize_dtype(v.dtype), copy=False), self._sweeps)
        return _solve(*sweeps, rhs, trans)


class _Factors:
    """LU factors with the attributes of `scipy.sparse.linalg.SuperLU`, of which it counts as an instance."""

    def __init__(self, factors: Any) -> None:
        self._factors = factors
        self.solve = _Solve(factors)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return original.SuperLU

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._factors, name)

    def __dir__(self) -> list[str]:
        return dir(self._factors)

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("cannot pickle 'SuperLU' object")


def _on_host(name: str, a: Any) -> Any:
    """The matrix as SciPy takes it."""
    if type(a).__module__.startswith("jax.experimental.sparse"):
        found = coordinates(a)
        if found is not None and not is_traced(found[0]):
            data, rows, columns = found
            return sparse.coo_array((np.asarray(data), (rows, columns)), shape=a.shape).tocsc()
    elif not is_traced(a):
        return np.asarray(a) if is_jax(a) else a
    raise HostOnlyError(
        f"scipy.sparse.linalg.{name} was given a traced matrix (inside jit, vmap or grad): its numbers are factored on "
        "the host. Factor it outside the transformation."
    )


def _made(name: str) -> Callable[..., Any]:
    """The original of this name, whose factors solve for JAX arrays too."""
    theirs = getattr(original, name)

    def function(A: Any, *args: Any, **kwargs: Any) -> Any:
        record_host(f"scipy.sparse.linalg.{name}", Reason.NOT_NATIVE, _DETAIL)
        result = theirs(_on_host(name, A), *args, **kwargs)
        if isinstance(result, original.SuperLU):
            return _Factors(result)
        # `factorized`: the method of the factors, unless UMFPACK made them
        factors = getattr(result, "__self__", None)
        return _Factors(factors).solve if isinstance(factors, original.SuperLU) else result

    function.__name__ = function.__qualname__ = name
    function.__module__ = "sci.sparse.linalg"
    function.__doc__ = _DOC[name] + _COMMON
    function.__signature__ = inspect.signature(theirs)  # type: ignore[attr-defined]
    function.__host__ = True  # type: ignore[attr-defined]
    return function


_DOC = {
    "splu": """LU factors of a sparse square matrix, ``Pr A Pc = L U``.

Returns an object with SciPy's attributes `L`, `U`, `perm_r`, `perm_c`, `nnz`, `shape`, and ``solve(rhs, trans='N')``.
""",
    "spilu": """Incomplete LU factors of a sparse square matrix: a preconditioner.

Returns an object with SciPy's attributes `L`, `U`, `perm_r`, `perm_c`, `nnz`, `shape`, and ``solve(rhs, trans='N')``.
""",
    "factorized": """A function that solves ``A x = b`` with factors of A made once.
""",
}
_COMMON = """
Parameters, warnings and errors are SciPy's, which makes the factors (SuperLU, X. S. Li, ACM Trans. Math. Softw. 31,
2005); a matrix of `jax.experimental.sparse` with known numbers is taken too. NumPy right-hand sides are solved by
SuperLU. JAX arrays, traced or not, are solved in compiled code, by sweeps over the levels of the factors (planned at
the first such call); the result is differentiable with respect to them in both modes, not with respect to A.

Raises
------
HostOnlyError
    If the numbers of A are traced.

Examples
--------
>>> import jax
>>> import numpy as np
>>> from scipy import sparse
>>> from sci.sparse.linalg import splu
>>> solve = splu(sparse.csc_array(np.array([[2.0, 0.0], [1.0, 4.0]]))).solve
>>> solve(np.array([2.0, 9.0]))
array([1., 2.])
>>> print(jax.jit(solve)(jax.numpy.array([2.0, 9.0])))
[1. 2.]
"""

factorized = _made("factorized")
spilu = _made("spilu")
splu = _made("splu")
