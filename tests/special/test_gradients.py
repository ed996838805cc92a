"""Derivatives of `sci.special` against mpmath's, forward, reverse and second order, and at borders."""

from __future__ import annotations

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import sci.special as special  # noqa: E402

import reference  # noqa: E402  isort: skip

#: name, reference, point
FIRST = [
    ("gamma", mp.gamma, (2.3,)),
    ("gamma", mp.gamma, (-1.3,)),
    ("rgamma", mp.rgamma, (0.7,)),
    ("gammaln", reference.lgamma, (-2.6,)),
    ("digamma", mp.digamma, (0.4,)),
    ("poch", mp.rf, (2.3, 1.4)),
    ("beta", mp.beta, (2.3, 1.4)),
    ("betaln", reference.lbeta, (11.0, 7.0)),
    ("betainc", reference.beta_p, (2.3, 1.4, 0.3)),
    ("betaincc", reference.beta_q, (20.3, 31.4, 0.3)),
    ("gammainc", reference.gamma_p, (2.3, 1.4)),
    ("gammaincc", reference.gamma_q, (30.3, 30.3)),
    ("erfcx", lambda x: mp.exp(x * x) * mp.erfc(x), (1.7,)),
    ("log_ndtr", reference.log_normal_cdf, (-7.5,)),
    ("ndtri", reference.normal_quantile, (0.2,)),
    ("owens_t", reference.owen, (1.3, 0.4)),
    ("exp1", mp.e1, (1.7,)),
    ("expi", mp.ei, (7.7,)),
    ("spence", reference.spence, (1.0000001,)),
    ("j0", lambda x: mp.besselj(0, x), (9.3,)),
    ("j1", lambda x: mp.besselj(1, x), (2.3,)),
    ("y1", lambda x: mp.bessely(1, x), (2.3,)),
    ("k1", lambda x: mp.besselk(1, x), (2.3,)),
    ("i1e", lambda x: mp.besseli(1, x) * mp.exp(-abs(x)), (2.3,)),
    ("ellipk", mp.ellipk, (0.4,)),
    ("ellipe", mp.ellipe, (-3.4,)),
    ("ellipkinc", mp.ellipf, (0.7, 0.4)),
    ("ellipeinc", mp.ellipe, (4.7, 0.4)),
    ("elliprd", reference.carlson(mp.elliprd), (0.7, 0.4, 2.0)),
    ("elliprg", reference.carlson(mp.elliprg), (0.7, 0.4, 2.0)),
    ("agm", mp.agm, (0.7, 0.4)),
    ("zetac", mp.zeta, (2.4,)),
    ("exprel", reference.exprel, (0.01,)),
    ("boxcox", lambda x, k: mp.expm1(k * mp.log(x)) / k, (2.4, 1e-9)),
    ("kl_div", lambda x, y: x * mp.log(x / y) - x + y, (2.4, 1.1)),
]


#: A second or more each to compile: in the slow set (the contract tests differentiate every function as well).
LONG = {"betainc", "betaincc", "gammaincc", "poch", "elliprg", "beta", "ellipeinc", "betaln", "zetac", "digamma"}
MARKED = [
    pytest.param(*row, id=f"{row[0]}{row[2]}", marks=[pytest.mark.slow] if row[0] in LONG else []) for row in FIRST
]


@pytest.mark.parametrize(("name", "exact", "point"), MARKED)
def test_first(name, exact, point):
    function = getattr(special, name)
    every = tuple(range(len(point)))
    with jax.enable_x64(True):
        arguments = [jnp.asarray(p, float) for p in point]
        reverse = jax.jit(jax.grad(function, argnums=every))(*arguments)
        _, forward = jax.jit(lambda *xs: jax.jvp(function, xs, tuple(map(jnp.ones_like, xs))))(*arguments)
        reverse, forward = np.asarray(jnp.stack(reverse)), np.asarray(forward)
    for i, got in enumerate(reverse):
        order = tuple(int(j == i) for j in every)
        want = mp.diff(exact, point, order) if len(point) > 1 else mp.diff(exact, point[0])
        np.testing.assert_allclose(got, float(want), rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(forward, sum(reverse), rtol=1e-11)


SECOND = [
    pytest.param("gamma", mp.gamma, 2.3, marks=pytest.mark.slow),
    ("gammaln", reference.lgamma, 3.1),
    ("ndtri", reference.normal_quantile, 0.2),
    ("j0", lambda x: mp.besselj(0, x), 9.3),
    pytest.param("ellipk", mp.ellipk, 0.4, marks=pytest.mark.slow),
    ("expi", mp.ei, 7.7),
]


@pytest.mark.parametrize(("name", "exact", "x"), SECOND)
def test_second(name, exact, x):
    with jax.enable_x64(True):
        got = jax.grad(jax.grad(getattr(special, name)))(jnp.asarray(x, float))
        np.testing.assert_allclose(got, float(mp.diff(exact, x, 2)), rtol=1e-8)


@pytest.mark.slow
def test_loops_have_second_reverse_derivatives():
    with jax.enable_x64(True):
        a, x = jnp.asarray(2.3), jnp.asarray(1.4)
        got = jax.grad(jax.grad(special.gammainc))(a, x)
        np.testing.assert_allclose(got, float(mp.diff(reference.gamma_p, (2.3, 1.4), (2, 0))), rtol=1e-7)


def test_gradients_at_borders_are_finite():
    with jax.enable_x64(True):
        zero, half = jnp.asarray(0.0), jnp.asarray(0.5)
        assert jax.grad(special.xlogy, argnums=1)(zero, zero) == 0
        assert jax.grad(special.xlog1py, argnums=0)(zero, half) == jnp.log1p(0.5)
        np.testing.assert_allclose(jax.grad(special.j1)(zero), 0.5)
        np.testing.assert_allclose(jax.grad(special.i1)(zero), 0.5)
        np.testing.assert_allclose(jax.grad(special.exprel)(zero), 0.5)
        np.testing.assert_allclose(jax.grad(special.rgamma)(jnp.asarray(-2.0)), 2.0)
        assert jax.grad(special.spence)(jnp.asarray(1.0)) == -1
        assert jax.grad(special.huber, argnums=1)(jnp.asarray(1.0), zero) == 0
        np.testing.assert_allclose(jax.grad(special.boxcox, argnums=1)(jnp.asarray(2.0), zero), np.log(2) ** 2 / 2)
        np.testing.assert_allclose(jax.grad(special.inv_boxcox, argnums=1)(half, zero), -np.exp(0.5) / 8)
        np.testing.assert_allclose(jax.grad(special.ellipk)(zero), np.pi / 8)
        assert np.isfinite(jax.grad(special.gammainc)(jnp.asarray(30.0), jnp.asarray(30.0)))


def test_logsumexp_gradient_with_ties():
    with jax.enable_x64(True):
        a = jnp.asarray([1.0, 3.0, 3.0, -2.0])
        np.testing.assert_allclose(jax.grad(special.logsumexp)(a), jax.nn.softmax(a), rtol=1e-14)
        hessian = jax.hessian(special.logsumexp)(a)
        p = jax.nn.softmax(a)
        np.testing.assert_allclose(hessian, jnp.diag(p) - jnp.outer(p, p), rtol=1e-12, atol=1e-15)
