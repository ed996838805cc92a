"""Elementary functions in forms that do not cancel, degrees, Box and Cox."""

from __future__ import annotations

import jax.numpy as jnp

from sci.special.common import points, real, ufunc
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


@ufunc("scipy.special.cbrt", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def cbrt(x):
    """Cube root.

    Examples
    --------
    >>> from sci.special import cbrt
    >>> round(float(cbrt(27.0)), 12)
    3.0
    """
    return elementwise(kernels.cbrt, x)


@ufunc("scipy.special.exp2", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def exp2(x):
    """2^x, exact for whole x.

    Examples
    --------
    >>> from sci.special import exp2
    >>> float(exp2(3.0))
    8.0
    """
    return elementwise(kernels.exp2, x)


@ufunc("scipy.special.exp10", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def exp10(x):
    """10^x.

    Examples
    --------
    >>> from sci.special import exp10
    >>> float(exp10(2.0))
    100.0
    """
    return elementwise(kernels.exp10, x)


@ufunc(
    "scipy.special.expm1",
    supports=real,
    note="complex arguments.",
    examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"),
)
def expm1(x):
    """exp(x) - 1.

    Examples
    --------
    >>> from sci.special import expm1
    >>> f"{expm1(1e-10):.10e}"
    '1.0000000001e-10'
    """
    return elementwise(jnp.expm1, x)


@ufunc("scipy.special.log1p", supports=real, note="complex arguments.", examples=points([0.3, 1.5, 2.0, 7.0], grad="x"))
def log1p(x):
    """log(1 + x).

    Examples
    --------
    >>> from sci.special import log1p
    >>> f"{log1p(1e-10):.10e}"
    '9.9999999995e-11'
    """
    return elementwise(kernels.log1p, x)


@ufunc("scipy.special.cosm1", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def cosm1(x):
    """cos(x) - 1.

    Examples
    --------
    >>> from sci.special import cosm1
    >>> f"{cosm1(0.0001):.10e}"
    '-4.9999999958e-09'
    """
    return elementwise(kernels.cosm1, x)


@ufunc("scipy.special.powm1", examples=points([0.3, 1.01, 5.0], [2.0, 0.1, -1.5], grad="x y"))
def powm1(x, y):
    """x^y - 1.

    Examples
    --------
    >>> from sci.special import powm1
    >>> float(powm1(2.0, 3.0))
    7.0
    """
    return elementwise(kernels.powm1, x, y)


@ufunc("scipy.special.exprel", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def exprel(x):
    """(exp(x) - 1) / x.

    Examples
    --------
    >>> from sci.special import exprel
    >>> round(float(exprel(1.0)), 12)
    1.718281828459
    """
    return elementwise(kernels.exprel, x)


@ufunc("scipy.special.expit", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def expit(x):
    """Logistic function 1 / (1 + exp(-x)).

    Examples
    --------
    >>> from sci.special import expit
    >>> float(expit(0.0))
    0.5
    """
    return elementwise(kernels.expit, x)


@ufunc("scipy.special.log_expit", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def log_expit(x):
    """log of `expit`.

    Examples
    --------
    >>> from sci.special import log_expit
    >>> round(float(log_expit(0.0)), 12)
    -0.69314718056
    """
    return elementwise(kernels.log_expit, x)


@ufunc("scipy.special.logit", examples=points([0.02, 0.3, 0.55, 0.93], grad="x"))
def logit(x):
    """log(x / (1 - x)), right relative to itself next to 1/2.

    Examples
    --------
    >>> from sci.special import logit
    >>> round(float(logit(0.25)), 12)
    -1.098612288668
    """
    return elementwise(kernels.logit, x)


@ufunc("scipy.special.boxcox", examples=points([0.3, 1.5, 2.0], [0.0, -1.5, 2.0], grad="x lmbda"))
def boxcox(x, lmbda):
    """Box-Cox transformation (x^lmbda - 1) / lmbda.

    Examples
    --------
    >>> from sci.special import boxcox
    >>> round(float(boxcox(2.0, 0.5)), 12)
    0.828427124746
    """
    return elementwise(kernels.boxcox, x, lmbda)


@ufunc("scipy.special.boxcox1p", examples=points([0.3, 1.5, 2.0], [0.0, -1.5, 2.0], grad="x lmbda"))
def boxcox1p(x, lmbda):
    """Box-Cox transformation of 1 + x.

    Examples
    --------
    >>> from sci.special import boxcox1p
    >>> round(float(boxcox1p(1.0, 0.5)), 12)
    0.828427124746
    """
    return elementwise(kernels.boxcox1p, x, lmbda)


@ufunc("scipy.special.inv_boxcox", examples=points([0.3, 0.5, 2.0], [0.0, -1.5, 2.0], grad="y lmbda"))
def inv_boxcox(y, lmbda):
    """Inverse of `boxcox`.

    Examples
    --------
    >>> from sci.special import inv_boxcox
    >>> float(inv_boxcox(2.0, 0.5))
    4.0
    """
    return elementwise(kernels.inv_boxcox, y, lmbda)


@ufunc("scipy.special.inv_boxcox1p", examples=points([0.3, 0.5, 2.0], [0.0, -1.5, 2.0], grad="y lmbda"))
def inv_boxcox1p(y, lmbda):
    """Inverse of `boxcox1p`.

    Examples
    --------
    >>> from sci.special import inv_boxcox1p
    >>> float(inv_boxcox1p(2.0, 0.5))
    3.0
    """
    return elementwise(kernels.inv_boxcox1p, y, lmbda)


@ufunc("scipy.special.sindg", examples=points([-100.0, 30.0, 85.0], grad="x"))
def sindg(x):
    """Sine of an angle in degrees, exact at multiples of 90.

    Examples
    --------
    >>> from sci.special import sindg
    >>> round(float(sindg(30.0)), 12)
    0.5
    """
    return elementwise(kernels.sindg, x)


@ufunc("scipy.special.cosdg", examples=points([-100.0, 30.0, 85.0], grad="x"))
def cosdg(x):
    """Cosine of an angle in degrees.

    Examples
    --------
    >>> from sci.special import cosdg
    >>> round(float(cosdg(60.0)), 12)
    0.5
    """
    return elementwise(kernels.cosdg, x)


@ufunc("scipy.special.tandg", examples=points([-100.0, 30.0, 85.0], grad="x"))
def tandg(x):
    """Tangent of an angle in degrees.

    Examples
    --------
    >>> from sci.special import tandg
    >>> float(tandg(45.0))
    1.0
    """
    return elementwise(kernels.tandg, x)


@ufunc("scipy.special.cotdg", examples=points([-100.0, 30.0, 85.0], grad="x"))
def cotdg(x):
    """Cotangent of an angle in degrees.

    Examples
    --------
    >>> from sci.special import cotdg
    >>> float(cotdg(45.0))
    1.0
    """
    return elementwise(kernels.cotdg, x)


@ufunc("scipy.special.radian", examples=points([10.0, -3.0], [20.0, 4.0], [5.0, 7.0], grad="d m s"))
def radian(d, m, s):
    """Degrees, minutes and seconds in radians.

    Examples
    --------
    >>> from sci.special import radian
    >>> round(float(radian(90.0, 30.0, 0.0)), 12)
    1.579522973055
    """
    return elementwise(kernels.radian, d, m, s)
