"""`elementwise.bracket_root` and `bracket_minimum`: SciPy's brackets, counts and statuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import elementwise as original

from sci.optimize import elementwise

FIELDS = ("status", "success", "nit", "nfev")


pytestmark = pytest.mark.usefixtures("native")


def same(ours, theirs):
    for field in FIELDS:
        np.testing.assert_array_equal(ours[field], theirs[field], err_msg=field)
    for field in ("bracket", "f_bracket"):
        pair = np.stack(ours[field]), np.stack(theirs[field])
        np.testing.assert_allclose(*pair, rtol=1e-13, atol=1e-12, err_msg=field)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"xr0": 0.9, "factor": 1.4},
        {"xmin": -3.0, "xmax": np.array([2.0, 4.0, 500.0, 3.0, 1e4])},
        {"maxiter": 2},
        {"xr0": 0.05},
        {"xmin": 0.1, "maxiter": 20},
    ],
)
def test_bracket_root_is_scipys(options):
    c = np.array([0.0013, 5.0, -20.0, np.nan, 3e6])
    same(*(m.bracket_root(lambda x, c: x**3 - c, 0.1, args=(c,), **options) for m in (elementwise, original)))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"xl0": -1.0, "xr0": 0.9, "factor": 3.0},
        {"xmin": -3.0, "xmax": np.array([2.0, 4.0, 500.0, 3.0, 1e4])},
        {"maxiter": 2},
        {"xr0": 0.05},
    ],
)
def test_bracket_minimum_is_scipys(options):
    c = np.array([0.1, 5.0, -20.0, np.nan, 3e3])
    same(*(m.bracket_minimum(lambda x, c: (x - c) ** 2, 0.1, args=(c,), **options) for m in (elementwise, original)))


def test_scalars_and_single_precision():
    ours, theirs = (m.bracket_root(np.cos, np.float32(0.25)) for m in (elementwise, original))
    assert ours.bracket[0].dtype == theirs.bracket[0].dtype and np.shape(ours.nit) == np.shape(theirs.nit)


@pytest.mark.parametrize(
    ("name", "options"),
    [(n, o) for n in ("bracket_root", "bracket_minimum")
     for o in ({"factor": 0.5}, {"maxiter": -1}, {"maxiter": 1.5}, {"xmin": 1j})],
)  # fmt: skip
def test_bad_input_raises_scipys_exception(name, options):
    for module in (original, elementwise):
        with pytest.raises(ValueError):
            getattr(module, name)(np.cos, 0.5, **options)


def test_jax_world():
    with jax.enable_x64(True):
        found = jax.jit(jax.vmap(lambda c: elementwise.bracket_root(lambda x: x**3 - c, 0.1)))(jnp.array([5.0, -20.0]))
    left, right = map(np.asarray, found.bracket)
    assert ((left**3 - [5, -20]) * (right**3 - [5, -20]) <= 0).all() and found.success.all()
