"""Status codes of a boundary value problem."""

RUNNING = -1
SUCCESS = 0
#: More nodes than ``max_nodes`` would be needed.
MAX_NODES = 1
SINGULAR = 2
#: The residuals are small, but not those of the boundary conditions.
BOUNDARY = 3
#: The next mesh does not fit into the arrays: `solvers.bvp.grown` makes room, and the iteration goes on.
FULL = 4

MESSAGES = {
    SUCCESS: "The algorithm converged to the desired accuracy.",
    MAX_NODES: "The maximum number of mesh nodes is exceeded.",
    SINGULAR: "A singular Jacobian encountered when solving the collocation system.",
    BOUNDARY: "The solver was unable to satisfy boundary conditions tolerance on iteration 10.",
}
