"""Functions that must not become JAX functions, or must be proved equal: each takes (t, y)."""

import collections
import datetime
import functools
import io
import itertools
import logging
import math
import os
import random
import statistics
import sys
import time
import types
import uuid
import warnings
from time import perf_counter

import numpy as np
from numpy.random import rand

counter = 0
seen = []
memo = {}
log = logging.getLogger("x")
rng = np.random.default_rng(0)
state = np.random.RandomState(0)
buffer = np.zeros(3)
stream = io.StringIO()
ticks = itertools.count()
queue = collections.deque()
history = collections.defaultdict(list)
box = types.SimpleNamespace(n=0, a=np.zeros(3))
frozen = (1.0, [2.0])
generator = (i for i in range(10**6))
REASON = {}


def expect(*reasons):
    """Names of the reasons that may be given."""

    def mark(f):
        REASON[f.__name__] = reasons
        return f

    return mark


@expect("RANDOM")
def np_random(t, y):
    return y * np.random.rand()


@expect("RANDOM")
def np_random_name(t, y):
    return y * rand()


@expect("RANDOM")
def np_generator(t, y):
    return y + rng.normal(size=3)


@expect("RANDOM")
def np_state(t, y):
    return y + state.normal(size=3)


@expect("RANDOM")
def np_fresh_generator(t, y):
    return y + np.random.default_rng(3).normal(size=3)


@expect("RANDOM")
def py_random(t, y):
    return y * random.random()


@expect("RANDOM")
def uuid_value(t, y):
    return y * uuid.uuid4().int


@expect("EFFECT")
def time_value(t, y):
    return y * time.time()


@expect("EFFECT", "UNKNOWN_C")
def time_name(t, y):
    return y + perf_counter() * 0


@expect("EFFECT")
def date(t, y):
    return y * datetime.datetime.now().microsecond


@expect("EFFECT")
def prints(t, y):
    print("hello")
    return y


@expect("EFFECT")
def opens(t, y):
    with open("/tmp/h/never_written_by_sci", "w") as f:
        f.write("x")
    return y


@expect("EFFECT")
def environment(t, y):
    return y * len(os.environ)


@expect("EFFECT")
def stderr(t, y):
    sys.stderr.write("x")
    return y


@expect("EFFECT")
def logs(t, y):
    logging.info("x")
    return y


@expect("UNKNOWN_OBJECT", "EFFECT")
def logger(t, y):
    log.warning("x")
    return y


@expect("EFFECT")
def warns(t, y):
    warnings.warn("x", stacklevel=1)
    return y


@expect("EFFECT")
def saves(t, y):
    np.save("/tmp/h/never_written_by_sci", y)
    return y


@expect("EFFECT")
def set_print(t, y):
    np.set_printoptions(precision=3)
    return y


@expect("EFFECT")
def evaluates(t, y):
    return eval("y * 2")


@expect("EFFECT")
def executes(t, y):
    exec("counter = 1")
    return y


@expect("EFFECT")
def exits(t, y):
    sys.exit(1)


@expect("EFFECT")
def quits(t, y):
    quit()


@expect("EFFECT")
def globals_write(t, y):
    globals()["counter"] = 5
    return y


@expect("EFFECT")
def imports_time(t, y):
    from time import time as now

    return y * now()


@expect("RANDOM")
def imports_random(t, y):
    import random as r

    return y * r.random()


@expect("OUTSIDE_WRITE")
def global_counter(t, y):
    global counter
    counter += 1
    return y * counter


@expect("OUTSIDE_WRITE")
def list_append(t, y):
    seen.append(1)
    return y


@expect("OUTSIDE_WRITE")
def list_append_unbound(t, y):
    list.append(seen, 1)
    return y


@expect("OUTSIDE_WRITE")
def list_item(t, y):
    frozen[1][0] = 3.0
    return y


@expect("OUTSIDE_WRITE")
def dict_memo(t, y):
    memo["t"] = t
    return y


@expect("OUTSIDE_WRITE")
def dict_setdefault(t, y):
    return y * memo.setdefault("z", 1.0)


@expect("OUTSIDE_WRITE")
def default_memo(t, y, cache={}):  # noqa: B006
    cache["n"] = cache.get("n", 0) + 1
    return y * cache["n"]


