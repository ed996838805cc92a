"""quadratic_assignment: SciPy's permutations and counts, every option, both worlds, failures."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize as original
from scipy.optimize import OptimizeWarning

import sci
from sci import optimize
from sci.bridge.platform import scipy_at_least

# where a test before has seeded NumPy's global generator, SciPy speaks of that
pytestmark = pytest.mark.filterwarnings("ignore:The NumPy global RNG was seeded:FutureWarning")

rng = np.random.default_rng(3)
A, B = rng.normal(size=(2, 9, 9))


def _same(a, b, method, options):
    seeded = {k: np.random.default_rng(7) if k == "rng" else v for k, v in options.items()}
    ours = optimize.quadratic_assignment(a, b, method, options=seeded)
    seeded = {k: np.random.default_rng(7) if k == "rng" else v for k, v in options.items()}
    theirs = original.quadratic_assignment(a, b, method, options=seeded)
    np.testing.assert_array_equal(ours.col_ind, theirs.col_ind)
    assert (ours.fun, ours.nit) == (theirs.fun, theirs.nit) and type(ours.fun) is type(theirs.fun)
    assert ours.col_ind.dtype == theirs.col_ind.dtype
    assert not sci.fallbacks()


MATCH = np.array([[0, 4], [3, 1], [5, 5]])
P0 = 0.5 * np.eye(9) + 0.5 / 9


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize(
    ("method", "options"),
    [("faq", {}), ("faq", {"partial_match": MATCH}), ("faq", {"P0": P0}), ("faq", {"P0": "randomized", "rng": 1}),
     ("faq", {"shuffle_input": True, "rng": 1}), ("faq", {"maxiter": 2}), ("faq", {"tol": 1e-6, "maxiter": 100}),
     ("faq", {"partial_match": MATCH, "P0": "randomized", "shuffle_input": True, "rng": 1}),
     ("faq", {"partial_match": np.array([np.arange(9), np.arange(9)[::-1]]).T}),
     ("2opt", {"rng": 1}), ("2opt", {"rng": 1, "partial_match": MATCH}), ("2opt", {"rng": 1, "partial_guess": MATCH}),
     ("2opt", {"rng": 1, "partial_match": MATCH[:1], "partial_guess": MATCH[1:]})],
)  # fmt: skip
def test_as_scipy(method, options, maximize):
    _same(A, B, method, options | {"maximize": maximize})
    _same(np.round(3 * A).astype(int), np.round(3 * B).astype(int), method, options | {"maximize": maximize})


def test_finds_the_best_of_a_small_one():
    a, b = A[:5, :5], B[:5, :5]
    every = [(a * b[list(p)][:, list(p)]).sum() for p in itertools.permutations(range(5))]
    found = min(optimize.quadratic_assignment(a, b, "2opt", {"rng": np.random.default_rng(k)}).fun for k in range(8))
    assert found == pytest.approx(min(every))
    # a matching in any order of its rows
    shuffled = optimize.quadratic_assignment(A, B, "2opt", {"partial_match": MATCH[::-1]})
    np.testing.assert_array_equal(shuffled.col_ind[MATCH[:, 0]], MATCH[:, 1])


def test_in_the_jax_world():
    with jax.enable_x64(True):
        a, b = jnp.asarray(A), jnp.asarray(B)
        for method, options in (("faq", {}), ("2opt", {"partial_guess": np.stack([np.arange(9)] * 2, 1)})):
            f = lambda a, b, m=method, o=options: optimize.quadratic_assignment(a, b, m, options=o)  # noqa: E731
            want = original.quadratic_assignment(A, B, method, options=options)
            out = jax.jit(f)(a, b)
            np.testing.assert_array_equal(out.col_ind, want.col_ind)
            gradient = jax.jit(jax.grad(lambda a, b, f=f: f(a, b).fun))(a, b)
            np.testing.assert_allclose(gradient, B[want.col_ind][:, want.col_ind])
            many = jax.vmap(f)(jnp.stack([a, -a]), jnp.stack([b, b]))
            other = original.quadratic_assignment(-A, B, method, options=options)
            np.testing.assert_array_equal(many.col_ind, [want.col_ind, other.col_ind])
            np.testing.assert_array_equal(many.nit, [want.nit, other.nit])


@pytest.mark.parametrize(
    ("method", "options"),
    [("ray", {}), ("faq", {"P0": "random"}), ("faq", {"maxiter": -1}), ("faq", {"tol": 0}), ("faq", {"P0": np.eye(3)}),
     ("faq", {"P0": np.ones((9, 9))}), ("faq", {"partial_match": [[0, 9]]}), ("faq", {"partial_match": [[0, 1, 2]]}),
     ("2opt", {"partial_match": [[-1, 0]]}), ("2opt", {"partial_guess": [[0, 1], [0, 2]]}),
     ("2opt", {"partial_guess": [[0, 9]]}), ("2opt", {"partial_guess": np.zeros((10, 2))})],
)  # fmt: skip
def test_refuses(method, options):
    for module in (original, optimize):
        with pytest.raises(ValueError):
            module.quadratic_assignment(A, B, method, options=options)


def test_refuses_shapes_and_warns():
    for a, b in ((A[:3], B), (A, B[:3]), (A[:3, :3], B), (np.ones((3, 3, 3)), np.ones((3, 3, 3)))):
        for module in (original, optimize):
            with pytest.raises(ValueError, match="A|B"):
                module.quadratic_assignment(a, b)
    for module in (original, optimize):
        with pytest.raises(TypeError):
            module.quadratic_assignment(A, B, options={"maxiter": 1.5})
        with pytest.warns(OptimizeWarning, match="Unknown solver options"):
            module.quadratic_assignment(A, B, options={"ekki": 3})
        if not scipy_at_least(1, 18):  # from then on `default_rng` takes them
            with pytest.warns(FutureWarning):
                module.quadratic_assignment(A, B, options={"rng": 3})
            with pytest.warns(DeprecationWarning):
                module.quadratic_assignment(A, B, options={"rng": np.random.RandomState(3)})
    with pytest.raises(ValueError, match="same column"):
        options = {"partial_match": [[0, 1]], "partial_guess": [[2, 1]]}
        optimize.quadratic_assignment(A, B, "2opt", options=options)
