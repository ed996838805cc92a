"""Every idiom traces, and its values, shapes and types are NumPy's at several points."""

import sys

import numpy as np
import pytest
from idioms_language import CASES as LANGUAGE
from idioms_merged import CASES as MERGED
from idioms_numpy import CASES as NUMPY
from idioms_writes import CASES as WRITES

from sci.bridge.tracing import to_jax
from sci.bridge.tracing.outcome import flatten_result
from sci.bridge.tracing.verify import difference

POINTS = [
    (0.5, [0.3, 0.7, 0.2]),
    (1.5, [-0.4, 0.2, -0.7]),
    (2.0, [-1.5, 1.1, 0.9]),
    (0.9, [0.9, -0.3, 0.1]),
]
TABLES = {"language": LANGUAGE, "numpy": NUMPY, "writes": WRITES, "merged": MERGED}
ALL = {f"{k}-{n}": f for k, c in TABLES.items() for n, f in c.items()}


def test_there_are_enough():
    assert len(ALL) >= 150


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")  # NumPy 2.5
@pytest.mark.parametrize("name", ALL)
def test_idiom(name):
    fun = ALL[name]
    traced = to_jax(fun, POINTS[0][0], np.array(POINTS[0][1]))
    for t, y in POINTS:
        with np.errstate(all="ignore"):
            expected, structure = flatten_result(fun(t, np.array(y)), False)
        got, found = flatten_result(traced(t, np.array(y)), False)
        assert structure == found
        for a, b in zip(expected, got, strict=True):
            assert difference(a, b, True) == "", f"{name} at {t}, {y}"


def test_branching_helpers_do_not_multiply_paths():
    y = np.array(POINTS[0][1])
    assert to_jax(MERGED["many_calls"], 0.5, y).paths == [1]
    assert to_jax(MERGED["vectorized"], 0.5, y).paths == [1]


def test_modules_are_untouched():
    module = sys.modules["idioms_writes"]
    assert module.np is np and type(module.MODEL) is module.Model and module.BUFFER[0] == 1.0
