"""Gamma and its kin: `gamma`, `rgamma`, `gammaln`, `loggamma`, `digamma`, `polygamma`, `zeta`, `poch`."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.special.common import checks, points, real, silent, ufunc
from sci.special.kernels import beta as pairs
from sci.special.kernels import gamma as kernels
from sci.special.kernels import incomplete_gamma as incomplete
from sci.special.kernels.core import elementwise

__all__ = [
    "digamma",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammaln",
    "gammasgn",
    "loggamma",
    "multigammaln",
    "poch",
    "polygamma",
    "psi",
    "rgamma",
    "zeta",
    "zetac",
]

COMPLEX = "complex arguments."


@ufunc("scipy.special.gamma", supports=real, note=COMPLEX, examples=points([-1.3, 0.4, 1.0, 5.5, 20.25], grad="x"))
def gamma(x):
    """Gamma function of a real argument.

    Differentiable in `x` to every order.

    References
    ----------
    DLMF 5.11.3 (Stirling), 5.5.1, 5.5.3, and a Chebyshev series around 2.

    Examples
    --------
    >>> from sci.special import gamma
    >>> float(gamma(5.0))
    24.0
    """
    return elementwise(kernels.gamma, x)


@ufunc("scipy.special.rgamma", supports=real, note=COMPLEX, examples=points([-1.3, 0.4, 1.0, 5.5], grad="x"))
def rgamma(x):
    """1 / Gamma(x), an entire function: zero at 0, -1, -2, ..., where its derivative is (-1)^n n!.

    Examples
    --------
    >>> from sci.special import rgamma
    >>> float(rgamma(-3.0))
    0.0
    """
    return elementwise(kernels.rgamma, x)


@ufunc("scipy.special.gammaln", supports=real, examples=points([-1.3, 0.4, 1.2, 5.5, 200.0], grad="x"))
def gammaln(x):
    """log |Gamma(x)|, right relative to itself next to its zeros at 1 and 2 as well.

    Examples
    --------
    >>> from sci.special import gammaln
    >>> float(gammaln(2.0))
    0.0
    """
    return elementwise(kernels.gammaln, x)


def loggamma_kernel(x):
    return jnp.where(x < 0, jnp.nan, kernels.gammaln(jnp.where(x < 0, 1.5, x)))


@ufunc("scipy.special.loggamma", supports=real, note=COMPLEX, examples=points([0.4, 1.2, 5.5], grad="z"))
def loggamma(z):
    """Principal branch of log Gamma: for real arguments nan below zero, as in SciPy.

    Examples
    --------
    >>> from sci.special import loggamma
    >>> round(float(loggamma(4.0)), 12)
    1.791759469228
    """
    return elementwise(loggamma_kernel, z)


@ufunc("scipy.special.gammasgn", examples=points([-1.3, 0.4, 5.5], vmap="x"), grad=False)
def gammasgn(x):
    """Sign of Gamma(x).

    Examples
    --------
    >>> from sci.special import gammasgn
    >>> float(gammasgn(-0.5))
    -1.0
    """
    return elementwise(kernels.gammasgn, x)


@ufunc("scipy.special.digamma", supports=real, note=COMPLEX, examples=points([-1.3, 0.4, 1.2, 5.5], grad="x"))
def digamma(x):
    """psi(x), the logarithmic derivative of the gamma function.

    Examples
    --------
    >>> from sci.special import digamma
    >>> round(float(digamma(1.0)), 12)
    -0.577215664902
    """
    return elementwise(kernels.digamma, x)


@ufunc("scipy.special.psi", supports=real, note=COMPLEX, examples=points([-1.3, 0.4, 1.2, 5.5], grad="x"))
def psi(x):
    """Another name of `digamma`.

    Examples
    --------
    >>> from sci.special import psi
    >>> round(float(psi(1.0)), 12)
    -0.577215664902
    """
    return elementwise(kernels.digamma, x)


def whole_order(call: Call) -> None:
    """`polygamma`: one whole order n for all x is a constant of the program; several go to the host."""
    n = call["n"]
    if isinstance(n, (int, np.integer)) and not isinstance(n, bool):
        order = int(n)
    else:
        try:
            value = np.asarray(n)
        except Exception:
            raise HostRoute(Reason.OPTION, "a traced order n") from None
        if value.ndim or value.dtype.kind not in "iuf" or value != np.floor(value):
            raise HostRoute(Reason.OPTION, "an array of orders n, or one that is not whole")
        order = int(value)
    if not 0 <= order <= 100:
        raise HostRoute(Reason.OPTION, f"n={order}, 0 to 100 are native")
    call["order"] = order
    if call.numpy and getattr(call["x"], "dtype", None) in (np.float16, np.float32):
        call["x"] = np.asarray(call["x"], np.float64)  # SciPy's factor is a float64: so is its result


@implements(
    "scipy.special.polygamma", prepare=whole_order, supports=silent, static=("order",), dtypes="float",
    examples=lambda: [Example((2, np.array([0.3, 1.7, -1.3, 8.5])), grad=("x",), vmap=("x",))],
    note="orders n that are arrays, not whole or over 100.",
)  # fmt: skip
def polygamma(x, order):
    """n-th derivative of `digamma`, for one whole order n.

    References
    ----------
    DLMF 5.15.2, through the Hurwitz zeta function.

    Examples
    --------
    >>> from sci.special import polygamma
    >>> round(float(polygamma(1, 1.0)), 12)
    1.644934066848
    """
    return elementwise(kernels.polygamma(order), x)


def two_arguments(call: Call) -> None:
    call["pair"] = call["q"] is not None
    if call["q"] is None:
        call["q"] = 1.0


@implements(
    "scipy.special.zeta", prepare=two_arguments, supports=checks(silent, real), dtypes="float",
    static=("pair",), out="out",
    note=COMPLEX,
    examples=lambda: [
        Example((np.array([-1.5, 0.5, 2.5, 7.0]),), grad=("x",), vmap=("x",)),
        Example((np.array([1.5, 2.5]), np.array([0.3, 4.0])), grad=("x", "q"), vmap=("x", "q")),
    ],
)  # fmt: skip
def zeta(x, q, pair):
    """Riemann's zeta function of a real argument, or Hurwitz' zeta(x, q).

    References
    ----------
    Euler-Maclaurin summation, DLMF 25.11.5; reflection, DLMF 25.4.1.

    Examples
    --------
    >>> from sci.special import zeta
    >>> round(float(zeta(2.0)), 12)
    1.644934066848
    """
    return elementwise(kernels.hurwitz, x, q) if pair else elementwise(kernels.zeta, x)


@ufunc("scipy.special.zetac", examples=points([-1.5, 0.5, 2.5, 60.0], grad="x"))
def zetac(x):
    """zeta(x) - 1, right relative to itself for large x.

    Examples
    --------
    >>> from sci.special import zetac
    >>> round(float(zetac(2.0)), 12)
    0.644934066848
    """
    return elementwise(kernels.zetac, x)


@ufunc("scipy.special.poch", examples=points([0.5, 2.5, -1.3], [1.5, 3.0, 0.4], grad="z m"))
def poch(z, m):
    """Rising factorial Gamma(z + m) / Gamma(z).

    Examples
    --------
    >>> from sci.special import poch
    >>> round(float(poch(1.0, 4.0)), 10)
    24.0
    """
    return elementwise(pairs.poch, z, m)


@ufunc("scipy.special.gammainc", examples=points([0.4, 2.5, 30.0, 60.0], [0.3, 4.0, 31.0, 20.0], grad="a x"))
def gammainc(a, x):
    """Regularised lower incomplete gamma function P(a, x), right relative to itself in its tail.

    References
    ----------
    Temme's uniform expansion (DLMF 8.12) for a >= 25 near x = a, DLMF 8.7.1 and 8.9.2 elsewhere.

    Examples
    --------
    >>> from sci.special import gammainc
    >>> round(float(gammainc(1.0, 2.0)), 12)
    0.864664716763
    """
    return elementwise(incomplete.gamma_p, a, x)


@ufunc("scipy.special.gammaincc", examples=points([0.4, 2.5, 30.0, 60.0], [0.3, 4.0, 31.0, 80.0], grad="a x"))
def gammaincc(a, x):
    """Regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x), right relative to itself.

    Examples
    --------
    >>> from sci.special import gammaincc
    >>> round(float(gammaincc(1.0, 2.0)), 12)
    0.135335283237
    """
    return elementwise(incomplete.gamma_q, a, x)


def order_and_bound(call: Call) -> None:
    d = np.asarray(call["d"])
    if not np.isscalar(call["d"]) or d != np.floor(d):
        raise ValueError(f"d should be a positive integer (dimension): d={call['d']!r}")
    call["dimension"] = int(d)
    if not call.numpy:
        return
    a = np.asarray(call["a"])
    if a.dtype in (np.float16, np.float32):
        call["a"] = a.astype(np.float64)  # SciPy's constant is a float64: so is its result
    if a.dtype.kind in "biuf" and np.any(a <= 0.5 * (d - 1)):
        raise ValueError(f"condition a ({np.min(a):f}) > 0.5 * (d-1) ({0.5 * (int(d) - 1):f}) not met")


@implements(
    "scipy.special.multigammaln", prepare=order_and_bound, supports=silent, static=("dimension",), dtypes="float",
    examples=lambda: [Example((np.array([2.5, 4.0, 11.5]), 3), grad=("a",), vmap=("a",))],
)  # fmt: skip
def multigammaln(a, dimension):
    """Logarithm of the multivariate gamma function, the dimension d a constant of the program.

    Examples
    --------
    >>> from sci.special import multigammaln
    >>> round(float(multigammaln(4.0, 2)), 12)
    3.5650980145
    """
    constant = 0.25 * dimension * (dimension - 1) * float(np.log(np.pi))
    total = sum(elementwise(kernels.gammaln, a - 0.5 * j) for j in range(dimension))
    return total + constant
