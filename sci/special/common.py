"""What the public functions of `sci.special` share: the complex refusal and the examples' form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from sci.bridge import Call, Example, Reason

__all__ = ["points", "real"]


def real(call: Call) -> tuple[Reason, str] | None:
    """Complex arguments go to the host: our kernels are real."""
    for name, value in call.items():
        if isinstance(value, complex) or (
            isinstance(value, (np.ndarray, np.generic, jax.Array)) and value.dtype.kind == "c"
        ):
            return Reason.DTYPE, f"argument {name!r} is complex"
    return None


def points(
    *columns: Sequence[float], grad: str = "", vmap: str | None = None, **facts: Any
) -> Callable[[], list[Example]]:
    """One example call with a small array per argument; `grad` names the smooth ones, blank-separated."""

    def examples() -> list[Example]:
        arrays = tuple(np.array(c, float) for c in columns)
        return [
            Example(
                arrays,
                grad=tuple(grad.split()),
                vmap=tuple(vmap.split()) if vmap is not None else tuple(grad.split()),
                **facts,
            )
        ]

    return examples
