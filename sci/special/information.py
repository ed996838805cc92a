"""Entropies, divergences and robust losses."""

from __future__ import annotations

from sci.special.common import points, real, ufunc
from sci.special.kernels import elementary as kernels
from sci.special.kernels.core import elementwise

__all__ = [
    "entr",
    "huber",
    "kl_div",
    "pseudo_huber",
    "rel_entr",
    "xlog1py",
    "xlogy",
]


@ufunc("scipy.special.entr", examples=points([0.3, 1.5, 2.0, 7.0], grad="x"))
def entr(x):
    """-x log(x), 0 at 0, -inf below.

    Examples
    --------
    >>> from sci.special import entr
    >>> round(float(entr(0.5)), 12)
    0.34657359028
    """
    return elementwise(kernels.entr, x)


@ufunc("scipy.special.rel_entr", examples=points([0.3, 1.5, 2.0], [0.4, 1.4, 5.0], grad="x y"))
def rel_entr(x, y):
    """x log(x / y).

    Examples
    --------
    >>> from sci.special import rel_entr
    >>> round(float(rel_entr(2.0, 1.0)), 12)
    1.38629436112
    """
    return elementwise(kernels.rel_entr, x, y)


@ufunc("scipy.special.kl_div", examples=points([0.3, 1.5, 2.0], [0.4, 1.4, 5.0], grad="x y"))
def kl_div(x, y):
    """x log(x / y) - x + y, right relative to itself next to its double zero at x = y.

    Examples
    --------
    >>> from sci.special import kl_div
    >>> round(float(kl_div(2.0, 1.0)), 12)
    0.38629436112
    """
    return elementwise(kernels.kl_div, x, y)


@ufunc(
    "scipy.special.xlogy",
    supports=real,
    note="complex arguments.",
    examples=points([0.0, 1.5, 2.0], [0.4, 1.4, 5.0], grad="x y"),
)
def xlogy(x, y):
    """x log(y), 0 at x = 0. Gradients at (0, 0) are finite in y.

    Examples
    --------
    >>> from sci.special import xlogy
    >>> round(float(xlogy(2.0, 3.0)), 12)
    2.197224577336
    """
    return elementwise(kernels.xlogy, x, y)


@ufunc(
    "scipy.special.xlog1py",
    supports=real,
    note="complex arguments.",
    examples=points([0.0, 1.5, 2.0], [0.4, 1.4, 5.0], grad="x y"),
)
def xlog1py(x, y):
    """x log(1 + y), 0 at x = 0.

    Examples
    --------
    >>> from sci.special import xlog1py
    >>> round(float(xlog1py(2.0, 3.0)), 12)
    2.77258872224
    """
    return elementwise(kernels.xlog1py, x, y)


@ufunc("scipy.special.huber", examples=points([0.5, 1.5, 2.0], [0.4, -3.4, 5.0], grad="delta r"))
def huber(delta, r):
    """Huber's loss.

    Examples
    --------
    >>> from sci.special import huber
    >>> float(huber(1.0, 3.0))
    2.5
    """
    return elementwise(kernels.huber, delta, r)


@ufunc("scipy.special.pseudo_huber", examples=points([0.5, 1.5, 2.0], [0.4, -3.4, 5.0], grad="delta r"))
def pseudo_huber(delta, r):
    """Pseudo-Huber loss, without cancellation for small r.

    Examples
    --------
    >>> from sci.special import pseudo_huber
    >>> round(float(pseudo_huber(1.0, 3.0)), 12)
    2.162277660168
    """
    return elementwise(kernels.pseudo_huber, delta, r)
