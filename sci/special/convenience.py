"""Elementary functions in forms that do not cancel, degrees, Box and Cox."""

from __future__ import annotations

import jax.numpy as jnp

from sci.bridge import implements_ufunc
from sci.special.common import points, real
from sci.special.kernels import elementary as kernels
from sci.special.kernels.core import elementwise

__all__ = [
    "boxcox",
    "boxcox1p",
    "cbrt",
    "cosdg",
    "cosm1",
    "cotdg",
    "exp10",
    "exp2",
    "expit",
    "expm1",
    "exprel",
    "inv_boxcox",
    "inv_boxcox1p",
    "log1p",
    "log_expit",
    "logit",
    "powm1",
    "radian",
    "sindg",
    "tandg",
]


@implements_ufunc("scipy.special.cbrt", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def cbrt(x):
    """Cube root."""
    return elementwise(kernels.cbrt, x)


@implements_ufunc("scipy.special.exp2", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def exp2(x):
    """2^x, exact for whole x."""
    return elementwise(kernels.exp2, x)


@implements_ufunc("scipy.special.exp10", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def exp10(x):
    """10^x."""
    return elementwise(kernels.exp10, x)


@implements_ufunc(
    "scipy.special.expm1",
    supports=real,
    note="complex arguments.",
    examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"),
)
def expm1(x):
    """exp(x) - 1."""
    return elementwise(jnp.expm1, x)


@implements_ufunc(
    "scipy.special.log1p", supports=real, note="complex arguments.", examples=points([0.3, 1.5, 2.0, 7.0], grad="x")
)
def log1p(x):
    """log(1 + x)."""
    return elementwise(jnp.log1p, x)


@implements_ufunc("scipy.special.cosm1", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def cosm1(x):
    """cos(x) - 1."""
    return elementwise(kernels.cosm1, x)


@implements_ufunc("scipy.special.powm1", examples=points([0.3, 1.01, 5.0], [2.0, 0.1, -1.5], grad="x y"))
def powm1(x, y):
    """x^y - 1."""
    return elementwise(kernels.powm1, x, y)


@implements_ufunc("scipy.special.exprel", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def exprel(x):
    """(exp(x) - 1) / x."""
    return elementwise(kernels.exprel, x)


@implements_ufunc("scipy.special.expit", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def expit(x):
    """Logistic function 1 / (1 + exp(-x))."""
    return elementwise(kernels.expit, x)


@implements_ufunc("scipy.special.log_expit", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def log_expit(x):
    """log of `expit`."""
    return elementwise(kernels.log_expit, x)


@implements_ufunc("scipy.special.logit", examples=points([0.02, 0.3, 0.55, 0.93], grad="x"))
def logit(x):
    """log(x / (1 - x)), right relative to itself next to 1/2."""
    return elementwise(kernels.logit, x)


@implements_ufunc("scipy.special.boxcox", examples=points([0.3, 1.5, 2.0], [0.0, -1.5, 2.0], grad="x lmbda"))
def boxcox(x, lmbda):
    """Box-Cox transformation (x^lmbda - 1) / lmbda."""
    return elementwise(kernels.boxcox, x, lmbda)


@implements_ufunc("scipy.special.boxcox1p", examples=points([0.3, 1.5, 2.0], [0.0, -1.5, 2.0], grad="x lmbda"))
def boxcox1p(x, lmbda):
    """Box-Cox transformation of 1 + x."""
    return elementwise(kernels.boxcox1p, x, lmbda)


@implements_ufunc("scipy.special.inv_boxcox", examples=points([0.3, 0.5, 2.0], [0.0, -1.5, 2.0], grad="y lmbda"))
def inv_boxcox(y, lmbda):
    """Inverse of `boxcox`."""
    return elementwise(kernels.inv_boxcox, y, lmbda)


@implements_ufunc("scipy.special.inv_boxcox1p", examples=points([0.3, 0.5, 2.0], [0.0, -1.5, 2.0], grad="y lmbda"))
def inv_boxcox1p(y, lmbda):
    """Inverse of `boxcox1p`."""
    return elementwise(kernels.inv_boxcox1p, y, lmbda)


@implements_ufunc("scipy.special.sindg", examples=points([-100.0, 30.0, 85.0], grad="x"))
def sindg(x):
    """Sine of an angle in degrees, exact at multiples of 90."""
    return elementwise(kernels.sindg, x)


@implements_ufunc("scipy.special.cosdg", examples=points([-100.0, 30.0, 85.0], grad="x"))
def cosdg(x):
    """Cosine of an angle in degrees."""
    return elementwise(kernels.cosdg, x)


@implements_ufunc("scipy.special.tandg", examples=points([-100.0, 30.0, 85.0], grad="x"))
def tandg(x):
    """Tangent of an angle in degrees."""
    return elementwise(kernels.tandg, x)


@implements_ufunc("scipy.special.cotdg", examples=points([-100.0, 30.0, 85.0], grad="x"))
def cotdg(x):
    """Cotangent of an angle in degrees."""
    return elementwise(kernels.cotdg, x)


@implements_ufunc("scipy.special.radian", examples=points([10.0, -3.0], [20.0, 4.0], [5.0, 7.0], grad="d m s"))
def radian(d, m, s):
    """Degrees, minutes and seconds in radians."""
    return elementwise(kernels.radian, d, m, s)
