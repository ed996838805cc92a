"""Run the tests of one SciPy module in a subprocess, and go on after a crash or a hang."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.upstream.settings import VARIABLE, Settings

__all__ = ["Options", "Run", "run_tests", "test_files"]

REPOSITORY = Path(__file__).resolve().parents[2]
_RESTARTS = 10


@dataclass(frozen=True)
class Options:
    """How a run is cut down: all of it by default.

    Attributes
    ----------
    sample, seed : int
        Every `sample`-th test of each file; `seed` shifts which.
    keyword : str
        pytest's ``-k``.
    files : tuple of str
        Only test files with these names.
    limit, test_limit : float
        Seconds for the whole run and for one test.
    """

    sample: int = 1
    seed: int = 0
    keyword: str = ""
    files: tuple[str, ...] = ()
    limit: float = 3600.0
    test_limit: float = 60.0

    @property
    def full(self) -> bool:
        return self.sample == 1 and not self.keyword and not self.files


@dataclass
class Run:
    """What the subprocesses of one run reported.

    Attributes
    ----------
    tests : dict
        Test id -> record with ``outcome``, ``message``, ``names``, ``host``, ``seconds``.
    errors : list of str
        Files that could not be imported, and crashes before any test.
    collected, unreached : list of str
        Tests that were to run, and those that the time limit left out.
    replaced : set of str
        Names that the test files really received from us.
    """

    tests: dict[str, dict[str, Any]] = field(default_factory=dict)
    collected: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)
    replaced: set[str] = field(default_factory=set)
    seconds: float = 0.0


def scipy_folder() -> Path:
    spec = importlib.util.find_spec("scipy")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"scipy is not installed for {sys.executable}")
    return Path(spec.origin).parent


def test_files(module: str, names: Iterable[str], only: tuple[str, ...] = ()) -> list[Path]:
    """SciPy's test files of a module (``linalg``, ``sparse.linalg``) that could call one of the names.

    A file that mentions no name, nor uses a file beside it that does, cannot: it is left out. `only`
    are file names to choose from.

    Raises
    ------
    FileNotFoundError
        If SciPy has no such module, or was installed without its tests, or no file is left.
    """
    folder = scipy_folder().joinpath(*module.split("."))
    if not any(folder.rglob("tests/test_*.py")):
        raise FileNotFoundError(f"scipy.{module} has no tests under {folder}: no such module, or a SciPy without tests")
    short = [re.escape(name.rpartition(".")[2]) for name in names]
    mentions = re.compile(rf"\b({'|'.join(short)})\b").search
    found = []
    for tests in sorted(folder.rglob("tests")):
        texts = {path: path.read_text(encoding="utf8") for path in sorted(tests.rglob("*.py"))}
        direct = {path for path, text in texts.items() if mentions(text)}
        helpers = [path.stem for path in direct if path.stem != "__init__"]
        uses = re.compile(rf"import.*\b({'|'.join(helpers)})\b|\b({'|'.join(helpers)})\b.*import").search
        found += [
            path
            for path, text in texts.items()
            if path.name.startswith("test_") and (path in direct or (helpers and uses(text)))
        ]
    found = [path for path in found if not only or path.name in only]
    if not found:
        raise FileNotFoundError(f"no test file of scipy.{module} calls {', '.join(names)}" + f" in {only}" * bool(only))
    return found


def environment() -> dict[str, str]:
    """Ours without what would make the result depend on who runs it; this repository first on the path."""
    scrubbed = ("PYTEST_", "SCIPY_", "SCI_POLICY", "COV_", "PYTHONWARNINGS")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(scrubbed)}
    paths = [str(REPOSITORY), kept.get("PYTHONPATH", "")]
    return kept | {
        "SCI_POLICY": "compiled",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


class _Process:
    """One pytest subprocess, and what it has reported so far."""

    def __init__(self, files: list[Path], settings: Settings, options: Options, folder: Path) -> None:
        settings_file = folder / "settings.json"
        settings.write(settings_file)
        self._events = open(settings.events, encoding="utf8")
        self._log = open(folder / "log", "w+b")
        self.running: tuple[str, float] | None = None
        self.done = False
        command = [
            sys.executable, "-m", "pytest", "-p", "tests.upstream.plugin", "-p", "no:cacheprovider",
            "-c", os.devnull, "--rootdir", str(scipy_folder().parent), "-q", "--tb=short",
            "-W", "ignore::pytest.PytestConfigWarning", "--continue-on-collection-errors",
            *(["-k", options.keyword] if options.keyword else []), *map(str, files),
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command, cwd=folder, env=environment() | {VARIABLE: str(settings_file)},
            stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def wait(self, seconds: float) -> bool:
        """Whether it has ended."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def read(self, run: Run) -> None:
        """Take over the events since the last call."""
        while line := self._events.readline():
            try:
                event = json.loads(line)
            except ValueError:
                return  # cut off by a crash
            if "collected" in event:
                run.collected = run.collected or event["collected"]  # less after a restart
            elif "start" in event:
                self.running = event["start"], time.perf_counter()
            elif "test" in event:
                run.tests[event.pop("test")] = event
                self.running = None
            elif "collect_error" in event:
                run.errors.append(f"{event['collect_error']}: {event['message']}")
            elif "done" in event:
                self.done = True
            run.replaced.update(event.get("replaced", ()))

    def close(self) -> str:
        """End of what it printed, and its exit status."""
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - 1500))
        tail = self._log.read().decode("utf8", "replace")
        self._log.close()
        self._events.close()
        return f"exit {self._process.returncode}: {tail}"


