"""Which engine a call uses: `compiled`, `adaptive` or `host`.

The policy of a `with sci.policy(...)` block belongs to its context (thread or task);
`set_policy` and the environment variable SCI_POLICY set the process's default.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import sys
from collections.abc import Iterator

__all__ = ["POLICIES", "current_policy", "policy", "set_policy", "suggest_policy"]

POLICIES = ("compiled", "adaptive", "host")


def _checked(name: str, origin: str) -> str:
    if name not in POLICIES:
        raise ValueError(f"{origin} is {name!r}; allowed are {', '.join(map(repr, POLICIES))}")
    return name


_default = _checked(os.environ.get("SCI_POLICY", "compiled"), "the environment variable SCI_POLICY")
_scoped: contextvars.ContextVar[str | None] = contextvars.ContextVar("sci_policy", default=None)


_lost_backend = False


def current_policy() -> str:
    """The policy in force here: that of the innermost `policy` block, else the process's default."""
    return "host" if _lost_backend else _scoped.get() or _default


def lost_backend() -> bool:
    """Whether this process was forked from one in which JAX had started: any computation on JAX would hang."""
    return _lost_backend


def _after_fork() -> None:
    global _lost_backend
    bridge = sys.modules.get("jax._src.xla_bridge")
    if bridge is not None and bridge.backends_are_initialized():
        _lost_backend = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def set_policy(name: str) -> None:
    """Set the process's default policy.

    Parameters
    ----------
    name : {'compiled', 'adaptive', 'host'}
        ``compiled`` runs everything it can on JAX, ``host`` everything on the original library,
        ``adaptive`` starts each function and signature on the original, compiles what has become
        expensive, measures both and keeps the faster (`sci.bridge.adaptive`).

    Raises
    ------
    ValueError
        For any other name.
    """
    global _default
    _default = _checked(name, "policy")


def suggest_policy(name: str) -> None:
    """Make `name` the process's default unless the environment has chosen one."""
    if not os.environ.get("SCI_POLICY"):
        set_policy(name)


@contextlib.contextmanager
def policy(name: str) -> Iterator[None]:
    """Use a policy inside a ``with`` block (this thread or task only).

    Parameters
    ----------
    name : {'compiled', 'adaptive', 'host'}
        See `set_policy`.

    Raises
    ------
    ValueError
        For any other name.

    Examples
    --------
    >>> import sci
    >>> from sci import linalg
    >>> with sci.policy("host"):
    ...     float(linalg.det([[2.0, 0.0], [0.0, 3.0]]))
    6.0
    """
    token = _scoped.set(_checked(name, "policy"))
    try:
        yield
    finally:
        _scoped.reset(token)
