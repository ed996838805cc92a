"""Sparse Jacobians: their columns in groups that one derivative serves, their rows in an order of small band width.

References
----------
.. [1] A. R. Curtis, M. J. D. Powell, J. K. Reid, "On the estimation of sparse Jacobian matrices", J. Inst. Math.
   Appl. 13, 1974.
.. [2] E. Cuthill, J. McKee, "Reducing the bandwidth of sparse symmetric matrices", Proc. ACM Nat. Conf., 1969.
"""

from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from solvers.pytrees import pytree_dataclass

#: A band is used as one if it is at most this part of the matrix.
NARROW = 0.25
#: Smallest system with banded elimination.
LEAST = 16


_static = partial(field, metadata={"static": True})


@pytree_dataclass
@dataclass(frozen=True)
class Pattern:
    """Where a Jacobian may differ from zero; made by `banded_pattern` or `sparse_pattern`.

    Attributes
    ----------
    groups : (n,) number of the group of each column
    order, place : (n,) the state's index at each place of the band's order, and the inverse; None: as it is
    mask : (lower + upper + 1, n) entries of the band, or (n, n), that may differ from zero
    lower, upper : int, the band; None if the matrix is kept whole
    colours : int, number of groups
    packed : bool, whether a given Jacobian comes by its diagonals
    """

    groups: Any
    order: Any
    place: Any
    mask: Any
    lower: int | None = _static()
    upper: int | None = _static()
    colours: int = _static()
    packed: bool = _static(default=False)

    def jacobian(self, rhs, y):
        """The Jacobian of ``rhs(y)``: its diagonals, or the whole matrix."""
        seeds = (self.groups == jnp.arange(self.colours)[:, None]).astype(y.dtype)
        slopes = jax.vmap(lambda d: jax.jvp(rhs, (y,), (d,))[1])(seeds)
        n = y.size
        if self.lower is None:
            return jnp.where(self.mask, slopes[self.groups].T, 0)
        rows, columns = self._entries(n)
        return jnp.where(self.mask, slopes[self.groups[columns], rows], 0)

    def _entries(self, n):
        """Row and column in the state's order of every entry of the band."""
        columns = np.arange(n)
        rows = np.clip(columns + np.arange(self.lower + self.upper + 1)[:, None] - self.upper, 0, n - 1)
        if self.order is None:
            return rows, columns
        return self.order[rows], self.order[columns]

    def band(self, jac):
        """The form of `jacobian` of a whole matrix, or of one given by its diagonals."""
        if self.packed or self.lower is None:
            return jac
        return jnp.where(self.mask, jac[self._entries(jac.shape[-1])], 0)


def banded_pattern(n, lower, upper, packed=False):
    """The `Pattern` of a matrix with ``lower`` diagonals below the main one and ``upper`` above it.

    ``packed``: the Jacobian that the user gives is ``ab[upper + i - j, j] = jac[i, j]``.
    """
    if not (0 <= lower < n and 0 <= upper < n):
        raise ValueError(f"`lower` and `upper` must be from 0 to {n - 1}, got {lower} and {upper}.")
    width = lower + upper + 1
    row = np.arange(n) + np.arange(width)[:, None] - upper
    return Pattern(np.arange(n) % width, None, None, (row >= 0) & (row < n), lower, upper, min(width, n), packed)


def sparse_pattern(rows, columns, n):
    """The `Pattern` of a matrix (n, n) whose entries ``(rows[k], columns[k])`` may differ from zero."""
    rows, columns = np.asarray(rows), np.asarray(columns)
    groups = _groups(rows, columns, n)
    colours = int(groups.max(initial=0)) + 1
    order = _cuthill_mckee(rows, columns, n)
    place = np.argsort(order)
    offset = place[rows] - place[columns]
    lower, upper = int(max(offset.max(initial=0), 0)), int(max((-offset).max(initial=0), 0))
    if n >= LEAST and lower + upper + 1 <= NARROW * n:
        mask = np.zeros((lower + upper + 1, n), bool)
        mask[upper + offset, place[columns]] = True
        return Pattern(groups, order, place, mask, lower, upper, colours)
    mask = np.zeros((n, n), bool)
    mask[rows, columns] = True
    return Pattern(groups, None, None, mask, None, None, colours)


def _groups(rows, columns, n):
    """Greedy grouping: a column joins the first group with no entry in its rows."""
    by_column: list[list[int]] = [[] for _ in range(n)]
    for i, j in zip(rows.tolist(), columns.tolist(), strict=True):
        by_column[j].append(i)
    taken: list[set[int]] = []
    groups = np.zeros(n, np.int32)
    for j, mine in enumerate(by_column):
        g = next((g for g, used in enumerate(taken) if used.isdisjoint(mine)), len(taken))
        if g == len(taken):
            taken.append(set())
        taken[g].update(mine)
        groups[j] = g
    return groups


def _cuthill_mckee(rows, columns, n):
    """The state's indices in an order that keeps neighbours together: breadth first, by degree."""
    near: list[set[int]] = [set() for _ in range(n)]
    for i, j in zip(rows.tolist(), columns.tolist(), strict=True):
        if i != j:
            near[i].add(j)
            near[j].add(i)
    degree = [len(x) for x in near]
    order: list[int] = []
    seen = np.zeros(n, bool)

    def spread(start, mark):
        found, queue = [start], deque([start])
        mark[start] = True
        while queue:
            for j in sorted(near[queue.popleft()], key=degree.__getitem__):
                if not mark[j]:
                    mark[j] = True
                    found.append(j)
                    queue.append(j)
        return found

    for start in sorted(range(n), key=degree.__getitem__):
        if not seen[start]:
            # from the end that is found from anywhere: the level sets are narrow
            order += spread(spread(start, seen.copy())[-1], seen)
    return np.array(order[::-1], np.int32)
