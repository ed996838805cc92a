"""The user's random generators move on with a call that runs here, and are untouched by one that does not."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from scipy import optimize as original
from scipy import sparse

import sci
from sci import optimize
from sci.accelerate.verify import Verifier
from sci.bridge import lookup
from sci.sparse import linalg as sparse_linalg

BOX = [(-2.0, 2.0)] * 2


def kinds():
    return np.random.default_rng(5), np.random.RandomState(5)


def next_numbers(random):
    return random.uniform(size=4).tolist()


def opaque(x):
    return float(str(x[0] ** 2 + (x[1] - 1) ** 2))  # text cannot be traced


def bowl(x):
    return x[0] ** 2 + (x[1] - 1) ** 2


@pytest.mark.parametrize("name", ["differential_evolution", "dual_annealing"])
def test_a_call_of_the_original_sees_the_users_numbers(name):
    for ours, theirs in zip(kinds(), kinds(), strict=True):
        found = getattr(optimize, name)(opaque, BOX, rng=ours, maxiter=3)
        expected = getattr(original, name)(opaque, BOX, rng=theirs, maxiter=3)
        np.testing.assert_array_equal(found.x, expected.x)
        assert found.nfev == expected.nfev and next_numbers(ours) == next_numbers(theirs)
    assert [record.function for record in sci.fallbacks()] == [f"scipy.optimize.{name}"]


@pytest.mark.parametrize("name", ["differential_evolution", "dual_annealing", "basinhopping"])
def test_a_call_here_moves_them_on(name, native):
    start = (np.ones(2),) if name == "basinhopping" else (BOX,)
    limit = {"niter": 2} if name == "basinhopping" else {"maxiter": 3}
    for random, same in zip(kinds(), kinds(), strict=True):
        first = getattr(optimize, name)(bowl, *start, rng=random, **limit)
        again = getattr(optimize, name)(bowl, *start, rng=same, **limit)
        np.testing.assert_array_equal(first.x, again.x)
        assert next_numbers(random) == next_numbers(same)
        assert next_numbers(random) != next_numbers(kinds()[isinstance(random, np.random.RandomState)])


def test_basinhopping_draws_between_the_users_functions(native):
    random = np.random.default_rng(2)
    seen = []

    def accept(**_):
        seen.append(random.uniform())
        return True

    optimize.basinhopping(bowl, np.ones(2), niter=3, rng=random, accept_test=accept)
    seen += next_numbers(random)
    assert len(set(seen)) == len(seen) == 7  # no part of the stream came twice


def test_compiling_in_the_background_draws_nothing():
    matrix = sparse.diags_array([np.arange(1.0, 41.0)], offsets=[0]).tocsr()
    random = np.random.default_rng(3)
    lookup("scipy.sparse.linalg.eigsh").facts.warm((matrix, 2), {"rng": random})
    assert next_numbers(random) == next_numbers(np.random.default_rng(3))
    sparse_linalg.eigsh(matrix, 2, rng=random)
    assert next_numbers(random) != next_numbers(np.random.default_rng(3))


def test_a_verified_call_starts_both_engines_alike():
    entry = lookup("scipy.optimize.differential_evolution")
    for random, alone in zip(kinds(), kinds(), strict=True):
        verifier = Verifier()
        verifier.call(entry, (opaque, BOX), {"rng": random, "maxiter": 3})
        optimize.differential_evolution(opaque, BOX, rng=alone, maxiter=3)
        assert verifier.calls == 1 and not verifier.differences
        assert next_numbers(random) == next_numbers(alone)
    np.random.seed(4)
    state = copy.deepcopy(np.random.mtrand._rand)
    verifier.call(entry, (bowl, BOX), {"rng": np.random, "maxiter": 3})
    moved = next_numbers(np.random)
    np.random.set_state(state.get_state())
    optimize.differential_evolution(bowl, BOX, rng=np.random, maxiter=3)
    assert next_numbers(np.random) == moved
