"""`--verify`: every redirected call also on the original, and the results compared."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sci.bridge.randomness import with_own_state
from sci.bridge.reasons import user_frame
from sci.bridge.registry import Entry

__all__ = ["Difference", "Verifier", "difference"]

#: Relative tolerance of array functions, and of solvers, which stop at tolerances of their own.
RTOL, RTOL_SOLVER = 1e-7, 1e-3
#: Fields of result objects that say how a result was found rather than what it is.
_HOW = frozenset({
    "nfev", "njev", "nhev", "nit", "nlu", "njlu", "message", "jac", "hess", "hess_inv", "grad", "optimality", "fjac",
    "r", "qtf", "ipvt", "fvec", "method", "lowest_optimization_result", "allvecs", "final_simplex",
})  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """A call whose two results differ."""

    function: str
    where: str
    what: str


class Verifier:
    """Makes redirected calls on both engines; `call` is given to `Profile` or to `observe`.

    The callables of a call are run by both engines: their side effects happen twice.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.differences: list[Difference] = []

    def call(self, entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Ours is returned (or raised)."""
        self.calls += 1
        theirs_args, theirs_kwargs = _copied(args), _copied(kwargs)
        shared = np.random.mtrand._rand
        before = shared.get_state(legacy=False)
        result, error = _outcome(functools.partial(entry.facts, *args, **kwargs))
        after = shared.get_state(legacy=False)
        shared.set_state(before)  # both start from the same numbers, and the script goes on with ours
        expected, their_error = _outcome(functools.partial(entry.facts.resolve(), *theirs_args, **theirs_kwargs))
        shared.set_state(after)
        what = _compare(entry, result, error, expected, their_error)
        if what:
            frame, _ = user_frame()
            where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
            self.differences.append(Difference(entry.name, where, what))
        if error is not None:
            raise error
        return result


def _outcome(call: Callable[[], Any]) -> tuple[Any, Exception | None]:
    try:
        return call(), None
    except Exception as error:
        return None, error


def _copied(value: Any) -> Any:
    """Arrays and random generators copied (a call may change them), everything else as it is."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) in (list, tuple):
        return type(value)(map(_copied, value))
    if type(value) is dict:
        return {k: _copied(v) for k, v in value.items()}
    return with_own_state(value)


def _compare(entry: Entry, result: Any, error: Any, expected: Any, their_error: Any) -> str | None:
    if error is not None or their_error is not None:
        if type(error) is type(their_error):
            return None
        ours, theirs = _named(error), _named(their_error)
        return f"ours {ours}, the original {theirs}"
    checks = [e.check for e in entry.examples() if e.check] if entry.examples is not None else []
    if checks:  # unique only up to a sign or an order: the declared check knows
        try:
            checks[0](result, expected)
        except AssertionError as problem:
            return str(problem).strip().splitlines()[0]
        return None
    return difference(result, expected, RTOL_SOLVER if entry.facts.callables else RTOL)


def _named(error: Any) -> str:
    return "returned" if error is None else f"raised {type(error).__name__}: {error}"


def difference(ours: Any, theirs: Any, rtol: float, path: str = "result") -> str | None:
    """What differs between two results, or None.

    Parameters
    ----------
    ours, theirs : object
        Arrays, numbers, sequences, mappings and result objects are compared by value, the rest by type.
    rtol : float
        Allowed difference relative to the largest magnitude of an array.
    path : str
        Name of the value, for the answer.
    """
    if isinstance(theirs, Mapping):
        for key in theirs:
            if key in _HOW:
                continue
            if not isinstance(ours, Mapping) or key not in ours:
                return f"{path}.{key} is missing"
            found = difference(ours[key], theirs[key], rtol, f"{path}.{key}")
            if found:
                return found
        return None
    if isinstance(theirs, (list, tuple)) and not all(isinstance(v, (int, float)) for v in theirs):
        if not isinstance(ours, (list, tuple)) or len(ours) != len(theirs):
            return f"{path} has {len(ours) if hasattr(ours, '__len__') else 'no'} items, the original {len(theirs)}"
        found_all = (difference(a, b, rtol, f"{path}[{i}]") for i, (a, b) in enumerate(zip(ours, theirs, strict=True)))
        return next((f for f in found_all if f), None)
    if isinstance(theirs, (np.ndarray, np.generic, int, float, complex, list, tuple)):
        return _numbers(np.asarray(ours), np.asarray(theirs), rtol, path)
    if isinstance(theirs, (str, type(None))) and ours != theirs:
        return f"{path} is {ours!r}, the original {theirs!r}"
    return None


def _numbers(a: np.ndarray, b: np.ndarray, rtol: float, path: str) -> str | None:
    if a.shape != b.shape:
        return f"{path} has shape {a.shape}, the original {b.shape}"
    if a.dtype != b.dtype:
        return f"{path} has dtype {a.dtype}, the original {b.dtype}"
    if a.dtype.kind not in "fc":
        unequal = int((a != b).sum())
        # one level of an image is rounding
        small = a.dtype.kind == "u" and a.size and np.abs(a.astype(int) - b.astype(int)).max() <= 1
        return f"{path}: {unequal} of {a.size} values differ" if unequal and not small else None
    if not np.array_equal(np.isnan(a), np.isnan(b)):
        return f"{path}: NaN in other places"
    finite = np.isfinite(a) & np.isfinite(b)
    if not np.array_equal(a[~finite & ~np.isnan(a)], b[~finite & ~np.isnan(b)]):
        return f"{path}: infinite in other places"
    if not finite.any():
        return None
    rtol = max(rtol, 1e-4) if a.dtype.itemsize <= 4 or a.dtype == np.complex64 else rtol
    scale = max(float(np.abs(b[finite]).max()), 1e-8 if rtol >= RTOL_SOLVER else 1e-300)
    worst = float(np.abs(a[finite] - b[finite]).max())
    return f"{path} differs by {worst:.3g} where the largest value is {scale:.3g}" if worst > rtol * scale else None
