"""Import JAX with XLA's log limited to fatal errors.

XLA prints an error of 2,000 characters for every executable that it loads from a compilation
cache on many processors, though nothing is wrong: it compares tuning preferences as if they were
instruction sets (openxla/xla issue 44565). The level is read once, when jaxlib is loaded.
"""

from __future__ import annotations

import os
import sys

__all__ = ["import_jax"]

_VARIABLE = "TF_CPP_MIN_LOG_LEVEL"
_FATAL_ONLY = "3"
_JAX_DEFAULT = "1"  # what `import jax` sets where nothing is set


def import_jax() -> bool:
    """Import JAX; returns whether loading from a compilation cache will be silent.

    The environment is left as JAX itself would leave it. A level set by the user is kept.
    """
    chosen = os.environ.get(_VARIABLE, _JAX_DEFAULT)
    # JAX's own default may be inherited from a parent process: it is nobody's choice
    if chosen != _JAX_DEFAULT or "jaxlib" in sys.modules:
        import jax

        return chosen >= _FATAL_ONLY
    os.environ[_VARIABLE] = _FATAL_ONLY
    try:
        import jax  # noqa: F401
    finally:
        os.environ[_VARIABLE] = _JAX_DEFAULT
    return True
