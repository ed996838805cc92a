"""The epsilon algorithm as QUADPACK runs it: one diagonal at a time, with an error estimate.

References
----------
.. [1] P. Wynn, "On a device for computing the e_m(S_n) transformation", MTAC 10 (1956).
.. [2] R. Piessens et al., "QUADPACK", Springer 1983, routine QELG.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax

#: Length of the diagonal beyond which its oldest element is dropped.
LIMIT = 50


class Table(NamedTuple):
    """Last diagonal of the table (entries past ``n`` are scratch), and the last three results."""

    entries: Any  # (LIMIT + 3,)
    n: Any
    recent: Any  # (3,)
    calls: Any


def table(first):
    """Table that holds one element of the sequence."""
    entries = jnp.zeros(LIMIT + 3, first.dtype).at[0].set(first)
    zero = jnp.zeros((), jnp.int32)
    return Table(entries, zero + 1, jnp.zeros(3, first.dtype), zero)


def extrapolate(tab, element):
    """Append ``element``; returns the table, the extrapolated limit and its error estimate."""
    info = jnp.finfo(tab.entries.dtype)
    n = tab.n + 1
    entries = tab.entries.at[n - 1].set(element)
    calls = tab.calls + (n >= 3)
    start = _Sweep(entries, jnp.zeros((), jnp.int32), n, element, jnp.asarray(info.max), n < 3, n < 3)
    # the element moves up two places; its own place starts as "no previous value"
    moved = entries.at[n + 1].set(element).at[n - 1].set(info.max)
    start = start._replace(entries=jnp.where(n < 3, entries, moved))
    count = (n - 1) // 2
    sweep = lax.while_loop(lambda s: (s.i < count) & ~s.stop, lambda s: _diagonal(s, n), start)
    shifted, kept = _shift(sweep, n, count)
    keep = sweep.converged | (n < 3)
    entries = jnp.where(keep, sweep.entries, shifted)
    result = sweep.result
    settled = jnp.sum(jnp.abs(result - tab.recent))
    error = jnp.where(keep, sweep.error, jnp.where(calls < 4, info.max, settled))
    filled = tab.recent.at[jnp.minimum(calls - 1, 2)].set(result)
    rolled = jnp.concatenate([tab.recent[1:], result[None]])
    recent = jnp.where(keep, tab.recent, jnp.where(calls < 4, filled, rolled))
    error = jnp.maximum(error, 5 * info.eps * jnp.abs(result))
    return Table(entries, jnp.where(keep, n, kept), recent, calls), result, error


def _nonzero(d):
    return jnp.where(d == 0, 1.0, d)


class _Sweep(NamedTuple):
    entries: Any
    i: Any
    n: Any  # length of the part of the diagonal to keep
    result: Any
    error: Any
    stop: Any
    converged: Any


def _diagonal(s, n):
    """One rhombus of the table: a new even-column element from its neighbours."""
    info = jnp.finfo(s.entries.dtype)
    eps = info.eps
    k = n - 1 - 2 * s.i
    res, e0, e1, e3 = s.entries[k + 2], s.entries[k - 2], s.entries[k - 1], s.entries[k]
    e2 = res
    d2, d3, d1 = e2 - e1, e1 - e0, e1 - e3
    err1, err2, err3 = jnp.abs(d1), jnp.abs(d2), jnp.abs(d3)
    tol2 = jnp.maximum(jnp.abs(e2), jnp.abs(e1)) * eps
    tol3 = jnp.maximum(jnp.abs(e1), jnp.abs(e0)) * eps
    tol1 = jnp.maximum(jnp.abs(e1), jnp.abs(e3)) * eps
    converged = (err2 <= tol2) & (err3 <= tol3)
    equal = (err1 <= tol1) | (err2 <= tol2) | (err3 <= tol3)
    ss = jnp.where(equal, 0.0, 1 / _nonzero(d1) + 1 / _nonzero(d2) - 1 / _nonzero(d3))
    irregular = equal | (jnp.abs(ss * e1) <= 1e-4)
    new = e1 + 1 / jnp.where(irregular, 1.0, ss)
    error = err2 + jnp.abs(new - e2) + err3
    better = ~irregular & (error <= s.error)
    entries = jnp.where(converged, s.entries, s.entries.at[k].set(jnp.where(irregular, e1, new)))
    result = jnp.where(converged, res, jnp.where(better, new, s.result))
    error = jnp.where(converged, err2 + err3, jnp.where(better, error, s.error))
    cut = irregular & ~converged
    return _Sweep(entries, s.i + 1, jnp.where(cut, 2 * s.i + 1, s.n), result, error, irregular, converged)


def _shift(s, n, count):
    """Make the new diagonal the first entries, and its length."""
    kept = jnp.where(s.n == LIMIT, 2 * (LIMIT // 2) - 1, s.n)
    first = jnp.where(n % 2 == 1, 0, 1)
    index = jnp.arange(s.entries.shape[0])
    moved = (index % 2 == first) & (index <= first + 2 * count)
    entries = jnp.where(moved, s.entries[jnp.minimum(index + 2, s.entries.shape[0] - 1)], s.entries)
    offset = jnp.where(n != kept, n - kept, 0)
    return entries[jnp.minimum(index + offset, s.entries.shape[0] - 1)], kept
