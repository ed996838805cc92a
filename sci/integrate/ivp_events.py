"""Events of `solve_ivp`: SciPy's conventions, as what the engine takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from sci.bridge import Call, HostRoute, Reason, as_array
from solvers import ode

__all__ = ["event_lists", "event_values", "prepare_events"]


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


def event_values(t: Any, y: Any, events: Callable[..., Any], *args: Any) -> Any:
    """Values (k,) of the functions that `prepare_events` has joined: the first entry's real part of each."""
    return jnp.stack([jnp.ravel(jnp.real(as_array(g)))[0] for g in events(t, y, *args)]).astype(t.dtype)


def event_lists(found: ode.Found) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """``t_events`` and ``y_events`` as SciPy returns them."""
    counts = found.n.tolist()
    times = [np.array(t[:n]) for t, n in zip(found.t, counts, strict=True)]
    states = [np.array(y[:n]) if n else np.asarray([]) for y, n in zip(found.y, counts, strict=True)]
    return times, states
