"""What the minimisers share: when they end or pause; the scalars of a line search's state."""

from typing import Any

import numpy as np

from solvers.minimize import line_search
from solvers.minimize.status import RUNNING

__all__ = ["Pausing", "search_scalars"]


class Pausing:
    """A solver that ends by its status, or stops where the caller wants to look."""

    pause: Any

    def converged(self, state):
        """Whether the iteration ended, or pauses."""
        ended = state.status != RUNNING
        return ended if self.pause is None else ended | (state.nit >= self.pause)


def search_scalars(dtype, more):
    """The packed scalars before any evaluation: the `Search`, value, iterations, evaluations, status, fresh, others.

    NumPy constants: a caller that resumes by hand can have the state without compiling anything.
    """
    scalars = np.zeros(line_search.SIZE + 5 + more, dtype)
    scalars[line_search.SIZE + 3 : line_search.SIZE + 5] = RUNNING, True
    return scalars
