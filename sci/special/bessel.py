"""Bessel functions of orders 0 and 1, of real arguments."""

from __future__ import annotations

from sci.bridge import implements_ufunc
from sci.special.common import points
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


@implements_ufunc("scipy.special.j0", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def j0(x):
    """Bessel function of the first kind of order 0."""
    return elementwise(kernels.j0, x)


@implements_ufunc("scipy.special.y0", examples=points([0.1, 0.4, 0.9, 2.5, 12.0], grad="x"))
def y0(x):
    """Bessel function of the second kind of order 0: nan for x < 0."""
    return elementwise(kernels.y0, x)


@implements_ufunc("scipy.special.i0", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def i0(x):
    """Modified Bessel function of the first kind of order 0."""
    return elementwise(kernels.i0, x)


@implements_ufunc("scipy.special.k0", examples=points([0.1, 0.4, 0.9, 2.5, 12.0], grad="x"))
def k0(x):
    """Modified Bessel function of the second kind of order 0: nan for x < 0."""
    return elementwise(kernels.k0, x)


@implements_ufunc("scipy.special.j1", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def j1(x):
    """Bessel function of the first kind of order 1."""
    return elementwise(kernels.j1, x)


@implements_ufunc("scipy.special.y1", examples=points([0.1, 0.4, 0.9, 2.5, 12.0], grad="x"))
def y1(x):
    """Bessel function of the second kind of order 1: nan for x < 0."""
    return elementwise(kernels.y1, x)


@implements_ufunc("scipy.special.i1", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def i1(x):
    """Modified Bessel function of the first kind of order 1."""
    return elementwise(kernels.i1, x)


@implements_ufunc("scipy.special.k1", examples=points([0.1, 0.4, 0.9, 2.5, 12.0], grad="x"))
def k1(x):
    """Modified Bessel function of the second kind of order 1: nan for x < 0."""
    return elementwise(kernels.k1, x)


@implements_ufunc("scipy.special.i0e", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def i0e(x):
    """exp(-|x|) I0(x)."""
    return elementwise(kernels.i0e, x)


@implements_ufunc("scipy.special.k0e", examples=points([0.1, 0.4, 0.9, 2.5, 12.0], grad="x"))
def k0e(x):
    """exp(x) K0(x)."""
    return elementwise(kernels.k0e, x)


@implements_ufunc("scipy.special.i1e", examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"))
def i1e(x):
    """exp(-|x|) I1(x)."""
    return elementwise(kernels.i1e, x)


@implements_ufunc("scipy.special.k1e", examples=points([0.1, 0.4, 0.9, 2.5, 12.0], grad="x"))
def k1e(x):
    """exp(x) K1(x)."""
    return elementwise(kernels.k1e, x)
