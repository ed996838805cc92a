"""Image processing with the names of scikit-image (`image.filters`) and OpenCV (`image.cv2`), computed by JAX.

`image.load` and `image.prefetch` decode files, one at a time or as batches on the device; `image.pipeline` compiles a
chain of operations into one function. Subpackages are imported when first used; importing `image` loads neither cv2
nor scikit-image.
"""

import importlib as _importlib

__all__ = ["Batch", "cv2", "filters", "load", "pipeline", "prefetch"]

_FROM = {"Batch": "loading", "load": "loading", "prefetch": "loading", "pipeline": "pipelines"}


def __getattr__(name: str) -> object:
    if name in _FROM:
        return getattr(_importlib.import_module(f"image.{_FROM[name]}"), name)
    if name in __all__:
        return _importlib.import_module(f"image.{name}")
    raise AttributeError(f"module 'image' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
