"""SciPy's result classes as pytrees, so that results pass through jit, vmap and grad."""

from __future__ import annotations

from typing import Any

import jax

__all__ = ["register_result"]

_registered: set[type] = set()


def register_result(cls: type) -> type:
    """Register a dictionary-like result class (`OptimizeResult` and its subclasses) as a pytree.

    Strings and callables are static; every other entry is a child.

    Parameters
    ----------
    cls : type
        A ``dict`` subclass.

    Returns
    -------
    type
        The class.
    """
    if cls in _registered:
        return cls
    _registered.add(cls)

    def flatten(result: Any) -> tuple[tuple[Any, ...], Any]:
        fixed = tuple((k, v) for k, v in result.items() if isinstance(v, str))
        moving = tuple(k for k, v in result.items() if not isinstance(v, str))
        return tuple(result[k] for k in moving), (moving, fixed)

    def unflatten(aux: Any, children: Any) -> Any:
        moving, fixed = aux
        return cls({**dict(zip(moving, children, strict=True)), **dict(fixed)})

    jax.tree_util.register_pytree_node(cls, flatten, unflatten)
    return cls
