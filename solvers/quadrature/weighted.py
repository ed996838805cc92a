"""Adaptive integration with a weight: cos(w x), sin(w x), powers at the ends, 1 / (x - c) (QUADPACK's QAWO to QAWC).

On an interval the function alone is interpolated in 25 and in 13 Chebyshev nodes, and the weight is integrated
exactly; where the weight is harmless, the 15-point Kronrod rule takes the product.

References
----------
.. [1] R. Piessens, E. de Doncker-Kapenga, C. W. Ueberhuber, D. K. Kahaner, "QUADPACK", Springer 1983, Sec. 3.2-3.4.
.. [2] R. Piessens, M. Branders, "The evaluation and application of some modified moments", BIT 13 (1973) 443-450.
"""

import functools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.quadrature.adaptive import Intervals, integrate
from solvers.quadrature.epsilon import extrapolate, table
from solvers.quadrature.gauss_kronrod import RULE_15
from solvers.quadrature.rule import Estimate, judge

WEIGHTS = ("cos", "sin", "alg", "alg-loga", "alg-logb", "alg-log", "cauchy")

#: Evaluations for each interval: both rules, in one batch.
NODES = 40
_N = 25
_CHEBYSHEV = np.cos(np.arange(_N) * np.pi / (_N - 1))


class Cycles(NamedTuple):
    """Integrals over the periods of an infinite range, (limlst,); the first ``n`` are used."""

    value: Any
    error: Any
    status: Any
    n: Any


@functools.cache
def _coefficients():
    """Values at the nodes -> Chebyshev coefficients: by all nodes, and by every second one, (2, 25, 25)."""

    def interpolating(n):
        k = np.arange(n)
        matrix = 2 / (n - 1) * np.cos(np.outer(k, k) * np.pi / (n - 1))
        matrix[:, [0, -1]] /= 2
        matrix[[0, -1]] /= 2
        return matrix

    coarse = np.zeros((_N, _N))
    coarse[:13, ::2] = interpolating(13)
    return np.stack([interpolating(_N), coarse])


@functools.cache
def _legendre():
    """The same for Legendre coefficients."""
    t, w = np.polynomial.legendre.leggauss(_N + 1)
    chebyshev = np.polynomial.chebyshev.chebvander(t, _N - 1)
    legendre = np.polynomial.legendre.legvander(t, _N - 1)
    return (legendre * w[:, None]).T @ chebyshev * (np.arange(_N)[:, None] + 0.5) @ _coefficients()


def _interpolated(coefficients, f, moments):
    """Integrals of both interpolants: coefficients (2, 25, 25), values (25,), moments (25,)."""
    both = jnp.asarray(coefficients.reshape(-1, _N), f.dtype) @ f
    both = both.reshape(2, _N) @ moments
    return both[0], both[1]


def _evaluated(fun, a, b):
    """Nodes and values (15,) and (25,), half the length."""
    dtype = a.dtype
    nodes = jnp.asarray(np.concatenate([RULE_15.nodes, _CHEBYSHEV]), dtype)
    half = 0.5 * (b - a)
    # the ends exactly: a weight there depends on them
    x = (0.5 * (a + b) + half * nodes).at[15].set(b).at[-1].set(a)
    f, _ = lax.optimization_barrier(fun(x))
    return x[:15], x[15:], f[:15], f[15:], half


def _chosen(regular, product, half, fine, coarse, size):
    """The Kronrod estimate of the product where ``regular``, else that of the interpolation."""
    plain = judge(RULE_15, product, half, jnp.zeros((15, 0), product.dtype))
    error = jnp.abs(fine - coarse)
    exact = Estimate(fine, error, size, jnp.full_like(error, -1), plain.inner)
    return jax.tree.map(lambda x, y: jnp.where(regular, x, y), plain, exact)


# --- cos(omega x), sin(omega x) --------------------------------------------------------------


#: Above this frequency the moments come from the closed form of the spherical Bessel functions.
_HIGH = 60.0


