"""Hostile functions are refused with file, line and reason, and nothing outside changes."""

import os
import pickle

import hostile
import numpy as np
import pytest

from sci.bridge.tracing import TraceError, TraceReason, to_jax


def test_there_are_enough():
    assert len(hostile.CASES) >= 60


@pytest.mark.parametrize("name", hostile.CASES)
def test_refused(name, capsys):
    before = hostile.snapshot()
    y = np.array([0.3, 0.7, 0.2])
    with pytest.raises(TraceError) as caught:
        to_jax(hostile.CASES[name], 0.9, y)
    error = caught.value
    assert error.reason.name in hostile.REASON[name], str(error)
    assert os.path.basename(error.file or "") == "hostile.py", str(error)
    assert isinstance(error.line, int) and str(error.line) in str(error)
    assert error.reason.value in str(error)
    assert hostile.snapshot() == before
    assert y.tolist() == [0.3, 0.7, 0.2]
    assert capsys.readouterr() == ("", "")


def test_remembered_failure_is_raised_again():
    y = np.ones(3)
    first, second = (pytest.raises(TraceError, to_jax, hostile.f_string, 0.9, y).value for _ in range(2))
    assert first is not second and str(first) == str(second)


def test_pickle():
    error = pytest.raises(TraceError, to_jax, hostile.np_random, 0.9, np.ones(3)).value
    again = pickle.loads(pickle.dumps(error))
    assert (again.reason, again.line, str(again)) == (TraceReason.RANDOM, error.line, str(error))


def test_not_callable():
    with pytest.raises(TypeError, match="callable, got int"):
        to_jax(3, 1.0)
