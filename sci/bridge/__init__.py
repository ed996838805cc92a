"""The bridge: the one place that knows both worlds.

See CONTRIBUTING.md for the tour. Modules of `sci` and `image` use `implements` and `delegate`;
users meet `policy`, `fallbacks`, `to_jax` through `sci` itself.
"""

from typing import Any

from sci.bridge.xla_log import import_jax

_silent = import_jax()

from sci.bridge import platform  # noqa: E402

platform.setup(_silent)

from sci.bridge.cache import clear_caches  # noqa: E402
from sci.bridge.delegate import delegate  # noqa: E402
from sci.bridge.implements import Call, implements  # noqa: E402
from sci.bridge.policy import current_policy, policy, set_policy  # noqa: E402
from sci.bridge.reasons import (  # noqa: E402
    FallbackWarning,
    HostOnlyError,
    HostRecord,
    HostRoute,
    Reason,
    clear_fallbacks,
    fallbacks,
    warn_user,
)
from sci.bridge.registry import Entry, Example, jax_for, load_all, lookup  # noqa: E402
from sci.bridge.results import register_result  # noqa: E402
from sci.bridge.ufuncs import implements_ufunc  # noqa: E402

__all__ = [
    "Call",
    "Entry",
    "Example",
    "FallbackWarning",
    "HostOnlyError",
    "HostRecord",
    "HostRoute",
    "Reason",
    "TraceError",
    "as_array",
    "clear_caches",
    "clear_fallbacks",
    "current_policy",
    "delegate",
    "fallbacks",
    "implements",
    "implements_ufunc",
    "jax_for",
    "load_all",
    "lookup",
    "policy",
    "register_result",
    "set_policy",
    "to_jax",
    "warn_user",
]

_TRACING = ("TraceError", "as_array", "to_jax")


def __getattr__(name: str) -> Any:
    # The tracer is loaded when a callable is first traced: `import sci` must stay cheap.
    if name in _TRACING:
        from sci.bridge import tracing

        return getattr(tracing, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
