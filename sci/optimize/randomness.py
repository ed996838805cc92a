"""SciPy's `rng` and `seed`, and the keys of `jax.random` that are drawn from them."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from sci.bridge import Call
from sci.bridge.randomness import borrow

__all__ = ["generator", "key_of", "known_seed"]


def generator(call: Call, who: str) -> np.random.Generator | np.random.RandomState | None:
    """The generator that `rng` or `seed` stand for, borrowed from the user; None where a `key` is given.

    Raises
    ------
    TypeError
        If both are given, as SciPy does.
    ValueError
        In the JAX world without an integer or a key: a trace would bake in one draw.
    """
    if call["rng"] is not None and call["seed"] is not None:
        raise TypeError(f"{who}() got multiple values for argument now known as `rng`")
    given = call["rng"] if call["seed"] is None else call["seed"]
    if call["key"] is not None:
        if given is not None:
            raise ValueError(f"{who}: give `key` or `rng`, not both")
        return None
    known_seed(call, who)
    if given is None:
        return np.random.default_rng()
    borrowed = borrow(call, given)
    return borrowed if isinstance(borrowed, np.random.RandomState) else np.random.default_rng(borrowed)


def known_seed(call: Call, who: str) -> None:
    """Refuse a call of the JAX world that has neither an integer nor a key.

    For `validate` too: a function that closes over JAX arrays shows the world only when it has been traced.
    """
    given = call["rng"] if call["seed"] is None else call["seed"]
    if not call.numpy and call["key"] is None and not isinstance(given, (int, np.integer)):
        raise ValueError(
            f"{who} with JAX arrays needs key= (of jax.random) or an integer rng=, got rng={given!r}: under jit "
            "anything else would be the same numbers at every call"
        )


def key_of(call: Call, random: np.random.Generator | np.random.RandomState | None) -> Any:
    """Raw data (2,) of a key of `jax.random`: the user's, or drawn from the generator."""
    if random is None:
        key = call["key"]
        return jax.random.key_data(key) if jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key) else key
    draw = random.integers if isinstance(random, np.random.Generator) else random.randint
    return draw(0, 2**32, size=2, dtype=np.uint32)
