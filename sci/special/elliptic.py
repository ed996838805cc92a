"""Elliptic integrals in Legendre's and Carlson's forms, and the arithmetic-geometric mean."""

from __future__ import annotations

from sci.special.common import points, real, ufunc
from sci.special.kernels import elliptic as kernels
from sci.special.kernels.core import elementwise

__all__ = [
    "agm",
    "ellipe",
    "ellipeinc",
    "ellipk",
    "ellipkinc",
    "ellipkm1",
    "elliprc",
    "elliprd",
    "elliprf",
    "elliprg",
]


@ufunc("scipy.special.ellipk", examples=points([-2.5, -0.3, 0.2, 0.95], grad="m"))
def ellipk(m):
    """Complete elliptic integral of the first kind, parameter m = k^2.

    Examples
    --------
    >>> from sci.special import ellipk
    >>> round(float(ellipk(0.5)), 12)
    1.854074677301
    """
    return elementwise(kernels.ellipk, m)


@ufunc("scipy.special.ellipkm1", examples=points([0.02, 0.3, 0.8, 2.5], grad="p"))
def ellipkm1(p):
    """Complete elliptic integral of the first kind around m = 1: K(1 - p).

    Examples
    --------
    >>> from sci.special import ellipkm1
    >>> round(float(ellipkm1(1e-20)), 12)
    24.41214529106
    """
    return elementwise(kernels.ellipkm1, p)


@ufunc("scipy.special.ellipe", examples=points([-2.5, -0.3, 0.2, 0.95], grad="m"))
def ellipe(m):
    """Complete elliptic integral of the second kind.

    Examples
    --------
    >>> from sci.special import ellipe
    >>> round(float(ellipe(0.5)), 12)
    1.350643881048
    """
    return elementwise(kernels.ellipe, m)


@ufunc("scipy.special.ellipkinc", examples=points([0.3, 1.2, -4.0], [0.5, -2.0, 0.9], grad="phi m"))
def ellipkinc(phi, m):
    """Incomplete elliptic integral of the first kind F(phi | m), m <= 1.

    Examples
    --------
    >>> from sci.special import ellipkinc
    >>> round(float(ellipkinc(1.0, 0.5)), 12)
    1.083216772845
    """
    return elementwise(kernels.ellipkinc, phi, m)


@ufunc("scipy.special.ellipeinc", examples=points([0.3, 1.2, -4.0], [0.5, -2.0, 0.9], grad="phi m"))
def ellipeinc(phi, m):
    """Incomplete elliptic integral of the second kind E(phi | m), m <= 1.

    Examples
    --------
    >>> from sci.special import ellipeinc
    >>> round(float(ellipeinc(1.0, 0.5)), 12)
    0.927329883624
    """
    return elementwise(kernels.ellipeinc, phi, m)


@ufunc(
    "scipy.special.elliprc",
    supports=real,
    note="complex arguments.",
    examples=points([0.5, 2.0, 1.0], [1.0, 0.2, -0.4], grad="x y"),
)
def elliprc(x, y):
    """Carlson's degenerate R_C(x, y), principal value for y < 0.

    Examples
    --------
    >>> from sci.special import elliprc
    >>> round(float(elliprc(1.0, 2.0)), 12)
    0.785398163397
    """
    return elementwise(kernels.elliprc, x, y)


@ufunc(
    "scipy.special.elliprd",
    supports=real,
    note="complex arguments.",
    examples=points([0.5, 2.0, 0.1], [1.0, 0.2, 4.0], [0.3, 3.0, 1.5], grad="x y z"),
)
def elliprd(x, y, z):
    """Carlson's R_D(x, y, z).

    Examples
    --------
    >>> from sci.special import elliprd
    >>> round(float(elliprd(1.0, 2.0, 3.0)), 12)
    0.290460281029
    """
    return elementwise(kernels.elliprd, x, y, z)


@ufunc(
    "scipy.special.elliprf",
    supports=real,
    note="complex arguments.",
    examples=points([0.5, 2.0, 0.1], [1.0, 0.2, 4.0], [0.3, 3.0, 1.5], grad="x y z"),
)
def elliprf(x, y, z):
    """Carlson's R_F(x, y, z).

    Examples
    --------
    >>> from sci.special import elliprf
    >>> round(float(elliprf(1.0, 2.0, 3.0)), 12)
    0.726945935469
    """
    return elementwise(kernels.elliprf, x, y, z)


@ufunc(
    "scipy.special.elliprg",
    supports=real,
    note="complex arguments.",
    examples=points([0.5, 2.0, 0.1], [1.0, 0.2, 4.0], [0.3, 3.0, 1.5], grad="x y z"),
)
def elliprg(x, y, z):
    """Carlson's R_G(x, y, z), arguments >= 0.

    Examples
    --------
    >>> from sci.special import elliprg
    >>> round(float(elliprg(1.0, 2.0, 3.0)), 12)
    1.401847099991
    """
    return elementwise(kernels.elliprg, x, y, z)


@ufunc("scipy.special.agm", examples=points([0.5, 2.0], [1.0, 0.2], grad="a b"))
def agm(a, b):
    """Arithmetic-geometric mean.

    Examples
    --------
    >>> from sci.special import agm
    >>> round(float(agm(1.0, 2.0)), 12)
    1.456791031047
    """
    return elementwise(kernels.agm, a, b)
