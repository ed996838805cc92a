"""Rules on the cube [-1, 1]^n, each with a cheaper one on the same nodes, as NumPy constants.

References
----------
.. [1] A. C. Genz, A. A. Malik, "Remarks on algorithm 006: an adaptive algorithm for numerical integration over an
       N-dimensional rectangular region", J. Comput. Appl. Math. 6 (1980) 295-302.
"""

import functools
import itertools

import numpy as np

from solvers.quadrature.gauss_kronrod import RULE_15, RULE_21

#: Names that `cubature_rule` takes.
RULES = ("gauss-kronrod", "gk21", "gk15", "genz-malik")


@functools.lru_cache(32)
def cubature_rule(name, n):
    """Nodes (m, n), weights (m,), weights of the cheaper rule (m,)."""
    if name == "genz-malik":
        return _genz_malik(n)
    rule = RULE_15 if name == "gk15" else RULE_21
    nodes = np.stack([g.ravel() for g in np.meshgrid(*[rule.nodes] * n, indexing="ij")], axis=1)
    return nodes, *(functools.reduce(np.multiply.outer, [w] * n).ravel() for w in (rule.kronrod, rule.gauss))


def _genz_malik(n):
    """The rule of degree 7, with one of degree 5 on all but its corner nodes; orbits of the cube's symmetries."""
    inner, outer, corner = (np.sqrt(v) for v in (9 / 70, 9 / 10, 9 / 19))
    unit = np.eye(n)
    axes = np.concatenate([unit, -unit])
    signs = np.array(list(itertools.product((1, -1), repeat=2)))
    pairs = [signs @ unit[[i, j]] for i, j in itertools.combinations(range(n), 2)]
    corners = np.array(list(itertools.product((1.0, -1.0), repeat=n)))
    orbits = [np.zeros((1, n)), inner * axes, outer * axes, outer * np.concatenate(pairs), corner * corners]
    volume = 2.0**n
    weights = [
        volume * (12824 - 9120 * n + 400 * n**2) / 19683, volume * 980 / 6561, volume * (1820 - 400 * n) / 19683,
        volume * 200 / 19683, 6859 / 19683,
    ]  # fmt: skip
    lower = [
        volume * (729 - 950 * n + 50 * n**2) / 729, volume * 245 / 486, volume * (265 - 100 * n) / 1458,
        volume * 25 / 729, 0.0,
    ]  # fmt: skip
    sizes = [len(o) for o in orbits]
    return np.concatenate(orbits), np.repeat(weights, sizes), np.repeat(lower, sizes)
