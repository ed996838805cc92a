"""Distribution functions in Cephes' parametrisation."""

from __future__ import annotations

from sci.bridge import implements_ufunc
from sci.special.common import points
from sci.special.kernels import distributions as kernels
from sci.special.kernels.core import elementwise

__all__ = [
    "bdtr",
    "bdtrc",
    "chdtr",
    "chdtrc",
    "fdtr",
    "fdtrc",
    "gdtr",
    "gdtrc",
    "nbdtr",
    "nbdtrc",
    "pdtr",
    "pdtrc",
    "stdtr",
]


@implements_ufunc("scipy.special.chdtr", examples=points([3.0, 7.5, 1.2], [0.5, 9.0, 2.2], grad="v x"))
def chdtr(v, x):
    """Chi-square distribution function."""
    return elementwise(kernels.chdtr, v, x)


@implements_ufunc("scipy.special.chdtrc", examples=points([3.0, 7.5, 1.2], [0.5, 9.0, 2.2], grad="v x"))
def chdtrc(v, x):
    """Chi-square survival function."""
    return elementwise(kernels.chdtrc, v, x)


@implements_ufunc("scipy.special.gdtr", examples=points([0.5, 2.0], [3.0, 1.5], [2.0, 0.7], grad="a b x"))
def gdtr(a, b, x):
    """Gamma distribution function with rate a and shape b."""
    return elementwise(kernels.gdtr, a, b, x)


@implements_ufunc("scipy.special.gdtrc", examples=points([0.5, 2.0], [3.0, 1.5], [2.0, 0.7], grad="a b x"))
def gdtrc(a, b, x):
    """Gamma survival function with rate a and shape b."""
    return elementwise(kernels.gdtrc, a, b, x)


@implements_ufunc("scipy.special.pdtr", examples=points([0.0, 4.0, 11.0], [0.5, 3.0, 14.0], grad="m"))
def pdtr(k, m):
    """Poisson distribution function."""
    return elementwise(kernels.pdtr, k, m)


@implements_ufunc("scipy.special.pdtrc", examples=points([0.0, 4.0, 11.0], [0.5, 3.0, 14.0], grad="m"))
def pdtrc(k, m):
    """Poisson survival function."""
    return elementwise(kernels.pdtrc, k, m)


@implements_ufunc("scipy.special.bdtr", examples=points([0.0, 4.0], [5.0, 9.0], [0.3, 0.6], grad="p"))
def bdtr(k, n, p):
    """Binomial distribution function."""
    return elementwise(kernels.bdtr, k, n, p)


@implements_ufunc("scipy.special.bdtrc", examples=points([0.0, 4.0], [5.0, 9.0], [0.3, 0.6], grad="p"))
def bdtrc(k, n, p):
    """Binomial survival function."""
    return elementwise(kernels.bdtrc, k, n, p)


@implements_ufunc("scipy.special.nbdtr", examples=points([0.0, 4.0], [5.0, 9.0], [0.3, 0.6], grad="p"))
def nbdtr(k, n, p):
    """Negative binomial distribution function."""
    return elementwise(kernels.nbdtr, k, n, p)


@implements_ufunc("scipy.special.nbdtrc", examples=points([0.0, 4.0], [5.0, 9.0], [0.3, 0.6], grad="p"))
def nbdtrc(k, n, p):
    """Negative binomial survival function."""
    return elementwise(kernels.nbdtrc, k, n, p)


@implements_ufunc("scipy.special.fdtr", examples=points([3.0, 8.0], [5.0, 2.5], [0.7, 3.0], grad="dfn dfd x"))
def fdtr(dfn, dfd, x):
    """F distribution function."""
    return elementwise(kernels.fdtr, dfn, dfd, x)


@implements_ufunc("scipy.special.fdtrc", examples=points([3.0, 8.0], [5.0, 2.5], [0.7, 3.0], grad="dfn dfd x"))
def fdtrc(dfn, dfd, x):
    """F survival function."""
    return elementwise(kernels.fdtrc, dfn, dfd, x)


@implements_ufunc("scipy.special.stdtr", examples=points([3.0, 8.0, 20.0], [-5.0, 0.4, 2.5], grad="df t"))
def stdtr(df, t):
    """Student's distribution function."""
    return elementwise(kernels.stdtr, df, t)
