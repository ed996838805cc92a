"""What is set up once: jaxlib's check, the allocator, the compilation cache."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import sci
from sci import linalg
from sci.bridge import cache, cache_check, platform
from sci.bridge.implements import _compiled


def python(code, **environment):
    ours = ("SCI_ALLOCATOR", "SCI_COMPILATION_CACHE", "SCI_DISPATCH", "SCI_LOOPS", "XLA_FLAGS")
    env = {k: v for k, v in os.environ.items() if k not in ours}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env | environment, timeout=120
    )
    return done.returncode, done.stdout.strip(), done.stderr


def test_a_known_bad_jaxlib_is_refused(monkeypatch):
    monkeypatch.setattr(platform.importlib.metadata, "version", lambda name: "0.10.2")
    with pytest.raises(ImportError, match=r"jaxlib 0\.10\.2.*39103.*pip install"):
        platform.check_jaxlib()


STATE = "import sci; from sci.bridge.platform import STATE; print(STATE['allocator'], '|', STATE['compilation_cache'])"


def test_opt_out_by_environment():
    status, out, err = python(STATE, SCI_ALLOCATOR="stock", SCI_COMPILATION_CACHE="off")
    assert status == 0, err
    assert out == "stock (SCI_ALLOCATOR) | off (SCI_COMPILATION_CACHE)"


LOOPS = """
import os, jax
before = dict(os.environ)
import sci
from sci.bridge.platform import STATE, cache_folder
assert dict(os.environ) == before
body = lambda i, c: (jax.numpy.sin(c[0]) + c[1].sum(), jax.numpy.cos(c[1][::-1]) + c[0])
start = (1.0, jax.numpy.ones(5000))
text = jax.jit(lambda c: jax.lax.fori_loop(0, 9, body, c)).lower(start).compile().as_text()
print(STATE["loops"].split(" ")[0], text.count("xla_cpu_small_call"), cache_folder().name)
"""


@pytest.mark.skipif(not platform.jax.__version__.startswith("0.10."), reason="later builds merge loops by themselves")
def test_loops_become_one_kernel_and_the_environment_stays():
    found = [
        python(LOOPS),
        python(LOOPS, SCI_LOOPS="stock"),
        python(LOOPS, XLA_FLAGS="--xla_cpu_enable_fast_math=false"),
    ]
    assert all(status == 0 for status, _, _ in found), found
    (merged, marks, folder), (stock, _, other), (added, also, _) = (out.split() for _, out, _ in found)
    assert (merged, stock, added) == ("merged", "stock", "merged") and folder != other
    assert int(marks) > 0 and int(also) > 0 and found[1][1].split()[1] == "0"
    status, out, err = python("import jax; jax.numpy.ones(3) + 1\n" + LOOPS)
    assert status == 0 and out.startswith("stock"), err


DISPATCH = """
import jax, sci
from sci.bridge.platform import STATE
print(STATE["dispatch"].split(" ")[0], jax.config.values["jax_cpu_enable_async_dispatch"])
"""


@pytest.mark.parametrize(
    ("before", "environment", "expected"),
    [
        ("", {}, "inline False"),
        ("", {"SCI_DISPATCH": "stock"}, "stock True"),
        ("", {"JAX_CPU_ENABLE_ASYNC_DISPATCH": "1"}, "stock True"),
        ("import jax; jax.numpy.ones(3) + 1", {}, "stock True"),
    ],
)
def test_programs_run_in_the_calling_thread(before, environment, expected):
    status, out, err = python(before + DISPATCH, **environment)
    assert (status, out) == (0, expected), err


def test_the_cache_is_used_by_a_second_process(tmp_path):
    code = STATE + "\nimport numpy as np; from sci import linalg; linalg.solve(np.eye(3), np.ones(3))"
    status, out, err = python(code, SCI_COMPILATION_CACHE=str(tmp_path))
    assert status == 0, err
    (folder,) = tmp_path.iterdir()
    assert out.endswith(str(folder)) and "jaxlib-" in folder.name
    entries = {p.name for p in folder.glob("*-cache")}
    assert entries, "compiled code was stored"
    status, _, err = python(code, SCI_COMPILATION_CACHE=str(tmp_path))
    assert status == 0 and err == "", "loading is silent"
    assert {p.name for p in folder.glob("*-cache")} == entries, "nothing was compiled again"


def test_a_cache_that_cannot_be_written_is_off(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    status, out, err = python(STATE, SCI_COMPILATION_CACHE=str(blocked))
    assert status == 0, err
    assert "off (" in out and "cannot be written" in out


def test_jax_settings_of_the_user_win(tmp_path):
    _, out, _ = python(STATE, JAX_COMPILATION_CACHE_DIR=str(tmp_path))
    assert out.endswith(f"{tmp_path} (set by the user)")


def test_with_jax_imported_first_loading_must_be_known_to_be_quiet(tmp_path):
    _, out, _ = python("import jax\n" + STATE, SCI_COMPILATION_CACHE=str(tmp_path))
    assert "off (XLA may print" in out


def test_cache_check_marks_and_prunes(tmp_path):
    old, new = tmp_path / "a-cache", tmp_path / "b-cache"
    old.write_bytes(b"x" * 100)
    os.utime(old, (time.time() - 1000,) * 2)
    new.write_bytes(b"y" * 100)
    cache_check.prune(tmp_path, limit=150)
    assert not old.exists() and new.exists()
    script = Path(cache_check.__file__)
    subprocess.run([sys.executable, "-P", str(script), str(tmp_path)], check=True, timeout=120)
    assert (tmp_path / platform.PASSED).read_text() in ("quiet", "noisy")
    assert not (tmp_path / platform.FAILED).exists()


def test_cache_check_shares_its_constants_with_platform():
    assert (cache_check.PASSED, cache_check.FAILED) == (platform.PASSED, platform.FAILED)


def test_setting_up_leaves_the_log_level_as_jax_does():
    code = "import os; import sci; print(os.environ.get('TF_CPP_MIN_LOG_LEVEL'))"
    env = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60)
    assert done.stdout.strip() == "1"


def test_many_shapes_of_one_function_do_not_fill_the_table_of_memory_maps(monkeypatch):
    sci.clear_caches()
    monkeypatch.setattr(cache, "_FULL", 0.0)
    monkeypatch.setattr(cache, "_LOOK_EVERY", 1)
    monkeypatch.setattr(cache, "_MANY_SHAPES", 2)
    kept = []
    for n in range(2, 8):
        assert abs(linalg.det(np.eye(n)) - 1) < 1e-14
        kept.append(sum(f._cache_size() for f in _compiled.values()))
    assert max(kept) <= 3
    monkeypatch.undo()
    cache.make_room()
    assert not cache.crowded
