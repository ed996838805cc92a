"""``%load_ext sci``: redirection and cell magics in IPython and Jupyter."""

from __future__ import annotations

from typing import Any

from sci.accelerate.imports import install, uninstall
from sci.accelerate.profile import Profile
from sci.accelerate.redirect import observe
from sci.accelerate.verify import Verifier
from sci.bridge import clear_fallbacks, policy
from sci.bridge.policy import suggest_policy

__all__ = ["load", "unload"]


def load(shell: Any) -> None:
    """Redirect from now on under the policy `adaptive`, and register the magics."""
    suggest_policy("adaptive")
    install()
    for function in (sci_profile, sci_verify, sci_policy):
        shell.register_magic_function(_bound(shell, function), "cell", function.__name__)


def unload(shell: Any) -> None:
    """Restore the originals."""
    uninstall()
    for name in ("sci_profile", "sci_verify", "sci_policy"):
        shell.magics_manager.magics["cell"].pop(name, None)


def _bound(shell: Any, function: Any) -> Any:
    def magic(line: str, cell: str) -> Any:
        return function(shell, line, cell)

    magic.__doc__ = function.__doc__
    return magic


def _run(shell: Any, cell: str) -> None:
    shell.run_cell(cell).raise_error()


def sci_profile(shell: Any, line: str, cell: str) -> Profile:
    """Run the cell and show what ran where: per function, per line, and why on the original library."""
    profile = Profile()
    clear_fallbacks()
    observe(profile.observe)
    try:
        _run(shell, cell)
    finally:
        observe(None)
    return profile


def sci_verify(shell: Any, line: str, cell: str) -> None:
    """Run the cell with every redirected call made on the original too, and report differences."""
    verifier = Verifier()
    observe(verifier.call)
    try:
        with policy("compiled"):
            _run(shell, cell)
    finally:
        observe(None)
    for found in verifier.differences:
        print(f"{found.where}: {found.function}: {found.what}")
    print(f"verified {verifier.calls} calls: {len(verifier.differences)} differ")


def sci_policy(shell: Any, line: str, cell: str) -> None:
    """Run the cell under a policy: ``%%sci_policy compiled`` (or ``adaptive``, ``host``)."""
    with policy(line.strip()):
        _run(shell, cell)
