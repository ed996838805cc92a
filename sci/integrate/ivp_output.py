"""Results of `solve_ivp`: SciPy's objects in the NumPy world, pytrees in the JAX world."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import DenseOutput, OdeSolution
from scipy.integrate._ivp.ivp import OdeResult

from sci.bridge import register_result
from sci.bridge.worlds import double_precision
from solvers.ode import Dense
from solvers.pytrees import pytree_dataclass

__all__ = ["ContinuousSolution", "OdeResult", "Segment", "numpy_solution"]

register_result(OdeResult)


@pytree_dataclass
@dataclass(frozen=True)
class ContinuousSolution:
    """Continuous solution in the JAX world: called as SciPy's `OdeSolution`, a pytree."""

    dense: Dense

    def __call__(self, t: Any) -> jax.Array:
        """Solution at ``t`` of shape () or (m,): shape (n,) or (n, m)."""
        return jnp.moveaxis(self.dense(t), -1, 0)

    @property
    def ts(self) -> jax.Array:
        """Ends of the steps, the start first; unused entries repeat the last."""
        return self.dense.t


@functools.cache
def _evaluator() -> Any:
    """Interpolation by methods whose formulas are written for JAX arrays only."""

    def evaluate(coefficients: Any, t: Any, method: Any) -> Any:
        point = partial(method.interpolate, coefficients)
        return jax.vmap(point, out_axes=1)(t) if t.ndim else point(t)

    return jax.jit(evaluate, static_argnames="method")


class Segment(DenseOutput):
    """Interpolant of one step, on NumPy arrays."""

    def __init__(self, t_old: float, t: float, method: Any, coefficients: Any) -> None:
        super().__init__(t_old, t)
        self._method, self._coefficients = method, coefficients

    def _call_impl(self, t: np.ndarray) -> np.ndarray:
        c = self._coefficients
        if getattr(self._method, "traced_only", False):
            with double_precision():
                return np.array(_evaluator()(c, t.astype(float), self._method))
        if t.ndim:
            c = jax.tree.map(lambda a: a[..., None] if np.ndim(a) else a, c)
        return self._method.interpolate(c, t)


class _Constant(DenseOutput):
    """Interpolant of an empty interval, or of an empty state."""

    def __init__(self, t_old: float, t: float, y: np.ndarray) -> None:
        super().__init__(t_old, t)
        self._y = y

    def _call_impl(self, t: np.ndarray) -> np.ndarray:
        return self._y + np.zeros_like(t) if t.ndim == 0 else np.repeat(self._y[:, None], t.size, axis=1)


def numpy_solution(dense: Any, start: np.ndarray, right: bool) -> OdeSolution:
    """SciPy's `OdeSolution` from the engine's record, whose leaves are NumPy arrays.

    ``right``: a time between two steps belongs to the later one, as SciPy has it for multistep methods.
    """
    n = int(dense.n)
    if n > 1 and dense.t[n] == dense.t[n - 1]:
        n -= 1  # an event that ended the integration where a step starts
    ts = dense.t[: n + 1]
    if n == 0:
        ends = dense.t[[0, -1]]
        return OdeSolution(ends, [_Constant(ends[0], ends[1], start)])
    leaves, tree = jax.tree.flatten(dense.coefficients)
    segments = [
        Segment(ts[i], ts[i + 1], dense.method, jax.tree.unflatten(tree, [a[i] for a in leaves])) for i in range(n)
    ]
    return OdeSolution(ts, segments, alt_segment=right)
