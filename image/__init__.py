"""Image processing with the names of scikit-image (`image.filters`) and OpenCV (`image.cv2`), computed by JAX.

Subpackages are imported when first used; importing `image` loads neither cv2 nor scikit-image.
"""

import importlib as _importlib

__all__ = ["cv2", "filters"]


def __getattr__(name: str) -> object:
    if name in __all__:
        return _importlib.import_module(f"image.{name}")
    raise AttributeError(f"module 'image' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
