"""In-place writes, views and captured objects: each function takes (t, y), y of shape (3,)."""

import collections
import dataclasses
import functools
import types
from typing import NamedTuple

import numpy as np

BUFFER = np.array([1.0, 2.0, 3.0])


def element_writes(t, y):
    d = np.zeros(3)
    d[0] = y[1]
    d[1] = -y[0] * t
    return d


def zeros_like_writes(t, y):
    d = np.zeros_like(y)
    d[:] = y
    d[-1] = 0
    return d


def empty_filled(t, y):
    d = np.empty((2, 3))
    d[0] = y
    d[1, :] = t
    return d


def column_write(t, y):
    d = np.zeros((3, 2))
    d[:, 0] = y
    d[1:, 1] = y[:2] ** 2
    return d


def strided_write(t, y):
    d = np.ones(6)
    d[::2] = y
    d[::-2] += t
    return d


def view_writes_through(t, y):
    d = np.zeros(4)
    v = d[1:3]
    v[0] = y[0]
    v += y[1]
    return d


def reshape_view(t, y):
    d = np.zeros(6)
    m = d.reshape(2, 3)
    m[1] = y
    m[0, 0] = t
    return d


def transpose_view(t, y):
    d = np.zeros((2, 3))
    d.T[:, 0] = y
    return d


def ravel_view(t, y):
    d = np.zeros((2, 2))
    d.ravel()[3] = y[0]
    return d


def diagonal_write(t, y):
    d = np.outer(y, y)
    np.fill_diagonal(d, t)
    return d


def row_view_loop(t, y):
    d = np.zeros((2, 3))
    for i, row in enumerate(d):
        row[:] = y * i
    return d


def inplace_ops(t, y):
    z = y.copy()
    z += 1
    z *= t
    z -= y[0]
    z /= 3
    z **= 2
    return z


def inplace_on_slice(t, y):
    z = y.copy()
    z[1:] *= 2
    z[0] += z[1]
    return z


def read_after_write(t, y):
    z = y.copy()
    w = z[:2]
    z[0] = 10 * y[2]
    return w * 2


def overlap_shift(t, y):
    z = y.copy()
    z[1:] = z[:-1]
    return z


def aliasing(t, y):
    z = y.copy()
    w = z
    w[0] = 5.0
    return z + w


def copy_is_separate(t, y):
    z = y.copy()
    w = z.copy()
    w[0] = 5.0
    return z


def mask_assign(t, y):
    z = y.copy()
    z[z < 0] = 0
    return z


def mask_assign_value(t, y):
    z = np.zeros_like(y)
    m = y > 0
    z[m] = y[m] ** 2
    z[~m] = t
    return z


def mask_inplace(t, y):
    z = y.copy()
    z[y > 0.2] *= 3
    return z


def fancy_assign(t, y):
    z = np.zeros(4)
    z[[0, 3]] = y[:2]
    z[np.array([1])] = t
    return z


def fancy_duplicates(t, y):
    z = np.zeros(2)
    z[[0, 0, 1]] = y
    return z


def add_at(t, y):
    z = np.zeros(2)
    np.add.at(z, [0, 0, 1], y)
    return z


def out_argument(t, y):
    z = np.empty(3)
    np.multiply(y, t, out=z)
    np.add(z, 1, z)
    return z


def out_where(t, y):
    z = np.zeros(3)
    np.divide(1.0, y, out=z, where=y > 0.1)
    return z


def copyto(t, y):
    z = np.zeros(3)
    np.copyto(z, y)
    return z


def fill_method(t, y):
    z = np.empty(3)
    z.fill(y[0])
    return z


def sort_in_place(t, y):
    z = y.copy()
    z.sort()
    return z


def integer_target(t, y):
    z = np.zeros(3, dtype=int)
    z[0] = y[0] * 10
    z[1] = 7
    return z


def float32_target(t, y):
    z = np.zeros(3, dtype=np.float32)
    z[:] = y
    return z * 2


def stencil(t, y):
    u = np.zeros(5)
    u[1:-1] = y
    du = np.zeros_like(u)
    du[1:-1] = u[2:] - 2 * u[1:-1] + u[:-2]
    du[0] = du[-1] = 0.0
    return du


def matrix_assembly(t, y):
    k = np.zeros((4, 4))
    for e in range(3):
        ke = y[e] * np.array([[1.0, -1.0], [-1.0, 1.0]])
        k[e : e + 2, e : e + 2] += ke
    return k


