"""What is traced again and what is not; captured values; threads; memory; cost."""

import gc
import os
import threading
import time
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sci.bridge import clear_caches
from sci.bridge.tracing import TraceError, TraceReason, api, to_jax

RATE = 2.0
TABLE = {"k": [1.0, 2.0]}


def make(k):
    return lambda t, y: -k * y


def engine():
    count = [0]

    @jax.jit
    def run(fun, y):
        count[0] += 1
        return fun(0.0, y)

    return run, count


def test_fresh_lambda_does_not_retrace():
    run, count = engine()
    for k in (1.0, 2.0, 3.0):
        np.testing.assert_allclose(run(to_jax(make(k), 0.0, np.ones(3)), jnp.ones(3)), -k * np.ones(3))
    assert count == [1]
    clear_caches()
    run(to_jax(make(4.0), 0.0, np.ones(3)), jnp.ones(3))
    assert count == [1]


def test_derivative_with_respect_to_a_captured_value():
    run, _ = engine()
    grad = jax.grad(lambda k: run(to_jax(make(k), 0.0, np.ones(3)), jnp.ones(3)).sum())
    assert float(grad(2.0)) == -3.0
    leaves = jax.grad(lambda f: f(0.0, jnp.ones(3)).sum())(to_jax(make(2.0), 0.0, np.ones(3)))
    assert float(jax.tree_util.tree_leaves(leaves)[0]) == -3.0


def test_changed_values_are_seen():
    global RATE
    a = np.array([1.0, 2.0, 3.0])
    f = lambda y: RATE * y * a + TABLE["k"][1]  # noqa: E731
    one = np.ones(3)
    np.testing.assert_allclose(to_jax(f, one)(one), f(one))
    RATE = 5.0
    a[0] = 7.0
    TABLE["k"][1] = -1.0
    np.testing.assert_allclose(to_jax(f, one)(one), f(one))
    RATE, TABLE["k"][1] = 2.0, 2.0


def test_changed_structure_is_seen():
    box = {"mode": "a"}
    f = lambda y: y if box["mode"] == "a" else -y  # noqa: E731
    assert to_jax(f, 1.0)(1.0) == 1.0
    box["mode"] = "b"
    assert to_jax(f, 1.0)(1.0) == -1.0


def test_changed_attribute_and_method():
    class Model:
        k = 1.0

        def __call__(self, y):
            return self.k * y

    m = Model()
    assert to_jax(m, 1.0)(1.0) == 1.0
    m.k = 3.0
    assert to_jax(m, 1.0)(1.0) == 3.0
    Model.__call__ = lambda self, y: -self.k * y
    assert to_jax(m, 1.0)(1.0) == -3.0


def test_captured_integers_and_masks_stay_static_where_they_index():
    index, mask = np.array([2, 0]), np.array([True, False, True])
    f = lambda y: y[index] * y[mask]  # noqa: E731
    y = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(to_jax(f, y)(y), f(y))
    index[0] = 1
    np.testing.assert_allclose(to_jax(f, y)(y), f(y))


def test_captured_float_may_steer_a_loop():
    step = 0.25

    def f(y):
        for _ in range(int(1 / step)):
            y = y + step * np.cos(y)
        return y

    assert abs(to_jax(f, 0.5)(0.5) - f(0.5)) < 1e-14
    step = 0.5
    assert abs(to_jax(f, 0.5)(0.5) - f(0.5)) < 1e-14


def test_hit_neither_traces_nor_verifies():
    calls = [0]

    class Spy:
        def __call__(self, *a):
            calls[0] += 1

    to_jax(make(1.0), 0.0, np.ones(3))
    verify, api.verify = api.verify, Spy()
    try:
        to_jax(make(2.0), 0.0, np.ones(3))
        assert calls == [0]
        to_jax(lambda y: y * 3.25, np.ones(3))
        assert calls == [1]
    finally:
        api.verify = verify
        clear_caches()


def test_threads():
    errors, results = [], {}

    def work(i):
        try:
            for j in range(4):
                f = (lambda k, j: lambda y: np.array([y[0] * k if y[0] > j else y[1], k]))(float(i), j)
                y = np.array([2.0, 3.0])
                results[i, j] = np.allclose(to_jax(f, y)(y), f(y))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not errors and len(results) == 32 and all(results.values())


