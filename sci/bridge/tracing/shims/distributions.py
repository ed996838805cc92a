"""`scipy.stats` distributions in the clone's world: ``norm.logpdf(x, mu, sigma)``, ``norm(mu, sigma).cdf(x)``."""

from __future__ import annotations

import functools

import numpy as np

from ..errors import TraceReason
from ..functions import call_numpy, record
from ..lift_objects import public_distribution
from ..tape import refuse
from ..values import any_traced, plain, wrap_constant
from .densities import FAMILIES, METHODS, evaluate
from .formulas import formula, has_formula

_RANDOM = ("rvs", "random_state")


class Distribution:
    """A distribution of `scipy.stats`, parameters still to be given."""

    def __init__(self, original):
        self.shim_original = original

    def __getattr__(self, name):
        return _method(self.shim_original, name)

    def __call__(self, *args, **kwargs):
        return Frozen(self.shim_original, args, kwargs)


class Frozen:
    """A distribution with its parameters."""

    def __init__(self, original, args, kwargs):
        self.shim_original, self.shim_args, self.shim_kwargs = original, args, kwargs

    def __getattr__(self, name):
        method = _method(self.shim_original, name)
        return lambda x: method(x, *self.shim_args, **self.shim_kwargs)


def _method(original, name):
    """A method by name: traced, or refused when it is looked up."""
    full = f"scipy.stats.{original.name}.{name}"
    if name in _RANDOM:
        refuse(TraceReason.RANDOM, full)
    if public_distribution(original) is not None:
        family = original.name in FAMILIES and name in METHODS[_is_discrete(original)]
        if family and not (name in ("ppf", "isf") and _without_inverse(original.name)):
            return functools.partial(_call, original, name)
        if has_formula(original, name):
            return functools.partial(_by_formula, original, name)
        if name.startswith("_") and has_formula(original, name[1:]):  # one distribution's formula inside another's
            return formula(original, name)
    refuse(TraceReason.LIBRARY, full, "pass its result in, or compute it outside the function")


def _is_discrete(original):
    return not hasattr(original, "pdf")


@functools.cache
def _without_inverse(name):
    from .densities import family

    return family(name).ppf is None


def _call(original, name, x, *args, **kwargs):
    if not any_traced((x, args)) and not any_traced(kwargs):
        return wrap_constant(getattr(original, name)(plain(x), *plain(args), **plain(kwargs)))
    shapes, loc, scale = original._parse_args(*args, **kwargs)
    method = _pair(original, name, len(shapes))
    emit = functools.partial(evaluate, original.name, name)
    return record(method, f"registered.{original.name}.{name}", emit, (x, loc, scale, *shapes), {})


def _by_formula(original, name, x, *args, **kwargs):
    if not any_traced((x, args)) and not any_traced(kwargs):
        return wrap_constant(getattr(original, name)(plain(x), *plain(args), **plain(kwargs)))
    shapes, loc, scale = original._parse_args(*args, **kwargs)
    as_float = functools.partial(call_numpy, np.asarray)
    x, *shapes = (as_float((v, float), {}) for v in (x, *shapes))
    return formula(original, name)(x, loc, scale, *shapes)


@functools.cache
def _pair(original, name, shapes):
    """The original's method with positional parameters: x, loc, scale, shapes."""
    method, discrete = getattr(original, name), _is_discrete(original)

    def call(x, loc, scale, *more):
        return np.asarray(method(x, *more, loc=loc) if discrete else method(x, *more, loc=loc, scale=scale))[()]

    # `record` reads the signature; positional, as in `evaluate`
    return {
        0: lambda x, loc, scale, /: call(x, loc, scale),
        1: lambda x, loc, scale, a, /: call(x, loc, scale, a),
        2: lambda x, loc, scale, a, b, /: call(x, loc, scale, a, b),
    }[shapes]
