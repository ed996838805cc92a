"""Runs scripts one after the other in this process and prints what each printed, with its time, as JSON.

    python run_scripts.py plain|adaptive|compiled SCRIPT...

The process is shared to save the imports; every script has a `__main__` of its own.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
import traceback


def plain(path: str) -> None:
    import types

    sys.argv[:] = [path]
    main = types.ModuleType("__main__")
    main.__file__ = path
    sys.modules["__main__"] = main
    exec(compile(open(path).read(), path, "exec"), vars(main))


def main(mode: str, paths: list[str]) -> None:
    if mode == "plain":
        import scipy.integrate
        import scipy.ndimage
        import scipy.optimize
        import scipy.stats  # noqa: F401

        run = plain
    else:
        import sci
        from sci.accelerate import run_script as run

        sci.set_policy(mode)
    results = {}
    for path in paths:
        out = io.StringIO()
        start = time.perf_counter()
        with contextlib.redirect_stdout(out):
            try:
                run(path)
            except SystemExit as end:
                out.write(f"exit {end.code}\n")
            except Exception:
                out.write(traceback.format_exc())
        results[path] = {"output": out.getvalue(), "seconds": time.perf_counter() - start}
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
