"""The graphs of `shgo`'s samples, which tell neighbours. Combinatorics on the host; nothing is evaluated here."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.spatial import Delaunay, QhullError

__all__ = ["Simplicial", "Triangulated"]


class Simplicial:
    """The box's corners and centre, split further and further: SciPy's triangulation of a hypercube.

    Parameters
    ----------
    lower, upper : (d,) arrays
    n : int, optional
        Vertices to add in a generation; absent: all of the next refinement.
    symmetry : list of int, optional
        For each variable the first one that is like it.
    """

    narrow = True

    def __init__(self, lower: Any, upper: Any, n: int | None, symmetry: Any) -> None:
        from scipy.optimize._shgo_lib._complex import Complex

        self.complex = Complex(dim=lower.size, domain=np.stack([lower, upper], axis=1), symmetry=symmetry)
        self.n, self.sampled = n, 0

    def grow(self, found: list[Any]) -> None:
        """The next generation; minima that were found are not vertices of it."""
        del found
        if self.n is None:
            self.complex.refine_all()
            self.sampled = len(self.complex.V.cache)
        else:
            self.complex.refine(self.n)
            self.sampled += self.n

    @property
    def points(self) -> np.ndarray:
        """All vertices, (m, d): those of earlier generations first."""
        return np.array(list(self.complex.V.cache), float)

    def neighbours(self) -> list[np.ndarray]:
        """Indices of each vertex's neighbours."""
        vertices = list(self.complex.V.cache.values())
        place = {id(v): i for i, v in enumerate(vertices)}
        return [np.array(sorted(place[id(w)] for w in v.nn), int) for v in vertices]


class Triangulated:
    """Points of a sequence, joined by Delaunay's triangulation (on a line, by their order).

    Parameters
    ----------
    lower, upper : (d,) arrays
    n : int
        Points to add in a generation.
    sample : callable
        ``sample(n, d)``: the next points of the unit cube.
    keeps : callable, optional
        ``keeps(points)``: which points to use at all.
    """

    narrow = False

    def __init__(self, lower: Any, upper: Any, n: int, sample: Any, keeps: Callable[[Any], Any] | None) -> None:
        self.lower, self.upper, self.n, self.sample, self.keeps = lower, upper, n, sample, keeps
        self.all, self.sampled, self.joined = np.empty((0, lower.size)), 0, False

    def grow(self, found: list[Any]) -> None:
        """The next points, and the minima found since."""
        d = self.lower.size
        new = np.array(self.sample(self.n, d), float)
        if new.ndim != 2 or new.shape[1] != d:
            raise ValueError(f"sampling_method must return an array of shape {(self.n, d)}, got {new.shape}")
        new = self.lower + new * (self.upper - self.lower)
        if self.keeps is not None:
            new = new[self.keeps(new)]
        candidates = np.concatenate([self.all, new, np.reshape(found, (-1, d))])
        _, first = np.unique(candidates, axis=0, return_index=True)
        self.all = candidates[np.sort(first)]
        self.sampled += self.n
        self.joined = len(self.all) > (1 if d == 1 else d + 1)

    @property
    def points(self) -> np.ndarray:
        """All points, (m, d); none while they are too few for a simplex."""
        return self.all if self.joined else self.all[:0]

    def neighbours(self) -> list[np.ndarray]:
        """Indices of each point's neighbours."""
        points = self.points
        if not self.joined:
            return []
        if points.shape[1] == 1:
            order = np.argsort(points[:, 0])
            around: list[Any] = [None] * len(order)
            for i, j in enumerate(order):
                around[j] = np.array([order[k] for k in (i - 1, i + 1) if 0 <= k < len(order)], int)
            return around
        try:
            # Not to add points later: of the triangulations of a regular grid, Qhull's incremental mode, as in SciPy's
            # `shgo`, gives another one.
            joined = Delaunay(points, incremental=True)
        except QhullError:
            joined = Delaunay(points)  # cospherical points
        start, index = joined.vertex_neighbor_vertices
        around = [index[a:b] for a, b in itertools.pairwise(start)]
        for point, _, vertex in joined.coplanar:
            around[point] = np.array([vertex])  # on a face, and in no simplex: compared with the nearest corner
        return around
