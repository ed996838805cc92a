"""The names of `scipy.ndimage`, computed by JAX where native."""

from sci.bridge import delegate
from sci.ndimage.correlation import convolve, convolve1d, correlate, correlate1d
from sci.ndimage.derivatives import laplace, prewitt, sobel
from sci.ndimage.gaussian import (
    gaussian_filter,
    gaussian_filter1d,
    gaussian_gradient_magnitude,
    gaussian_laplace,
)
from sci.ndimage.resampling import affine_transform, map_coordinates, shift, zoom
from sci.ndimage.splines import spline_filter, spline_filter1d
from sci.ndimage.uniform import uniform_filter, uniform_filter1d

__all__ = [
    "affine_transform",
    "convolve",
    "convolve1d",
    "correlate",
    "correlate1d",
    "gaussian_filter",
    "gaussian_filter1d",
    "gaussian_gradient_magnitude",
    "gaussian_laplace",
    "laplace",
    "map_coordinates",
    "prewitt",
    "shift",
    "sobel",
    "spline_filter",
    "spline_filter1d",
    "uniform_filter",
    "uniform_filter1d",
    "zoom",
]

__getattr__, __dir__ = delegate(__name__, __all__)
