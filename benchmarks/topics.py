"""The topics, one file each."""

from __future__ import annotations

import importlib

from benchmarks.harness import Topic

__all__ = ["NAMES", "load"]

#: In the order of the report.
NAMES = (
    "overhead",
    "accelerate",
    "linalg",
    "ode",
    "quadrature",
    "optimize",
    "elementwise",
    "ndimage",
    "image_cv2",
    "image_cv2_analysis",
    "image_pipelines",
    "special",
)


def load(name: str) -> Topic:
    """The topic of that name."""
    return importlib.import_module(f"benchmarks.{name}").topic
