"""The linear assignment problem by shortest augmenting paths."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax

__all__ = ["AssignmentResult", "assignment"]


class AssignmentResult(NamedTuple):
    """What `assignment` returns.

    Attributes
    ----------
    columns : (m,) int array
        The column of each row; -1 everywhere if there is no assignment of finite cost.
    feasible : bool array
    """

    columns: Any
    feasible: Any


class _State(NamedTuple):
    """A matching with prices, and the tree of shortest paths that grows from one free row."""

    price: Any  # (n,) dual variables of the columns
    row_of: Any  # (n,) the row matched with each column, -1 if free
    column_of: Any  # (m,) the column matched with each row, -1 if free
    distance: Any  # (n,) of each column from the root
    parent: Any  # (n,) the row before it
    outside: Any  # (n,) the columns that are not in the tree, as a list
    place: Any  # (n,) of each column in that list; -1 if it is in the tree
    left: Any  # length of that list
    root: Any
    row: Any  # whose edges are looked at next
    slack: Any  # what the shortest path to that row costs, less the row's dual variable
    sink: Any  # while a path is being turned over: the column that is matched next, else -1
    feasible: Any


def assignment(cost):
    """Match each row with a column of its own so that the sum of the costs is least.

    Parameters
    ----------
    cost : (m, n) float array, m <= n
        Infinite where a row and a column must not meet. With NaN or ``-inf`` nothing is feasible.

    Returns
    -------
    AssignmentResult

    Notes
    -----
    For each row in turn, Dijkstra's algorithm on reduced costs finds the shortest alternating path to a free column.
    Of several optimal assignments it finds the one that Crouse's rule for ties gives: a free column before a matched
    one.

    References
    ----------
    .. [1] R. Jonker, A. Volgenant, "A shortest augmenting path algorithm for dense and sparse linear assignment
       problems", Computing 38 (1987) 325-340.
    .. [2] D. F. Crouse, "On implementing 2D rectangular assignment algorithms", IEEE Trans. Aerosp. Electron. Syst. 52
       (2016) 1679-1696.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from solvers.linprog import assignment
    >>> assignment(jnp.array([[4.0, 1.0, 3.0], [2.0, 0.0, 5.0], [3.0, 2.0, 2.0]])).columns.tolist()
    [1, 0, 2]
    """
    m, n = cost.shape
    if m > n:
        raise ValueError(f"cost has shape {cost.shape}; allowed are at most as many rows as columns")
    if m == 0:
        return AssignmentResult(jnp.zeros(0, jnp.int32), jnp.asarray(True))
    free = jnp.full(n, -1, jnp.int32)
    order = jnp.arange(n - 1, -1, -1, dtype=jnp.int32)
    far = jnp.full(n, jnp.inf, cost.dtype)
    zero, none = jnp.asarray(0, jnp.int32), jnp.asarray(-1, jnp.int32)

    def search(s):
        """Look at the edges of one row, and take the nearest column into the tree."""
        edges = lax.dynamic_index_in_dim(cost, s.row, keepdims=False)
        length = jnp.where(s.place >= 0, s.slack + (edges - s.price), jnp.inf)
        shorter = length < s.distance
        distance = jnp.where(shorter, length, s.distance)
        parent = jnp.where(shorter, s.row, s.parent)
        open_ends = jnp.where(s.place >= 0, distance, jnp.inf)
        nearest = jnp.min(open_ends)
        rank = jnp.where(s.row_of < 0, n + s.place, n - 1 - s.place)
        best = jnp.max(jnp.where((open_ends == nearest) & (s.place >= 0), rank, -1))
        column = s.outside[jnp.where(best >= n, best - n, n - 1 - best)]
        reached, row = jnp.isfinite(nearest), s.row_of[column]
        found = reached & (row < 0)
        # The last column of the list takes the place of the one that leaves it.
        last, gap = s.outside[s.left - 1], s.place[column]
        place = s.place.at[last].set(gap).at[column].set(-1)
        row = jnp.maximum(row, 0)
        return s._replace(
            price=jnp.where(found & (place < 0), s.price - (nearest - distance), s.price),
            distance=distance,
            parent=parent,
            outside=s.outside.at[gap].set(last),
            place=place,
            left=s.left - 1,
            row=row,
            slack=nearest - (cost[row, column] - s.price[column]),
            sink=jnp.where(found, column, none),
            feasible=reached,
        )

    def turn(s):
        """Match a column of the path with the row before it; behind the last one, the next row is the root."""
        row = s.parent[s.sink]
        done = row == s.root
        root = s.root + done
        return s._replace(
            row_of=s.row_of.at[s.sink].set(row),
            column_of=s.column_of.at[row].set(s.sink),
            distance=jnp.where(done, far, s.distance),
            outside=jnp.where(done, order, s.outside),
            place=jnp.where(done, order, s.place),
            left=jnp.where(done, n, s.left),
            root=root,
            row=jnp.where(done, root, s.row),
            slack=jnp.where(done, 0.0, s.slack),
            sink=jnp.where(done, none, s.column_of[row]),
        )

    def match(s):
        s = lax.while_loop(lambda s: (s.sink < 0) & s.feasible, search, s)
        return lax.while_loop(lambda s: (s.sink >= 0) & s.feasible, turn, s)

    known = jnp.all(cost > -jnp.inf)
    first = _State(
        jnp.zeros(n, cost.dtype), free, free[:m], far, free, order, order, zero + n, zero, zero,
        jnp.asarray(0, cost.dtype), none, known,
    )  # fmt: skip
    s = lax.while_loop(lambda s: (s.root < m) & s.feasible, match, first)
    return AssignmentResult(jnp.where(s.feasible, s.column_of, -1), s.feasible)
