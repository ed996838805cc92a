"""Distribution functions in Cephes' parametrisation."""

from __future__ import annotations

import numpy as np

from sci.special.common import checks, points, ufunc, whole, within
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


# The continued fraction of `betainc` converges within these bounds (Cephes' series, which SciPy uses here,
# is wrong in the ninth digit at 1e6, in the third at 1e7); integer arguments that are not whole are SciPy's to warn of.
WHOLE_TRIALS = checks(within(-np.inf, 1e7, "k", "n"), whole("n"))
WHOLE_COUNTS = checks(within(-np.inf, 1e7, "k", "n"), whole("k", "n"))
TRIALS = "n that is not whole, k or n over 1e7."
COUNTS = "k or n that is not whole or over 1e7."
FREEDOMS = "degrees of freedom outside [0.04, 2e7]."


@ufunc("scipy.special.chdtr", examples=points([3.0, 7.5, 1.2], [0.5, 9.0, 2.2], grad="v x"))
def chdtr(v, x):
    """Chi-square distribution function.

    Examples
    --------
    >>> from sci.special import chdtr
    >>> round(float(chdtr(3.0, 2.0)), 12)
    0.427593295529
    """
    return elementwise(kernels.chdtr, v, x)


@ufunc("scipy.special.chdtrc", examples=points([3.0, 7.5, 1.2], [0.5, 9.0, 2.2], grad="v x"))
def chdtrc(v, x):
    """Chi-square survival function.

    Examples
    --------
    >>> from sci.special import chdtrc
    >>> round(float(chdtrc(3.0, 2.0)), 12)
    0.572406704471
    """
    return elementwise(kernels.chdtrc, v, x)


@ufunc("scipy.special.gdtr", examples=points([0.5, 2.0], [3.0, 1.5], [2.0, 0.7], grad="a b x"))
def gdtr(a, b, x):
    """Gamma distribution function with rate a and shape b.

    Examples
    --------
    >>> from sci.special import gdtr
    >>> round(float(gdtr(1.0, 2.0, 3.0)), 12)
    0.800851726529
    """
    return elementwise(kernels.gdtr, a, b, x)


@ufunc("scipy.special.gdtrc", examples=points([0.5, 2.0], [3.0, 1.5], [2.0, 0.7], grad="a b x"))
def gdtrc(a, b, x):
    """Gamma survival function with rate a and shape b.

    Examples
    --------
    >>> from sci.special import gdtrc
    >>> round(float(gdtrc(1.0, 2.0, 3.0)), 12)
    0.199148273471
    """
    return elementwise(kernels.gdtrc, a, b, x)


@ufunc("scipy.special.pdtr", examples=points([0.0, 4.0, 11.0], [0.5, 3.0, 14.0], grad="m"))
def pdtr(k, m):
    """Poisson distribution function.

    Examples
    --------
    >>> from sci.special import pdtr
    >>> round(float(pdtr(2, 1.5)), 12)
    0.808846830538
    """
    return elementwise(kernels.pdtr, k, m)


@ufunc("scipy.special.pdtrc", examples=points([0.0, 4.0, 11.0], [0.5, 3.0, 14.0], grad="m"))
def pdtrc(k, m):
    """Poisson survival function.

    Examples
    --------
    >>> from sci.special import pdtrc
    >>> round(float(pdtrc(2, 1.5)), 12)
    0.191153169462
    """
    return elementwise(kernels.pdtrc, k, m)


@ufunc(
    "scipy.special.bdtr",
    supports=WHOLE_TRIALS,
    note=TRIALS,
    examples=points([0.0, 4.0], [5.0, 9.0], [0.3, 0.6], grad="p"),
)
def bdtr(k, n, p):
    """Binomial distribution function.

    Examples
    --------
    >>> from sci.special import bdtr
    >>> float(bdtr(1, 3, 0.5))
    0.5
    """
    return elementwise(kernels.bdtr, k, n, p)


@ufunc(
    "scipy.special.bdtrc",
    supports=WHOLE_TRIALS,
    note=TRIALS,
    examples=points([0.0, 4.0], [5.0, 9.0], [0.3, 0.6], grad="p"),
)
def bdtrc(k, n, p):
    """Binomial survival function.

    Examples
    --------
    >>> from sci.special import bdtrc
    >>> float(bdtrc(1, 3, 0.5))
    0.5
    """
    return elementwise(kernels.bdtrc, k, n, p)


@ufunc(
    "scipy.special.nbdtr",
    supports=WHOLE_COUNTS,
    note=COUNTS,
    examples=points([0.0, 4.0], [5.0, 9.0], [0.3, 0.6], grad="p"),
)
def nbdtr(k, n, p):
    """Negative binomial distribution function.

    Examples
    --------
    >>> from sci.special import nbdtr
    >>> round(float(nbdtr(1, 3, 0.5)), 12)
    0.3125
    """
    return elementwise(kernels.nbdtr, k, n, p)


@ufunc(
    "scipy.special.nbdtrc",
    supports=WHOLE_COUNTS,
    note=COUNTS,
    examples=points([0.0, 4.0], [5.0, 9.0], [0.3, 0.6], grad="p"),
)
def nbdtrc(k, n, p):
    """Negative binomial survival function.

    Examples
    --------
    >>> from sci.special import nbdtrc
    >>> round(float(nbdtrc(1, 3, 0.5)), 12)
    0.6875
    """
    return elementwise(kernels.nbdtrc, k, n, p)


@ufunc(
    "scipy.special.fdtr",
    supports=within(0.04, 2e7, "dfn", "dfd"),
    note=FREEDOMS,
    examples=points([3.0, 8.0], [5.0, 2.5], [0.7, 3.0], grad="dfn dfd x"),
)
def fdtr(dfn, dfd, x):
    """F distribution function.

    Examples
    --------
    >>> from sci.special import fdtr
    >>> round(float(fdtr(3.0, 5.0, 1.0)), 12)
    0.535145210006
    """
    return elementwise(kernels.fdtr, dfn, dfd, x)


@ufunc(
    "scipy.special.fdtrc",
    supports=within(0.04, 2e7, "dfn", "dfd"),
    note=FREEDOMS,
    examples=points([3.0, 8.0], [5.0, 2.5], [0.7, 3.0], grad="dfn dfd x"),
)
def fdtrc(dfn, dfd, x):
    """F survival function.

    Examples
    --------
    >>> from sci.special import fdtrc
    >>> round(float(fdtrc(3.0, 5.0, 1.0)), 12)
    0.464854789994
    """
    return elementwise(kernels.fdtrc, dfn, dfd, x)


@ufunc(
    "scipy.special.stdtr",
    supports=within(0.04, 2e7, "df"),
    note=FREEDOMS,
    examples=points([3.0, 8.0, 20.0], [-5.0, 0.4, 2.5], grad="df t"),
)
def stdtr(df, t):
    """Student's distribution function.

    Examples
    --------
    >>> from sci.special import stdtr
    >>> round(float(stdtr(3.0, 1.0)), 12)
    0.804498890522
    """
    return elementwise(kernels.stdtr, df, t)
