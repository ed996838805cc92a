"""Generalised Schur forms of pairs of matrices."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import LinAlgWarning

from sci.bridge import Call, Example, implements, warn_user
from sci.bridge.worlds import is_jax
from sci.linalg._batch import core_shapes, over_batch, promoted
from solvers.eigen.qz import generalized_schur, reorder_generalized_schur
from solvers.eigen.real_qz import real_generalized_schur
from solvers.eigen.real_qz_order import quasi_triangular_eigenvalues, reorder_real_generalized_schur

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
    # complex matrices have the complex form only, whatever is asked for
    call["real"] = call["output"][0] == "r" and not any(jnp.iscomplexobj(call[name]) for name in ("A", "B"))


def _prepare_qz(call: Call) -> None:
    if call["sort"] is not None:
        raise ValueError(
            "The 'sort' input of qz() has to be None and will be removed in a future release. Use ordqz instead."
        )
    _prepare(call)


def _typed(a: Any, b: Any, real: bool) -> tuple[Any, ...]:
    a, b = promoted(a, b)
    return (a, b) if real else promoted(a, b, jnp.zeros((), jnp.result_type(a, jnp.complex64)))[:2]


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
            np.testing.assert_allclose(np.tril(triangle, -1 if np.iscomplexobj(triangle) else -2), 0, atol=1e-14)
        assert [x.dtype for x in form] == [x.dtype for x in original]
    for ours, theirs in zip(*pairs, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


# SciPy's own wrappers fail on some of these in ways of their own; phases, which a stack compares, are not unique
_ODD = ("empty", "0-d", "string", "object", "nan", "inf", "one axis more")


def _example() -> tuple[Any, ...]:
    return [[1.0, 2.0j, -1.0], [5.0, 5.0, 5.0], [2.0, 4.0, -8.0j]], [[1.0, 1.0, -3.0], [3.0, 1j, -1.0], [5.0, 6.0, -2]]


@implements(
    "scipy.linalg.qz",
    static=("real",),
    ignored=("overwrite_a", "overwrite_b", "lwork", "output", "sort"),
    finite=("A", "B"),
    prepare=_prepare_qz,
    finish=_finish,
    finish_jax=_finish_jax,
    grad=False,
    examples=lambda: [
        Example(_example(), {"output": "complex"}, check=_same_pair, vmap=("A",), skip_odd=_ODD),
        Example(([[1.0, 2.0], [-3.0, 1.5]], [[1.0, 0.5], [0.0, 2.0]]), check=_same_pair, vmap=("A",),
                skip_odd=(*_ODD, "float32", "int64")),  # types: tests/linalg/test_qz.py
    ],
)  # fmt: skip
def qz(A: Any, B: Any, real: bool) -> Any:
    """Generalised Schur form of a pair: ``A = Q @ AA @ Z^H``, ``B = Q @ BB @ Z^H``.

    Parameters
    ----------
    A, B : array_like, shape (..., n, n)
        Matrices.
    output : {'real', 'complex'}
        Of real matrices: 'real' keeps them real, with blocks of order 2 for complex pairs of eigenvalues.
    sort, lwork, overwrite_a, overwrite_b, check_finite
        As in SciPy: `sort` has to be None.

    Returns
    -------
    AA, BB : array, shape (..., n, n)
        Triangular, the diagonal of BB real and not negative; in the real form AA has blocks of order 2 on its diagonal,
        where BB is diagonal. Eigenvalues may stand in another order than SciPy's.
    Q, Z : array, shape (..., n, n)
        Unitary, or orthogonal. Not differentiable.

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
    (1973) 241-256: with single complex shifts, or real double ones.

    Examples
    --------
    >>> from sci import linalg
    >>> aa, bb, q, z = linalg.qz([[1.0, 2.0], [0.0, 3.0]], [[1.0, 0.0], [0.0, 2.0]], output="complex")
    >>> (aa.diagonal() / bb.diagonal()).real.round(12)
    array([1. , 1.5])
    """
    schur = real_generalized_schur if real else generalized_schur
    return over_batch(schur, _typed(A, B, real), (2, 2))


def _prepare_ordqz(call: Call) -> None:
    _prepare(call)
    sort = call["sort"]
    if not callable(sort) and sort not in _SORTS:
        raise ValueError(f"sort parameter must be None, a callable, or one of {_SORTS}, got {sort!r}")
    # a number, so that another rule does not compile again
    call["rule"], call["chosen"] = (0, sort) if callable(sort) else (_SORTS.index(sort), None)


def _pairs(call: Call) -> tuple[Any, ...]:
    """Eigenvalues where they may be looked at: the points at which the function is used."""
    kind = np.result_type(call["A"].dtype, call["B"].dtype, np.complex64)
    n = call["A"].shape[-1]
    of_beta = kind.type(0).real.dtype if call["real"] else kind
    if call.numpy:
        import scipy.linalg

        a, b = (call[name][(0,) * (call[name].ndim - 2)] for name in ("A", "B"))
        if np.isfinite(a).all() and np.isfinite(b).all():
            alpha, beta = scipy.linalg.eigvals(a, b, homogeneous_eigvals=True)
            return alpha.astype(kind), (beta.real if call["real"] else beta).astype(of_beta)
    return np.ones(n, kind), np.ones(n, of_beta)


def _by_rule(rule: Any, alpha: Any, beta: Any) -> Any:
    """Whether ``alpha / beta`` is chosen by the rule of this number in `_SORTS`."""
    finite = beta != 0
    value = alpha / jnp.where(finite, beta, 1)
    rules = jnp.stack([value.real < 0, value.real > 0, jnp.abs(value) < 1, jnp.abs(value) > 1])
    return jnp.where(finite, rules[rule], (rule == _SORTS.index("ouc")) & (alpha != 0))


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
    static=("real",),
    callables={"chosen": _pairs},
    dtypes={"A": "inexact", "B": "inexact", "rule": "keep"},
    ignored=("overwrite_a", "overwrite_b", "output", "sort"),
    finite=("A", "B"),
    prepare=_prepare_ordqz,
    finish=_finish_ordqz,
    finish_jax=lambda call, out: _finish_jax(call, (*out[:-2], out[-2] & out[-1])),
    grad=False,
    examples=lambda: [Example(_example(), {"sort": "rhp"}, check=_same_pair, vmap=("A",), skip_odd=_ODD)],
)
def ordqz(A: Any, B: Any, real: bool, rule: Any, chosen: Any) -> Any:
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
        ``alpha / beta`` are the eigenvalues; beta is the diagonal of BB, and alpha that of AA where it is triangular.
    Q, Z : array, shape (..., n, n)
        Unitary. Not differentiable.

    Raises
    ------
    ValueError
        As `qz`; for an unknown `sort`; if rounding errors spoil an exchange (NumPy world; NaN in the JAX world).

    References
    ----------
    See `qz`. P. Van Dooren, "A generalized eigenvalue approach for solving Riccati equations", SIAM J. Sci. Stat.
    Comput. 2 (1981) 121-135; B. Kagstrom, "A direct method for reordering eigenvalues in the generalized real Schur
    form of a regular matrix pair (A, B)" (1993).

    Examples
    --------
    >>> import numpy as np
    >>> from sci import linalg
    >>> aa, bb, alpha, beta, q, z = linalg.ordqz(np.eye(2), np.diag([2.0, -4.0]), sort="lhp", output="complex")
    >>> (alpha / beta).real
    array([-0.25,  0.5 ])
    """

    def eigenvalues(s: jax.Array, t: jax.Array) -> tuple[jax.Array, jax.Array]:
        return quasi_triangular_eigenvalues(s, t) if real else (jnp.diagonal(s), jnp.diagonal(t))

    def core(a: jax.Array, b: jax.Array) -> tuple[Any, ...]:
        s, t, q, z, ok = (real_generalized_schur if real else generalized_schur)(a, b)
        alpha, beta = eigenvalues(s, t)
        wanted = _by_rule(rule, alpha, beta) if chosen is None else jnp.asarray(chosen(alpha, beta))
        if wanted.shape != alpha.shape:
            raise ValueError(f"argument 'sort' returned an array of shape {wanted.shape}; allowed is {alpha.shape}")
        reorder = reorder_real_generalized_schur if real else reorder_generalized_schur
        s, t, q, z, lost = reorder(s, t, q, z, wanted.astype(bool))
        size = 1.0 if real else jnp.maximum(jnp.abs(a).max(), jnp.abs(b).max()) * a.shape[0]
        kept = lost <= 1000 * jnp.finfo(a.dtype).eps * size
        return s, t, *eigenvalues(s, t), q, z, ok, kept | ~ok

    return over_batch(core, _typed(A, B, real), (2, 2))
