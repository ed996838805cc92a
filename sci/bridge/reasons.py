"""Why a call ran on the original library: enumerated reasons, the warning, the record.

Host reasons are data, so that `sci.fallbacks()`, the profile and the tests can group by them.
"""

from __future__ import annotations

import enum
import sys
import threading
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

__all__ = [
    "FallbackWarning",
    "HostOnlyError",
    "HostRecord",
    "HostRoute",
    "Reason",
    "fallbacks",
    "record_host",
    "warn_user",
]

_OWN_PACKAGES = frozenset({"sci", "solvers", "image"})
_MAX_RECORDS = 10_000


class Reason(enum.Enum):
    """Why a call cannot run on JAX. The value is the sentence shown to users."""

    NOT_NATIVE = "the function has no JAX implementation yet"
    OPTION = "an option of this call has no JAX implementation"
    METHOD = "the chosen method has no JAX implementation"
    UNTRACEABLE = "the callable could not be turned into JAX code"
    DTYPE = "the data type has no JAX equivalent"
    OBJECT = "object arrays cannot be put on a device"
    LONGDOUBLE = "extended precision has no JAX equivalent"
    SPARSE = "sparse input is not supported by the JAX implementation"
    MASKED = "masked arrays are not supported by the JAX implementation"
    SHAPE = "this shape is not supported by the JAX implementation"
    CALLBACK = "a callback that needs the original's own internals"
    POLICY = "the policy 'host' is in force"
    FORKED = "this process was forked after JAX had started, which JAX does not survive"


#: One change that would remove each reason.
HINTS: dict[Reason, str] = {
    Reason.NOT_NATIVE: "`python -m sci coverage` lists what is native",
    Reason.OPTION: "leave the option at its default, if the result allows",
    Reason.METHOD: "choose a native method; the function's docstring names them",
    Reason.UNTRACEABLE: "change the line named in the detail; `sci.to_jax(fun, x0)` says whether it now traces",
    Reason.DTYPE: "convert the data to float64, float32 or complex",
    Reason.OBJECT: "convert the array with `.astype(float)`",
    Reason.LONGDOUBLE: "use float64 if its precision is enough",
    Reason.SPARSE: "pass a dense array, or a function that applies the matrix",
    Reason.MASKED: "fill the masked values first (`.filled(...)`)",
    Reason.SHAPE: "see the function's docstring for the shapes that run on JAX",
    Reason.CALLBACK: "drop the callback, or print from the result",
    Reason.POLICY: "choose another policy: `--policy adaptive`",
    Reason.FORKED: "start worker processes with the `spawn` method, or before the first compiled call",
}


class FallbackWarning(UserWarning):
    """A call ran on the original library instead of JAX (once per function and reason)."""


class HostOnlyError(TypeError):
    """A function that only the original library can compute was given a traced JAX value."""


class HostRoute(Exception):
    """Raised by the parts of a declaration to send a call to the host before anything has run."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class HostRecord:
    """One line of `sci.fallbacks()`.

    Attributes
    ----------
    function : str
        Public dotted name of the original, as ``scipy.optimize.linprog``.
    reason : Reason
        Why the call ran on the host.
    where : str
        ``file:line`` of the user's call.
    count : int
        How often.
    detail : str
        What exactly was not supported, where that says more than the reason.
    """

    function: str
    reason: Reason
    where: str
    count: int
    detail: str = ""


_lock = threading.Lock()
_records: OrderedDict[tuple[str, Reason, str], tuple[int, str]] = OrderedDict()
_warned: set[tuple[str, Reason]] = set()
_silent = False
_count = 0
_latest = Reason.NOT_NATIVE


def host_calls() -> int:
    """How many calls have run on the original library since start."""
    return _count


def latest_reason() -> Reason:
    """Why the last of them did."""
    return _latest


def silence(silent: bool) -> None:
    """Whether host calls are recorded without a warning, as in the zero-change mode."""
    global _silent
    _silent = silent


def user_frame() -> tuple[Any, int]:
    """The first frame outside our packages, and its stack level as `warnings.warn` in our caller counts it."""
    frame = sys._getframe(1)
    level = 0
    while frame.f_back is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] not in _OWN_PACKAGES:
            break
        frame = frame.f_back
        level += 1
    return frame, level


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the user's call."""
    _, level = user_frame()
    warnings.warn(message, category, stacklevel=level + 1)


def record_host(function: str, reason: Reason, detail: str = "") -> None:
    """Count a host call and warn the first time this function goes there for this reason.

    Parameters
    ----------
    function : str
        Public dotted name of the original.
    reason : Reason
        Why.
    detail : str, optional
        What exactly.
    """
    global _count, _latest
    frame, level = user_frame()
    where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
    key = (function, reason, where)
    with _lock:
        _count += 1
        _latest = reason
        count, first_detail = _records.pop(key, (0, detail))
        _records[key] = (count + 1, first_detail or detail)
        if len(_records) > _MAX_RECORDS:
            _records.popitem(last=False)
        fresh = not _silent and reason is not Reason.POLICY and (function, reason) not in _warned
        if fresh:
            _warned.add((function, reason))
    if fresh:
        extra = f" ({detail})" if detail else ""
        warnings.warn(
            f"{function} ran on the original library: {reason.value}{extra}",
            FallbackWarning,
            stacklevel=level + 1,
        )


def fallbacks() -> list[HostRecord]:
    """Every call that ran on the original library, since start or `clear_fallbacks`.

    Returns
    -------
    list of HostRecord
        One record per function, reason and place of call, oldest first.

    Examples
    --------
    >>> import sci
    >>> isinstance(sci.fallbacks(), list)
    True
    """
    with _lock:
        return [
            HostRecord(function, reason, where, count, detail)
            for (function, reason, where), (count, detail) in _records.items()
        ]


def clear_fallbacks() -> None:
    """Forget the recorded host calls and which warnings were given."""
    with _lock:
        _records.clear()
        _warned.clear()
