"""Schur and Hessenberg forms."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.linalg import LinAlgError

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.linalg._batch import core_shapes, over_batch, square_core
from solvers.linear import real_to_complex_schur

__all__ = ["hessenberg", "rsf2csf", "schur"]


def _prepare_schur(call: Call) -> None:
    if call["output"] not in ("real", "complex", "r", "c"):
        raise ValueError(f"argument must be 'real', or 'complex', got {call['output']!r} for 'output'")
    call["complex_form"] = call["output"][0] == "c"
    if call["sort"] is not None:
        raise HostRoute(Reason.OPTION, "sort= reorders the form by LAPACK's swaps")


def _finish_schur(call: Call, out: Any) -> Any:
    if np.isnan(out[0]).any() and np.isfinite(call["a"]).all():
        raise LinAlgError("Schur form not found. Possibly ill-conditioned.")
    return out


def _check_form(result: Any, original: Any) -> None:
    for ours, theirs in zip(result, original, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-11)
        assert ours.dtype == theirs.dtype


_EXAMPLE = [[1.0, 2.0, 0.0], [-3.0, 1.0, 1.0], [0.5, 0.0, 4.0]]


@implements(
    "scipy.linalg.schur",
    static=("complex_form",),
    ignored=("lwork", "overwrite_a"),
    finite=("a",),
    prepare=_prepare_schur,
    validate=lambda call: square_core(call, "a") and None,
    finish=_finish_schur,
    grad=False,
    note="sort=.",
    examples=lambda: [
        Example((_EXAMPLE,), check=_check_form, vmap=("a",)),
        Example((_EXAMPLE,), {"output": "complex"}, check=_check_form),
    ],
)
def schur(a: Any, complex_form: bool) -> Any:
    """Schur decomposition ``a = Z @ T @ Z^H``.

    Parameters
    ----------
    a : array_like, shape (..., n, n)
        Matrices.
    output : {'real', 'complex'}
        Of a real matrix: T with 2x2 blocks on its diagonal, or triangular and complex.
    lwork, overwrite_a
        Without effect.
    sort
        On the host.

    Returns
    -------
    T, Z : array, shape (..., n, n)
        Not differentiable.

    Raises
    ------
    LinAlgError
        If the iteration does not converge (NumPy world).
    ValueError
        If `a` is not square, or for an unknown `output`.

    References
    ----------
    LAPACK's gees (on the CPU only).

    Examples
    --------
    >>> from sci import linalg
    >>> t, z = linalg.schur([[1.0, 2.0], [0.0, 3.0]])
    >>> t
    array([[1., 2.],
           [0., 3.]])
    """
    if complex_form:
        a = a.astype(jnp.result_type(a, jnp.complex64))
    if a.size == 0:
        return a, a
    t, z = lax.linalg.schur(a)
    return t, z


def _prepare_csf(call: Call) -> None:
    call["check_finite"] = bool(call["check_finite"])


def _validate_csf(call: Call) -> None:
    for name in ("Z", "T"):
        square_core(call, name, f"Input '{name}' must be square")
    t, z = core_shapes(call, T=2, Z=2)
    if t != z:
        raise ValueError(f"Input array shapes must match: Z: {z} vs. T: {t}")
    if call.numpy and np.iscomplexobj(call["T"]) and np.size(call["T"]) and np.diagonal(call["T"], -1, -2, -1).any():
        raise HostRoute(Reason.OPTION, "a complex T with entries below its diagonal")


@implements(
    "scipy.linalg.rsf2csf",
    finite=("T", "Z"),
    prepare=_prepare_csf,
    validate=_validate_csf,
    grad=False,
    note="a complex `T` that is not triangular.",
    examples=lambda: [
        Example(
            (
                np.array([[1.0, 2.0, 0.3], [-3.0, 1.0, 0.5], [0.0, 0.0, 4.0]]),
                np.array([[0.6, 0.8, 0.0], [-0.8, 0.6, 0.0], [0.0, 0.0, 1.0]]),
            ),
            vmap=("Z",),
            float32=False,
        ),
    ],
)
def rsf2csf(T: Any, Z: Any) -> Any:
    """The complex Schur form of a real one.

    Parameters
    ----------
    T, Z : array_like, shape (..., n, n)
        Real Schur form and its vectors; or a complex one, which has to be triangular (in the JAX world the result is
        NaN if it is not).

    Returns
    -------
    T, Z : complex array, shape (..., n, n)
        Not differentiable.

    Raises
    ------
    ValueError
        For shapes that are not square or differ.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed., section 7.4: a rotation for each 2x2 block.

    Examples
    --------
    >>> from sci import linalg
    >>> t, z = linalg.rsf2csf([[0.0, 1.0], [-1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]])
    >>> t.diagonal().imag
    array([ 1., -1.])
    """
    return over_batch(real_to_complex_schur, (T, Z), (2, 2))


def _prepare_hessenberg(call: Call) -> None:
    call["calc_q"] = bool(call["calc_q"])


def _finish_hessenberg(call: Call, out: Any) -> Any:
    if call["calc_q"] and np.shape(call["a"])[-1] in (1, 2):  # SciPy's identity is of double precision
        return out[0], np.broadcast_to(np.eye(np.shape(call["a"])[-1]), out[1].shape).copy()
    return out


@implements(
    "scipy.linalg.hessenberg",
    static=("calc_q",),
    ignored=("overwrite_a",),
    finite=("a",),
    prepare=_prepare_hessenberg,
    validate=lambda call: square_core(call, "a") and None,
    finish=_finish_hessenberg,
    grad=False,
    examples=lambda: [Example((_EXAMPLE,), {"calc_q": True}, vmap=("a",))],
)
def hessenberg(a: Any, calc_q: bool) -> Any:
    """Hessenberg form ``a = Q @ H @ Q^H``.

    Parameters
    ----------
    a : array_like, shape (..., n, n)
        Matrices.
    calc_q : bool
        Return Q too.

    Returns
    -------
    H : array, shape (..., n, n)
        Zero below the first subdiagonal.
    Q : array, shape (..., n, n)
        Unitary, if asked for. Not differentiable.

    Raises
    ------
    ValueError
        If `a` is not square.

    References
    ----------
    LAPACK's gehrd and orghr (on the CPU only).

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.hessenberg([[1.0, 2.0], [3.0, 4.0]])
    array([[1., 2.],
           [3., 4.]])
    """
    n = a.shape[-1]
    if n <= 2 or a.size == 0:
        eye = jnp.broadcast_to(jnp.eye(n, dtype=a.dtype), a.shape)
        return (a, eye) if calc_q else a
    packed, taus = lax.linalg.hessenberg(a)
    h = jnp.triu(packed, -1)
    if not calc_q:
        return h
    q = lax.linalg.householder_product(packed[..., 1:, :-1], taus)
    full = jnp.zeros_like(a).at[..., 0, 0].set(1).at[..., 1:, 1:].set(q)
    return h, full
