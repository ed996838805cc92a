"""Distributions of `scipy.stats` without a family of ours: SciPy's formulas, traced as if the user had written them.

A distribution's class holds its formulas in standard form (``_pdf``, ``_cdf``, ``_ppf``, ...). They are plain NumPy, so
the tracer can take them as it takes the user's code: copied out of their class, with a base that does what SciPy's
infrastructure does around them (location, scale, support, arguments that are not allowed). What SciPy integrates or
solves for numerically has no formula and stays refused, as does a formula over a function that has no JAX version.
Quantiles at 0 and 1 are the ends of the support, which count as constants in derivatives.
"""

from __future__ import annotations

import functools
import sys
import types

import jax
import numpy as np

from ..lift import STATIC_SCALARS, described
from ..rebuild import World
from ..values import wrap_constant

__all__ = ["formula", "has_formula"]

#: The module of the copies: that of no library, or they would not be walked.
_MODULE = "distribution_formulas"
#: Formulas that each method can be made of, the first one that a class has.
_NEEDED = {
    "pdf": ("_pdf", "_logpdf"), "logpdf": ("_logpdf", "_pdf"),
    "pmf": ("_pmf", "_logpmf"), "logpmf": ("_logpmf", "_pmf"),
    "cdf": ("_cdf", "_sf"), "logcdf": ("_logcdf", "_cdf", "_sf"), "sf": ("_sf", "_cdf"),
    "logsf": ("_logsf", "_sf", "_cdf"), "ppf": ("_ppf", "_isf"), "isf": ("_isf", "_ppf"),
}  # fmt: skip


def held(value):
    """A constant of differentiation. SciPy's supports select between branches whose derivatives overflow."""
    return jax.lax.stop_gradient(value) if isinstance(value, jax.Array) else value


class _Continuous:
    """What surrounds the formulas; read by the tracer, never run by itself."""

    def _logpdf(self, x, *shapes):
        return np.log(self._pdf(x, *shapes))

    def _pdf(self, x, *shapes):
        return np.exp(self._logpdf(x, *shapes))

    def _cdf(self, x, *shapes):
        return 1.0 - self._sf(x, *shapes)

    def _sf(self, x, *shapes):
        return 1.0 - self._cdf(x, *shapes)

    def _logcdf(self, x, *shapes):
        return np.log(self._cdf(x, *shapes))

    def _logsf(self, x, *shapes):
        return np.log(self._sf(x, *shapes))

    def _ppf(self, q, *shapes):
        return self._isf(1.0 - q, *shapes)

    def _isf(self, q, *shapes):
        return self._ppf(1.0 - q, *shapes)

    def _argcheck(self, *shapes):
        allowed = True
        for shape in shapes:
            allowed = np.logical_and(allowed, shape > 0)
        return allowed

    def _get_support(self, *shapes):
        return self.a, self.b

    def _inner(self, *shapes):
        """The support, and a point inside: what is outside is computed there, so that no NaN reaches a gradient."""
        low, high = self._get_support(*shapes)
        below, above = np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 0.0)
        ends = np.isfinite(low) * 1.0 - np.isfinite(high) * 1.0
        return low, high, held(np.where(ends == 0.0, 0.5 * (below + above), below + above + ends))

    def pdf(self, x, loc, scale, *shapes):
        return self.density(self._pdf, 0.0, x, loc, scale, *shapes) / scale

    def logpdf(self, x, loc, scale, *shapes):
        return self.density(self._logpdf, -np.inf, x, loc, scale, *shapes) - np.log(scale)

    def density(self, formula, outside, x, loc, scale, *shapes):
        z = (x - loc) / scale
        low, high, inner = self._inner(*shapes)
        inside = (low <= z) & (z <= high) & np.isfinite(z)
        value = np.where(inside, formula(np.where(inside, z, inner), *shapes), outside)
        return np.where(np.logical_and(self._argcheck(*shapes), scale > 0) & ~np.isnan(z), value, np.nan)

    def cdf(self, x, loc, scale, *shapes):
        return self.tail(self._cdf, 0.0, 1.0, x, loc, scale, *shapes)

    def sf(self, x, loc, scale, *shapes):
        return self.tail(self._sf, 1.0, 0.0, x, loc, scale, *shapes)

    def logcdf(self, x, loc, scale, *shapes):
        return self.tail(self._logcdf, -np.inf, 0.0, x, loc, scale, *shapes)

    def logsf(self, x, loc, scale, *shapes):
        return self.tail(self._logsf, 0.0, -np.inf, x, loc, scale, *shapes)

    def tail(self, formula, before, behind, x, loc, scale, *shapes):
        z = (x - loc) / scale
        low, high, inner = self._inner(*shapes)
        inside = (low < z) & (z < high)
        value = np.where(z >= high, behind, before)
        value = np.where(inside, formula(np.where(inside, z, inner), *shapes), value)
        return np.where(np.logical_and(self._argcheck(*shapes), scale > 0) & ~np.isnan(z), value, np.nan)

    def ppf(self, q, loc, scale, *shapes):
        low, high = self._get_support(*shapes)
        return self.quantile(self._ppf, low, high, q, loc, scale, *shapes)

    def isf(self, q, loc, scale, *shapes):
        low, high = self._get_support(*shapes)
        return self.quantile(self._isf, high, low, q, loc, scale, *shapes)

    def quantile(self, formula, start, end, q, loc, scale, *shapes):
        inside = (q > 0) & (q < 1)
        value = np.where(inside, formula(np.where(inside, q, 0.5), *shapes), held(np.where(q == 0, start, end)))
        allowed = np.logical_and(self._argcheck(*shapes), scale > 0) & (q >= 0) & (q <= 1)
        return np.where(allowed, loc + scale * value, np.nan)


