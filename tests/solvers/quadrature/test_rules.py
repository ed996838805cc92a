"""Exactness of the rules and of the moments of weights."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.special

from solvers.quadrature import weighted
from solvers.quadrature.cubature_rules import cubature_rule


@pytest.mark.parametrize(
    "name, n, degree, lower",
    [("genz-malik", 2, 7, 5), ("genz-malik", 4, 7, 5), ("gk15", 2, 11, 11), ("gk21", 1, 31, 19)],
)
def test_polynomials_are_exact(name, n, degree, lower):
    nodes, fine, coarse = cubature_rule(name, n)
    for powers in itertools.product(range(degree + 1), repeat=n):
        exact = np.prod([0.0 if p % 2 else 2 / (p + 1) for p in powers])
        values = np.prod(nodes ** np.array(powers), axis=1)
        if sum(powers) <= degree:
            np.testing.assert_allclose(fine @ values, exact, atol=1e-12)
        if sum(powers) <= lower:
            np.testing.assert_allclose(coarse @ values, exact, atol=1e-12)


def test_moments_of_waves():
    k = np.arange(25)
    sign = np.where(k % 4 < 2, 2.0, -2.0)
    with jax.enable_x64(True):
        moments = jax.jit(weighted._wave_moments)
        for p in (2.0, np.pi, 7.3, 4.493409457909064, 59.9, 60.1, 400.0):
            expected = sign * scipy.special.spherical_jn(k, p)
            np.testing.assert_allclose(moments(jnp.asarray(p)), expected, rtol=1e-9, atol=1e-13)


def test_moments_of_a_pole():
    with jax.enable_x64(True):
        for c in (-1.05, -0.3, 0.77, 1.02):
            basis = weighted._chebyshev_values(jnp.asarray(c))
            moments = basis * np.log(abs((1 - c) / (1 + c))) + weighted._difference_table() @ basis
            for k in (0, 1, 2, 9, 24):
                chebyshev = np.polynomial.chebyshev.Chebyshev.basis(k)
                expected = scipy.integrate.quad(
                    lambda t, g=chebyshev, c=c: (g(t) - g(c)) / (t - c) if t != c else 0.0, -1, 1, epsabs=1e-12
                )[0] + chebyshev(c) * np.log(abs((1 - c) / (1 + c)))
                np.testing.assert_allclose(moments[k], expected, rtol=1e-8, atol=1e-9)


def test_moments_of_powers():
    with jax.enable_x64(True):
        got, rate = jax.jvp(weighted._power_moments, (jnp.asarray(-0.4),), (1.0,))
    for k in (0, 1, 7, 24):
        chebyshev = np.polynomial.chebyshev.Chebyshev.basis(k)
        # x = 2 u^5 - 1 takes the singularity away
        f = lambda u, c=chebyshev: u**-2.0 * c(2 * u**5 - 1) * 10 * u**4
        np.testing.assert_allclose(got[k], scipy.integrate.quad(f, 0, 1, limit=200)[0], rtol=1e-8, atol=1e-10)
        g = lambda u, f=f: f(u) * 5 * np.log(u)
        np.testing.assert_allclose(rate[k], scipy.integrate.quad(g, 0, 1, limit=200)[0], rtol=1e-8, atol=1e-10)
