"""Beta functions and what counts combinations: `beta`, `betaln`, `betainc`, `binom`, `comb`, `factorial`."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.special.common import points, silent, ufunc, within
from sci.special.kernels import beta as kernels
from sci.special.kernels import incomplete_beta as incomplete
from sci.special.kernels.core import elementwise
from sci.special.kernels.gamma import gamma

__all__ = ["beta", "betainc", "betaincc", "betaln", "binom", "comb", "factorial", "perm"]


@ufunc("scipy.special.beta", examples=points([0.5, 2.5, 11.0], [1.5, 0.3, 7.0], grad="a b"))
def beta(a, b):
    """Beta function, negative arguments included.

    Examples
    --------
    >>> from sci.special import beta
    >>> round(float(beta(2.0, 3.0)), 12)
    0.083333333333
    """
    return elementwise(kernels.beta, a, b)


@ufunc("scipy.special.betaln", examples=points([0.5, 2.5, 11.0], [1.5, 0.3, 7.0], grad="a b"))
def betaln(a, b):
    """log |B(a, b)| without cancellation for large arguments.

    References
    ----------
    DiDonato and Morris, "Algorithm 708", ACM TOMS 18 (1992): differences of Stirling's corrections.

    Examples
    --------
    >>> from sci.special import betaln
    >>> round(float(betaln(2.0, 3.0)), 12)
    -2.484906649788
    """
    return elementwise(kernels.betaln, a, b)


moderate = within(0.02, 1e6, "a", "b")

BOUNDS = (
    "a or b outside [0.02, 1e6] (for JAX arrays the result there is right in absolute terms, "
    "and nan where the continued fraction has not converged)."
)


@ufunc(
    "scipy.special.betainc", supports=moderate, note=BOUNDS,
    examples=points([0.5, 2.5, 40.0], [1.5, 0.3, 25.0], [0.2, 0.9, 0.6], grad="a b x"),
)  # fmt: skip
def betainc(a, b, x):
    """Regularised incomplete beta function, right relative to itself in its tail.

    References
    ----------
    DiDonato and Morris' continued fraction, ACM TOMS 18 (1992).

    Examples
    --------
    >>> from sci.special import betainc
    >>> round(float(betainc(2.0, 1.0, 0.5)), 12)
    0.25
    """
    return elementwise(incomplete.beta_p, a, b, x)


@ufunc(
    "scipy.special.betaincc", supports=moderate, note=BOUNDS,
    examples=points([0.5, 2.5, 40.0], [1.5, 0.3, 25.0], [0.2, 0.9, 0.6], grad="a b x"),
)  # fmt: skip
def betaincc(a, b, x):
    """1 - betainc(a, b, x), right relative to itself in its tail.

    Examples
    --------
    >>> from sci.special import betaincc
    >>> float(betaincc(2.0, 1.0, 0.5))
    0.75
    """
    return elementwise(incomplete.beta_q, a, b, x)


@ufunc("scipy.special.binom", examples=points([5.5, 30.0], [2.2, 3.5], grad="x y"))
def binom(x, y):
    """Binomial coefficient of real arguments.

    Examples
    --------
    >>> from sci.special import binom
    >>> float(binom(5.0, 2.0))
    10.0
    """
    return elementwise(kernels.binom, x, y)


def inexact_only(call: Call) -> None:
    if call["exact"]:
        raise HostRoute(Reason.OPTION, "exact=True: Python integers")


def whole_numbers(call: Call) -> None:
    """SciPy's dispatch of `factorial` by dtype happens there; real and whole numbers are ours."""
    inexact_only(call)
    n = call["n"]
    call["array"] = isinstance(n, np.ndarray)
    if call["extend"] != "zero":
        raise HostRoute(Reason.OPTION, f"extend={call['extend']!r}")
    if isinstance(n, (int, float)) and not isinstance(n, bool):
        return
    numbers = isinstance(n, (np.ndarray, jax.Array, np.generic)) and n.dtype.kind in "iuf"
    if not (numbers and (np.ndim(n) == 0 or n.size)):
        raise HostRoute(Reason.DTYPE, "n is not an array of real numbers")
    if call.numpy and (call["array"] or isinstance(n, np.float16)):
        call["n"] = np.asarray(n, np.float64)  # SciPy's result dtype for arrays, whatever theirs


def array_for_array(call: Call, out: np.ndarray) -> np.ndarray:
    """An array gives an array, of no dimensions too, where a ufunc gives a scalar."""
    return np.asarray(out) if call["array"] else out


def factorial_kernel(n):
    return jnp.where(n < 0, 0.0, gamma(jnp.where(n < 0, 0.0, n) + 1))


@implements(
    "scipy.special.factorial", prepare=whole_numbers, supports=silent, finish=array_for_array,
    note="exact=True, extend='complex', object arrays.",
    examples=lambda: [Example((np.array([0.0, 3.0, 5.5, 30.0]),), vmap=("n",), grad=())],
)  # fmt: skip
def factorial(n):
    """n! as gamma(n + 1), 0 for n < 0.

    Examples
    --------
    >>> from sci.special import factorial
    >>> float(factorial(5))
    120.0
    """
    return elementwise(factorial_kernel, n)


def comb_kernel(n, k):
    allowed = (k <= n) & (n >= 0) & (k >= 0)
    return jnp.where(allowed, kernels.binom(jnp.where(allowed, n, 1.0), jnp.where(allowed, k, 1.0)), 0.0)


def repeated_comb_kernel(n, k):
    value = kernels.binom(n + k - 1, k)
    return jnp.where((k == 0) & (n >= 0), 1.0, value)


@implements(
    "scipy.special.comb", prepare=inexact_only, supports=silent, static=("repetition",),
    dtypes={"N": "float", "k": "float"},
    note="exact=True.",
    examples=lambda: [Example((np.array([5.0, 30.0]), np.array([2.0, 3.0])), vmap=("N", "k"))],
)  # fmt: skip
def comb(N, k, repetition):
    """Number of combinations of N things taken k at a time, in floating point.

    Examples
    --------
    >>> from sci.special import comb
    >>> float(comb(5, 2))
    10.0
    """
    return elementwise(repeated_comb_kernel if repetition else comb_kernel, N, k)


def perm_kernel(n, k):
    allowed = (k <= n) & (n >= 0) & (k >= 0)
    return jnp.where(allowed, kernels.poch(jnp.where(allowed, n - k + 1, 1.0), jnp.where(allowed, k, 1.0)), 0.0)


@implements(
    "scipy.special.perm", prepare=inexact_only, supports=silent, dtypes="float", note="exact=True.",
    examples=lambda: [Example((np.array([5.0, 30.0]), np.array([2.0, 3.0])), vmap=("N", "k"))],
)  # fmt: skip
def perm(N, k):
    """Number of k-permutations of N, in floating point.

    Examples
    --------
    >>> from sci.special import perm
    >>> float(perm(5, 2))
    20.0
    """
    return elementwise(perm_kernel, N, k)
