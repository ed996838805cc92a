"""SciPy's batching rule: leading axes of all arguments broadcast, the core function sees one item."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sci.bridge import Call

__all__ = ["column_matrix", "core_shapes", "over_batch", "promoted", "square_core", "stack_of"]

_Rank = int | str


def _rank(shape: tuple[int, ...], rank: _Rank) -> int:
    if rank == "1|2":  # right-hand sides: a vector, or columns
        return 2 if len(shape) >= 2 else 1
    return int(rank)


def core_shapes(call: Call, **ranks: _Rank) -> list[tuple[int, ...] | None]:
    """The trailing shapes that the core function sees, for arguments of these ranks.

    Raises
    ------
    ValueError
        If the leading shapes do not broadcast, or hold no item.
    """
    cores: list[tuple[int, ...] | None] = []
    batches = []
    for name, rank in ranks.items():
        if call[name] is None:
            cores.append(None)
            continue
        shape = np.shape(call[name])
        k = _rank(shape, rank)
        cores.append(shape[-k:] if k else ())
        batches.append(shape[: max(len(shape) - k, 0)])
    if any(batches) and math.prod(np.broadcast_shapes(*batches)) == 0:
        shapes = f"leading shapes {batches} of arguments {list(ranks)}"
        raise ValueError(f"the function does not support zero-size batches. {shapes}")
    return cores


def stack_of(**ranks: _Rank) -> Callable[[Call], None]:
    """A validate step that checks the leading axes alone."""

    def validate(call: Call) -> None:
        core_shapes(call, **ranks)

    return validate


def square_core(call: Call, name: str, message: str = "expected square matrix") -> tuple[int, int]:
    """Core shape of one matrix argument, which must be square."""
    (core,) = core_shapes(call, **{name: 2})
    if core is None or len(core) != 2 or core[0] != core[1]:
        raise ValueError(f"{message}: argument {name!r} has shape {np.shape(call[name])}")
    return core[0], core[1]


def over_batch(core: Callable[..., Any], arrays: tuple[Any, ...], ranks: tuple[_Rank, ...]) -> Any:
    """``core(*arrays)`` for each item of the broadcast leading axes, by `jax.vmap`.

    Arguments without leading axes are not repeated; None is handed through.
    """
    arrays = tuple(None if x is None else jnp.asarray(x) for x in arrays)
    ks = [0 if x is None else _rank(x.shape, rank) for x, rank in zip(arrays, ranks, strict=True)]
    leading = [() if x is None else x.shape[: max(x.ndim - k, 0)] for x, k in zip(arrays, ks, strict=True)]
    batch = np.broadcast_shapes(*leading)
    if not batch:
        return core(*arrays)
    flat: list[Any] = []
    axes: list[int | None] = []
    for x, lead in zip(arrays, leading, strict=True):
        if x is None or math.prod(lead) == 1:
            flat.append(None if x is None else x.reshape(x.shape[len(lead) :]))
            axes.append(None)
        else:
            tail = x.shape[len(lead) :]
            flat.append(jnp.broadcast_to(x, (*batch, *tail)).reshape(-1, *tail))
            axes.append(0)
    if all(axis is None for axis in axes):
        return jax.tree.map(lambda y: jnp.broadcast_to(y, (*batch, *jnp.shape(y))), core(*flat))
    out = jax.vmap(core, in_axes=tuple(axes))(*flat)
    return jax.tree.map(lambda y: y.reshape(*batch, *y.shape[1:]), out)


def promoted(*arrays: Any) -> tuple[Any, ...]:
    """The arrays in their common dtype; None is handed through."""
    dtype = jnp.result_type(*[x for x in arrays if x is not None])
    return tuple(None if x is None else jnp.asarray(x).astype(dtype) for x in arrays)


def column_matrix(a: Any) -> jax.Array:
    """Two dimensions at least, as LAPACK's wrappers make them: a vector is a column."""
    a = jnp.asarray(a)
    return a.reshape(*a.shape, *(1,) * (2 - a.ndim))
