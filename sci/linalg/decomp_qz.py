"""Generalised Schur forms of pairs of matrices."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import LinAlgWarning

from sci.bridge import Call, Example, HostRoute, Reason, implements, warn_user
from sci.bridge.worlds import is_jax
from sci.linalg._batch import core_shapes, over_batch, promoted
from solvers.eigen.qz import generalized_schur, reorder_generalized_schur

__all__ = ["ordqz", "qz"]

_SORTS = ("lhp", "rhp", "iuc", "ouc")


def _prepare(call: Call) -> None:
    if call["output"] not in ("real", "complex", "r", "c"):
        raise ValueError(f"argument must be 'real', or 'complex', got {call['output']!r} for 'output'")
    for name in ("A", "B"):
        if not is_jax(call[name]):
            call[name] = np.asarray(call[name])
    cores = core_shapes(call, A=2, B=2)
    if any(core is None or len(core) != 2 or core[0] != core[1] for core in cores) or cores[0] != cores[1]:
        shapes = f"A has {np.shape(call['A'])}, B has {np.shape(call['B'])}"
        raise ValueError(f"Array dimensions must be square and agree: {shapes}")
    if call["A"].shape[-1] == 0:
        raise ValueError("arguments 'A' and 'B' have no entries")
    kinds = [jnp.iscomplexobj(call[name]) for name in ("A", "B")]
    if call["output"][0] == "r" and not any(kinds):
        raise HostRoute(Reason.OPTION, "output='real' of real matrices, with blocks of order 2")


def _prepare_qz(call: Call) -> None:
    if call["sort"] is not None:
        raise ValueError(
            "The 'sort' input of qz() has to be None and will be removed in a future release. Use ordqz instead."
        )
    _prepare(call)


def _complex(a: Any, b: Any) -> tuple[Any, ...]:
    a, b = promoted(a, b)
    return promoted(a, b, jnp.zeros((), jnp.result_type(a, jnp.complex64)))[:2]


def _finish(call: Call, out: Any) -> Any:
    *out, ok = out
    if not np.all(ok):
        warn_user("The QZ iteration failed. (a,b) are not in Schur form", LinAlgWarning)
    return tuple(out)


def _finish_jax(call: Call, out: Any) -> Any:
    *out, ok = out

    def marked(x: Any) -> Any:
        return jnp.where(ok.reshape(*ok.shape, *(1,) * (x.ndim - ok.ndim)), x, jnp.nan)

    return tuple(marked(x) for x in out)


def _same_pair(result: Any, original: Any) -> None:
    pairs = []
    for form in (result, original):
        q, z = form[-2:]
        pairs.append([q @ x @ z.conj().T for x in form[:2]])
        for triangle in form[:2]:
            np.testing.assert_allclose(np.tril(triangle, -1), 0, atol=1e-14)
        assert [x.dtype for x in form] == [x.dtype for x in original]
    for ours, theirs in zip(*pairs, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


# SciPy's own wrappers fail on some of these in ways of their own; phases, which a stack compares, are not unique
_ODD = ("empty", "0-d", "string", "object", "nan", "inf", "one axis more")


def _example() -> tuple[Any, ...]:
    return [[1.0, 2.0j, -1.0], [5.0, 5.0, 5.0], [2.0, 4.0, -8.0j]], [[1.0, 1.0, -3.0], [3.0, 1j, -1.0], [5.0, 6.0, -2]]


@implements(
    "scipy.linalg.qz",
    ignored=("overwrite_a", "overwrite_b", "lwork", "output", "sort"),
    finite=("A", "B"),
    prepare=_prepare_qz,
    finish=_finish,
    finish_jax=_finish_jax,
    grad=False,
    note="output='real' of real matrices.",
    examples=lambda: [Example(_example(), {"output": "complex"}, check=_same_pair, vmap=("A",), skip_odd=_ODD)],
)
def qz(A: Any, B: Any) -> Any:
    """Generalised Schur form of a pair: ``A = Q @ AA @ Z^H``, ``B = Q @ BB @ Z^H``.

    Parameters
    ----------
    A, B : array_like, shape (..., n, n)
        Matrices.
    output : {'real', 'complex'}
        Of real matrices: 'real', with blocks of order 2, is on the host.
    sort, lwork, overwrite_a, overwrite_b, check_finite
        As in SciPy: `sort` has to be None.

    Returns
    -------
    AA, BB : array, shape (..., n, n)
        Triangular, the diagonal of BB real and not negative. Eigenvalues may stand in another order than SciPy's.
    Q, Z : array, shape (..., n, n)
        Unitary. Not differentiable.

    Raises
    ------
    ValueError
        If the matrices are not square and of one shape, or have no entries; for unknown options.

    Warns
    -----
    LinAlgWarning
        If the iteration did not end (NumPy world; NaN in the JAX world).

    References
    ----------
    C. B. Moler, G. W. Stewart, "An algorithm for generalized matrix eigenvalue problems", SIAM J. Numer. Anal. 10
    (1973) 241-256.

    Examples
    --------
    >>> from sci import linalg
    >>> aa, bb, q, z = linalg.qz([[1.0, 2.0], [0.0, 3.0]], [[1.0, 0.0], [0.0, 2.0]], output="complex")
    >>> (aa.diagonal() / bb.diagonal()).real.round(12)
    array([1. , 1.5])
    """
    return over_batch(generalized_schur, _complex(A, B), (2, 2))


def _prepare_ordqz(call: Call) -> None:
    _prepare(call)
    sort = call["sort"]
    if not callable(sort) and sort not in _SORTS:
        raise ValueError(f"sort parameter must be None, a callable, or one of {_SORTS}, got {sort!r}")
    call["rule"], call["chosen"] = (None, sort) if callable(sort) else (sort, None)


def _pairs(call: Call) -> tuple[Any, ...]:
    """Eigenvalues where they may be looked at: the points at which the function is used."""
    kind = np.result_type(call["A"].dtype, call["B"].dtype, np.complex64)
    n = call["A"].shape[-1]
    if call.numpy:
        import scipy.linalg

        a, b = (call[name][(0,) * (call[name].ndim - 2)] for name in ("A", "B"))
        if np.isfinite(a).all() and np.isfinite(b).all():
            alpha, beta = scipy.linalg.eigvals(a, b, homogeneous_eigvals=True)
            return alpha.astype(kind), beta.astype(kind)
    return np.ones(n, kind), np.ones(n, kind)


def _by_rule(rule: str, alpha: Any, beta: Any) -> Any:
    finite = beta != 0
    value = alpha / jnp.where(finite, beta, 1)
    if rule == "ouc":
        return jnp.where(finite, jnp.abs(value) > 1, alpha != 0)
    chosen = {"lhp": value.real < 0, "rhp": value.real > 0, "iuc": jnp.abs(value) < 1}[rule]
    return finite & chosen


def _finish_ordqz(call: Call, out: Any) -> Any:
    *out, ok, kept = out
    if not np.all(kept):
        raise ValueError(
            "Reordering of (A, B) failed because the transformed matrix pair (A, B) would be too far from generalized "
            "Schur form; the problem is very ill-conditioned."
        )
    return _finish(call, (*out, ok))


@implements(
    "scipy.linalg.ordqz",
    static=("rule",),
    callables={"chosen": _pairs},
    ignored=("overwrite_a", "overwrite_b", "output", "sort"),
    finite=("A", "B"),
    prepare=_prepare_ordqz,
    finish=_finish_ordqz,
    finish_jax=lambda call, out: _finish_jax(call, (*out[:-2], out[-2] & out[-1])),
    grad=False,
    note="output='real' of real matrices.",
    examples=lambda: [Example(_example(), {"sort": "rhp"}, check=_same_pair, vmap=("A",), skip_odd=_ODD)],
)
def ordqz(A: Any, B: Any, rule: str | None, chosen: Any) -> Any:
    """Generalised Schur form with chosen eigenvalues first.

    Parameters
    ----------
    A, B : array_like, shape (..., n, n)
        Matrices.
    sort : {'lhp', 'rhp', 'iuc', 'ouc'} or callable
        The left or right half plane, inside or outside of the unit circle; or a function of the arrays (alpha, beta)
        that returns booleans.
    output : {'real', 'complex'}
        As for `qz`.
    overwrite_a, overwrite_b, check_finite
        As in SciPy.

    Returns
    -------
    AA, BB : array, shape (..., n, n)
        As from `qz`.
    alpha, beta : array, shape (..., n)
        Their diagonals; ``alpha / beta`` are the eigenvalues.
    Q, Z : array, shape (..., n, n)
        Unitary. Not differentiable.

    Raises
    ------
    ValueError
        As `qz`; for an unknown `sort`; if rounding errors spoil an exchange (NumPy world; NaN in the JAX world).

    References
    ----------
    See `qz`. P. Van Dooren, "A generalized eigenvalue approach for solving Riccati equations", SIAM J. Sci. Stat.
    Comput. 2 (1981) 121-135.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> aa, bb, alpha, beta, q, z = linalg.ordqz(np.eye(2), np.diag([2.0, -4.0]), sort="lhp", output="complex")
    >>> (alpha / beta).real
    array([-0.25,  0.5 ])
    """

    def core(a: jax.Array, b: jax.Array) -> tuple[Any, ...]:
        s, t, q, z, ok = generalized_schur(a, b)
        alpha, beta = jnp.diagonal(s), jnp.diagonal(t)
        wanted = _by_rule(rule, alpha, beta) if rule else jnp.asarray(chosen(alpha, beta))
        if wanted.shape != alpha.shape:
            raise ValueError(f"argument 'sort' returned an array of shape {wanted.shape}; allowed is {alpha.shape}")
        s, t, q, z, lost = reorder_generalized_schur(s, t, q, z, wanted.astype(bool))
        size = jnp.maximum(jnp.abs(a).max(), jnp.abs(b).max()) * a.shape[0]
        kept = ~(lost > 1000 * jnp.finfo(a.dtype).eps * size)
        return s, t, jnp.diagonal(s), jnp.diagonal(t), q, z, ok, kept

    return over_batch(core, _complex(A, B), (2, 2))
