"""First calls, in fresh processes: ``python -m benchmarks.fresh TOPIC ENTRY SIDE [--quick]``.

What is timed is the first call alone: imports and input are ready, nothing is traced or compiled.
Imports that the call itself causes count.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["child", "first_call", "fresh_cache", "resident"]

_ROOT = Path(__file__).resolve().parents[1]


def child(arguments: list[str], cache: Path | str | None = None, timeout: float = 600.0) -> str:
    """Standard output of a fresh ``python arguments``.

    Parameters
    ----------
    arguments : list of str
        What follows the interpreter.
    cache : path, optional
        Folder of the compilation cache; None switches it off.
    timeout : float
        Seconds.

    Raises
    ------
    RuntimeError
        With the last line of standard error, if the process fails.
    """
    environment = {**os.environ, "SCI_COMPILATION_CACHE": "off" if cache is None else str(cache)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=_ROOT, env=environment, capture_output=True, text=True, timeout=timeout,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1])
    return done.stdout


def first_call(topic: str, entry: str, side: str, quick: bool, cache: Path | None) -> dict[str, float]:
    """Seconds and peak memory growth (bytes) of a first call in a process of its own."""
    arguments = ["-m", "benchmarks.fresh", topic, entry, side, *(["--quick"] if quick else [])]
    return json.loads(child(arguments, cache).splitlines()[-1])


@functools.cache
def _tested_cache() -> Path:
    """A cache folder that has passed its daily self-test, so that no measured process starts one."""
    folder = Path(tempfile.mkdtemp(prefix="scijax-bench-"))
    import atexit

    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    child(["-c", "import numpy as np\nfrom sci import linalg\nlinalg.det(np.eye(2))"], folder)
    deadline = time.monotonic() + 60
    while not list(folder.rglob("self-test.passed")) and time.monotonic() < deadline:
        time.sleep(0.2)
    return folder


@contextlib.contextmanager
def fresh_cache() -> Iterator[Path]:
    """A compilation cache without entries; removed afterwards."""
    tested = _tested_cache()
    with tempfile.TemporaryDirectory(prefix="scijax-bench-") as name:
        for marker in tested.rglob("self-test.*"):
            target = Path(name) / marker.relative_to(tested)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(marker, target)
        yield Path(name)


# --- memory ------------------------------------------------------------------------------------


def resident(peak: bool = False) -> int:
    """Bytes of this process in memory, now or at most since `_reset_peak`. Linux only; 0 elsewhere."""
    wanted = "VmHWM:" if peak else "VmRSS:"
    with contextlib.suppress(OSError), open("/proc/self/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(wanted):
                return int(line.split()[1]) * 1024
    return 0


def _reset_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


# --- the child's side --------------------------------------------------------------------------


def _main(topic: str, entry: str, side: str, quick: bool) -> dict[str, Any]:
    import sci  # noqa: F401  (before jax, as in a user's script: it sets up the cache)
    from benchmarks.topics import load

    ours, original = load(topic).entries[entry].build(quick)
    thunk = ours if side == "ours" else original
    import jax

    jax.devices()  # starting the backend is JAX's own cost, paid by any program that uses it
    _reset_peak()
    before = resident()
    start = time.perf_counter()
    jax.block_until_ready(thunk())
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "peak": max(0, resident(peak=True) - before)}


if __name__ == "__main__":
    print(json.dumps(_main(*sys.argv[1:4], quick="--quick" in sys.argv[4:])))
