"""Extra arguments of users' functions: numbers are traced, anything else is bound."""

from __future__ import annotations

import numpy as np
import pytest

import sci
from sci import integrate, optimize


@pytest.mark.parametrize("extra", [3 + 4j, np.complex128(3 + 4j), np.array(3 + 4j)], ids=["python", "scalar", "array"])
def test_complex_arguments_are_traced(extra, native):
    found = optimize.minimize(lambda x, c: (x[0] - abs(c)) ** 2 + (x[1] - c.real) ** 2, [1.0, 1.0], args=(extra,))
    np.testing.assert_allclose(found.x, [5.0, 3.0], atol=1e-5)
    assert optimize.brentq(lambda x, c: x - abs(c), 0, 10, args=(extra,)) == pytest.approx(5.0)
    assert integrate.quad(lambda x, c: x * abs(c), 0, 1, args=(extra,))[0] == pytest.approx(2.5)


def test_sizes_and_switches_are_bound(native):
    def power(x, n, square):
        return sum(x**k for k in range(n)) if square else x

    assert integrate.quad(power, 0, 1, args=(3, True))[0] == pytest.approx(1 + 1 / 2 + 1 / 3)
    assert integrate.fixed_quad(power, 0, 1, args=(3, False))[0] == pytest.approx(0.5)
    found = optimize.least_squares(lambda x, n: x - np.arange(n), np.ones(3), args=(3,))
    np.testing.assert_allclose(found.x, [0, 1, 2], atol=1e-12)


def test_objects_go_to_the_original():
    boxed = np.array([2.0], dtype=object)
    assert optimize.brentq(lambda x, c: x - c[0], 0, 10, args=(boxed,)) == pytest.approx(2.0)
    assert integrate.quad(lambda x, c: x * c[0], 0, 1, args=(boxed,))[0] == pytest.approx(1.0)
    assert {record.reason.name for record in sci.fallbacks()} == {"OBJECT"}
