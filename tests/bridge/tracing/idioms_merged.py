"""Branching helpers called many times, and idioms found by attacking the tracer: each takes (t, y)."""

import contextlib
import dataclasses
import enum
import math

import numpy as np

Y8 = np.linspace(-1, 1, 8) + 0.01


def bend(v):
    if v > 0.5:
        return math.sqrt(v)
    elif v > 0:
        return v
    return -v * v


def limiter(a, b):
    return a if abs(a) < abs(b) else b


def put(d, i, v):
    if v > 0:
        d[i] = v
    else:
        d[i] = -v


bend_all = np.vectorize(bend)


def many_calls(t, y):
    return np.array([bend(v * s) for v in y for s in Y8])


def minmod(t, y):
    u = np.outer(y, Y8).ravel()
    out = np.zeros_like(u)
    for i in range(1, len(u) - 1):
        out[i] = limiter(u[i] - u[i - 1], u[i + 1] - u[i])
    return out


def vectorized(t, y):
    return bend_all(np.outer(y, Y8))


def vectorized_inner(t, y):
    return np.vectorize(lambda v: v if v > 0 else 0.0)(np.outer(y, Y8)) + t


def helper_that_writes(t, y):
    d = np.zeros(3)
    for i in range(3):
        put(d, i, y[i])
    return d


def along_axis(t, y):
    return np.apply_along_axis(lambda r: r.sum() if r[0] > 0 else r.prod(), 1, np.outer(y, Y8))


def catch_linalg(t, y):
    try:
        return np.linalg.cholesky(np.array([[y[0], 0.1], [0.1, y[1]]]))
    except np.linalg.LinAlgError:
        return np.eye(2)


def catch_singular(t, y):
    try:
        return np.linalg.solve(np.outer(y, y) * 0, y)
    except np.linalg.LinAlgError:
        return y * 2


def suppressed(t, y):
    r = -1.0
    with contextlib.suppress(ZeroDivisionError):
        r = 1.0 / (float(y[0]) - float(y[0]))
    return r


def overlapping_views(t, y):
    a = np.zeros(3)
    b = a[::-1]
    b[:2] = y[:2]
    a[1:] += b[:-1]
    return a, b


def strided_2d(t, y):
    z = np.zeros((3, 3))
    z[::2, ::2] = y[0]
    z[1] = y
    z[:, 1] *= 2
    z.T[0] = 7
    return z


def swap_rows(t, y):
    z = np.vstack([y, 2 * y])
    z[[0, 1]] = z[[1, 0]]
    return z


def write_then_branch(t, y):
    z = y.copy()
    if z[0] > 0:
        z[0] = 0.0
    if z[1] > 0:
        z[1] = 0.0
    if z[0] > 0:
        z[2] = 99.0
    return z


def narrow_integers(t, y):
    return (y * 300).astype(np.uint8) + (y * 300).astype(np.int8)


def exact_logarithms(t, y):
    return np.floor(np.log10(np.array([1000.0, 10.0, 1e5]) + 0 * y)) + np.floor(
        np.log2(np.array([8.0, 2.0, 64.0]) + 0 * y)
    )


def bounded_while(t, y):
    x, n = y[0], 0
    while n < 20 and abs(x) > 0.1:
        x *= 0.5
        n += 1
    return x


def lookup(t, y):
    return np.array([5.0, 6.0, 7.0])[np.searchsorted([-1.0, 1.0], y)]


def take_along(t, y):
    return np.take_along_axis(y, np.argsort(y), 0)


def weighted_bins(t, y):
    return np.bincount(np.array([0, 1, 1]), weights=y)


def own_library(t, y):
    from sci import linalg

    return linalg.solve(np.outer(y, y) + 3 * np.eye(3), y)


class Mode(enum.Enum):
    A = 1
    B = 2


@dataclasses.dataclass
class Pars:
    a: float = 1.0
    b: list = dataclasses.field(default_factory=lambda: [1.0, 2.0])

    def total(self):
        return self.a + sum(self.b)


class Accumulator:
    def __init__(self):
        self.total, self.items = 0.0, []

    def add(self, x):
        self.total = self.total + x
        self.items.append(x)
        return self

    def size(self):
        return self.total if self.total > 0 else -self.total


MODE = Mode.A


def enumeration(t, y):
    return {Mode.A: 2.0, Mode.B: 3.0}[MODE] * y if MODE is Mode.A else y


def dataclass_made_inside(t, y):
    return Pars(y[0]).total() + Pars().total()


def stateful_local(t, y):
    a = Accumulator()
    for v in y:
        a.add(v)
    return a.size()


CASES = {
    n: f for n, f in list(globals().items()) if getattr(f, "__module__", "") == __name__ and f.__class__ is type(bend)
}
for _name in ("bend", "limiter", "put"):
    CASES.pop(_name)
