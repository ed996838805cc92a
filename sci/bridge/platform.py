"""What is set up once per process: the jaxlib check, the allocator, the compilation cache.

Everything here happens at import and touches no JAX backend; the cache's self-test runs before
the first compilation.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import platform as _platform
import subprocess
import sys
import threading
import time
from pathlib import Path

import jax
import jax.monitoring
from jax._src import xla_bridge  # neither has a public name
from jax._src.lib import xla_client

from sci.bridge.cache import note_compilation

__all__ = [
    "STATE",
    "cache_folder",
    "check_jaxlib",
    "check_shadowing",
    "ensure_ready",
    "merge_loops",
    "quick_options",
    "run_inline",
    "scipy_at_least",
    "setup",
    "tune_allocator",
]

#: What `python -m sci doctor` reports: ``allocator``, ``loops``, ``dispatch`` and ``compilation_cache``.
STATE: dict[str, str] = {}

#: jaxlib builds that compute wrong numbers, with the upstream issue.
BAD_JAXLIB = {"0.10.2": "vmap of a small matvec followed by a reduction returns wrong numbers (jax issue 39103)"}

# glibc's mallopt parameters (malloc.h)
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
_OFF = ("0", "off", "no", "false", "stock")
_ASYNC = "jax_cpu_enable_async_dispatch"
#: Up to how many bytes a loop's values may take to become one kernel, and XLA's flag for it.
_EXTRA, _MERGED = "xla_backend_extra_options", "xla_cpu_small_while_loop_byte_threshold=1000000"

# what cache_check.py leaves in the folder
PASSED, FAILED = "self-test.passed", "self-test.failed"
QUIET = "quiet"

_ready = False
_check: subprocess.Popen[bytes] | None = None
_lock = threading.Lock()


def check_jaxlib() -> None:
    """Refuse builds of jaxlib that silently compute wrong numbers.

    Raises
    ------
    ImportError
        Naming the version, the fault and what to install.
    """
    version = importlib.metadata.version("jaxlib")
    if version in BAD_JAXLIB:
        raise ImportError(
            f"jaxlib {version} is installed: {BAD_JAXLIB[version]}. "
            'Install another one: pip install "jax>=0.10.1,!=0.10.2" "jaxlib>=0.10.1,!=0.10.2"'
        )


@functools.cache
def _jaxlib() -> str:
    """The installed version, read once: the metadata are a file to be parsed."""
    return importlib.metadata.version("jaxlib")


def package_paths() -> dict[str, str | None]:
    """Where Python finds our three packages."""
    found: dict[str, str | None] = {}
    for name in ("sci", "solvers", "image"):
        module = sys.modules.get(name)
        spec = getattr(module, "__spec__", None) or importlib.util.find_spec(name)
        found[name] = None if spec is None else spec.origin
    return found


def check_shadowing() -> None:
    """Fail at once where another ``image`` or ``solvers`` hides ours.

    Raises
    ------
    ImportError
        Naming the path of the other file.
    """
    home = Path(__file__).resolve().parents[2]
    for name, origin in package_paths().items():
        expected = home / name / "__init__.py"
        if origin is None and expected.exists():
            continue
        if origin is None or Path(origin).resolve() != expected:
            raise ImportError(
                f"the package {name!r} of scijax is shadowed by {origin}; expected {expected}. "
                f"Rename that file or folder, or take its folder off sys.path."
            )


def tune_allocator() -> None:
    """Let glibc reuse large blocks instead of mapping fresh pages for every large array.

    XLA's results on the CPU come from malloc; fresh pages cost three to six times the work of a
    memory-bound kernel. The process keeps freed memory for reuse. Opt out by
    ``SCI_ALLOCATOR=stock`` in the environment.
    """
    if os.environ.get("SCI_ALLOCATOR", "").lower() in _OFF:
        STATE["allocator"] = "stock (SCI_ALLOCATOR)"
        return
    if not sys.platform.startswith("linux") or _platform.libc_ver()[0] != "glibc":
        STATE["allocator"] = "stock (not glibc)"
        return
    mallopt = ctypes.CDLL(None).mallopt
    done = mallopt(_M_MMAP_MAX, 0), mallopt(_M_TRIM_THRESHOLD, 2**31 - 1), mallopt(_M_ARENA_MAX, 1)
    STATE["allocator"] = "tuned" if all(done) else f"partly tuned {done}"


def merge_loops() -> None:
    """Let XLA compile whole loops of a solver into one kernel each, as jaxlib 0.12 does by itself.

    In older builds a step of an ODE solver or a minimiser is a hundred kernels, each of which costs as much to start
    as to run: steps are two to seven times as fast in one. XLA merges what it can (no sort, no LAPACK call, buffers
    up to the threshold). XLA reads its flags once, when the first compile options are made; this does it here, so that
    the environment, and with it child processes, stay as they were. Without effect where JAX has computed before, or
    with ``SCI_LOOPS=stock``.
    """
    flags = os.environ.get("XLA_FLAGS")
    if os.environ.get("SCI_LOOPS", "").lower() in _OFF:
        STATE["loops"] = "stock (SCI_LOOPS)"
    elif not _jaxlib().startswith(("0.10.", "0.11.")):
        STATE["loops"] = "stock (this jaxlib merges them)"
    elif flags is not None and _EXTRA in flags:
        STATE["loops"] = f"stock ({_EXTRA} set by the user)"
    elif xla_bridge.backends_are_initialized():
        STATE["loops"] = "stock (JAX has computed before sci was imported)"
    else:
        os.environ["XLA_FLAGS"] = f"{flags or ''} --{_EXTRA}={_MERGED}".strip()
        try:
            xla_client.CompileOptions()
        finally:
            if flags is None:
                del os.environ["XLA_FLAGS"]
            else:
                os.environ["XLA_FLAGS"] = flags
        STATE["loops"] = "merged"


def run_inline() -> None:
    """Let programs for the processor run in the thread that calls them.

    JAX hands all but the smallest ones to another thread and returns at once. A NumPy caller waits for the numbers
    anyway, and the waking of two threads costs as much as a small solve: `expm` of 4x4 takes 33 us instead of 110, BFGS
    in two variables 190 instead of 300. Programs still use all cores inside. What is lost is that Python runs ahead of
    JAX code on the processor; ``SCI_DISPATCH=stock`` or JAX's own ``JAX_CPU_ENABLE_ASYNC_DISPATCH=1`` keep that.
    Without effect where JAX has computed before, and on accelerators.
    """
    if os.environ.get("SCI_DISPATCH", "").lower() in _OFF:
        STATE["dispatch"] = "stock (SCI_DISPATCH)"
    elif _ASYNC.upper() in os.environ or not jax.config.values.get(_ASYNC, False):
        STATE["dispatch"] = f"stock ({_ASYNC} set by the user)"
    elif xla_bridge.backends_are_initialized():
        STATE["dispatch"] = "stock (JAX has computed before sci was imported)"
    else:
        jax.config.update(_ASYNC, False)
        STATE["dispatch"] = "inline"


def _cpu_flags() -> str:
    """The processor's features: compiled code is not portable between them."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith(("flags", "Features")):
                    return line
    except OSError:
        pass
    return _platform.processor()


