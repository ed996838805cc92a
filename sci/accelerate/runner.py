"""Running an unmodified script or module with SciPy's functions redirected."""

from __future__ import annotations

import os
import runpy
import sys
import warnings
from collections.abc import Sequence

from sci.accelerate.imports import accelerated
from sci.accelerate.profile import Profile
from sci.bridge import FallbackWarning

__all__ = ["run_module", "run_script"]


def _quiet() -> None:
    # the script's own output must be what it is without us; `--profile` tells what ran where
    warnings.filterwarnings("ignore", category=FallbackWarning)


def run_script(path: str, args: Sequence[str] = (), profile: Profile | None = None) -> None:
    """Run a script as ``python path args`` would, redirected.

    Parameters
    ----------
    path : str
        The script.
    args : sequence of str
        Its arguments.
    profile : Profile, optional
        Collects what ran where.
    """
    _quiet()
    sys.argv[:] = [path, *args]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    with accelerated(None if profile is None else profile.wrap):
        runpy.run_path(path, run_name="__main__")


def run_module(name: str, args: Sequence[str] = (), profile: Profile | None = None) -> None:
    """Run a module as ``python -m name args`` would, redirected; see `run_script`."""
    _quiet()
    sys.argv[:] = [name, *args]
    if "" not in sys.path:
        sys.path.insert(0, os.getcwd())
    with accelerated(None if profile is None else profile.wrap):
        runpy.run_module(name, run_name="__main__", alter_sys=True)
