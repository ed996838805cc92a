"""Makes `sci/special/kernels/tables.py`: run ``python tests/special/make_tables.py > .../tables.py``.

Every fit is a Chebyshev interpolation at 60 digits, cut where the coefficients fall below 2e-18 of
the largest function value. Functions with several intervals are fitted in 1/x where x is large.
"""

from __future__ import annotations

from fractions import Fraction

import mpmath as mp
import numpy as np

HEADER = '''"""Constants of the special functions. Made by `tests/special/make_tables.py`; do not edit.

Chebyshev series (`CHEB_*`): coefficients c_0, c_1, ... of sum_k c_k T_k(t), t in [-1, 1] the scaled
argument that the comment names. Computed with mpmath at 60 digits, cut at 2e-18 relative.
"""

'''


def chebyshev_fit(f, a, b, n=90, cut=2e-18):
    """Chebyshev coefficients of f on [a, b]."""
    a, b = mp.mpf(a), mp.mpf(b)
    nodes = [mp.cos(mp.pi * (k + mp.mpf(1) / 2) / n) for k in range(n)]
    values = [f((a + b) / 2 + (b - a) / 2 * t) for t in nodes]
    scale = max(abs(v) for v in values)
    coefficients = []
    for j in range(n):
        c = 2 * mp.fsum(values[k] * mp.cos(mp.pi * j * (k + mp.mpf(1) / 2) / n) for k in range(n)) / n
        coefficients.append(c / 2 if j == 0 else c)
    last = max((j for j in range(n) if abs(coefficients[j]) > cut * scale), default=0)
    if last > n - 6:
        raise ValueError(f"fit on [{a}, {b}] has not converged")
    return [float(c) for c in coefficients[: last + 1]]


def in_reciprocal(f):
    """f as a function of u = 1/x; u = 0 is never a node."""
    return lambda u: f(1 / u)


def bessel_modulus_phase(order):
    """P and Q with J = sqrt(2/(pi x)) (P cos w - Q sin w), Y likewise; w = x - (order/2 + 1/4) pi."""

    def parts(x):
        w = x - (mp.mpf(order) / 2 + mp.mpf(1) / 4) * mp.pi
        j, y = mp.besselj(order, x), mp.bessely(order, x)
        s = mp.sqrt(mp.pi * x / 2)
        return s * (j * mp.cos(w) + y * mp.sin(w)), s * (y * mp.cos(w) - j * mp.sin(w))

    return parts


