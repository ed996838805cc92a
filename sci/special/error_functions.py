"""Error functions, the normal distribution and its inverses, of real arguments."""

from __future__ import annotations

from sci.special.common import points, real, ufunc
from sci.special.kernels import error_functions as kernels
from sci.special.kernels.core import elementwise

__all__ = [
    "dawsn",
    "erf",
    "erfc",
    "erfcinv",
    "erfcx",
    "erfi",
    "erfinv",
    "log_ndtr",
    "ndtr",
    "ndtri",
    "ndtri_exp",
    "owens_t",
]


@ufunc(
    "scipy.special.erf",
    supports=real,
    note="complex arguments.",
    examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"),
)
def erf(x):
    """Error function.

    Examples
    --------
    >>> from sci.special import erf
    >>> round(float(erf(1.0)), 12)
    0.84270079295
    """
    return elementwise(kernels.erf, x)


@ufunc(
    "scipy.special.erfc",
    supports=real,
    note="complex arguments.",
    examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"),
)
def erfc(x):
    """1 - erf(x), right relative to itself in its tail.

    Examples
    --------
    >>> from sci.special import erfc
    >>> round(float(erfc(1.0)), 12)
    0.15729920705
    """
    return elementwise(kernels.erfc, x)


@ufunc(
    "scipy.special.erfcx",
    supports=real,
    note="complex arguments.",
    examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"),
)
def erfcx(x):
    """exp(x^2) erfc(x), scaled so that it does not underflow.

    Examples
    --------
    >>> from sci.special import erfcx
    >>> round(float(erfcx(50.0)), 12)
    0.011281536265
    """
    return elementwise(kernels.erfcx, x)


@ufunc(
    "scipy.special.erfi",
    supports=real,
    note="complex arguments.",
    examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"),
)
def erfi(x):
    """Imaginary error function -i erf(i x).

    Examples
    --------
    >>> from sci.special import erfi
    >>> round(float(erfi(1.0)), 12)
    1.650425758798
    """
    return elementwise(kernels.erfi, x)


@ufunc(
    "scipy.special.dawsn",
    supports=real,
    note="complex arguments.",
    examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"),
)
def dawsn(x):
    """Dawson's integral exp(-x^2) int_0^x exp(t^2) dt.

    Examples
    --------
    >>> from sci.special import dawsn
    >>> round(float(dawsn(1.0)), 12)
    0.538079506913
    """
    return elementwise(kernels.dawsn, x)


@ufunc("scipy.special.erfinv", examples=points([-0.9, -0.2, 0.3, 0.99], grad="y"))
def erfinv(y):
    """Inverse of `erf` on [-1, 1].

    Examples
    --------
    >>> from sci.special import erfinv
    >>> round(float(erfinv(0.5)), 12)
    0.476936276204
    """
    return elementwise(kernels.erfinv, y)


@ufunc("scipy.special.erfcinv", examples=points([0.02, 0.2, 0.9, 1.7], grad="y"))
def erfcinv(y):
    """Inverse of `erfc` on [0, 2], right for tiny arguments.

    Examples
    --------
    >>> from sci.special import erfcinv
    >>> round(float(erfcinv(1e-10)), 12)
    4.572824967389
    """
    return elementwise(kernels.erfcinv, y)


@ufunc(
    "scipy.special.ndtr",
    supports=real,
    note="complex arguments.",
    examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"),
)
def ndtr(x):
    """Standard normal distribution function, right relative to itself in its tail.

    Examples
    --------
    >>> from sci.special import ndtr
    >>> round(float(ndtr(1.96)), 12)
    0.975002104852
    """
    return elementwise(kernels.ndtr, x)


@ufunc(
    "scipy.special.log_ndtr",
    supports=real,
    note="complex arguments.",
    examples=points([-30.0, -1.7, 0.4, 6.0], grad="x"),
)
def log_ndtr(x):
    """log of `ndtr`, right relative to itself in both tails.

    Examples
    --------
    >>> from sci.special import log_ndtr
    >>> round(float(log_ndtr(-40.0)), 12)
    -804.608442013754
    """
    return elementwise(kernels.log_ndtr, x)


@ufunc("scipy.special.ndtri", examples=points([0.02, 0.3, 0.55, 0.93], grad="y"))
def ndtri(y):
    """Inverse of `ndtr`.

    Examples
    --------
    >>> from sci.special import ndtri
    >>> round(float(ndtri(0.975)), 12)
    1.95996398454
    """
    return elementwise(kernels.ndtri, y)


@ufunc("scipy.special.ndtri_exp", examples=points([-30.0, -5.0, -0.5, -0.05], grad="y"))
def ndtri_exp(y):
    """Inverse of `log_ndtr`.

    Examples
    --------
    >>> from sci.special import ndtri_exp
    >>> round(float(ndtri_exp(-1.0)), 12)
    -0.337474963764
    """
    return elementwise(kernels.ndtri_exp, y)


@ufunc("scipy.special.owens_t", examples=points([0.5, 2.0, -1.0], [0.7, 3.0, 0.2], grad="h a"))
def owens_t(h, a):
    """Owen's T function, by Gauss-Legendre quadrature of its defining integral.

    Examples
    --------
    >>> from sci.special import owens_t
    >>> round(float(owens_t(1.0, 0.5)), 12)
    0.043064691121
    """
    return elementwise(kernels.owens_t, h, a)
