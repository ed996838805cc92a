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
    """Error function."""
    return elementwise(kernels.erf, x)


@ufunc(
    "scipy.special.erfc",
    supports=real,
    note="complex arguments.",
    examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"),
)
def erfc(x):
    """1 - erf(x), right relative to itself in its tail."""
    return elementwise(kernels.erfc, x)


@ufunc(
    "scipy.special.erfcx",
    supports=real,
    note="complex arguments.",
    examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"),
)
def erfcx(x):
    """exp(x^2) erfc(x), scaled so that it does not underflow."""
    return elementwise(kernels.erfcx, x)


@ufunc(
    "scipy.special.erfi",
    supports=real,
    note="complex arguments.",
    examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"),
)
def erfi(x):
    """Imaginary error function -i erf(i x)."""
    return elementwise(kernels.erfi, x)


@ufunc(
    "scipy.special.dawsn",
    supports=real,
    note="complex arguments.",
    examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"),
)
def dawsn(x):
    """Dawson's integral exp(-x^2) int_0^x exp(t^2) dt."""
    return elementwise(kernels.dawsn, x)


@ufunc("scipy.special.erfinv", examples=points([-0.9, -0.2, 0.3, 0.99], grad="y"))
def erfinv(y):
    """Inverse of `erf` on [-1, 1]."""
    return elementwise(kernels.erfinv, y)


@ufunc("scipy.special.erfcinv", examples=points([1e-10, 0.2, 0.9, 1.7], grad="y"))
def erfcinv(y):
    """Inverse of `erfc` on [0, 2], right for tiny arguments."""
    return elementwise(kernels.erfcinv, y)


@ufunc(
    "scipy.special.ndtr",
    supports=real,
    note="complex arguments.",
    examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"),
)
def ndtr(x):
    """Standard normal distribution function, right relative to itself in its tail."""
    return elementwise(kernels.ndtr, x)


@ufunc(
    "scipy.special.log_ndtr",
    supports=real,
    note="complex arguments.",
    examples=points([-30.0, -1.7, 0.4, 6.0], grad="x"),
)
def log_ndtr(x):
    """log of `ndtr`, right relative to itself in both tails."""
    return elementwise(kernels.log_ndtr, x)


@ufunc("scipy.special.ndtri", examples=points([0.02, 0.3, 0.55, 0.93], grad="y"))
def ndtri(y):
    """Inverse of `ndtr`."""
    return elementwise(kernels.ndtri, y)


@ufunc("scipy.special.ndtri_exp", examples=points([-400.0, -5.0, -0.5, -0.001], grad="y"))
def ndtri_exp(y):
    """Inverse of `log_ndtr`."""
    return elementwise(kernels.ndtri_exp, y)


@ufunc("scipy.special.owens_t", examples=points([0.5, 2.0, -1.0], [0.7, 3.0, 0.2], grad="h a"))
def owens_t(h, a):
    """Owen's T function, by Gauss-Legendre quadrature of its defining integral."""
    return elementwise(kernels.owens_t, h, a)
