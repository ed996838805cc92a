"""`linprog`: every method against SciPy's; integers are HiGHS's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
import scipy.sparse

import sci
from sci.optimize import linprog

C = np.array([-1.0, -2.0, 0.5])
PROBLEM = {
    "A_ub": [[1.0, 1.0, 1.0], [1.0, 3.0, 0.2]],
    "b_ub": [4.0, 6.0],
    "A_eq": [[1.0, 0.5, -1.0]],
    "b_eq": [0.5],
    "bounds": [(0, 3), (0, None), (None, None)],
}


@pytest.mark.parametrize("method", ["highs", "highs-ds", "highs-ipm"])
def test_result_is_scipys(method):
    sci.clear_fallbacks()
    ours, theirs = linprog(C, **PROBLEM, method=method), scipy.optimize.linprog(C, **PROBLEM, method=method)
    assert not sci.fallbacks()
    assert list(ours) == list(theirs)
    assert (ours.success, ours.status) == (True, 0)
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-9)
    assert ours.fun == pytest.approx(theirs.fun, abs=1e-9)
    for part in ("ineqlin", "eqlin", "lower", "upper"):
        for field in ("residual", "marginals"):
            np.testing.assert_allclose(ours[part][field], theirs[part][field], atol=1e-8, err_msg=f"{part}.{field}")


@pytest.mark.parametrize("bounds", [None, [], (0, None)])
def test_no_bounds_mean_not_negative(bounds):
    sci.clear_fallbacks()
    result = linprog([1.0, 2.0], A_ub=[[-1.0, -1.0]], b_ub=[-1.0], bounds=bounds)
    assert not sci.fallbacks()
    np.testing.assert_allclose(result.x, [1.0, 0.0], atol=1e-9)


OWN = ["simplex", "revised simplex", "interior-point"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("method", OWN)
def test_scipys_own_methods(method):
    sci.clear_fallbacks()
    with pytest.warns(DeprecationWarning, match=f"`method='{method}'` is deprecated"):
        ours = linprog(C, **PROBLEM, method=method)
    theirs = scipy.optimize.linprog(C, **PROBLEM, method=method)
    assert not sci.fallbacks()
    assert set(ours) == set(theirs)
    assert (ours.success, ours.status, ours.message) == (True, 0, theirs.message)
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-7)
    assert ours.fun == pytest.approx(theirs.fun, abs=1e-7)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("method", "options"), [("highs", {}), ("simplex", {"bland": True, "presolve": False})])
def test_random_programs_agree_in_value_and_status(method, options):
    rng = np.random.default_rng(1)
    sci.clear_fallbacks()
    seen = set()
    for k in range(60):
        whole = k % 4 == 1  # small integers: ties and degenerate vertices
        a, e, c, inside = (rng.standard_normal(s) for s in ((3, 6), (2, 6), 6, 6))
        if whole:
            a, e, c, inside = (np.round(2 * v) for v in (a, e, c, inside))
        if k % 4 == 2:
            e[1] = 2 * e[0]
        inside = np.abs(inside)
        b_ub, b_eq = a @ inside + (0.3 if k % 7 else -3.0) * (not whole), e @ inside
        given = {"A_ub": a, "b_ub": b_ub, "A_eq": e, "b_eq": b_eq, "bounds": (0, 20 if k % 3 else None)}
        ours, theirs = linprog(c, **given, method=method, options=options), scipy.optimize.linprog(c, **given)
        seen.add(theirs.status)
        assert ours.status == theirs.status, k
        if theirs.success:
            assert ours.fun == pytest.approx(theirs.fun, rel=1e-8, abs=1e-8)
            assert (ours.slack > -1e-8).all() and np.abs(ours.con).max() < 1e-8 and (ours.x >= 0).all()
    assert seen == {0, 2, 3}
    assert not sci.fallbacks()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("method", ["highs", "highs-ds", "highs-ipm", *OWN])
@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"c": [-1.0, 0.0]}, 3),
        ({"c": [-1.0, -1.0], "A_ub": [[1.0, -1.0], [-1.0, 1.0]], "b_ub": [1.0, 1.0]}, 3),
        ({"c": [1.0, 1.0], "A_ub": [[1.0, 1.0]], "b_ub": [-1.0]}, 2),
        ({"c": [1.0, 1.0], "bounds": (2, 1)}, 2),
        ({"c": [1.0, 1.0], "A_eq": [[0.0, 1.0]], "b_eq": [-1.0]}, 2),
    ],
)
def test_what_has_no_solution(method, options, status):
    sci.clear_fallbacks()
    ours, theirs = (module.linprog(**options, method=method) for module in (sci.optimize, scipy.optimize))
    assert not sci.fallbacks()
    assert ours.status == theirs.status == status and not ours.success
    assert ours.message == theirs.message
    assert (ours.x is None) == (theirs.x is None)


def test_one_of_several_vertices():
    sci.clear_fallbacks()
    for c in ([1.0, 1.0], [2.0, 2.0]):
        ours, theirs = (f(c, A_eq=[[1.0, 1.0]], b_eq=[1.0]) for f in (linprog, scipy.optimize.linprog))
        np.testing.assert_array_equal(ours.x, theirs.x)  # HiGHS chooses: a script prints what it printed
    assert sci.fallbacks()[0].detail.endswith("not unique") and sci.fallbacks()[0].count == 2
    matrix, right = jnp.ones((1, 2)), jnp.ones(1)
    alone = jax.jit(lambda c: linprog(c, A_eq=matrix, b_eq=right).fun)(jnp.ones(2))
    assert abs(float(alone) - 1) < 1e-6


def test_integers_are_highs():
    options = {"c": [-1.0, -1.0], "A_ub": [[2.0, 2.0]], "b_ub": [3.0], "integrality": [1, 1]}
    sci.clear_fallbacks()
    with pytest.warns(sci.FallbackWarning):
        ours = linprog(**options)
    assert ours.fun == -1.0
    with pytest.warns(scipy.optimize.OptimizeWarning, match="Ignoring `integrality`"):
        assert linprog(**options, method="highs-ds").fun == -1.5


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_guess_is_a_vertex_or_status_6():
    best = linprog(C, **PROBLEM).x
    ours = linprog(C, **PROBLEM, method="revised simplex", x0=best)
    assert ours.success and ours.nit == 0
    np.testing.assert_allclose(ours.x, best)
    for guess in (best + 0.25, [0.5, 0.5, 0.25]):  # outside; inside, but no vertex
        both = [m.linprog(C, **PROBLEM, method="revised simplex", x0=guess) for m in (sci.optimize, scipy.optimize)]
        assert [r.status for r in both] == [6, 6] and both[0].message == both[1].message
    with pytest.warns(scipy.optimize.OptimizeWarning, match="x0 is used only"):
        linprog(C, **PROBLEM, x0=best)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("method", OWN)
def test_callback_sees_every_step(method):
    seen = []
    options = {"c": [-3, -2], "A_ub": [[2, 1], [1, 1], [1, 0]], "b_ub": [10, 8, 4], "method": method}
    sci.clear_fallbacks()
    found = linprog(**options, callback=seen.append)
    assert not sci.fallbacks()
    expected = []
    scipy.optimize.linprog(**options, callback=expected.append)
    assert {frozenset(r) for r in seen} == {frozenset(r) for r in expected}
    assert [r.nit for r in seen][-1] == found.nit and len(seen) >= 2
    np.testing.assert_allclose(seen[-1].x, found.x)
    assert found.fun == pytest.approx(-18.0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("method", OWN)
def test_iteration_limit(method):
    options = {
        "A_eq": [[2, 5, 3, -1, 0, 0], [3, 2.5, 8, 0, -1, 0], [8, 10, 4, 0, 0, -1]], "b_eq": [185, 155, 600],
        "method": method,
    }  # fmt: skip
    c = [4, 8, 3, 0, 0, 0]
    short = linprog(c, **options, options={"maxiter": 1})
    assert (short.status, short.success, short.nit) == (1, False, 1)
    assert linprog(c, **options).fun == pytest.approx(317.5)


def test_sparse_matrices():
    sparse = PROBLEM | {"A_ub": scipy.sparse.csr_array(PROBLEM["A_ub"])}
    sci.clear_fallbacks()
    np.testing.assert_allclose(linprog(C, **sparse).x, linprog(C, **PROBLEM).x)
    assert not sci.fallbacks()


def test_derivatives_follow_the_active_set():
    def value(c, b_ub):
        return linprog(c, **PROBLEM | {"b_ub": b_ub})

    with jax.enable_x64(True):
        c, b = jnp.asarray(C), jnp.asarray(PROBLEM["b_ub"])
        slope = jax.grad(lambda b: value(c, b).fun)(b)
        moved = jax.jacfwd(lambda b: value(c, b).x)(b)
        at_c = jax.grad(lambda c: value(c, b).fun)(c)
        batch = jax.vmap(lambda b: value(c, b).x)(jnp.stack([b, 1.1 * b]))
        lost = value(c, b - 100.0)
    expected = scipy.optimize.linprog(C, **PROBLEM)
    np.testing.assert_allclose(slope, expected.ineqlin.marginals, atol=1e-9)
    np.testing.assert_allclose(at_c, expected.x, atol=1e-9)
    other = scipy.optimize.linprog(C, **PROBLEM | {"b_ub": 1.1 * np.asarray(PROBLEM["b_ub"])}).x
    np.testing.assert_allclose(batch, [expected.x, other], atol=1e-8)
    np.testing.assert_allclose(np.asarray(moved) @ (0.1 * np.asarray(PROBLEM["b_ub"])), other - expected.x, atol=1e-8)
    assert not lost.success and np.isnan(lost.x).all()


@pytest.mark.filterwarnings("ignore::sci.FallbackWarning")
@pytest.mark.parametrize(
    "options",
    [{"A_ub": [[1.0]]}, {"A_ub": [[1.0]], "b_ub": [1.0, 2.0]}, {"bounds": [(2, 1)]}, {"bounds": "all"},
     {"method": "other"}, {"bounds": [(0, 1, 2), (3, 4, 5)]}],
)  # fmt: skip
def test_bad_input_raises_scipys_exception(options):
    for module in (scipy.optimize, sci.optimize):
        with pytest.raises((ValueError, TypeError)) if options != {"bounds": [(2, 1)]} else _status(module):
            module.linprog([1.0], **options)
    with pytest.raises(ValueError, match="2 x 3"):  # not to be read as pairs
        sci.optimize.linprog([1.0, 2.0, 3.0], bounds=[(0, 0, 0), (1, 2, 3)])


class _status:
    """SciPy reports crossing bounds in the result."""

    def __init__(self, module):
        self.module = module

    def __enter__(self):
        assert self.module.linprog([1.0], bounds=[(2, 1)]).status == 2

    def __exit__(self, *_):
        return False


@pytest.mark.parametrize("method", ["highs", "revised simplex", "highs-ipm"])
def test_status_under_jit(method):
    """What is not solved is NaN with a status, in every lane of a batch."""
    known = method != "highs-ipm"

    @jax.jit
    @jax.vmap
    def solve(c, b, upper):
        bounds = jnp.stack([jnp.zeros_like(c), jnp.full_like(c, upper)], axis=-1)
        found = linprog(c, A_ub=jnp.array([[1.0, 1.0]]), b_ub=b[None], bounds=bounds, method=method)
        return found.x, found.status, found.success

    with jax.enable_x64(True):
        c = jnp.array([[-1.0, -2.0], [-1.0, -2.0], [jnp.nan, 1.0], [-1.0, -2.0]])
        x, status, success = solve(c, jnp.array([3.0, -1.0, 1.0, 4.0]), jnp.array([2.0, 2.0, 2.0, -1.0]))
    assert success.tolist() == [True, False, False, False]
    assert status.tolist() == ([0, 2, 4, 2] if known else [0, 4, 4, 4])
    np.testing.assert_allclose(x[0], [1.0, 2.0], atol=1e-9)
    assert np.isnan(x[1:]).all()