def temme(a_min=25, eta_max=0.45, rounding=1e-18):
    """d_{k,n} of DLMF 8.12.12: rows k, each cut where it no longer matters for a >= a_min."""
    size = 80
    # mu(eta): mu mu' = eta (1 + mu), mu = eta + eta^2/3 + ...
    mu = [Fraction(0), Fraction(1)]
    for n in range(2, size + 2):
        # coefficient of eta^n in mu mu' minus eta mu is zero; mu_n enters as (n + 1) mu_1 mu_n
        s = sum((j * mu[j] * mu[n + 1 - j] for j in range(2, n)), Fraction(0))
        mu.append((mu[n - 1] - s) / (n + 1))
    # 1/mu = (1/eta) / (1 + mu_2 eta + ...)
    shifted = mu[1:]
    inverse = [Fraction(1)]
    for n in range(1, size):
        inverse.append(-sum((shifted[j] * inverse[n - j] for j in range(1, n + 1)), Fraction(0)))
    d0 = inverse[1:]
    # g_k of Gamma*(a) ~ sum g_k a^-k = exp(sum B_2j / (2j (2j-1) a^(2j-1)))
    count = 30
    exponent = [Fraction(0)] * (count + 1)
    for j in range(1, count // 2 + 1):
        exponent[2 * j - 1] = bernoulli(2 * j) / (2 * j * (2 * j - 1))
    g = [Fraction(1)]
    for n in range(1, count + 1):
        g.append(sum((j * exponent[j] * g[n - j] for j in range(1, n + 1)), Fraction(0)) / n)
    rows, row = [], d0
    for k in range(count):
        if k:
            row = [(-1) ** k * g[k] * d0[n] + (n + 2) * row[n + 2] for n in range(len(row) - 2)]
        kept = [n for n in range(len(row)) if abs(float(row[n])) * eta_max**n * a_min ** (-k) > rounding]
        if not kept:
            break
        rows.append([float(v) for v in row[: kept[-1] + 1]])
    return rows


def bernoulli(n):
    p, q = mp.bernfrac(n)
    return Fraction(int(p), int(q))


def show(name, values, comment):
    print(f"#: {comment}")
    print(f"{name} = (")
    for v in values:
        if isinstance(v, list):
            print("    (" + ", ".join(map(repr, v)) + "),")
        else:
            print(f"    {v!r},")
    print(")\n")


def split_exact(x):
    """A number as a sum of two float64."""
    high = float(x)
    return [high, float(x - mp.mpf(high))]


def k_small(order):
    """Smooth part of K0, K1 for x <= 2: K0 = A0 - log(x/2) I0, x K1 = A1 + x log(x/2) I1."""
    if order == 0:
        return lambda z: mp.besselk(0, mp.sqrt(z)) + mp.log(mp.sqrt(z) / 2) * mp.besseli(0, mp.sqrt(z))
    return lambda z: mp.sqrt(z) * (mp.besselk(1, mp.sqrt(z)) - mp.log(mp.sqrt(z) / 2) * mp.besseli(1, mp.sqrt(z)))


def y_small(order):
    """Y0 = A0 + (2/pi) log(x) J0;  Y1 = x A1 + (2/pi) (log(x) J1 - 1/x), as functions of x^2."""

    def f(z):
        x = mp.sqrt(z)
        if order == 0:
            return mp.bessely(0, x) - 2 / mp.pi * mp.log(x) * mp.besselj(0, x)
        return (mp.bessely(1, x) - 2 / mp.pi * (mp.log(x) * mp.besselj(1, x) - 1 / x)) / x

    return f


def main():
    mp.mp.dps = 60
    print(HEADER, end="")
    fit = chebyshev_fit
    show("CHEB_LGAMMA", fit(lambda d: mp.loggamma(2 + d) / d, -0.5, 0.5, 60), "lgamma(2 + d) / d, t = 2 d")
    show("STIRLING", [float(bernoulli(2 * k) / (2 * k * (2 * k - 1))) for k in range(1, 13)],
         "B_2k / (2k (2k - 1)): lgamma's correction, powers of x^(1 - 2k)")  # fmt: skip
    show("EULER_MACLAURIN", [float(bernoulli(2 * k) / mp.factorial(2 * k)) for k in range(1, 13)], "B_2k / (2k)!")
    show("BERNOULLI", [float(bernoulli(2 * k)) for k in range(130)], "B_0, B_2, B_4, ...")
    show("TEMME", temme(), "d_kn of DLMF 8.12.12, rows k, for a >= 25 and |eta| <= 0.45")

    series = lambda x: (mp.ei(x) - mp.euler - mp.log(abs(x))) / x  # noqa: E731
    show("CHEB_EIN", fit(series, -1, 6), "(Ei(x) - gamma - log|x|) / x, t from x in [-1, 6]")
    scaled = in_reciprocal(lambda x: x * mp.exp(-x) * mp.ei(x))
    ends = [6, 10, 16, 26, 45]
    for i, (lo, hi) in enumerate(zip(ends, [*ends[1:], mp.inf], strict=True)):
        show(
            f"CHEB_EI_{i}",
            fit(scaled, 1 / mp.mpf(hi), 1 / mp.mpf(lo)),
            f"x exp(-x) Ei(x), t from 1/x, x in [{lo}, {hi}]",
        )
    scaled_e1 = in_reciprocal(lambda x: x * mp.exp(x) * mp.e1(x))
    ends = [1, 2.5, 8]
    for i, (lo, hi) in enumerate(zip(ends, [*ends[1:], mp.inf], strict=True)):
        show(
            f"CHEB_E1_{i}",
            fit(scaled_e1, 1 / mp.mpf(hi), 1 / mp.mpf(lo)),
            f"x exp(x) E1(x), t from 1/x, x in [{lo}, {hi}]",
        )

    for order in (0, 1):
        show(f"CHEB_K{order}_SMALL", fit(k_small(order), 0, 4), f"smooth part of K{order}, t from x^2 in [0, 4]")
        large = in_reciprocal(lambda x, order=order: mp.sqrt(x) * mp.exp(x) * mp.besselk(order, x))
        show(f"CHEB_K{order}_LARGE", fit(large, 0, 0.5), f"sqrt(x) exp(x) K{order}(x), t from 1/x in [0, 1/2]")
        j = (lambda z: mp.besselj(0, mp.sqrt(z))) if order == 0 else (lambda z: mp.besselj(1, mp.sqrt(z)) / mp.sqrt(z))
        if order == 0:
            zeros = [mp.besseljzero(0, k) for k in (1, 2)]
        else:
            zeros = [mp.besseljzero(1, k) for k in (1, 2)]
        reduced = lambda z, j=j, zeros=zeros: j(z) / ((z - zeros[0] ** 2) * (z - zeros[1] ** 2))  # noqa: E731
        show(f"CHEB_J{order}_SMALL", fit(reduced, 0, 64),
             f"J{order}(x) / x^{order} / ((x^2 - r1^2) (x^2 - r2^2)), t from x^2 in [0, 64]")  # fmt: skip
        show(
            f"J{order}_ZEROS", [split_exact(r) for r in zeros], f"first zeros of J{order}, each as a sum of two float64"
        )
        show(f"CHEB_Y{order}_SMALL", fit(y_small(order), 0, 64), f"smooth part of Y{order}, t from x^2 in [0, 64]")
        parts = bessel_modulus_phase(order)
        show(f"CHEB_P{order}", fit(lambda u, p=parts: p(1 / mp.sqrt(u))[0], 0, 1 / mp.mpf(64)),
             f"P of J{order} and Y{order}, t from 1/x^2 in [0, 1/64]")  # fmt: skip
        show(f"CHEB_Q{order}", fit(lambda u, p=parts: p(1 / mp.sqrt(u))[1] / mp.sqrt(u), 0, 1 / mp.mpf(64)),
             f"x Q of J{order} and Y{order}, t from 1/x^2 in [0, 1/64]")  # fmt: skip

    dawson = lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x)  # noqa: E731
    show("CHEB_DAWSON_0", fit(lambda z: dawson(mp.sqrt(z)) / mp.sqrt(z), 0, 9), "dawsn(x)/x, t from x^2 in [0, 9]")
    show("CHEB_DAWSON_1", fit(lambda x: x * dawson(x), 3, 5), "x dawsn(x), t from x in [3, 5]")
    show("CHEB_DAWSON_2", fit(lambda u: dawson(1 / mp.sqrt(u)) / mp.sqrt(u), 0, 1 / mp.mpf(25)),
         "x dawsn(x), t from 1/x^2 in [0, 1/25]")  # fmt: skip

    zero = mp.findroot(mp.digamma, mp.mpf("1.4616321449683622"))
    show("DIGAMMA_ZERO", split_exact(zero), "the positive zero of digamma, as a sum of two float64")
    series = [(-1) ** (k + 1) * mp.zeta(k + 1, zero) for k in range(1, 26)]
    show("DIGAMMA_SERIES", [float(c) for c in series], "digamma(zero + d) / d, powers of d")

    nodes, weights = np.polynomial.legendre.leggauss(40)
    exact = [mp.findroot(lambda t: mp.legendre(40, t), mp.mpf(float(v))) for v in nodes[20:]]
    derivative = lambda t: 40 * (mp.legendre(39, t) - t * mp.legendre(40, t)) / (1 - t * t)  # noqa: E731
    show("GAUSS_NODES", [float(t) for t in exact], "positive nodes of the 40-point Gauss-Legendre rule")
    show("GAUSS_WEIGHTS", [float(2 / ((1 - t * t) * derivative(t) ** 2)) for t in exact], "their weights")


if __name__ == "__main__":
    main()
