"""Two-point boundary value problems of ordinary differential equations."""

from solvers.bvp import status
from solvers.bvp.collocation import hermite
from solvers.bvp.mesh import Mesh, grown, start
from solvers.bvp.solve import advance, solve

__all__ = ["Mesh", "advance", "grown", "hermite", "solve", "start", "status"]
