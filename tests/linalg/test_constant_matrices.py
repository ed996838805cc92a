"""Matrices that depend on their order alone: SciPy's values and types, exactness, properties, bad input."""

from __future__ import annotations

import jax
import numpy as np
import pytest
import scipy.linalg as original

import sci
from sci import linalg

CASES = [
    ("hilbert", (1,), {}), ("hilbert", (7,), {}), ("invhilbert", (5,), {}), ("invhilbert", (14,), {"exact": True}),
    ("invhilbert", (60,), {}), ("pascal", (34,), {}), ("pascal", (6, "lower"), {}), ("pascal", (6, "upper", False), {}),
    ("pascal", (60,), {"exact": False}), ("invpascal", (34,), {}), ("invpascal", (5, "upper"), {}),
    ("invpascal", (5,), {"exact": False}), ("hadamard", (1,), {}), ("hadamard", (16, complex), {}),
    ("hadamard", (8, np.int8), {}), ("hadamard", (4, np.uint8), {}), ("helmert", (1,), {"full": True}),
    ("helmert", (6,), {}), ("dft", (1,), {}), ("dft", (9, "n"), {}), ("dft", (np.int32(8),), {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "options"), CASES)
def test_values_and_types(name, args, options):
    sci.clear_fallbacks()
    ours, theirs = (getattr(m, name)(*args, **options) for m in (linalg, original))
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    if ours.dtype.kind in "iu":
        np.testing.assert_array_equal(ours, theirs)
    else:
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)
    assert not sci.fallbacks()


def test_what_they_are_known_for():
    np.testing.assert_array_equal(linalg.pascal(12) @ linalg.invpascal(12).astype(np.uint64), np.eye(12))
    h = linalg.helmert(9, full=True)
    np.testing.assert_allclose(h @ h.T, np.eye(9), atol=1e-15)
    h = linalg.hadamard(32)
    np.testing.assert_array_equal(h @ h.T, 32 * np.eye(32))
    f, x = linalg.dft(300), np.random.default_rng(0).normal(size=300)
    np.testing.assert_allclose(f @ x, np.fft.fft(x), atol=1e-12)
    np.testing.assert_allclose(jax.jit(lambda x: linalg.hilbert(3) @ x)(np.ones(3)), linalg.hilbert(3).sum(1), 1e-6)


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [("pascal", (35,), {}), ("invpascal", (35,), {}), ("invhilbert", (15,), {"exact": True}), ("hilbert", (0,), {}),
     ("hadamard", (4, object), {})],
)  # fmt: skip
def test_big_integers_and_empty_matrices_are_on_the_host(name, args, options):
    sci.clear_fallbacks()
    ours, theirs = (getattr(m, name)(*args, **options) for m in (linalg, original))
    assert ours.dtype == theirs.dtype and (ours == theirs).all() and sci.fallbacks()
    sci.clear_fallbacks()


@pytest.mark.parametrize(
    ("name", "args"),
    [("hadamard", (0,)), ("hadamard", (5,)), ("hadamard", (-4,)), ("pascal", (3, "other")), ("invpascal", (3, "other")),
     ("dft", (3, "other")), ("helmert", (-1,)), ("helmert", (2.5,)), ("dft", ("a",))],
)  # fmt: skip
def test_refuses(name, args):
    with pytest.raises(Exception) as theirs:
        getattr(original, name)(*args)
    with pytest.raises(theirs.type):
        getattr(linalg, name)(*args)
