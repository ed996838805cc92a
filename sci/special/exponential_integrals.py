"""Exponential, sine, cosine, hyperbolic and Fresnel integrals, the dilogarithm, of real arguments."""

from __future__ import annotations

from sci.special.common import points, real, ufunc, whole
from sci.special.kernels import exponential_integrals as kernels
from sci.special.kernels.core import elementwise

__all__ = [
    "exp1",
    "expi",
    "expn",
    "fresnel",
    "shichi",
    "sici",
    "spence",
]


@ufunc(
    "scipy.special.exp1",
    supports=real,
    note="complex arguments.",
    examples=points([0.1, 0.4, 0.9, 2.5, 12.0], grad="z"),
)
def exp1(z):
    """Exponential integral E1 for z >= 0; nan below, where it is complex.

    Examples
    --------
    >>> from sci.special import exp1
    >>> round(float(exp1(1.0)), 12)
    0.219383934396
    """
    return elementwise(kernels.exp1, z)


@ufunc(
    "scipy.special.expi",
    supports=real,
    note="complex arguments.",
    examples=points([-1.7, -0.3, 0.4, 1.2, 4.5], grad="x"),
)
def expi(x):
    """Exponential integral Ei, principal value for x > 0.

    Examples
    --------
    >>> from sci.special import expi
    >>> round(float(expi(1.0)), 12)
    1.895117816356
    """
    return elementwise(kernels.expi, x)


@ufunc(
    "scipy.special.expn",
    supports=whole("n"),
    note="n that is not whole.",
    examples=points([1.0, 2.0, 7.0], [0.3, 2.5, 1.1], grad="x"),
)
def expn(n, x):
    """Generalised exponential integral E_n for whole n >= 0 and x >= 0.

    Examples
    --------
    >>> from sci.special import expn
    >>> round(float(expn(2, 1.0)), 12)
    0.148495506776
    """
    return elementwise(kernels.expn, n, x)


@ufunc(
    "scipy.special.sici",
    supports=real,
    note="complex and negative arguments.",
    examples=points([0.1, 0.4, 0.9, 2.5, 12.0], grad="x"),
)
def sici(x):
    """Sine and cosine integrals (Si, Ci).

    Examples
    --------
    >>> from sci.special import sici
    >>> [round(float(v), 12) for v in sici(1.0)]
    [0.946083070367, 0.337403922901]
    """
    return elementwise(kernels.sici_pair, x)


@ufunc(
    "scipy.special.shichi",
    supports=real,
    note="complex arguments.",
    examples=points([0.1, 0.4, 0.9, 2.5, 12.0], grad="x"),
)
def shichi(x):
    """Hyperbolic sine and cosine integrals (Shi, Chi).

    Examples
    --------
    >>> from sci.special import shichi
    >>> [round(float(v), 12) for v in shichi(1.0)]
    [1.057250875376, 0.83786694098]
    """
    return elementwise(kernels.shichi_pair, x)


@ufunc(
    "scipy.special.fresnel",
    supports=real,
    note="complex arguments.",
    examples=points([0.1, 0.4, 0.9, 2.5, 12.0], grad="z"),
)
def fresnel(z):
    """Fresnel integrals (S, C).

    Examples
    --------
    >>> from sci.special import fresnel
    >>> [round(float(v), 12) for v in fresnel(1.0)]
    [0.43825914739, 0.779893400377]
    """
    return elementwise(kernels.fresnel_pair, z)


@ufunc(
    "scipy.special.spence",
    supports=real,
    note="complex arguments.",
    examples=points([0.1, 0.4, 0.9, 2.5, 12.0], grad="z"),
)
def spence(z):
    """Spence's function, Li2(1 - z).

    Examples
    --------
    >>> from sci.special import spence
    >>> float(spence(1.0))
    0.0
    """
    return elementwise(kernels.spence, z)
