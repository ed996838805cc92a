"""The two worlds: which one, which dtype, and what is left as it was."""

from __future__ import annotations

import gc
import pickle
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

import sci
from sci import linalg
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.cache import LRU
from sci.bridge.implements import Bridge
from sci.bridge.registry import REGISTRY, jax_for, lookup
from sci.bridge.signature import Binder
from sci.bridge.worlds import is_jax, is_traced, to_numpy_world, writable


def test_numpy_in_numpy_out_in_double():
    assert not jax.config.jax_enable_x64
    x = linalg.solve([[2.0, 0.0], [0.0, 4.0]], [1, 1])
    assert type(x) is np.ndarray and x.dtype == np.float64
    assert not jax.config.jax_enable_x64


def test_jax_in_jax_out_in_its_own_precision():
    x = linalg.solve(jnp.eye(2), np.ones(2))
    assert isinstance(x, jax.Array) and x.dtype == jnp.float32
    with jax.enable_x64(True):
        assert linalg.solve(jnp.eye(2, dtype=float), np.ones(2)).dtype == jnp.float64


def test_world_detection_looks_into_containers():
    assert is_jax([1.0, (jnp.ones(1),)]) and is_jax({"a": jnp.ones(1)})
    assert not is_jax([1.0, np.ones(2), "x", None])
    assert not is_traced(jnp.ones(2))
    jax.jit(lambda x: [is_traced([x]) or pytest.fail("a tracer was not seen")] and x)(1.0)


@pytest.mark.parametrize(
    ("value", "rule", "expected"),
    [
        (np.ones(2, "i4"), "inexact", "f8"), (np.ones(2, "?"), "inexact", "f8"), (np.ones(2, "f2"), "inexact", "f4"),
        (np.ones(2, "f4"), "inexact", "f4"), (np.ones(2, "c8"), "inexact", "c8"), (np.ones(2, ">f8"), "inexact", "f8"),
        (np.ones(2, "u1"), "keep", "u1"), (np.ones(2, ">i2"), "keep", "i2"), ([1, 2], "inexact", "f8"),
    ],
)  # fmt: skip
def test_dtype_rules(value, rule, expected):
    result = to_numpy_world("x", value, rule)
    assert result.dtype == np.dtype(expected) and result.dtype.isnative


@pytest.mark.parametrize(
    ("value", "rule", "reason"),
    [
        (np.ones(2, "g"), "inexact", Reason.LONGDOUBLE), (np.array([None]), "keep", Reason.OBJECT),
        (np.ones(2, "M8[s]"), "keep", Reason.DTYPE), (np.ones(2, complex), "float", Reason.DTYPE),
        ([[1, 2], [3]], "inexact", Reason.DTYPE), ("text", "inexact", Reason.DTYPE),
    ],
)  # fmt: skip
def test_values_that_jax_lacks_are_refused(value, rule, reason):
    with pytest.raises(HostRoute) as caught:
        to_numpy_world("x", value, rule)
    assert caught.value.reason is reason


def test_large_results_are_writable_and_alias_nothing():
    identity = jax.jit(lambda x: (x, x, x + 1))
    a = np.zeros((512, 256))
    with jax.enable_x64(True):
        out = writable(list(identity(a)), [a])
    for i, x in enumerate(out):
        assert x.flags.writeable
        x[...] = i + 1.0
    assert (a == 0).all() and [float(x[3, 3]) for x in out] == [1.0, 2.0, 3.0]
    big = out[2]
    del out
    gc.collect()
    assert (big == 3.0).all(), "the view keeps the buffer alive"


def test_binder_binds_as_python_does():
    import inspect

    def function(a, /, b, c=3, *, d=4):
        pass

    bind = Binder(inspect.signature(function))
    for args, kwargs in [((1, 2), {}), ((1,), {"b": 2, "d": 5}), ((1, 2, 3), {"d": 0})]:
        into = {}
        bind(args, kwargs, into)
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
        assert into == dict(bound.arguments)
    for args, kwargs in [
        ((), {}),
        ((1, 2, 3, 4), {}),
        ((1,), {"a": 1, "b": 2}),
        ((1, 2), {"b": 1}),
        ((1, 2), {"e": 1}),
    ]:
        with pytest.raises(TypeError):
            bind(args, kwargs, {})


def test_binder_collects_options():
    import inspect

    def function(a, /, b, c=3, *, d=4, **options):
        pass

    bind = Binder(inspect.signature(function))
    for args, kwargs in [((1, 2), {}), ((1,), {"b": 2, "rtol": 5, "a": 7}), ((1, 2), {"d": 1, "rtol": 2})]:
        into = {}
        bind(args, kwargs, into)
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()
        assert into == dict(bound.arguments)
    for args, kwargs in [((), {}), ((1, 2), {"b": 3})]:
        with pytest.raises(TypeError):
            bind(args, kwargs, {})


def test_registration_refuses_dropped_parameters_and_wrong_rules():
    with pytest.raises(ValueError, match="overwrite_a"):
        implements("scipy.linalg.det")(lambda a: a)
    with pytest.raises(ValueError, match="dtype rule 'exact'"):
        implements("scipy.linalg.det", ignored=("overwrite_a",), dtypes="exact")(lambda a: a)
    with pytest.raises(AttributeError):
        implements("scipy.linalg.no_such_function")(lambda a: a)


def test_registry_lookups():
    assert lookup("scipy.linalg.solve") is REGISTRY["scipy.linalg.solve"]
    assert lookup("scipy.linalg.hessenberg_nonsense") is None
    assert jax_for(scipy.linalg.solve) is linalg.solve
    assert jax_for(np.sin) is None
    assert Example().rtol == 1e-10


def test_lru_is_bounded_and_clear_caches_empties_it():
    cache = LRU(3)
    for i in range(10):
        assert cache.get_or_make(i, lambda i=i: i * i) == i * i
    assert len(cache) == 3
    assert cache.get_or_make(9, lambda: "not made again") == 81
    sci.clear_caches()
    assert len(cache) == 0
    assert linalg.det(np.eye(2)) == 1.0


def test_calls_from_many_threads_agree():
    a = np.random.default_rng(0).normal(size=(6, 6))
    expected = scipy.linalg.inv(a)
    wrong = []

    def work():
        for _ in range(20):
            if not np.allclose(linalg.inv(a), expected, rtol=1e-9):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_results_pickle():
    assert (pickle.loads(pickle.dumps(linalg.inv(np.eye(3)))) == np.eye(3)).all()


def test_equal_options_of_different_types_share_no_program():
    nothing = dict.fromkeys(("out", "prepare", "supports", "validate", "finish", "finish_jax", "drive"))
    bridge = Bridge(
        "scipy.linalg.norm", lambda a, ord: a * ord, static=("ord",), ignored=("axis", "keepdims"), callables={},
        trees=(), dtypes={"a": "keep"}, finite=(), extras={}, **nothing,
    )  # fmt: skip
    counts = np.arange(3)
    results = [bridge.run((counts,), {"ord": ord}) for ord in (1, 1.0, True)]
    assert [r.dtype.kind for r in results] == ["i", "f", "i"]