@expect("OUTSIDE_WRITE")
def array_write(t, y):
    buffer[0] = y[0]
    return buffer.copy()


@expect("OUTSIDE_WRITE")
def array_out(t, y):
    np.multiply(y, 2, out=buffer)
    return y


@expect("OUTSIDE_WRITE")
def array_inplace(t, y):
    b = buffer
    b += y
    return y


@expect("OUTSIDE_WRITE")
def array_view_write(t, y):
    buffer[1:][0] = t
    return y


@expect("OUTSIDE_WRITE")
def array_fill(t, y):
    buffer.fill(1.0)
    return y


@expect("OUTSIDE_WRITE")
def array_sort(t, y):
    buffer.sort()
    return y


@expect("OUTSIDE_WRITE")
def object_attribute(t, y):
    box.n += 1
    return y * box.n


@expect("OUTSIDE_WRITE")
def object_array(t, y):
    box.a[0] = t
    return y


@expect("OUTSIDE_WRITE")
def object_setattr(t, y):
    setattr(box, "n", 2)  # noqa: B010
    return y


@expect("OUTSIDE_WRITE")
def object_dict(t, y):
    box.__dict__["n"] = 2
    return y


@expect("OUTSIDE_WRITE")
def function_attribute(t, y):
    function_attribute.calls = getattr(function_attribute, "calls", 0) + 1
    return y * function_attribute.calls


@expect("UNKNOWN_OBJECT")
def deque_append(t, y):
    queue.append(1)
    return y


@expect("UNKNOWN_OBJECT")
def default_dict(t, y):
    history["a"].append(1)
    return y


@expect("UNKNOWN_OBJECT")
def count_next(t, y):
    return y * next(ticks)


@expect("UNKNOWN_OBJECT")
def generator_next(t, y):
    return y * next(generator)


@expect("UNKNOWN_OBJECT")
def stream_write(t, y):
    stream.write("x")
    return y


@expect("ARGUMENT_WRITE")
def argument_write(t, y):
    y[0] = 0.0
    return y.sum()


@expect("ARGUMENT_WRITE")
def argument_inplace(t, y):
    y *= 2
    return y


@expect("ARGUMENT_WRITE")
def argument_view(t, y):
    z = np.asarray(y)[1:]
    z -= 1
    return z


@expect("LOOP")
def unbounded_while(t, y):
    x = y[0]
    while abs(x) > 1e-3:
        x = x / 2
    return x


@expect("LOOP")
def fixed_point(t, y):
    x, old = y[0], y[0] + 1
    while abs(x - old) > 1e-12:
        x, old = math.cos(x), x
    return x


@expect("BRANCHES", "LOOP")
def too_many_paths(t, y):
    s = 0.0
    for i in range(3):
        for j in range(3):
            if y[i] * (j + 0.5) > y[j] + 0.1 * i:
                s += y[i] * j
    return s


@expect("INDEX", "CONVERSION")
def traced_index(t, y):
    return TABLE[int(abs(y[0]) * 3) % 4]


@expect("INDEX")
def traced_array_index(t, y):
    return buffer[int(y[0])]


@expect("INDEX")
def traced_range(t, y):
    return sum(y[0] for _ in range(int(3 * t)))


@expect("INDEX")
def traced_shape(t, y):
    return np.zeros(int(t * 4)).sum() + y


@expect("INDEX")
def traced_slice(t, y):
    return y[: int(t * 2)]


@expect("SHAPE")
def nonzero(t, y):
    return y[np.nonzero(y > 0)[0]].sum()


@expect("SHAPE")
def unique(t, y):
    return len(np.unique(y)) * y


@expect("SHAPE", "RETURN")
def mask_return(t, y):
    return y[y > 0]


@expect("SHAPE")
def where_one(t, y):
    return np.where(y > 0)[0].size * y


@expect("STRING")
def f_string(t, y):
    return {f"{y[0]:.1f}": 1.0}.get("0.3", 2.0) * y


@expect("STRING")
def str_value(t, y):
    return len(str(y[0])) * y


@expect("HASH")
def dict_key(t, y):
    return {y[0]: 1.0}[y[0]] * y


@expect("HASH")
def set_member(t, y):
    return len({y[0], y[1]}) * y


