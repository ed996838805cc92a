"""The names of `skimage.filters`, computed by JAX where native."""

from image._delegate import delegate_optional
from image.filters.edges import sobel, sobel_h, sobel_v
from image.filters.smoothing import gaussian

__all__ = ["gaussian", "sobel", "sobel_h", "sobel_v"]

__getattr__, __dir__ = delegate_optional(__name__, "skimage.filters", __all__, "scikit-image")
