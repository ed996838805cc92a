"""Every native function of `sci.special` against mpmath, in the measure that reference.py states."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import sci.special as special  # noqa: E402

import cases  # noqa: E402  isort: skip
import reference  # noqa: E402  isort: skip

#: Rows of the table that are not called as special.NAME(*arguments).
CALLS = {
    "polygamma1": lambda x: special.polygamma(1, x),
    "polygamma4": lambda x: special.polygamma(4, x),
    "hurwitz": lambda s, q: special.zeta(s, q),
    "multigammaln3": lambda a: special.multigammaln(a, 3),
    "logsumexp2": lambda a, b: special.logsumexp(np.stack([a, b]), axis=0),
}

#: Native names without a row, and where they are tested instead.
ELSEWHERE = {
    "gammasgn": "test_special_values.py",
    "perm": "test_functions.py",
    "log_softmax": "test_functions.py",
    "softmax": "test_functions.py",
    "logsumexp": "row logsumexp2",
    "multigammaln": "row multigammaln3",
    "polygamma": "rows polygamma1, polygamma4",
}


def check(name, n, seed):
    rows = cases.CASES[name]
    call = CALLS.get(name, getattr(special, name, None))
    single = isinstance(rows, reference.Case)
    for k, case in enumerate((rows,) if single else rows):
        arguments = reference.points(case, n, seed)
        got = call(*arguments)
        got = got if single else got[k]
        values, conditions = reference.exact(case, arguments)
        ratios, relative = reference.excess(got, values, conditions, case.tolerance)
        worst = int(np.argmax(ratios))
        assert ratios[worst] <= 1, (
            f"{name}: {ratios[worst]:.3g} times the allowed error at {[float(a[worst]) for a in arguments]}: "
            f"{np.ravel(got)[worst]!r}, exact {float(values[worst])!r}; worst relative error {relative.max():.2g}"
        )


def test_the_table_is_complete():
    missing = set(special.__all__) - set(cases.CASES) - set(ELSEWHERE)
    native = {n for n in missing if hasattr(getattr(special, n), "__sci__")}
    assert not native


#: Rows that take long to compile or to sum in mpmath, of functions whose kernel another row runs too.
LONG = {"betaincc", "owens_t", "bdtrc", "fdtrc", "nbdtr", "nbdtrc", "stdtr"}
NAMES = [pytest.param(n, marks=[pytest.mark.slow] if n in LONG else []) for n in sorted(cases.CASES)]


@pytest.mark.parametrize("name", NAMES)
def test_accuracy(name):
    check(name, 24, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(cases.CASES))
def test_accuracy_dense(name):
    check(name, 600, 1)