def loop_fill(t, y):
    d = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            d[i, j] = y[i] * y[j] if i != j else t
    return d


def list_of_arrays(t, y):
    parts = [y * i for i in range(3)]
    parts[1] = parts[1] + 1
    return np.array(parts)


def local_dict(t, y):
    d = {"a": y[0]}
    d["b"] = d["a"] * 2
    d.update(c=t)
    return d["b"] + d["c"]


def local_object(t, y):
    s = types.SimpleNamespace(a=y[0])
    s.a = s.a + 1
    return s.a


def flat_iteration(t, y):
    return sum(np.outer(y, y).flat)


def nditer_free(t, y):
    s = 0.0
    for (i,), v in np.ndenumerate(y):
        s += i * v
    return s


def ndindex_loop(t, y):
    s = 0.0
    m = np.outer(y, y)
    for i, j in np.ndindex(3, 3):
        s += m[i, j] * (i - j)
    return s


class Model:
    scale = 0.5

    def __init__(self):
        self.g, self.A, self.name = 9.8, np.eye(3) * 2, "m"

    @property
    def omega(self):
        return np.sqrt(self.g)

    @staticmethod
    def bend(x):
        return np.sin(x)

    @classmethod
    def rate(cls, x):
        return cls.scale * x

    def force(self, y):
        return -self.g * self.bend(y) * self.omega + self.rate(y)

    def rhs(self, t, y):
        return self.A @ self.force(y)

    def __call__(self, t, y):
        return self.rhs(t, y) + t


class Child(Model):
    def force(self, y):
        return super().force(y) * 2 if y[0] > 0 else super().force(y)


class Slotted:
    __slots__ = ("k",)

    def __init__(self, k):
        self.k = k

    def __call__(self, t, y):
        return self.k * y


@dataclasses.dataclass(frozen=True)
class Params:
    a: float
    b: np.ndarray
    n: int = 2


class Point(NamedTuple):
    x: float
    v: float

    def energy(self):
        return 0.5 * self.v**2 + self.x


class Vec:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, o):
        return Vec(self.x + o.x, self.y + o.y)

    def norm(self):
        return np.sqrt(self.x**2 + self.y**2)


Pair = collections.namedtuple("Pair", "a b")
PARAMS = Params(1.5, np.array([1.0, 2.0, 3.0]))
MODEL = Model()
CONFIG = {"k": 2.0, "sub": {"w": np.array([1.0, 0.0, 2.0])}, "mode": "on"}


def dataclass_global(t, y):
    return PARAMS.a * y * PARAMS.b + PARAMS.n


def dataclass_replace(t, y):
    return dataclasses.replace(PARAMS, a=y[0]).a * 2


def namedtuple_inside(t, y):
    p = Pair(y[0], t)
    return Pair(p.a * p.b, p.b)


def namedtuple_methods(t, y):
    return Point(y[0], y[1]).energy()


def dict_config(t, y):
    return CONFIG["k"] * y * CONFIG["sub"]["w"] if CONFIG["mode"] == "on" else y


def object_global(t, y):
    return MODEL.force(y) + MODEL.g


def operator_class(t, y):
    return (Vec(y[0], y[1]) + Vec(t, 1.0)).norm()


class Named(Vec):
    def __init__(self, x):
        Vec.__init__(self, x, 1.0)  # the base by its name


def base_by_name(t, y):
    return (Named(y[0]) + Vec(y[1], t)).norm()


def captured_buffer_copy(t, y):
    b = BUFFER.copy()
    b[0] = y[0]
    return b


def with_parameters(t, y, p, m):
    return p * y + m(t, y)


@functools.lru_cache
def weights(n):
    return np.arange(n) * 0.5


def cached_helper(t, y):
    return weights(3) * y


CASES = {
    n: f
    for n, f in list(globals().items())
    if isinstance(f, types.FunctionType) and f.__module__ == __name__ and n != "with_parameters"
}
CASES.update(
    method=Model().rhs, callable_object=Model(), child=Child(), child_method=Child().rhs, slotted=Slotted(1.5),
    partial=functools.partial(with_parameters, p=2.0, m=Model()),
    default_capture=lambda t, y, m=MODEL: [y[1], m.g],
)  # fmt: skip
