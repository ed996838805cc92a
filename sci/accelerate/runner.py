"""Running an unmodified script, module or command with SciPy's functions redirected."""

from __future__ import annotations

import builtins
import io
import os
import sys
import types
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from sci.accelerate.imports import install

__all__ = ["run_command", "run_module", "run_script"]


def run_script(path: str, args: Sequence[str] = (), include: Iterable[str] = ()) -> None:
    """Run a script as ``python path args`` would, redirected.

    Parameters
    ----------
    path : str
        The script.
    args : sequence of str
        Its arguments.
    include : iterable of str
        Installed packages that count as user code.

    Raises
    ------
    SystemExit
        As the script ends: with its own status, or 1 after an exception, whose traceback has been printed.
    """
    sys.argv[:] = [path, *args]
    _first_path(os.path.dirname(os.path.realpath(path)))
    full = os.path.abspath(path)  # what tracebacks and `__file__` say since Python 3.9
    with io.open_code(full) as file:
        source = file.read()
    _run(source, full, {"__file__": full}, include)


def run_command(source: str, args: Sequence[str] = (), include: Iterable[str] = ()) -> None:
    """Run ``python -c source args``, redirected; see `run_script`."""
    sys.argv[:] = ["-c", *args]
    _first_path("")
    _run(source, "<string>", {}, include)


def run_module(name: str, args: Sequence[str] = (), include: Iterable[str] = ()) -> None:
    """Run ``python -m name args``, redirected; see `run_script`."""
    import runpy

    sys.argv[:] = ["-m", *args]
    _first_path(os.getcwd())
    install(include)  # the package of the module may import SciPy before the module itself
    try:
        # what ``python -m`` itself calls; there is no public function that gives spec and code
        _, spec, code = runpy._get_module_details(name)  # type: ignore[attr-defined]
    except ImportError as error:
        print(f"{sys.executable}: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    sys.argv[0] = spec.origin
    facts = {
        "__file__": spec.origin, "__cached__": spec.cached, "__loader__": spec.loader, "__package__": spec.parent,
        "__spec__": spec,
    }  # fmt: skip
    _execute(code, facts, include)


def _first_path(folder: str) -> None:
    """Put the script's folder where Python puts it; what `python -m` put there goes, unless we live in it."""
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    there = sys.path[0] if sys.path else ""
    sys.path[:1] = [folder]
    if os.path.realpath(there or os.getcwd()) == os.path.realpath(home) and home not in sys.path:
        sys.path.append(home)


def _run(source: Any, filename: str, facts: dict[str, Any], include: Iterable[str]) -> None:
    try:
        code = compile(source, filename, "exec", dont_inherit=True)
    except SyntaxError as error:
        sys.excepthook(SyntaxError, error.with_traceback(None), None)
        raise SystemExit(1) from None
    _execute(code, facts, include)


def _execute(code: types.CodeType, facts: dict[str, Any], include: Iterable[str]) -> None:
    # a module of its own that stays: threads, exit handlers and pickles may need it to the very end
    main = types.ModuleType("__main__")
    vars(main).update({"__builtins__": builtins, "__spec__": None, "__package__": None, **facts})
    sys.modules["__main__"] = main
    # JAX's remark on forks; a forked child of ours stays off JAX by itself
    warnings.filterwarnings("ignore", message=r"os\.fork\(\) was called", category=RuntimeWarning)
    install(include)
    try:
        exec(code, vars(main))
    except SystemExit:
        raise
    except BaseException as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code is not code:
            trace = trace.tb_next
        trace = trace or error.__traceback__
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        raise SystemExit(130 if isinstance(error, KeyboardInterrupt) else 1) from None
