"""``python -m sci coverage``: what is native, generated from the registry and the originals."""

from __future__ import annotations

import importlib
import json
import sys
import types
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

from sci.bridge.delegate import public_names
from sci.bridge.registry import REGISTRY, load_all, our_module

__all__ = ["coverage", "print_coverage"]

_SKIMAGE = (
    "color", "draw", "exposure", "feature", "filters", "graph", "measure", "metrics", "morphology", "registration",
    "restoration", "segmentation", "transform", "util",
)  # fmt: skip


def original_modules() -> list[str]:
    """The public modules of the originals that are installed."""
    from scipy._lib._public_api import PUBLIC_MODULES

    modules = [m for m in PUBLIC_MODULES if "cython" not in m]
    if importlib.util.find_spec("skimage"):
        modules += [f"skimage.{m}" for m in _SKIMAGE]
    if importlib.util.find_spec("cv2"):
        modules.append("cv2")
    return modules


def _functions(module: types.ModuleType) -> Iterator[str]:
    """Public callables: functions, ufuncs, classes, distributions; no constants, modules, exceptions."""
    for name in public_names(module):
        try:
            value = getattr(module, name)
        except AttributeError:
            continue
        is_error = isinstance(value, type) and issubclass(value, BaseException)
        if callable(value) and not isinstance(value, types.ModuleType) and not is_error:
            yield name


def _ours(module: str) -> Any:
    try:
        return importlib.import_module(our_module(module) or "")
    except (ImportError, ValueError):
        return None


def _status(value: Any) -> str:
    """Of a name that is not in the registry: classes and factories of ours (`RK45`, `createCLAHE`) are native."""
    if value is None:
        return "absent"
    defined = (getattr(value, "__module__", None) or "").partition(".")[0]
    return "native" if defined in ("sci", "image") and not hasattr(value, "__host__") else "host"


def coverage(selected: str | None = None) -> list[dict[str, Any]]:
    """One record for each public function of the originals.

    Parameters
    ----------
    selected : str, optional
        A module: ``scipy.linalg`` or ``linalg``, ``skimage.filters``, ``cv2``.

    Returns
    -------
    list of dict
        ``name``, ``status`` ('native', 'host' or 'absent'), ``jit``, ``vmap``, ``grad``.

    Raises
    ------
    ValueError
        If there is no such module.
    """
    load_all()
    modules = original_modules()
    if selected is not None:
        modules = [m for m in modules if selected in (m, m.partition(".")[2])]
        if not modules:
            raise ValueError(f"module {selected!r}; allowed are {', '.join(original_modules())}")
    records = {}
    with warnings.catch_warnings():
        # some of the originals' modules warn that they will go (scipy.odr): not our user's doing
        warnings.simplefilter("ignore", DeprecationWarning)
        listed = [(m, _ours(m), list(_functions(importlib.import_module(m)))) for m in modules]
    for module, ours, names in listed:
        for name in names:
            full = f"{module}.{name}"
            entry = REGISTRY.get(full)
            if entry is not None:
                record = {"status": "native", "jit": entry.jit, "vmap": entry.vmap, "grad": entry.grad}
            else:
                status = _status(getattr(ours, name, None))
                record = {"status": status, "jit": False, "vmap": False, "grad": False}
            records[full] = {"name": full, **record}
    return [records[k] for k in sorted(records)]


def print_coverage(selected: str | None, as_json: bool) -> int:
    """Print the coverage; returns the exit status."""
    try:
        records = coverage(selected)
    except ValueError as error:
        print(f"python -m sci coverage: {error}", file=sys.stderr)
        return 2
    if as_json:
        print(json.dumps(records, indent=1))
        return 0
    from sci.cli.tables import print_table

    if selected is not None:
        tick = {True: "yes", False: "-"}
        rows = [
            (r["name"], r["status"], tick[r["jit"]], tick[r["vmap"]], tick[r["grad"]],
             REGISTRY[r["name"]].note if r["name"] in REGISTRY else "")
            for r in records
        ]  # fmt: skip
        print_table(f"coverage of {selected}", ("name", "status", "jit", "vmap", "grad", "on the host"), rows)
    counts: dict[str, Counter[str]] = {}
    for record in records:
        counts.setdefault(record["name"].rpartition(".")[0], Counter())[record["status"]] += 1
    totals: list[tuple[Any, ...]] = [(m, c["native"], c["host"], c["absent"]) for m, c in counts.items()]
    totals.append(("all", *[sum(c[s] for c in counts.values()) for s in ("native", "host", "absent")]))
    print_table("functions by module", ("module", "native", "host", "absent"), totals)
    return 0
