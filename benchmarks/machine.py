"""Where and with what the numbers were taken."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform

__all__ = ["facts", "load_average"]

_PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "scikit-image", "opencv-python-headless", "opencv-python")


def _processor() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _blas() -> str:
    """The kernels that NumPy's and SciPy's BLAS run; JAX's LAPACK is SciPy's."""
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_info

    kernels = [
        f"{i['internal_api']} {i.get('version') or ''} {i.get('architecture') or ''} ({i['num_threads']} threads)"
        for i in threadpool_info()
        if i["user_api"] == "blas"
    ]
    return "; ".join(dict.fromkeys(" ".join(k.split()) for k in kernels)) or "unknown"


def load_average() -> float:
    """Runnable processes over the last minute: above 1 before a run, the numbers are noisy."""
    with contextlib.suppress(OSError):
        return os.getloadavg()[0]
    return float("nan")


def _versions() -> str:
    import sci

    found = [f"scijax {sci.__version__}", f"python {platform.python_version()}"]
    for package in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{package} {importlib.metadata.version(package)}")
    return ", ".join(found)


def facts() -> dict[str, str]:
    """Versions, processor, BLAS kernel, allocator, devices."""
    import jax

    import sci  # noqa: F401
    from sci.bridge.platform import STATE

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "versions": _versions(),
        "machine": f"{_processor()}, {cores} cores, {platform.system()} {platform.machine()}",
        "BLAS": _blas(),
        "devices": ", ".join(map(str, jax.devices())),
        "allocator": STATE.get("allocator", "unknown"),
        "load before the run": f"{load_average():.2f}",
    }
