"""The mesh of a boundary value problem: arrays of fixed capacity, of which the first nodes are used."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from solvers.bvp import status
from solvers.bvp.collocation import hermite


class Mesh(NamedTuple):
    """State between two refinements; a pytree. Arrays beyond ``count`` nodes repeat the last.

    Attributes
    ----------
    x : (N + 1,) nodes
    y, f : (N + 1, n) solution and its slope
    p : (k,) unknown parameters
    count : number of nodes
    added : (N,) nodes to be put into each interval
    rms : (N,) relative residual of each interval
    worst : largest of them, and of the boundary conditions, (2,)
    iteration : solutions of the collocation system so far
    status : `solvers.bvp.status`
    """

    x: Any
    y: Any
    f: Any
    p: Any
    count: Any
    added: Any
    rms: Any
    worst: Any
    iteration: Any
    status: Any


def start(x, y, p, intervals, xp=jnp):
    """The mesh before the first solution; ``intervals`` is its capacity, a power of two. x (m,), y (m, n)."""
    extra = intervals + 1 - x.shape[0]
    y = xp.concatenate([y, xp.broadcast_to(y[-1], (extra, y.shape[1]))])
    return Mesh(
        x=xp.concatenate([x, xp.broadcast_to(x[-1], (extra,))]), y=y, f=xp.zeros_like(y), p=p,
        count=np.int32(x.shape[0]), added=np.zeros(intervals, np.int32), rms=xp.zeros(intervals, x.dtype),
        worst=xp.zeros(2, x.dtype), iteration=np.int32(0), status=np.int32(status.RUNNING),
    )  # fmt: skip


def grown(mesh, intervals):
    """A mesh that was `FULL`, with room for more; NumPy arrays."""
    extra = intervals + 1 - mesh.x.shape[0]

    def repeated(v):
        return np.concatenate([v, np.broadcast_to(v[-1], (extra, *v.shape[1:]))])

    def padded(v):
        return np.concatenate([v, np.zeros(extra, v.dtype)])

    return mesh._replace(
        x=repeated(mesh.x), y=repeated(mesh.y), f=repeated(mesh.f), added=padded(mesh.added), rms=padded(mesh.rms),
        status=np.int32(status.RUNNING),
    )  # fmt: skip


def refined(mesh):
    """The mesh with its ``added`` nodes, and the spline's values there."""
    x, y = mesh.x, mesh.y
    last = mesh.count - 1
    parts = jnp.where(jnp.arange(mesh.added.size) < last, mesh.added + 1, 0)
    ends = jnp.cumsum(parts)
    node = jnp.arange(x.size)
    i = jnp.minimum(jnp.searchsorted(ends, node, side="right"), last - 1)
    part, place = parts[i], node - (ends[i] - parts[i])
    between = ((part - place) * x[i] + place * x[i + 1]) / jnp.maximum(part, 1)
    beyond = node >= ends[-1]
    new_x = jnp.where(beyond, x[-1], jnp.where(place == 0, x[i], between))
    c = hermite(y, mesh.f, jnp.diff(x))[:, i]
    t = (new_x - x[i])[:, None]
    value = ((c[0] * t + c[1]) * t + c[2]) * t + c[3]
    new_y = jnp.where(beyond[:, None], y[-1], value)
    return new_x, new_y, ends[-1].astype(jnp.int32) + 1
