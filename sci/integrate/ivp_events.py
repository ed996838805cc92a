"""Events and Jacobians of `solve_ivp`: SciPy's conventions, as what the engine takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sci.bridge import Call, HostRoute, Reason
from solvers import ode

__all__ = ["event_lists", "prepare_events", "prepare_jacobian"]

#: Beyond this size a declared sparsity pays more than compiled dense factorisations.
_DENSE_LIMIT = 150


def prepare_events(call: Call) -> None:
    """``events`` as one function of shape (k,), with the directions and the counts that end the solve."""
    events = call["events"]
    call["event_direction"] = call["event_limit"] = 0
    if events is None:
        return
    events = (events,) if callable(events) else tuple(events)
    limits, directions = [], []
    for event in events:
        terminal = getattr(event, "terminal", None) or 0
        if int(terminal) != terminal or terminal < 0:
            raise ValueError(
                "The `terminal` attribute of each event must be a boolean or positive integer, "
                f"got {terminal!r} for {event!r}."
            )
        limits.append(int(terminal))
        directions.append(np.sign(getattr(event, "direction", 0)))
    if not events or call["y0"].shape == (0,) or _same(call["t0"], call["t1"]):
        raise HostRoute(Reason.OPTION, "events of an empty problem")
    call["events"] = _joined(events)
    call["event_direction"], call["event_limit"] = np.array(directions, float), np.array(limits, np.int32)


def _same(t0: Any, t1: Any) -> bool:
    return isinstance(t0, float) and isinstance(t1, float) and t0 == t1


def _joined(events: tuple[Callable[..., Any], ...]) -> Callable[..., Any]:
    def values(*args: Any) -> list[Any]:
        return [event(*args) for event in events]

    values.__module__ = "user"  # the tracer takes what lives in `sci` for known
    return values


def event_lists(found: ode.Found) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """``t_events`` and ``y_events`` as SciPy returns them."""
    counts = found.n.tolist()
    times = [np.array(t[:n]) for t, n in zip(found.t, counts, strict=True)]
    states = [np.array(y[:n]) if n else np.asarray([]) for y, n in zip(found.y, counts, strict=True)]
    return times, states


def prepare_jacobian(call: Call, jac: Any, sparsity: Any) -> None:
    """``jac`` as a function, ``jacobian`` as a constant matrix; both None: by differentiation."""
    call["jac"] = call["jacobian"] = None
    n = call["y0"].shape[0]
    if sparsity is not None and jac is None:
        shape = getattr(sparsity, "shape", None) or np.shape(sparsity)
        if shape != (n, n):
            raise HostRoute(Reason.OPTION, f"jac_sparsity of shape {shape}")
        if n > _DENSE_LIMIT:
            raise HostRoute(Reason.OPTION, "jac_sparsity of a large system")
    if jac is None:
        return
    if callable(jac):
        call["jac"] = jac
        return
    if hasattr(jac, "tocsc"):
        if n > _DENSE_LIMIT:
            raise HostRoute(Reason.OPTION, "a large sparse jac")
        jac = jac.toarray()
    if np.shape(jac) != (n, n):
        raise ValueError(f"`jac` is expected to have shape {(n, n)}, but actually has {np.shape(jac)}.")
    call["jacobian"] = jac
