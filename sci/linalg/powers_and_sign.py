"""Fractional powers and the sign of a matrix."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import solvers.linear as linear
from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.linalg._batch import over_batch, square_core
from sci.linalg._shared import widen
from sci.linalg.logarithm import _logm
from sci.linalg.matrix_functions import _expm
from sci.linalg.square_root import _LIMIT, _deprecated, maybe_real

__all__ = ["fractional_matrix_power", "signm"]


def _prepare_power(call: Call) -> None:
    t = call["t"]
    call["whole"] = None
    if call.numpy or isinstance(t, (int, float)):
        if t == int(t):
            call["whole"] = int(t)
        call["t"] = float(t)
    if call.numpy and call["whole"] is None:
        call["A"] = widen(call["A"])


def _finish_power(call: Call, out: Any) -> Any:
    x, singular = out
    if call["whole"] is None and np.any(singular):
        x = np.where(np.asarray(singular)[..., None, None], np.nan, x)
    return maybe_real(call["A"], x)


@implements(
    "scipy.linalg.fractional_matrix_power",
    static=("whole",),
    prepare=_prepare_power,
    validate=lambda call: square_core(call, "A", "expected square array_like input") and None,
    finish=_finish_power,
    finish_jax=lambda call, out: out[0],
    examples=lambda: [
        Example(
            ([[4.0, 1.0], [0.5, 3.0]], 0.3), grad=("A",), vmap=("A",), float32=False, skip_odd=("nan", "inf", "0-d")
        ),
        Example(([[4.0, 1.0], [0.5, 3.0]], -2), grad=("A",)),
    ],
)
def fractional_matrix_power(A: Any, t: Any, whole: int | None) -> Any:
    """A real power of a matrix.

    Parameters
    ----------
    A : array_like, shape (..., n, n)
        Matrices.
    t : float
        The exponent; whole numbers by repeated products.

    Returns
    -------
    array, shape (..., n, n)
        ``exp(t * log(A))`` for fractional t: real in the NumPy world where it can be, always complex in the JAX world;
        NaN for a singular matrix. Differentiable.

    Raises
    ------
    ValueError
        If `A` is not square.

    References
    ----------
    N. J. Higham, "Functions of Matrices", SIAM 2008, chapter 7; see `logm` and `expm`.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.fractional_matrix_power([[1.0, 3.0], [0.0, 4.0]], 0.5).round(12)
    array([[1., 1.],
           [0., 2.]])
    """
    if A.size == 0 or whole is not None:
        return (A if A.size == 0 else jnp.linalg.matrix_power(A, int(whole or 0))), jnp.array(False)

    def core(a: jax.Array) -> tuple[jax.Array, jax.Array]:
        singular = jnp.abs(jnp.linalg.eigvals(lax.stop_gradient(a))).min() == 0
        return jnp.where(singular, jnp.nan, _expm(t * _logm(a))), singular

    return over_batch(core, (A,), (2,))


def _prepare_signm(call: Call) -> None:
    _deprecated(call, "disp")
    a = np.asarray(call["A"]) if call.numpy else np.eye(1)
    if a.dtype.kind in "biufc" and a.ndim >= 2 and a.shape[-1] == a.shape[-2] and a.size and np.isfinite(a).all():
        w = np.linalg.eigvals(a)
        eps = np.finfo(w.real.dtype).eps
        if (np.abs(w.real).min(axis=-1) <= 1e3 * eps * np.abs(w).max(axis=-1)).any():
            raise HostRoute(Reason.OPTION, "an eigenvalue on the imaginary axis, whose sign SciPy rounds to zero")


def _finish_signm(call: Call, out: Any) -> Any:
    s, error = out
    if not call["disp"]:
        return s, error
    if not np.all(np.isfinite(error) & (error < _LIMIT)):
        print("signm result may be inaccurate, approximate err =", np.max(error))
    return s


@implements(
    "scipy.linalg.signm",
    prepare=_prepare_signm,
    validate=lambda call: square_core(call, "A", "expected square array_like input") and None,
    finish=_finish_signm,
    note="eigenvalues on the imaginary axis.",
    finish_jax=lambda call, out: out[0] if call["disp"] else out,
    examples=lambda: [
        Example(([[4.0, 1.0], [0.5, -3.0]],), grad=("A",), vmap=("A",), skip_odd=("nan", "inf", "empty")),
    ],
)
def signm(A: Any) -> Any:
    """The sign of a matrix: eigenvalues become 1 or -1 by the side of the imaginary axis they are on.

    Parameters
    ----------
    A : array_like, shape (..., n, n)
        Matrices without eigenvalues on the imaginary axis.
    disp
        Deprecated, as in SciPy.

    Returns
    -------
    array, shape (..., n, n)
        Differentiable.

    Raises
    ------
    ValueError
        If `A` is not square.

    References
    ----------
    N. J. Higham, "Functions of Matrices", SIAM 2008, chapter 5: Newton's iteration scaled by the determinant. The
    derivative solves ``s d + d s^-1 ...``: ``n d + d n = da - s da s`` with n = s a.

    Examples
    --------
    >>> from sci import linalg
    >>> linalg.signm([[2.0, 0.0], [0.0, -3.0]])
    array([[ 1.,  0.],
           [ 0., -1.]])
    """

    def core(a: jax.Array) -> tuple[jax.Array, jax.Array]:
        s = _signm(a)
        fixed = lax.stop_gradient(s)
        return s, jnp.abs(fixed @ fixed - jnp.eye(a.shape[0], dtype=a.dtype)).sum(axis=0).max(initial=0)

    return over_batch(core, (A,), (2,))


@jax.custom_jvp
def _signm(a: jax.Array) -> jax.Array:
    n = a.shape[0]
    if n == 0:
        return a
    eps = float(jnp.finfo(a.dtype).eps)
    # eigenvalues on the imaginary axis have no sign
    w = jnp.linalg.eigvals(a)
    a = jnp.where(jnp.abs(w.real).min() <= 1e3 * eps * jnp.abs(w).max(), jnp.nan, a)

    def step(carry: tuple[Any, ...]) -> tuple[Any, ...]:
        k, s, _ = carry
        inverse = jnp.linalg.inv(s)
        _, log_det = jnp.linalg.slogdet(s)
        scale = jnp.where(k < 6, jnp.exp(-log_det / n), 1.0)  # unscaled at the end, which converges quadratically
        new = (scale * s + inverse / scale) / 2
        change = jnp.abs(new - s).sum(axis=0).max() / jnp.abs(new).sum(axis=0).max()
        return k + 1, new.astype(a.dtype), change

    start = (0, a, jnp.array(jnp.inf, a.real.dtype))
    going = lambda carry: (carry[0] < 100) & (carry[2] > 10 * n * eps)  # noqa: E731
    return lax.while_loop(going, step, start)[1]


@_signm.defjvp
def _signm_jvp(primals: Any, tangents: Any) -> Any:
    (a,), (da,) = primals, tangents
    s = _signm(a)
    positive = s @ a  # its eigenvalues lie in the right half plane
    ds = linear.solve_sylvester(positive, positive, da - s @ da @ s)
    return s, (ds if jnp.iscomplexobj(a) else ds.real)
