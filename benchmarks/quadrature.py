"""Integrals of every kind, and boundary value problems. Integrands are NumPy code, as users write them."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import Topic

topic = Topic("quadrature", "Quadrature and boundary value problems (float64)")


def _pair(call):
    """``call`` with our module and with the original."""
    from scipy import integrate as original

    from sci import integrate

    return lambda: call(integrate), lambda: call(original)


@topic.pair("quad, 10,000 integrals: vmap, and a loop over SciPy", ratio=100, rtol=1e-8)
def quad_batch(quick: bool):
    import jax
    from scipy import integrate as original

    from sci import integrate

    rates = np.linspace(0.5, 3.0, 100 if quick else 10_000)
    batched = jax.jit(jax.vmap(lambda a: integrate.quad(lambda x: np.exp(-a * x) * np.cos(3 * x), 0.0, 2.0)[0]))

    def vmapped():
        with jax.enable_x64(True):
            return batched(rates)

    def loop():
        return np.array([original.quad(lambda x, a=a: np.exp(-a * x) * np.cos(3 * x), 0.0, 2.0)[0] for a in rates])

    return vmapped, loop


@topic.pair("quad with the weight cos(30 x)", same=lambda r: r[0])
def quad_wave(quick: bool):
    return _pair(lambda m: m.quad(lambda x: np.exp(-x) / (1 + x), 0.0, 2.0, weight="cos", wvar=30.0))


@topic.pair("quad with a break point at a singularity", same=lambda r: r[0])
def quad_points(quick: bool):
    return _pair(lambda m: m.quad(lambda x: np.log(abs(x - 0.3)), 0.0, 1.0, points=[0.3]))


@topic.pair("dblquad of exp(-x y) below a curve", same=lambda r: r[0])
def double(quick: bool):
    return _pair(lambda m: m.dblquad(lambda y, x: np.exp(-x * y), 0.0, 2.0, 0.0, lambda x: 1 + x))


@topic.pair("quad_vec, 1,000 powers of x", same=lambda r: r[0])
def powers(quick: bool):
    alpha = np.linspace(0.1, 3.0, 1000)
    return _pair(lambda m: m.quad_vec(lambda x: x**alpha, 0.0, 2.0))


@topic.pair("cubature, Genz-Malik, 4 variables", same=lambda r: r.estimate)
def box(quick: bool):
    rtol = 1e-3 if quick else 1e-5

    def integrand(x):
        return np.cos(3 * x[:, 0] + x[:, 1]) * np.exp(-x[:, 2] * x[:, 3])

    return _pair(lambda m: m.cubature(integrand, np.zeros(4), np.ones(4), rule="genz-malik", rtol=rtol))


@topic.pair("tanhsinh, 1,000 integrals with a singular end", same=lambda r: r.integral)
def elementwise(quick: bool):
    k = np.linspace(0.1, 9.0, 10 if quick else 1000)
    return _pair(lambda m: m.tanhsinh(lambda x, k: np.exp(-k * x) / np.sqrt(x), 0.0, 1.0, args=(k,)))


@topic.pair("nsum, the zeta function at 100 points", same=lambda r: r.sum)
def series(quick: bool):
    p = np.linspace(1.5, 6.0, 100)
    return _pair(lambda m: m.nsum(lambda k, p: k**-p, 1.0, np.inf, args=(p,), maxterms=4096))


@topic.pair("solve_bvp, Bratu's problem, tol 1e-6", same=lambda r: r.y[:, :: r.x.size - 1], rtol=1e-5)
def bratu(quick: bool):
    def fun(x, y):
        return np.vstack((y[1], -np.exp(y[0])))

    def ends(ya, yb):
        return np.array([ya[0], yb[0]])

    x = np.linspace(0, 1, 5)
    return _pair(lambda m: m.solve_bvp(fun, ends, x, np.zeros((2, 5)), tol=1e-6))


@topic.pair("solve_bvp, boundary layer of width 0.03", same=lambda r: r.y[:, :: r.x.size - 1], rtol=1e-5)
def layer(quick: bool):
    width = 1e-3

    def fun(x, y):
        source = width * np.pi**2 * np.cos(np.pi * x) + np.pi * x * np.sin(np.pi * x)
        return np.vstack((y[1], -(x * y[1] + source) / width))

    def ends(ya, yb):
        return np.array([ya[0] + 2, yb[0]])

    x = np.linspace(-1, 1, 5)
    return _pair(lambda m: m.solve_bvp(fun, ends, x, np.zeros((2, 5))))
