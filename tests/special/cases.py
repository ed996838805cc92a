"""The table: function of `sci.special`, mpmath reference, sweep. Driven by test_against_mpmath.py."""

from __future__ import annotations

import mpmath as mp
from reference import (
    Case,
    beta_p,
    beta_q,
    carlson,
    degrees,
    erf_inverse,
    erfc_inverse,
    exprel,
    gamma_p,
    gamma_q,
    hurwitz,
    lbeta,
    lgamma,
    lin,
    log,
    log_normal_cdf,
    log_normal_quantile,
    neglog,
    normal_cdf,
    normal_quantile,
    owen,
    spence,
    student,
    whole,
)

ALL = ((lin(-700, 700),), (lin(-5, 5),), (log(1e-300, 1),))
HALF = mp.mpf(1) / 2


def ratio(x):
    return 1 / (1 + mp.exp(-x))


#: name -> Case, or a tuple of Cases for functions with several outputs
CASES = {
    # gamma
    "gamma": Case(mp.gamma, ((lin(-170, 171.6),), (lin(-5, 10),), (log(1e-300, 1),))),
    "rgamma": Case(mp.rgamma, ((lin(-170, 171.6),), (lin(-5, 10),), (log(1e-300, 1),))),
    "gammaln": Case(lgamma, ((log(1e-300, 1e300),), (lin(-30, 30),), (lin(0.999, 1.001),), (lin(1.999, 2.001),))),
    "loggamma": Case(lgamma, ((log(1e-300, 1e300),), (lin(0, 30),), (lin(0.999, 1.001),))),
    "digamma": Case(mp.digamma, ((log(1e-300, 1e300),), (lin(-30, 30),), (lin(0.5, 3),))),
    "psi": Case(mp.digamma, ((log(1e-300, 1e300),), (lin(-30, 30),))),
    "zetac": Case(lambda s: mp.zeta(s) - 1, ((lin(-50, 50),), (lin(-160, 1),), (log(1e-10, 1),))),
    "poch": Case(
        mp.rf,
        (
            (log(1e-3, 1e2), log(1e-3, 1e2)),
            (lin(-20, 20), lin(-20, 20)),
            (lin(-20, 20), whole(-20, 20)),
            (log(1, 1e8), lin(-3, 3)),
        ),
    ),
    "gammainc": Case(
        gamma_p, ((log(1e-3, 30), log(1e-3, 60)), (log(20, 100), log(10, 150)), (log(100, 1e4), log(100, 1e4)))
    ),
    "gammaincc": Case(
        gamma_q, ((log(1e-10, 30), log(1e-3, 60)), (log(20, 100), log(10, 150)), (log(100, 1e4), log(100, 1e4)))
    ),
    # beta
    "beta": Case(mp.beta, ((log(1e-10, 1e3), log(1e-10, 1e3)), (lin(-20, 20), lin(-20, 20)))),
    "betaln": Case(
        lbeta,
        ((log(1e-10, 1e3), log(1e-10, 1e3)), (log(1, 1e10), log(1, 1e10)), (lin(-20, 20), lin(-20, 20))),
    ),
    "binom": Case(
        mp.binomial,
        (
            (lin(-20, 20), lin(-20, 20)),
            (whole(0, 60), whole(0, 60)),
            (lin(0, 1e3), whole(0, 30)),
            (log(1e-20, 1), whole(0, 60)),
            (lin(0, 5), log(1, 1e8)),
        ),
    ),  # fmt: skip
    "betainc": Case(beta_p, ((log(0.02, 1e2), log(0.02, 1e2), lin(0, 1)), (log(1e2, 1e4), log(1e2, 1e4), lin(0, 1)))),
    "betaincc": Case(beta_q, ((log(0.02, 1e2), log(0.02, 1e2), lin(0, 1)), (log(1e2, 1e4), log(1e2, 1e4), lin(0, 1)))),
    # error functions
    "erf": Case(mp.erf, ((log(1e-300, 7),), (lin(-7, 7),))),
    "erfc": Case(mp.erfc, ((log(1e-30, 26),), (lin(-7, 26.5),))),
    "erfcx": Case(lambda x: mp.exp(x * x) * mp.erfc(x), ((log(1e-10, 1e5),), (lin(-26, 60),))),
    "erfi": Case(mp.erfi, ((log(1e-300, 26),), (lin(-26, 26),))),
    "dawsn": Case(lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x), ((log(1e-300, 1e8),), (lin(-12, 12),))),
    "erfinv": Case(erf_inverse, ((lin(-1, 1),), (log(1e-300, 1),))),
    "erfcinv": Case(erfc_inverse, ((lin(0, 2),), (log(1e-300, 1),))),
    "ndtr": Case(normal_cdf, ((lin(-37, 10),), (lin(-2, 2),))),
    "log_ndtr": Case(log_normal_cdf, ((lin(-60, 37),), (lin(-3, 3),), (log(1e-10, 37),), (neglog(1, 1e100),))),
    "ndtri": Case(normal_quantile, ((lin(0, 1),), (log(1e-300, 1),))),
    "ndtri_exp": Case(log_normal_quantile, ((neglog(1e-12, 1e6),), (lin(-10, 0),))),
    "owens_t": Case(owen, ((lin(-6, 6), lin(-3, 3)), (log(1e-3, 30), log(1e-3, 100)))),
    # exponential integrals
    "exp1": Case(mp.e1, ((log(1e-300, 700),), (lin(0, 10),))),
    "expi": Case(mp.ei, ((lin(-700, 714),), (lin(-10, 60),), (log(1e-300, 10),))),
    "expn": Case(
        lambda n, x: mp.expint(int(n), x),
        ((whole(1, 30), log(1e-3, 600)), (whole(0, 100), log(1e-10, 10)), (whole(0, 5000), log(1e-10, 100))),
    ),
    "sici": (
        Case(mp.si, ((log(1e-300, 1e10),), (lin(0, 50),))),
        Case(mp.ci, ((log(1e-300, 1e10),), (lin(0, 50),))),
    ),
    "shichi": (Case(mp.shi, ((log(1e-300, 700),), (lin(0, 5),))), Case(mp.chi, ((log(1e-300, 700),), (lin(0, 5),)))),
    "fresnel": (
        Case(mp.fresnels, ((log(1e-90, 1e4),), (lin(-50, 50),))),
        Case(mp.fresnelc, ((log(1e-90, 1e4),), (lin(-50, 50),))),
    ),
    "spence": Case(spence, ((log(1e-300, 1e300),), (lin(0, 3),))),
    # Bessel
    "i0e": Case(lambda x: mp.besseli(0, x) * mp.exp(-abs(x)), ((log(1e-300, 1e5),), (lin(-20, 20),))),
    "i1e": Case(lambda x: mp.besseli(1, x) * mp.exp(-abs(x)), ((log(1e-300, 1e5),), (lin(-20, 20),))),
    "k0e": Case(lambda x: mp.besselk(0, x) * mp.exp(x), ((log(1e-300, 1e8),), (lin(0, 10),))),
    "k1e": Case(lambda x: mp.besselk(1, x) * mp.exp(x), ((log(1e-300, 1e8),), (lin(0, 10),))),
    # elliptic
    "agm": Case(mp.agm, ((log(1e-300, 1e300), log(1e-300, 1e300)), (lin(0, 2), lin(0, 2)))),
    "ellipk": Case(mp.ellipk, ((lin(-3, 1),), (neglog(1e-3, 1e30),), (log(1e-300, 1),))),
    "ellipkm1": Case(lambda p: mp.pi / 2 / mp.agm(1, mp.sqrt(p)), ((lin(0, 3),), (log(1e-300, 1e300),))),
    "ellipe": Case(mp.ellipe, ((lin(-3, 1),), (neglog(1e-3, 1e100),), (log(1e-300, 1),), (lin(0.85, 1),))),
    "ellipkinc": Case(
        mp.ellipf, ((lin(-1.57, 1.57), lin(-3, 1)), (lin(-20, 20), lin(-3, 1)), (log(1e-10, 1.5), neglog(1e-3, 1e6)))
    ),
    "ellipeinc": Case(
        mp.ellipe, ((lin(-1.57, 1.57), lin(-3, 1)), (lin(-20, 20), lin(-3, 1)), (log(1e-10, 1.5), neglog(1e-3, 1e6)))
    ),
    "elliprf": Case(carlson(mp.elliprf), ((log(1e-10, 1e10),) * 3, (lin(0, 3),) * 3)),
    "elliprd": Case(carlson(mp.elliprd), ((log(1e-10, 1e10),) * 3, (lin(0, 3),) * 3)),
    "elliprg": Case(carlson(mp.elliprg), ((log(1e-10, 1e10),) * 3, (lin(0, 3),) * 3)),
    "elliprc": Case(carlson(mp.elliprc), ((log(1e-10, 1e10), log(1e-10, 1e10)), (lin(0, 3), lin(-3, 3)))),
    # elementary
    "cbrt": Case(lambda x: mp.sign(x) * mp.cbrt(abs(x)), ((lin(-7, 7),), (log(1e-300, 1e300),))),
    "exp2": Case(lambda x: mp.mpf(2) ** x, ((lin(-1000, 1000),), (whole(-1000, 1000),))),
    "exp10": Case(lambda x: mp.mpf(10) ** x, ((lin(-300, 300),), (whole(-300, 300),))),
    "expm1": Case(mp.expm1, ALL),
    "log1p": Case(mp.log1p, ((lin(-1, 3),), (log(1e-300, 1e300),), (neglog(1e-300, 1),))),
    "cosm1": Case(lambda x: -2 * mp.sin(x / 2) ** 2, ((log(1e-100, 1e10),), (lin(-10, 10),))),
    "powm1": Case(
        lambda x, y: mp.powm1(x, y),
        ((log(1e-5, 1e5), lin(-20, 20)), (lin(0.9, 1.1), lin(-3, 3)), (log(1e-5, 1e5), log(1e-20, 1))),
    ),
    "exprel": Case(exprel, ALL),
    "expit": Case(ratio, ALL),
    "log_expit": Case(lambda x: -mp.log1p(mp.exp(-x)), ALL),
    "logit": Case(lambda x: mp.log(x / (1 - x)), ((lin(0, 1),), (lin(0.4999, 0.5001),), (log(1e-300, 1),))),
    "boxcox": Case(
        lambda x, k: mp.expm1(k * mp.log(x)) / k,
        ((log(1e-5, 1e5), lin(-5, 5)), (lin(0.9, 1.1), log(1e-18, 1)), (log(1e-5, 1e5), neglog(1e-18, 1))),
    ),
    "boxcox1p": Case(
        lambda x, k: mp.expm1(k * mp.log1p(x)) / k,
        ((log(1e-15, 1e5), lin(-5, 5)), (lin(-0.9, 1.1), log(1e-18, 1)), (log(1e-5, 1e5), neglog(1e-18, 1))),
    ),
    "inv_boxcox": Case(
        lambda y, k: mp.exp(mp.log1p(y * k) / k), ((lin(0, 5), lin(0.1, 3)), (lin(-1, 3), log(1e-20, 1)))
    ),
    "inv_boxcox1p": Case(
        lambda y, k: mp.expm1(mp.log1p(y * k) / k), ((lin(0, 5), lin(0.1, 3)), (lin(-1, 3), log(1e-20, 1)))
    ),
    "sindg": Case(degrees(mp.sin), ((lin(-1000, 1000),), (log(1e-5, 1e10),))),
    "cosdg": Case(degrees(mp.cos), ((lin(-1000, 1000),), (log(1e-5, 1e10),))),
    "tandg": Case(degrees(mp.tan), ((lin(-1000, 1000),), (log(1e-5, 1e10),))),
    "cotdg": Case(degrees(mp.cot), ((lin(-1000, 1000),), (log(1e-5, 1e10),))),
    "radian": Case(lambda d, m, s: (d + m / 60 + s / 3600) * mp.pi / 180, ((lin(0, 360), lin(0, 60), lin(0, 60)),)),
    # information
    "entr": Case(lambda x: -x * mp.log(x), ((log(1e-300, 1e300),), (lin(0.9, 1.1),))),
    "rel_entr": Case(
        lambda x, y: x * mp.log(x / y), ((log(1e-5, 1e5), log(1e-5, 1e5)), (lin(1, 1.001), lin(1, 1.001)))
    ),
    "kl_div": Case(
        lambda x, y: x * mp.log(x / y) - x + y,
        ((log(1e-5, 1e5), log(1e-5, 1e5)), (lin(1, 2), lin(1, 2)), (lin(1, 1.001), lin(1, 1.001))),
    ),
    "xlogy": Case(lambda x, y: x * mp.log(y), ((lin(-9, 9), log(1e-300, 1e300)),)),
    "xlog1py": Case(lambda x, y: x * mp.log1p(y), ((log(1e-5, 1e5), log(1e-15, 1e5)),)),
    "huber": Case(lambda d, r: r * r / 2 if abs(r) <= d else d * (abs(r) - d / 2), ((lin(0, 9), lin(-9, 9)),)),
    "pseudo_huber": Case(
        lambda d, r: r * r / (1 + mp.sqrt(1 + (r / d) ** 2)),
        ((lin(0, 9), lin(-9, 9)), (log(1e-9, 1e9), log(1e-9, 1e9))),
    ),
    # distributions
    "chdtr": Case(lambda v, x: gamma_p(v / 2, x / 2), ((log(0.1, 100), log(0.1, 200)),)),
    "chdtrc": Case(lambda v, x: gamma_q(v / 2, x / 2), ((log(0.1, 100), log(0.1, 200)),)),
    "gdtr": Case(lambda a, b, x: gamma_p(b, a * x), ((log(0.1, 10), log(0.1, 50), log(0.1, 10)),)),
    "gdtrc": Case(lambda a, b, x: gamma_q(b, a * x), ((log(0.1, 10), log(0.1, 50), log(0.1, 10)),)),
    "pdtr": Case(lambda k, m: gamma_q(k + 1, m), ((whole(0, 60), lin(0, 90)),)),
    "pdtrc": Case(lambda k, m: gamma_p(k + 1, m), ((whole(0, 60), lin(0, 90)),)),
    "bdtr": Case(lambda k, n, p: beta_p(n - k, k + 1, 1 - p), ((whole(0, 30), whole(31, 60), lin(0, 1)),)),
    "bdtrc": Case(lambda k, n, p: beta_p(k + 1, n - k, p), ((whole(0, 30), whole(31, 60), lin(0, 1)),)),
    "nbdtr": Case(lambda k, n, p: beta_p(n, k + 1, p), ((whole(0, 30), whole(1, 60), lin(0, 1)),)),
    "nbdtrc": Case(lambda k, n, p: beta_p(k + 1, n, 1 - p), ((whole(0, 30), whole(1, 60), lin(0, 1)),)),
    "fdtr": Case(
        lambda a, b, x: beta_p(a / 2, b / 2, a * x / (b + a * x)), ((log(1, 100), log(1, 100), log(1e-3, 1e3)),)
    ),
    "fdtrc": Case(lambda a, b, x: beta_p(b / 2, a / 2, b / (b + a * x)), ((log(1, 100), log(1, 100), log(1e-3, 1e3)),)),
    "stdtr": Case(student, ((log(1, 100), lin(-20, 20)), (log(1, 1e4), lin(-2, 2)))),
    # functions of fixed form: see CALLS
    "polygamma1": Case(lambda x: mp.polygamma(1, x), ((lin(-20, 20),), (log(1e-3, 1e10),))),
    "polygamma4": Case(lambda x: mp.polygamma(4, x), ((lin(-20, 20),), (log(1e-3, 1e10),))),
    "zeta": Case(mp.zeta, ((lin(-50, 50),), (lin(-160, 1),), (log(1e-10, 1),))),
    "hurwitz": Case(hurwitz, ((lin(1.01, 50), log(1e-2, 1e3)), (lin(1.001, 3), log(1e-3, 1e10)))),
    "factorial": Case(mp.factorial, ((lin(0, 170),), (whole(0, 170),))),
    "comb": Case(mp.binomial, ((whole(30, 200), whole(0, 30)),)),
    "multigammaln3": Case(
        lambda a: 3 * mp.log(mp.pi) / 2 + sum(lgamma(a - j * HALF) for j in range(3)), ((log(1.01, 1e5),),)
    ),
    "logsumexp2": Case(
        lambda a, b: mp.log(mp.exp(a) + mp.exp(b)), ((lin(-700, 700), lin(-700, 700)), (lin(-2, 2), lin(-2, 2)))
    ),
}

for _order, _name in ((o, f"{k}{o}") for o in (0, 1) for k in "jyik"):
    _f = {"j": mp.besselj, "y": mp.bessely, "i": mp.besseli, "k": mp.besselk}[_name[0]]
    _end = 1e5 if _name[0] in "jy" else 700
    _low = 0 if _name[0] in "yk" else -30
    CASES[_name] = Case(lambda x, f=_f, o=_order: f(o, x), ((log(1e-300, _end),), (lin(_low, 30),)))
