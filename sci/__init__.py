"""scijax: SciPy as people already write it, computed by JAX.

``from sci import optimize`` instead of ``from scipy import optimize``: the same names,
signatures, results and exceptions. `sci.to_jax` turns NumPy callables into JAX functions,
``python -m sci script.py`` runs unmodified scripts.
"""

import importlib as _importlib

from sci.bridge import (
    FallbackWarning,
    HostOnlyError,
    clear_caches,
    clear_fallbacks,
    fallbacks,
    policy,
    set_policy,
)
from sci.bridge.platform import check_shadowing as _check_shadowing

_check_shadowing()

__version__ = "0.1.0"

_LAZY = {
    "TraceError": "sci.bridge.tracing",
    "to_jax": "sci.bridge.tracing",
    "install": "sci.accelerate",
    "uninstall": "sci.accelerate",
}

_MODULES = (
    "cluster",
    "constants",
    "datasets",
    "differentiate",
    "fft",
    "fftpack",
    "integrate",
    "interpolate",
    "io",
    "linalg",
    "ndimage",
    "odr",
    "optimize",
    "signal",
    "sparse",
    "spatial",
    "special",
    "stats",
)

__all__ = [
    "FallbackWarning",
    "HostOnlyError",
    "TraceError",
    "clear_caches",
    "clear_fallbacks",
    "fallbacks",
    "install",
    "policy",
    "set_policy",
    "to_jax",
    "uninstall",
    *_MODULES,
]


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return _importlib.import_module(f"sci.{name}")
    if name in _LAZY:
        return getattr(_importlib.import_module(_LAZY[name]), name)
    if name in ("LowLevelCallable", "show_config"):
        import scipy

        return getattr(scipy, name)
    raise AttributeError(f"module 'sci' has no attribute {name!r}")


def load_ipython_extension(shell: object) -> None:
    """``%load_ext sci``: redirect SciPy in this notebook, and register its cell magics."""
    from sci.accelerate.notebook import load

    load(shell)


def unload_ipython_extension(shell: object) -> None:
    """``%unload_ext sci``."""
    from sci.accelerate.notebook import unload

    unload(shell)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
