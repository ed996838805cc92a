"""Bessel functions of orders 0 and 1, of real arguments."""

from __future__ import annotations

from sci.special.common import points, ufunc
from sci.special.kernels import bessel as kernels
from sci.special.kernels.core import elementwise

__all__ = [
    "i0",
    "i0e",
    "i1",
    "i1e",
    "j0",
    "j1",
    "k0",
    "k0e",
    "k1",
    "k1e",
    "y0",
    "y1",
]


@ufunc("scipy.special.j0", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def j0(x):
    """Bessel function of the first kind of order 0.

    Examples
    --------
    >>> from sci.special import j0
    >>> round(float(j0(1.0)), 12)
    0.765197686558
    """
    return elementwise(kernels.j0, x)


@ufunc("scipy.special.y0", examples=points([0.1, 0.4, 0.9, 2.5, 12.0], grad="x"))
def y0(x):
    """Bessel function of the second kind of order 0: nan for x < 0.

    Examples
    --------
    >>> from sci.special import y0
    >>> round(float(y0(1.0)), 12)
    0.088256964216
    """
    return elementwise(kernels.y0, x)


@ufunc("scipy.special.i0", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def i0(x):
    """Modified Bessel function of the first kind of order 0.

    Examples
    --------
    >>> from sci.special import i0
    >>> round(float(i0(1.0)), 12)
    1.266065877752
    """
    return elementwise(kernels.i0, x)


@ufunc("scipy.special.k0", examples=points([0.1, 0.4, 0.9, 2.5, 12.0], grad="x"))
def k0(x):
    """Modified Bessel function of the second kind of order 0: nan for x < 0.

    Examples
    --------
    >>> from sci.special import k0
    >>> round(float(k0(1.0)), 12)
    0.421024438241
    """
    return elementwise(kernels.k0, x)


@ufunc("scipy.special.j1", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def j1(x):
    """Bessel function of the first kind of order 1.

    Examples
    --------
    >>> from sci.special import j1
    >>> round(float(j1(1.0)), 12)
    0.440050585745
    """
    return elementwise(kernels.j1, x)


@ufunc("scipy.special.y1", examples=points([0.1, 0.4, 0.9, 2.5, 12.0], grad="x"))
def y1(x):
    """Bessel function of the second kind of order 1: nan for x < 0.

    Examples
    --------
    >>> from sci.special import y1
    >>> round(float(y1(1.0)), 12)
    -0.7812128213
    """
    return elementwise(kernels.y1, x)


@ufunc("scipy.special.i1", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def i1(x):
    """Modified Bessel function of the first kind of order 1.

    Examples
    --------
    >>> from sci.special import i1
    >>> round(float(i1(1.0)), 12)
    0.565159103992
    """
    return elementwise(kernels.i1, x)


@ufunc("scipy.special.k1", examples=points([0.1, 0.4, 0.9, 2.5, 12.0], grad="x"))
def k1(x):
    """Modified Bessel function of the second kind of order 1: nan for x < 0.

    Examples
    --------
    >>> from sci.special import k1
    >>> round(float(k1(1.0)), 12)
    0.601907230197
    """
    return elementwise(kernels.k1, x)


@ufunc("scipy.special.i0e", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def i0e(x):
    """exp(-|x|) I0(x).

    Examples
    --------
    >>> from sci.special import i0e
    >>> round(float(i0e(1.0)), 12)
    0.465759607594
    """
    return elementwise(kernels.i0e, x)


@ufunc("scipy.special.k0e", examples=points([0.1, 0.4, 0.9, 2.5, 12.0], grad="x"))
def k0e(x):
    """exp(x) K0(x).

    Examples
    --------
    >>> from sci.special import k0e
    >>> round(float(k0e(1.0)), 12)
    1.144463079807
    """
    return elementwise(kernels.k0e, x)


@ufunc("scipy.special.i1e", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def i1e(x):
    """exp(-|x|) I1(x).

    Examples
    --------
    >>> from sci.special import i1e
    >>> round(float(i1e(1.0)), 12)
    0.20791041535
    """
    return elementwise(kernels.i1e, x)


@ufunc("scipy.special.k1e", examples=points([0.1, 0.4, 0.9, 2.5, 12.0], grad="x"))
def k1e(x):
    """exp(x) K1(x).

    Examples
    --------
    >>> from sci.special import k1e
    >>> round(float(k1e(1.0)), 12)
    1.636153486263
    """
    return elementwise(kernels.k1e, x)
