"""Boxes and first populations of the global minimisers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import Bounds

from sci.bridge import Call
from sci.bridge.worlds import is_jax

__all__ = ["finite_box", "starting_population"]


def finite_box(bounds: Any) -> tuple[Any, Any]:
    """Lower and upper bounds, each of shape (n,), finite.

    Raises
    ------
    ValueError
        As SciPy, for bounds of another shape or that are infinite.
    """
    message = "bounds should be a sequence containing finite real valued (min, max) pairs for each value in x"
    limits: Any
    if isinstance(bounds, Bounds):
        pair = (bounds.lb, bounds.ub)
        if is_jax(pair):
            return jnp.atleast_1d(pair[0]), jnp.atleast_1d(pair[1])
        limits = np.stack([np.asarray(b, float) for b in np.broadcast_arrays(*map(np.atleast_1d, pair))])
    elif is_jax(bounds):
        limits = jnp.asarray(bounds, float).T
    else:
        try:
            limits = np.array(bounds, dtype=float).T
        except (TypeError, ValueError):
            raise ValueError(message) from None
    if limits.ndim != 2 or len(limits) != 2 or (not is_jax(limits) and not np.isfinite(limits).all()):
        raise ValueError(message)
    return limits[0], limits[1]


def _size(call: Call, lower: Any, upper: Any) -> int:
    varying = lower.size if is_jax((lower, upper)) else int(np.count_nonzero(lower != upper))
    return max(5, int(call["popsize"]) * max(1, varying))


def starting_population(call: Call, random: Any, lower: Any, upper: Any) -> Any:
    """The first members (s, n) in the unit cube, from `init`, `popsize` and `x0`."""
    init, x0, n = call["init"], call["x0"], lower.size
    width = abs(upper - lower)
    lib: Any = jnp if is_jax((lower, upper, init, x0, call["key"])) else np
    unit_width = lib.where(width > 0, width, 1.0)

    def unit(points: Any) -> Any:
        scaled = lib.where(width > 0, (points - 0.5 * (lower + upper)) / unit_width, 0.0)
        return scaled + 0.5

    if isinstance(init, str):
        members = _sampled(call, random, _size(call, lower, upper), n)
    else:
        points = lib.asarray(init, float)
        if points.ndim != 2 or points.shape[0] < 5 or points.shape[1] != n:
            raise ValueError("The population supplied needs to have shape (S, len(x)), where S > 4.")
        members = lib.clip(unit(points), 0, 1)
    if x0 is not None:
        start = unit(lib.asarray(x0, float))
        if lib is np:
            if (start > 1).any() or (start < 0).any():
                raise ValueError("Some entries in x0 lay outside the specified bounds")
            members[0] = start
        else:
            members = jnp.asarray(members).at[0].set(start)
    return members


def _sampled(call: Call, random: Any, size: int, n: int) -> Any:
    init = call["init"]
    if init not in ("latinhypercube", "sobol", "halton", "random"):
        raise ValueError(
            "The population initialization method must be one of 'latinhypercube' or 'random', or an array of shape "
            "(S, N) where N is the number of parameters and S>5"
        )
    if random is None:
        return _sampled_by_key(call["key"], init, size, n)
    if init in ("sobol", "halton"):
        from scipy.stats import qmc

        engine = (qmc.Sobol if init == "sobol" else qmc.Halton)(n, rng=np.random.default_rng(list(random.bytes(16))))
        return engine.random(2 ** int(np.ceil(np.log2(size))) if init == "sobol" else size)
    members = random.uniform(size=(size, n))
    if init == "latinhypercube":
        members = np.stack([random.permutation((np.arange(size) + members[:, j]) / size) for j in range(n)], axis=1)
    return members


def _sampled_by_key(key: Any, init: str, size: int, n: int) -> Any:
    if init in ("sobol", "halton"):
        raise ValueError(f"init={init!r} needs `rng`; with `key` give 'latinhypercube', 'random' or an array")
    first, second = jax.random.split(jax.random.fold_in(key, 1))
    members = jax.random.uniform(first, (size, n))
    if init == "random":
        return members
    orders = jax.vmap(lambda k: jax.random.permutation(k, size), out_axes=1)(jax.random.split(second, n))
    return (orders + members) / size
