"""Random estimates of rank and norm."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, implements
from sci.bridge.worlds import is_jax
from sci.linalg.interpolative._arguments import ODD, OVERSAMPLING, adjoint, apply, draw, matrix, sketch, sketch_sizes
from solvers.linear.interpolative import spectral_norm

__all__ = ["estimate_rank", "estimate_spectral_norm", "estimate_spectral_norm_diff"]


def _prepare_rank(call: Call) -> None:
    dtype, shape, linear = matrix(call)
    eps = call["eps"]
    if not is_jax(eps) and not eps >= 0:
        raise ValueError(f"argument 'eps' is {eps!r}; allowed are numbers from 0")
    call["rows"], call["most"] = np.zeros(shape[0], dtype), min(shape)
    call["more"] = 0 if linear else OVERSAMPLING
    call["sizes"] = sketch_sizes(shape) if call.numpy else sketch_sizes(shape)[-1:]
    call["normal"] = draw(call, (shape[0], call["sizes"][-1]), dtype)
    call["omega"] = call["normal"][:, : call["sizes"][0]]


def _drive_rank(call: Call, run: Any) -> int:
    for size in call["sizes"]:
        rank = int(run(omega=call["normal"][:, :size]))
        if rank + OVERSAMPLING <= size:
            break
    return min(rank + call["more"], call["most"])


@implements(
    "scipy.linalg.interpolative.estimate_rank",
    callables={"rmatvec": lambda call: (call["rows"],)},
    trees=("A",),
    dtypes={"A": "keep"},
    extras={"key": None},
    prepare=_prepare_rank,
    drive=_drive_rank,
    finish_jax=lambda call, rank: jnp.minimum(rank + call["more"], call["most"]),
    grad=False,
    note="LinearOperator subclasses, and operators without an adjoint.",
    examples=lambda: [
        Example((np.outer(np.arange(1.0, 6), np.arange(1.0, 7)), 1e-6), {"rng": 1}, vmap=("A",), skip_odd=ODD),
    ],
)
def estimate_rank(A: Any, rmatvec: Any, omega: Any, eps: Any) -> Any:
    """An estimate of the rank to a relative precision.

    Parameters
    ----------
    A : array or LinearOperator with its adjoint, shape (m, n)
        Of float64 or complex128 in the NumPy world.
    eps : float
        Singular values up to `eps` times the largest one count as zero.
    rng : Generator or seed, optional
        For the sketch, whose numbers are not SciPy's.
    key : JAX random key, optional
        Ours; decides instead of `rng`.

    Returns
    -------
    int
        For an array 8 more than what the sketch shows, up to the least side, as SciPy's is meant to be an upper bound.

    Raises
    ------
    ValueError
        For other types and shapes.
    TypeError
        If `A` is no array or operator.

    References
    ----------
    N. Halko, P. G. Martinsson, J. A. Tropp, "Finding structure with randomness", SIAM Review 53 (2011) 217-288: the
    singular values of Gaussian sketches of growing size.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.linalg import interpolative
    >>> interpolative.estimate_rank(np.ones((30, 30)), 1e-9)
    9
    """
    s = jnp.linalg.svd(sketch(A, rmatvec, omega), compute_uv=False)
    return (s > eps * s[0]).sum()


def _prepare_norm(call: Call) -> None:
    dtype, shape, _ = matrix(call, coerce=True)
    call["its"] = int(call["its"])
    if call["its"] < 0:
        raise ValueError(f"argument 'its' is {call['its']}; allowed are integers from 0")
    call["start"] = draw(call, (shape[1],), dtype)
    call["rows"] = np.zeros(shape[0], dtype)


def _prepare_diff(call: Call) -> None:
    _prepare_norm(call)
    _, shape, _ = matrix(call, "B", coerce=True)
    if shape != (call["rows"].shape[0], call["start"].shape[0]):
        raise ValueError(f"argument 'B' has shape {shape}, 'A' has {(call['rows'].shape[0], call['start'].shape[0])}")


def _forward(call: Call) -> tuple[Any, ...]:
    return (call["start"],)


def _backward(call: Call) -> tuple[Any, ...]:
    return (call["rows"],)


_FACTS: dict[str, Any] = {
    "static": ("its",),
    "extras": {"key": None},
    "finish": lambda call, out: float(out),
    "note": "LinearOperator subclasses, and operators without an adjoint.",
}


def _close(result: Any, original: Any) -> None:
    np.testing.assert_allclose(result, original, rtol=1e-6)


@implements(
    "scipy.linalg.interpolative.estimate_spectral_norm",
    callables={"matvec": _forward, "rmatvec": _backward}, trees=("A",), dtypes={"A": "keep"}, prepare=_prepare_norm,
    **_FACTS,
    examples=lambda: [
        Example((np.array([[5.0, 1.0], [0.5, 1.0], [0.2, 0.1]]),), {"rng": 1}, check=_close, grad=("A",), vmap=("A",),
                skip_odd=ODD),
    ],
)  # fmt: skip
def estimate_spectral_norm(A: Any, matvec: Any, rmatvec: Any, start: Any, its: int) -> Any:
    """An estimate of the largest singular value, from below.

    Parameters
    ----------
    A : array, sparse matrix, or LinearOperator with its adjoint, shape (m, n)
        Of float64 or complex128 in the NumPy world.
    its : int
        Steps of the power method.
    rng : Generator or seed, optional
        For the start, whose numbers are not SciPy's.
    key : JAX random key, optional
        Ours; decides instead of `rng`.

    Returns
    -------
    float
        Differentiable, where the iteration has converged.

    Raises
    ------
    ValueError, TypeError
        For other types and shapes.

    References
    ----------
    J. D. Dixon, "Estimating extremal eigenvalues and condition numbers of matrices", SIAM J. Numer. Anal. 20 (1983)
    812-814.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.linalg import interpolative
    >>> round(interpolative.estimate_spectral_norm(np.diag([3.0, 1.0])), 6)
    3.0
    """
    return spectral_norm(lambda x: apply(A, matvec, x), lambda x: adjoint(A, rmatvec, x), start, its)


@implements(
    "scipy.linalg.interpolative.estimate_spectral_norm_diff",
    callables={"matvec": _forward, "rmatvec": _backward, "matvec_b": _forward, "rmatvec_b": _backward},
    trees=("A", "B"), dtypes={"A": "keep", "B": "keep"}, prepare=_prepare_diff,
    **_FACTS,
    examples=lambda: [
        Example((np.array([[5.0, 1.0], [0.5, 1.0]]), np.array([[1.0, 1.0], [0.5, 0.5]])), {"rng": 1}, check=_close,
                grad=("A", "B"), vmap=("A",), skip_odd=ODD),
    ],
)  # fmt: skip
def estimate_spectral_norm_diff(
    A: Any, B: Any, matvec: Any, rmatvec: Any, matvec_b: Any, rmatvec_b: Any, start: Any, its: int
) -> Any:
    """An estimate of the largest singular value of ``A - B``; see `estimate_spectral_norm`.

    Parameters
    ----------
    A, B : arrays, sparse matrices, or LinearOperators with their adjoints, shape (m, n)
    its, rng, key
        As for `estimate_spectral_norm`.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        For other types, and shapes that differ.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.linalg import interpolative
    >>> round(interpolative.estimate_spectral_norm_diff(np.diag([3.0, 1.0]), np.eye(2)), 6)
    2.0
    """

    def forward(x: Any) -> Any:
        return apply(A, matvec, x) - apply(B, matvec_b, x)

    def backward(x: Any) -> Any:
        return adjoint(A, rmatvec, x) - adjoint(B, rmatvec_b, x)

    return spectral_norm(forward, backward, start, its)