class _Discrete(_Continuous):
    """The same for whole numbers."""

    def _logpmf(self, k, *shapes):
        return np.log(self._pmf(k, *shapes))

    def _pmf(self, k, *shapes):
        return np.exp(self._logpmf(k, *shapes))

    def pmf(self, x, loc, scale, *shapes):
        return self.mass(self._pmf, 0.0, x, loc, *shapes)

    def logpmf(self, x, loc, scale, *shapes):
        return self.mass(self._logpmf, -np.inf, x, loc, *shapes)

    def mass(self, formula, outside, x, loc, *shapes):
        k = x - loc
        return np.where((np.floor(k) == k) | np.isnan(k), self.density(formula, outside, k, 0.0, 1.0, *shapes), outside)

    def tail(self, formula, before, behind, x, loc, scale, *shapes):
        k = x - loc  # rounding down is the formulas' own
        low, high, inner = self._inner(*shapes)
        inside = (low <= k) & (k < high)
        value = np.where(k >= high, behind, before)
        value = np.where(inside, formula(np.where(inside, k, np.floor(inner)), *shapes), value)
        return np.where(self._argcheck(*shapes) & ~np.isnan(x), value, np.nan)


def _apply_where(cond, args, f1, f2=None, /, *, fill_value=None, xp=None):
    args = args if isinstance(args, tuple) else (args,)
    return np.where(cond, f1(*args), fill_value if f2 is None else f2(*args))


def _select(conditions, choices, arrays, default=0):
    return np.select(conditions, [choice(*arrays) for choice in choices], default)


def _promote(*args, force_floating=False, broadcast=False, xp=None):
    return args[0] if len(args) == 1 else args  # they are arrays of floats


def _copy(function, space):
    """A function with other globals, and of no library's module."""
    made = types.FunctionType(function.__code__, space, function.__name__, function.__defaults__, function.__closure__)
    made.__kwdefaults__ = function.__kwdefaults__
    made.__module__ = _MODULE
    return made


_spaces: dict[str, dict] = {}


def _space(name):
    """A module's globals with the functions of `scipy.stats` copied, and `where` for what evaluates parts of arrays."""
    if name in _spaces:
        return _spaces[name]
    space = _spaces[name] = dict(vars(sys.modules[name]))
    for key, value in list(space.items()):
        if isinstance(value, types.FunctionType) and (value.__module__ or "").startswith("scipy.stats."):
            space[key] = _copy(value, _space(value.__module__))
    own: dict = {"np": np}
    space.update(
        xpx=types.SimpleNamespace(apply_where=_copy(_apply_where, own)),
        _lazyselect=_copy(_select, own),
        xp_promote=_copy(_promote, own),
    )
    return space


@functools.cache
def _own(distribution):
    """The distribution's formulas as an object of a class that looks like the user's."""
    template = _Continuous if hasattr(distribution, "pdf") else _Discrete
    members: dict = {"__module__": _MODULE}
    plain = {"np": np, "held": held}
    # what surrounds the formulas first, the distribution's own over it
    layers = [(c, plain) for c in reversed(template.__mro__[:-1])]
    layers += [(c, _space(c.__module__)) for c in reversed(_own_classes(distribution))]
    for layer, space in layers:
        members.update({n: _copy(f, space) for n, f in vars(layer).items() if isinstance(f, types.FunctionType)})
    made = type(f"{distribution.name}_formulas", (), members)()
    vars(made).update({n: v for n, v in vars(distribution).items() if isinstance(v, (int, float, str, np.generic))})
    return made


def _own_classes(distribution):
    """The distribution's classes without SciPy's infrastructure, most derived first."""
    common = ("rv_continuous", "rv_discrete", "rv_generic", "object")
    return [c for c in type(distribution).__mro__ if c.__name__ not in common]


def has_formula(distribution, method):
    """Whether a method can be made of formulas in the distribution's class."""
    names = {n for c in _own_classes(distribution) for n in vars(c)}
    return method in _NEEDED and not names.isdisjoint(_NEEDED[method])


def formula(distribution, method):
    """``call(x, loc, scale, *shapes)`` in the clone's world; ``call(z, *shapes)`` for a formula in standard form."""
    lifter, node = described(getattr(_own(distribution), method), STATIC_SCALARS, False)
    return World([wrap_constant(v) for v in lifter.leaves], True).build(node)