@functools.cache
def _wave_table():
    """Gauss nodes in (0, 1], and a table (25, 122) for the vector of `_wave_moments`."""
    t, w = np.polynomial.legendre.leggauss(72)
    values = 2 * (np.polynomial.legendre.legvander(t, _N - 1) * w[:, None])[36:].T
    k = np.arange(_N)
    even = (k % 2 == 0)[:, None]
    sine, cosine = np.zeros((_N, _N)), np.zeros((_N, _N))
    for n in range(_N):
        for m in range(n + 1):
            a = math.factorial(n + m) / math.factorial(m) / math.factorial(n - m)
            (cosine if m % 2 else sine)[n, m] = (-1) ** (m // 2) * a
    # sin(p - k pi / 2) and cos(p - k pi / 2) by sin(p) and cos(p)
    along, across = (np.round(f(k * np.pi / 2))[:, None] for f in (np.cos, np.sin))
    sign = np.where(k % 4 < 2, 2.0, -2.0)[:, None]
    closed = sign * np.concatenate([sine * along + cosine * across, cosine * along - sine * across], axis=1)
    return t[36:], np.concatenate([np.where(even, values, 0), np.where(even, 0, values), closed], axis=1)


def _wave_moments(p):
    """Integrals of P_k(t) cos(p t) for even k, of P_k(t) sin(p t) for odd k, over [-1, 1]; p >= 0, (25,).

    2 i^k j_k(p): by a Gauss rule, for large p by the closed form, polynomials in 1 / (2 p) times sine and cosine.
    """
    nodes, table = (jnp.asarray(v, p.dtype) for v in _wave_table())
    low, high = jnp.minimum(p, _HIGH) * nodes, jnp.maximum(p, _HIGH)
    powers = (0.5 / high) ** np.arange(_N) / high
    by_gauss = jnp.concatenate([jnp.cos(low), jnp.sin(low), jnp.zeros(2 * _N, p.dtype)])
    closed = jnp.concatenate([jnp.zeros(2 * nodes.size, p.dtype), powers * jnp.sin(high), powers * jnp.cos(high)])
    return table @ jnp.where(p > _HIGH, closed, by_gauss)


def _oscillating(omega, sine):
    def rule(fun, a, b):
        x15, _, f15, f25, half = _evaluated(fun, a, b)
        wave = jnp.sin if sine else jnp.cos
        p = omega * half
        size = jnp.abs(p)
        waves = _wave_moments(jnp.where(size > 2, size, 3))
        is_even = jnp.asarray(np.arange(_N) % 2 == 0)
        even, odd = jnp.where(is_even, waves, 0), jnp.where(is_even, 0, waves) * jnp.sign(p)
        shift = omega * 0.5 * (a + b)
        cos, sin = jnp.cos(shift), jnp.sin(shift)
        moments = even * sin + odd * cos if sine else even * cos - odd * sin
        fine, coarse = _interpolated(_legendre(), f25, half * moments)
        return _chosen(
            size <= 2, f15 * wave(omega * x15), half, fine, coarse, jnp.abs(half) * 2 * jnp.max(jnp.abs(f25))
        )

    return rule


def _cycles(fun, start, omega, sine, epsabs, limit, most):
    """Integral to infinity as a series over periods, summed by the epsilon algorithm (QAWF)."""
    dtype = start.dtype
    share = 0.9  # of the tolerance that is left after each period
    size = jnp.abs(omega)
    period = (2 * jnp.floor(size) + 1) * jnp.pi / jnp.where(size == 0, 1, size)
    rule = _oscillating(omega, sine)
    huge = jnp.finfo(dtype).max

    def step(s):
        k = s["n"]
        low = start + k * period
        bound = epsabs * (1 - share) * share ** k.astype(dtype)
        nothing = jnp.zeros((), dtype)
        value, error, code, n, _, _ = integrate(rule, fun, low, low + period, bound, nothing, limit, False)
        count = k + 1
        error_sum, last = s["error_sum"] + error, 50 * jnp.abs(value)
        correction = jnp.where(code != 0, jnp.maximum(s["correction"], error), s["correction"])
        total = s["total"] + value
        ier = jnp.where(code != 0, 7, s["ier"])
        summed = (error_sum + last <= epsabs) & (count >= 6)
        summed |= (ier == 7) & (error_sum + last <= 10 * correction) & (count > 5)
        ier = jnp.where((count == most) & (count > 1) & ~summed, 1, ier)
        tab, limit_value, limit_error = extrapolate(s["table"], total)
        third = count >= 3
        slow = s["slow"] + third
        ier = jnp.where(third & (slow >= 15) & (s["error"] <= 1e-3 * (error_sum + last)) & ~summed, 4, ier)
        better = third & ((limit_error <= s["error"]) | (count == 3))
        result = jnp.where(better, limit_value, s["result"])
        best = jnp.where(better, limit_error, s["error"])
        good = (best + 10 * correction <= epsabs) | ((best <= epsabs) & (10 * correction >= epsabs))
        done = summed | (better & good) | (third & (ier != 0) & (ier != 7)) | (count == most)
        return {
            "n": count, "error_sum": error_sum, "last": last, "correction": correction, "total": total, "ier": ier,
            "summed": summed, "table": tab, "slow": jnp.where(better, 0, slow), "result": result, "error": best,
            "done": done, "neval": s["neval"] + NODES * (2 * n - 1),
            "values": s["values"].at[k].set(value), "errors": s["errors"].at[k].set(error),
            "codes": s["codes"].at[k].set(code.astype(jnp.int32)),
        }  # fmt: skip

    zero, none, no = jnp.zeros((), dtype), jnp.zeros((), jnp.int32), jnp.zeros((), bool)
    state = {
        "n": none, "error_sum": zero, "last": zero, "correction": zero, "total": zero, "ier": none, "summed": no,
        "table": table(zero)._replace(n=none), "slow": none, "result": zero, "error": zero + huge, "done": no,
        "neval": none, "values": jnp.zeros(most, dtype), "errors": jnp.zeros(most, dtype),
        "codes": jnp.zeros(most, jnp.int32),
    }  # fmt: skip
    s = lax.while_loop(lambda s: ~s["done"], step, state)
    result, total, ier, bound = s["result"], s["total"], s["ier"], s["error_sum"] + s["last"]
    error = s["error"] + 10 * s["correction"]
    nonzero = (result != 0) & (total != 0)
    worse = error / jnp.abs(jnp.where(nonzero, result, 1)) > bound / jnp.abs(jnp.where(nonzero, total, 1))
    by_sum = s["summed"] | ((ier != 0) & jnp.where(nonzero, worse, error > s["error_sum"]))
    error = jnp.where((ier >= 1) & (ier != 7) & (total != 0), error + s["last"], error)
    value, error = jnp.where(by_sum, total, result), jnp.where(by_sum, bound, error)
    ier = jnp.where(jnp.isfinite(value), ier, 7)
    return value, error, ier, s["neval"], Cycles(s["values"], s["errors"], s["codes"], s["n"])


# --- powers and logarithms at the ends -------------------------------------------------------


def _power_moments(alpha):
    """Integrals of ((1 + t) / 2)^alpha T_k(t) over [-1, 1], (25,)."""
    first = 2 / (alpha + 1)

    def step(r, k):
        r = -(2 + k * (k - alpha - 2) * r) / ((k - 1) * (k + alpha + 1))
        return r, r

    second = first * alpha / (alpha + 2)
    _, rest = lax.scan(step, second, jnp.arange(2.0, _N, dtype=alpha.dtype))
    return jnp.concatenate([first[None], second[None], rest])


def _algebraic(low, high, powers, log_low, log_high):
    """Rule for ``(x - low)^alpha (high - x)^beta``, and logarithms of the distances."""
    signs = jnp.asarray((-1.0) ** np.arange(_N), low.dtype)
    moments = [jax.jvp(_power_moments, (q,), (jnp.ones_like(q),)) for q in powers]

    def factor(distance, power, logarithm):
        return distance**power * (jnp.log(distance) if logarithm else 1)

    def rule(fun, a, b):
        x15, x25, f15, f25, half = _evaluated(fun, a, b)
        at_low, at_high = a == low, b == high
        inner = ~(at_low | at_high)
        left = factor(jnp.where(at_low, 1, x25 - low), powers[0], log_low)
        right = factor(jnp.where(at_high, 1, high - x25), powers[1], log_high)
        g = f25 * jnp.where(at_low, right, jnp.where(at_high, left, 1))

        def moment(side, logarithm):
            value, rate = moments[side]
            return jnp.log(b - a) * value + rate if logarithm else value

        ends = jnp.where(at_low, moment(0, log_low), signs * moment(1, log_high))
        scale = half * jnp.where(at_low, (b - a) ** powers[0], (b - a) ** powers[1])
        fine, coarse = _interpolated(_coefficients(), g, scale * ends)
        product = f15 * factor(x15 - low, powers[0], log_low) * factor(high - x15, powers[1], log_high)
        return _chosen(inner, product, half, fine, coarse, jnp.abs(fine))

    return rule


# --- 1 / (x - c) -----------------------------------------------------------------------------


@functools.cache
def _difference_table():
    """Integrals of (T_k(t) - T_k(c)) / (t - c) over [-1, 1] as Chebyshev series in c, (25, 25)."""
    rows = np.zeros((_N, _N))
    rows[1, 0] = 2
    for k in range(1, _N - 1):
        shifted = np.polynomial.chebyshev.chebmulx(rows[k])
        new = np.pad(2 * shifted, (0, _N))[:_N] - rows[k - 1]
        new[0] += 0 if k % 2 else 4 / (1 - k * k)
        rows[k + 1] = new
    return rows


def _chebyshev_values(c):
    """T_0(c) .. T_24(c), also a little outside of [-1, 1]."""
    k = jnp.arange(_N, dtype=c.dtype)
    size = jnp.abs(c)
    inside = jnp.cos(k * jnp.arccos(jnp.minimum(size, 1)))
    outside = jnp.cosh(k * jnp.arccosh(jnp.maximum(size, 1)))
    return jnp.where(size <= 1, inside, outside) * jnp.where(c < 0, (-1.0) ** k, 1)


def _cauchy(centre):
    def rule(fun, a, b):
        x15, _, f15, f25, half = _evaluated(fun, a, b)
        c = (2 * centre - b - a) / (b - a)
        near = jnp.abs(c) < 1.1
        c = jnp.where(near, c, 0)
        basis = _chebyshev_values(c)
        smooth = jnp.asarray(_difference_table(), a.dtype) @ basis
        moments = basis * jnp.log(jnp.abs((1 - c) / (1 + c))) + smooth
        fine, coarse = _interpolated(_coefficients(), f25, moments)
        product = f15 / jnp.where(near, 1, x15 - centre)
        return _chosen(~near, product, half, fine, coarse, jnp.abs(fine))

    def split(a, b):
        """Not at the singularity: it stays well inside one of the parts."""
        middle = 0.5 * (a + b)
        middle = jnp.where((centre <= middle) & (centre > a), 0.5 * (centre + b), middle)
        return jnp.where((centre > 0.5 * (a + b)) & (centre < b), 0.5 * (a + centre), middle)

    return rule, split


# --- bisection without extrapolation ---------------------------------------------------------


class _Parts(NamedTuple):
    parts: Any  # (4, limit): ends, value, error
    n: Any
    vain: Any  # halvings that gained nothing
    worse: Any  # halvings with a larger error
    ier: Any
    done: Any


def _bisect(rule, split, fun, ends, epsabs, epsrel, limit, strict):
    """Halve the interval with the largest error until the sum is small enough; ``ends`` (m + 1,) to start with."""
    dtype, first = ends.dtype, ends.shape[0] - 1
    info = jnp.finfo(dtype)

    def both(left, right):
        return lax.optimization_barrier(jax.vmap(lambda l, r: rule(fun, l, r))(left, right))

    def small(parts):
        value, error = jnp.sum(parts[2]), jnp.sum(parts[3])
        bound = jnp.maximum(epsabs, epsrel * jnp.abs(value))
        return value, error, error <= bound

    def step(s):
        i = jnp.argmax(s.parts[3])
        a, b, old_value, old_error = s.parts[:, i]
        middle = split(a, b)
        halves = both(jnp.stack([a, middle]), jnp.stack([middle, b]))
        value, error = jnp.sum(halves.value), jnp.sum(halves.error)
        columns = jnp.stack([jnp.stack([a, middle]), jnp.stack([middle, b]), halves.value, halves.error])
        parts = s.parts.at[:, i].set(columns[:, 0]).at[:, s.n].set(columns[:, 1])
        n = s.n + 1
        real = jnp.all(halves.spread != halves.error)
        stuck = real & (jnp.abs(old_value - value) < 1e-5 * jnp.abs(value)) & (error >= 0.99 * old_error)
        vain, worse = s.vain + stuck, s.worse + (real & (n > 10) & (error > old_error))
        done = small(parts)[2]
        tiny = jnp.maximum(jnp.abs(a), jnp.abs(b)) <= (1 + 100 * info.eps) * (jnp.abs(middle) + 1000 * info.tiny)
        ier = jnp.where((vain >= 6) | (worse >= 20), 2, 0)
        ier = jnp.where(tiny, 3, jnp.where(n == limit, 1, ier))
        # a value that is not a number stays one
        ier = jnp.where(jnp.isfinite(error), ier, 2)
        return _Parts(parts, n, vain, worse, jnp.where(done, 0, ier).astype(jnp.int32), done)

    start = both(ends[:-1], ends[1:])
    columns = jnp.stack([ends[:-1], ends[1:], start.value, start.error])
    parts = jnp.zeros((4, limit), dtype).at[:, :first].set(columns)
    value, error, done = small(parts)
    if strict:  # a Cauchy principal value of one interval must be sure
        done &= error < 0.01 * jnp.abs(value)
    zero = jnp.zeros((), jnp.int32)
    ier = jnp.where(jnp.isfinite(error), jnp.where(limit <= first, 1, 0), 2).astype(jnp.int32)
    ier = jnp.where(done, 0, ier)
    state = _Parts(parts, jnp.int32(first), zero, zero, ier, done)
    s = lax.while_loop(lambda s: ~s.done & (s.ier == 0) & (s.n < limit), step, state)
    value, error, _ = small(s.parts)
    neval = NODES * (2 * s.n - first)
    return value, error, s.ier, neval, Intervals(*s.parts, jnp.zeros(limit, dtype), s.n)


# --- entry -----------------------------------------------------------------------------------


def integrate_weighted(weight, kind, fun, a, b, wvar, epsabs, epsrel, limit, cycles):
    """Value, error, QUADPACK's ``ier``, evaluations, and the `Intervals` or `Cycles`; ``a < b``.

    ``wvar`` is the frequency, the two powers, or the place of the pole.
    """
    if weight in ("cos", "sin"):
        sine = weight == "sin"
        if kind == "finite":
            rule = _oscillating(wvar, sine)
            value, error, code, n, _, parts = integrate(rule, fun, a, b, epsabs, epsrel, limit, True)
            return value, error, code, NODES * (2 * n - 1), parts
        if kind == "lower":

            def mirrored(x):
                f, report = fun(-x)
                return (-f if sine else f), report

            return _cycles(mirrored, -b, wvar, sine, epsabs, limit, cycles)
        return _cycles(fun, a, wvar, sine, epsabs, limit, cycles)
    if weight == "cauchy":
        rule, split = _cauchy(wvar)
        return _bisect(rule, split, fun, jnp.stack([a, b]), epsabs, epsrel, limit, True)
    rule = _algebraic(a, b, (wvar[0], wvar[1]), weight in ("alg-loga", "alg-log"), weight in ("alg-logb", "alg-log"))
    ends = jnp.stack([a, 0.5 * (a + b), b])
    return _bisect(rule, lambda a, b: 0.5 * (a + b), fun, ends, epsabs, epsrel, limit, False)