def _lost(test: str, message: str) -> dict[str, Any]:
    return {"outcome": "error", "message": message, "names": ["?"], "host": {}, "seconds": 0.0}


def run_tests(
    files: list[Path],
    swap: Iterable[str],
    options: Options,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Run:
    """Run test files with names swapped for ours.

    Parameters
    ----------
    files : list of Path
        SciPy's test files.
    swap : iterable of str
        Dotted names (``scipy.linalg.solve``); none for the original against itself.
    options : Options
        Sample and limits.
    progress : callable, optional
        ``progress(done, total)``, about twice a second.

    Returns
    -------
    Run
        A test during which the process died or hung counts as an error; the rest goes on.
    """
    run, began = Run(), time.perf_counter()
    for _ in range(_RESTARTS + 1):
        with tempfile.TemporaryDirectory(prefix="upstream-") as name:
            folder = Path(name)
            (folder / "events").touch()
            settings = Settings(
                str(folder / "events"), sorted(swap), options.sample, options.seed, list(run.tests), options.test_limit
            )
            process = _Process(files, settings, options, folder)
            verdict = _watch(process, run, options, began, progress)
            ending = process.close()
        if process.done or verdict == "limit":
            break
        if process.running is None:  # it died outside a test: trying again would end the same
            run.errors.append(f"the test process died: {ending}")
            break
        run.tests[process.running[0]] = _lost(process.running[0], verdict or f"crashed, {ending[:60]}")
    run.unreached = [test for test in run.collected if test not in run.tests]
    run.seconds = time.perf_counter() - began
    return run


def _watch(process: _Process, run: Run, options: Options, began: float, progress: Callable[[int, int], None]) -> str:
    """Follow a process to its end; returns why it was killed, or an empty string."""
    verdict = ""
    while not verdict and not process.wait(0.4):
        process.read(run)
        progress(len(run.tests), len(run.collected))
        now = time.perf_counter()
        if now - began > options.limit:
            verdict = "limit"
        elif process.running and now - process.running[1] > 2 * options.test_limit + 10:
            verdict = f"hung for over {now - process.running[1]:.0f} s outside Python code"
    if verdict:
        process.kill()
    process.read(run)
    progress(len(run.tests), len(run.collected))
    return verdict