def test_dead_functions_are_dropped():
    def build():
        big = np.zeros(200_000)

        def f(y):
            return y + big[:3]

        to_jax(f, np.ones(3))(np.ones(3))
        return weakref.ref(f), weakref.ref(big)

    f, big = build()
    gc.collect()
    assert f() is None and big() is None


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads /proc")
def test_memory_is_bounded():
    def rss():
        with open("/proc/self/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    one = np.ones(3)
    [to_jax(make(float(i)), 0.0, one) for i in range(50)]
    before = rss()
    [to_jax(make(float(i)), 0.0, one) for i in range(1000)]
    for i in range(300):  # distinct code each time
        space = {"np": np}
        exec(f"f = lambda y: np.sin(y) + {i}.5", space)
        to_jax(space["f"], one)
    gc.collect()
    assert rss() - before < 50
    assert len(api._entries) <= api._entries.maxsize


def ten_lines(t, y):
    d = np.zeros(3)
    r = math_free(y)
    d[0] = y[1] * np.exp(-t)
    d[1] = -y[0] + 0.1 * y[2] ** 2
    if y[0] > 0:
        d[2] = np.sin(y[2]) / (1 + r)
    else:
        d[2] = np.cos(y[2]) - r
    s = np.sum(d * y)
    d += 0.01 * s
    return d


def math_free(y):
    return np.sqrt(y[0] ** 2 + y[1] ** 2)


def test_cost():
    """Generous bounds: the figures are 60 ms and some 10 us on an idle machine."""
    y = np.array([0.3, 0.7, 0.2])
    to_jax(lambda y: y * 1.5, y)
    first = []
    for _ in range(3):
        clear_caches()
        start = time.perf_counter()
        to_jax(ten_lines, 0.1, y)
        first.append(time.perf_counter() - start)
    assert min(first) < 0.12
    start = time.perf_counter()
    for i in range(200):
        to_jax(make(float(i)), 0.0, y)
    assert (time.perf_counter() - start) / 200 < 1e-3


def test_without_verification():
    calls = [0]

    def f(y):
        return y * 2

    traced = to_jax(f, np.ones(3), verify=False)
    np.testing.assert_allclose(traced(np.ones(3)), 2 * np.ones(3))
    assert calls == [0]


def test_user_exception_at_the_example():
    error = pytest.raises(TraceError, to_jax, lambda y: y[7], np.ones(3)).value
    assert error.reason is TraceReason.RAISES and isinstance(error.__cause__, IndexError)


def test_idempotent():
    traced = to_jax(make(1.0), 0.0, np.ones(3))
    assert to_jax(traced, 0.0, np.ones(3)) is traced


class _Library(dict):
    """A class that is not rebuilt (its base is built in): what it names is described inside it."""

    def look(self, x):
        return _TABLE[str] * x


_TABLE = {str: 2.0}


def test_what_is_first_met_inside_a_class_that_is_not_rebuilt():
    def f(x):
        kind = _Library if x is None else None
        return _TABLE[str] * x if kind is None else kind().look(x)

    assert to_jax(f, 3.0)(3.0) == 6.0


def test_two_mentions_of_what_cannot_be_described():
    strange = {object(): 1}

    def f(x, a=strange, b=strange):
        return x * len(a if x is None else "ab")

    assert to_jax(f, 3.0)(3.0) == 6.0


def _calls(monkeypatch):
    """How often a callable is taken apart."""
    seen, original = [], api.described
    monkeypatch.setattr(api, "described", lambda *a: seen.append(a) or original(*a))
    return seen


def test_a_plain_function_is_taken_apart_twice_at_most(monkeypatch):
    seen, x = _calls(monkeypatch), np.array([1.0, 2.0])

    def plain(x, s):
        return np.sin(x) * s + np.sum(x)

    for s in (1.0, 2.0, 3.0, 4.0):
        np.testing.assert_allclose(to_jax(plain, x, s)(x, s), plain(x, s))
    assert len(seen) == 2
    to_jax(plain, np.ones(3), 1.0)  # another shape, ...
    to_jax(plain, x, 1)  # an integer, which may be structure
    assert len(seen) == 4
    clear_caches()
    to_jax(plain, x, 1.0)
    assert len(seen) == 5


_helper = np.sin


def _uses_globals(x):
    return _helper(x) * abs(x[0])


def test_a_plain_function_sees_changed_globals(monkeypatch):
    x = np.array([-1.0, 2.0])
    for _ in range(3):
        np.testing.assert_allclose(to_jax(_uses_globals, x)(x), np.sin(x))
    monkeypatch.setitem(globals(), "_helper", np.cos)
    np.testing.assert_allclose(to_jax(_uses_globals, x)(x), np.cos(x))
    monkeypatch.setitem(globals(), "abs", np.exp)  # a builtin's name
    np.testing.assert_allclose(to_jax(_uses_globals, x)(x), np.cos(x) * np.exp(-1.0))
    monkeypatch.setattr(_uses_globals, "__code__", (lambda x: x * 7.0).__code__)
    np.testing.assert_allclose(to_jax(_uses_globals, x)(x), 7.0 * x)


def test_one_array_given_twice():
    def product(a, b):
        return a * b

    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    for _ in range(3):
        np.testing.assert_allclose(to_jax(product, a, b)(a, b), a * b)
        np.testing.assert_allclose(to_jax(product, a, a)(a, a), a * a)
        np.testing.assert_allclose(to_jax(product, a, a)(a, b), a * b)
