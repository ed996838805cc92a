"""Tests and prunes a compilation cache; run as a script by `platform.ensure_ready`.

Usage: ``python -P cache_check.py FOLDER`` (-P: this folder must not hide the standard library's
`platform`). Stores a small executable in the folder, loads it again and compares numbers, notes
whether XLA complained on the way, then deletes the oldest entries above the size limit.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

LIMIT_BYTES = 1 << 30
PASSED, FAILED = "self-test.passed", "self-test.failed"  # as in platform.py, which this must not import


def check(folder: Path) -> bool:
    """Whether executables survive a round trip through a cache beside `folder`."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        jax.config.update("jax_compilation_cache_dir", scratch)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        a = np.arange(12.0, dtype=np.float32).reshape(3, 4)
        for _ in range(2):
            out = jax.jit(lambda a: jnp.sin(a) @ a.T)(a)
            if not np.allclose(out, np.sin(a) @ a.T, rtol=1e-4):
                return False
            jax.clear_caches()
        return any(Path(scratch).iterdir())


def prune(folder: Path, limit: int = LIMIT_BYTES) -> None:
    """Delete the oldest entries until the folder is below the limit."""
    entries = sorted((p.stat().st_mtime, p.stat().st_size, p) for p in folder.glob("*-cache"))
    total = sum(size for _, size, _ in entries)
    for _, size, path in entries:
        if total <= limit:
            break
        path.unlink(missing_ok=True)
        total -= size


def main(folder: Path) -> None:
    """Check, leave the marker, prune."""
    (folder / FAILED).touch()  # stands if the check crashes
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        passed = check(folder)
        noisy = log.seek(0, os.SEEK_END) > 0
    if passed:
        (folder / PASSED).write_text("noisy" if noisy else "quiet")
        (folder / FAILED).unlink(missing_ok=True)
        prune(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
