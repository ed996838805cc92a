"""What the public functions of `sci.special` share: the ufunc form, the refusals and the examples' form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from scipy.special import geterr

from sci.bridge import Call, Example, Reason, implements_ufunc

__all__ = ["checks", "points", "real", "silent", "ufunc", "whole", "within"]

Check = Callable[[Call], Any]

#: SciPy's error state as it is when nobody has called `seterr`: nothing is warned of or raised.
_SILENT = {category: "raise" if category == "memory" else "ignore" for category in geterr()}


def silent(call: Call) -> tuple[Reason, str] | None:
    """Under `scipy.special.errstate` that warns or raises SciPy computes: our kernels detect no errors."""
    if call.numpy and geterr() != _SILENT:
        return Reason.OPTION, "scipy.special.errstate asks for warnings or errors"
    return None


def checks(*some: Check) -> Check:
    """Several `supports` as one: the first refusal counts."""

    def supports(call: Call) -> Any:
        for check in some:
            refusal = check(call)
            if refusal is not None:
                return refusal
        return None

    return supports


def ufunc(name: str, *, supports: Check | None = None, **facts: Any) -> Callable[..., Any]:
    """`implements_ufunc` that respects SciPy's error state."""
    return implements_ufunc(name, supports=silent if supports is None else checks(silent, supports), **facts)


def within(low: float, high: float, *names: str) -> Check:
    """In the NumPy world these arguments outside [low, high] go to the host."""

    def supports(call: Call) -> tuple[Reason, str] | None:
        if call.numpy:
            for name in names:
                value = np.asarray(call[name])
                if value.dtype.kind in "iuf" and value.size and not (value.min() >= low and value.max() <= high):
                    return Reason.OPTION, f"{name} outside [{low:g}, {high:g}]"
        return None

    return supports


def whole(*names: str) -> Check:
    """In the NumPy world these arguments must be whole: SciPy truncates others, with its warning."""

    def supports(call: Call) -> tuple[Reason, str] | None:
        if call.numpy:
            for name in names:
                value = np.asarray(call[name])
                if value.dtype.kind == "f" and not np.array_equal(value, np.trunc(value)):
                    return Reason.OPTION, f"{name} is not whole"
        return None

    return supports


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
