"""The user's random generators: they move on only when it is certain that a call runs here.

Preparing a call draws starts and keys from them. Should the original compute after all, or the call only be compiled
for in the background, the user's numbers must be those of a plain run.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

__all__ = ["borrow", "give_back", "lender", "with_own_state"]

Random = np.random.Generator | np.random.RandomState


def borrow(call: Any, random: Any) -> Any:
    """A duplicate of the user's generator to draw from in `prepare`; the bridge lets the user's own follow.

    Parameters
    ----------
    call : Call
    random : Generator, RandomState, the module ``np.random`` or anything else
        What the user gave as `rng` or `seed`; the module stands for NumPy's global generator.

    Returns
    -------
    Generator, RandomState or anything else
        The same duplicate if the call has borrowed `random` before. What is not a generator comes back as it is.
    """
    if random is np.random:
        random = np.random.mtrand._rand
    if not isinstance(random, Random):
        return random
    for theirs, ours in call.borrowed:
        if theirs is random:
            return ours
    ours = with_own_state(random)
    call.borrowed = [*call.borrowed, (random, ours)]
    return ours


def lender(call: Any, random: Random) -> Random:
    """The user's generator that `random` stands for, to draw from once the call is certain; else `random` itself."""
    return next((theirs for theirs, ours in call.borrowed if ours is random), random)


def give_back(call: Any) -> None:
    """The call runs here: the user's generators have drawn what it drew."""
    for theirs, ours in call.borrowed:
        if isinstance(theirs, np.random.Generator):
            theirs.bit_generator.state = ours.bit_generator.state
        else:
            theirs.set_state(ours.get_state(legacy=False))


def with_own_state(value: Any) -> Any:
    """A generator with the same state and a life of its own; anything else as it is."""
    return copy.deepcopy(value) if isinstance(value, Random) else value  # `copy.copy` shares the bit generator