def cache_folder() -> Path | None:
    """The folder of the persistent compilation cache, or None where it is switched off.

    ``SCI_COMPILATION_CACHE`` is a folder, or ``off``. JAX's own setting wins over ours.
    """
    choice = os.environ.get("SCI_COMPILATION_CACHE", "")
    if choice.lower() in _OFF:
        return None
    base = Path(choice) if choice else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scijax"
    parts = (_jaxlib(), _platform.machine(), _cpu_flags(), sys.version_info[:2])
    build = "-".join(map(str, (*parts, STATE.get("loops", "stock").partition(" ")[0])))
    return base / f"jaxlib-{_jaxlib()}-{hashlib.sha1(build.encode()).hexdigest()[:10]}"


def _set_cache(silent: bool) -> None:
    chosen = jax.config.values.get("jax_compilation_cache_dir")
    if chosen:
        STATE["compilation_cache"] = f"{chosen} (set by the user)"
        return
    folder = cache_folder()
    if folder is None:
        STATE["compilation_cache"] = "off (SCI_COMPILATION_CACHE)"
        return
    failed = folder / FAILED
    # a check that is still running has left the marker too; it takes seconds
    if failed.exists() and time.time() - failed.stat().st_mtime > 120:
        STATE["compilation_cache"] = f"off (the self-test failed in {folder}; delete it to try again)"
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        usable = os.access(folder, os.W_OK)
    except OSError:
        usable = False
    if not usable:
        STATE["compilation_cache"] = f"off ({folder} cannot be written)"
        return
    passed = folder / PASSED
    if not silent and not (passed.exists() and passed.read_text() == QUIET):
        STATE["compilation_cache"] = (
            "off (XLA may print an error for each load on this processor, openxla/xla issue 44565: "
            "import sci before jax, or set TF_CPP_MIN_LOG_LEVEL=3)"
        )
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    # JAX keeps only what took a second; ours take 0.1-1 s and are what a first call waits for.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.05)
    STATE["compilation_cache"] = str(folder)


def setup(silent: bool) -> None:
    """Everything that is done at import, in order.

    Parameters
    ----------
    silent : bool
        Whether XLA's log is off (see `sci.bridge.xla_log`).
    """
    check_jaxlib()
    tune_allocator()
    merge_loops()
    run_inline()
    _set_cache(silent)


@functools.cache
def scipy_at_least(major: int, minor: int) -> bool:
    """Whether the installed SciPy is this release or a later one: where its behaviour changed, ours follows it."""
    import scipy

    return tuple(int(part) for part in scipy.__version__.split(".")[:2]) >= (major, minor)


@functools.cache
def quick_options() -> dict[str, bool] | None:
    """Compiler options for programs whose time is not spent in long elementwise loops.

    On jaxlib 0.10 the fusion emitters double the compile time, for nothing where the work is in many scalar
    operations (solver loops around user callables) or in calls of LAPACK. Elementwise code over large arrays
    is up to four times slower without them. Later builds have lost the option, and the need.
    """
    return (
        {"xla_cpu_use_fusion_emitters": False}
        if _jaxlib().startswith("0.10.") and jax.default_backend() == "cpu"
        else None
    )


def ensure_ready() -> None:
    """Before the first compilation: start the daily check of the compilation cache, and count compilations."""
    global _ready
    if _ready:
        return
    with _lock:
        if _ready:
            return
        _ready = True
        jax.monitoring.register_event_duration_secs_listener(note_compilation)
        _start_cache_check()


def _start_cache_check() -> None:
    """Test and prune the cache's folder in a process of its own, at most once a day.

    In the background, so that no first call waits for it; in another process, since a broken
    entry can crash. What it finds decides for the processes that start after it.
    """
    global _check
    folder = STATE.get("compilation_cache", "off")
    if folder.startswith("off") or folder.endswith("(set by the user)"):
        return
    marker = Path(folder) / PASSED
    if marker.exists() and time.time() - marker.stat().st_mtime < 86_400:
        return
    script = Path(__file__).with_name("cache_check.py")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("JAX_COMPILATION_CACHE", "TF_CPP_"))}
    with contextlib.suppress(OSError):
        _check = subprocess.Popen(
            [sys.executable, "-P", str(script), folder],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=environment, start_new_session=True,
        )  # fmt: skip