@expect("RAISES")
def raises_on_branch(t, y):
    if y[0] < 0:
        raise ValueError("negative")
    return y


@expect("RAISES")
def asserts(t, y):
    assert y[0] > 0
    return y


@expect("STRUCTURE", "RETURN")
def other_structure(t, y):
    if y[0] > 0:
        return y
    return y[:2]


@expect("RETURN")
def returns_none_sometimes(t, y):
    if y[0] > 0:
        return y


@expect("RETURN")
def returns_none(t, y):
    y.sum()


@expect("RETURN")
def returns_string(t, y):
    return "y"


@expect("RETURN")
def returns_generator(t, y):
    return (v for v in y)


@expect("RETURN")
def yields(t, y):
    yield y


@expect("CONVERSION")
def identity(t, y):
    return id(y) * 1.0


@expect("RETURN", "DTYPE", "NUMPY_FUNCTION")
def object_array_made(t, y):
    return np.array([y[0], None], dtype=object)


@expect("LIBRARY", "EFFECT")
def statistics_mean(t, y):
    return statistics.mean(y)


@expect("LIBRARY")
def scipy_inside(t, y):
    from scipy.optimize import milp

    return milp(y, bounds=(0, 1)).x


@expect("LIBRARY", "RANDOM")
def scipy_stats(t, y):
    import scipy.stats

    return y * scipy.stats.norm.rvs()


@expect("UNSUPPORTED", "NUMPY_FUNCTION", "CONVERSION")
def strange_view(t, y):
    return y.view(np.int64)


@expect("EFFECT", "UNKNOWN_C", "LIBRARY")
def swallowed(t, y):
    try:
        return y * time.time()
    except BaseException:
        return y


@expect("SIZE", "LOOP")
def huge_unroll(t, y):
    x = y[0]
    for i in range(100_000):
        x = x * 0.9 + i
    return x


@expect("CONVERSION", "UNKNOWN_C", "LIBRARY", "NUMPY_FUNCTION")
def from_buffer(t, y):
    return np.frombuffer(memoryview(y))


@expect("STRING", "CONVERSION")
def hexes(t, y):
    return len(float(y[0]).hex()) * y


@functools.lru_cache
def noisy(n):
    seen.append(n)
    return n


@expect("OUTSIDE_WRITE")
def hidden_in_cache(t, y):
    return y * noisy(2)


class Counter:
    def __init__(self):
        self.n, self.cache = 0, {}

    def count(self, t, y):
        self.n += 1
        return y * self.n

    def remember(self, t, y):
        self.cache[1] = t
        return y

    def lazily(self, t, y):
        if not hasattr(self, "late"):
            self.late = 3.0
        return y * self.late

    @property
    def next(self):
        self.n += 1
        return self.n

    def by_property(self, t, y):
        return y * self.next


class Meta(type):
    pass


class WithMeta(metaclass=Meta):
    def __call__(self, t, y):
        return y


class Stateful:
    calls = 0

    def __call__(self, t, y):
        Stateful.calls += 1
        return y * Stateful.calls


TABLE = [1.0, 2.0, 3.0, 4.0]
CASES = {n: globals()[n] for n in REASON}
METHODS = {
    "count": Counter().count, "remember": Counter().remember, "lazily": Counter().lazily,
    "by_property": Counter().by_property, "class_counter": Stateful(), "metaclass": WithMeta(),
}  # fmt: skip
CASES.update(METHODS)
REASON.update(dict.fromkeys(METHODS, ("OUTSIDE_WRITE", "UNKNOWN_OBJECT")))


def snapshot():
    """All outside state that a hostile function could touch."""
    return (
        counter, len(seen), dict(memo), buffer.tolist(), stream.getvalue(), len(queue), dict(history), box.n,
        box.a.tolist(), frozen[1][0], vars(function_attribute).get("calls"), default_memo.__defaults__[0] == {},
        METHODS["count"].__self__.n, METHODS["lazily"].__self__.__dict__.keys() == {"n", "cache"}, Stateful.calls,
        os.path.exists("/tmp/h/never_written_by_sci"), np.random.get_state()[2], random.getstate(),
        np.get_printoptions()["precision"], rng.bit_generator.state["state"]["state"],
    )  # fmt: skip
