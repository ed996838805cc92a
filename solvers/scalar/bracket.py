"""The search for three points that enclose a minimum."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from solvers.pytrees import pytree_dataclass
from solvers.scalar.drive import both, counter
from solvers.scalar.status import BAD_INPUT, CONVERGED, NOT_CONVERGED, RUNNING

__all__ = ["BracketMinimum"]

_FIRST, _INSIDE, _LIMIT, _BEYOND, _STEP = range(5)
_GOLD = 1.618034


class BracketState(NamedTuple):
    """Three points going downhill, and the next one with what it is for (``kind``)."""

    xa: jax.Array
    fa: jax.Array
    xb: jax.Array
    fb: jax.Array
    xc: jax.Array
    fc: jax.Array
    x: jax.Array
    kind: jax.Array
    nfev: jax.Array
    nit: jax.Array
    status: jax.Array


@pytree_dataclass
@dataclass(frozen=True)
class BracketMinimum:
    """Walk downhill from two points until the function rises.

    Parameters
    ----------
    grow_limit : float
        Longest parabolic step, in multiples of the last one.
    maxiter : int
        Most iterations.

    References
    ----------
    .. [1] W. H. Press et al., "Numerical Recipes", section 10.1 (initially bracketing a minimum).
    """

    grow_limit: Any = 110.0
    maxiter: Any = 1000

    def init(self, fun, start):
        """State with two points evaluated, the lower one last."""
        a, b = start
        fa, fb = both(fun, a, b)
        swap = fa < fb
        a, b, fa, fb = (jnp.where(swap, p, q) for p, q in ((b, a), (a, b), (fb, fa), (fa, fb)))
        c = b + _GOLD * (b - a)
        running = jnp.full(a.shape, RUNNING, jnp.int32)
        return BracketState(a, fa, b, fb, c, fb, c, counter(a, _FIRST), counter(a, 2), counter(a), running)

    def step(self, fun, state):
        """Evaluate at the next point, shift the three points, and choose again."""
        s = state
        w = s.x
        fw = fun(w)
        first, inside, beyond = s.kind == _FIRST, s.kind == _INSIDE, s.kind == _BEYOND
        low, high = inside & (fw < s.fc), inside & ~(fw < s.fc) & (fw > s.fb)
        again = (inside & ~low & ~high) | (beyond & (fw < s.fc))
        shift = ~first & ~inside & ~again
        # A further step from a point beyond c makes that point the new c.
        forward = shift | (beyond & again)
        xa, fa = jnp.where(low | shift, s.xb, s.xa), jnp.where(low | shift, s.fb, s.fa)
        xb = jnp.where(low, w, jnp.where(forward, s.xc, s.xb))
        fb = jnp.where(low, fw, jnp.where(forward, s.fc, s.fb))
        renew = first | high | forward
        xc, fc = jnp.where(renew, w, s.xc), jnp.where(renew, fw, s.fc)

        downhill = (first | shift) & (fc < fb)
        stop = downhill & (s.nit > self.maxiter)
        new, kind = self._choose(xa, fa, xb, fb, xc, fc)
        new = jnp.where(again, xc + _GOLD * (xc - xb), new)
        kind = jnp.where(again, _STEP, kind)
        going = again | downhill
        status = jnp.where(going, jnp.where(stop, NOT_CONVERGED, RUNNING), CONVERGED)
        lower = ((fb < fc) & (fb <= fa)) | ((fb < fa) & (fb <= fc))
        ordered = ((xa < xb) & (xb < xc)) | ((xc < xb) & (xb < xa))
        valid = lower & ordered & jnp.isfinite(xa) & jnp.isfinite(xb) & jnp.isfinite(xc)
        status = jnp.where((status == CONVERGED) & ~valid, BAD_INPUT, status).astype(jnp.int32)
        nit = s.nit + (downhill & ~stop)
        return BracketState(xa, fa, xb, fb, xc, fc, new, kind.astype(jnp.int32), s.nfev + 1, nit, status)

    def _choose(self, xa, fa, xb, fb, xc, fc):
        """The parabola's minimum, the limit, or a golden step."""
        tiny = jnp.asarray(1e-21, xa.dtype)
        left, right = (xb - xa) * (fb - fc), (xb - xc) * (fb - fa)
        value = right - left
        w = xb - ((xb - xc) * right - (xb - xa) * left) / (2 * jnp.where(jnp.abs(value) < tiny, tiny, value))
        limit = xb + self.grow_limit * (xc - xb)
        inside = (w - xc) * (xb - w) > 0
        far = (w - limit) * (limit - xc) >= 0
        beyond = (w - limit) * (xc - w) > 0
        kind = jnp.where(inside, _INSIDE, jnp.where(far, _LIMIT, jnp.where(beyond, _BEYOND, _STEP)))
        plain = xc + _GOLD * (xc - xb)
        return jnp.where(inside, w, jnp.where(far, limit, jnp.where(beyond, w, plain))), kind
