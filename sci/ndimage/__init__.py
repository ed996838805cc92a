"""The names of `scipy.ndimage`, computed by JAX where native."""

from sci.bridge import delegate
from sci.ndimage.binary import (
    binary_closing,
    binary_dilation,
    binary_erosion,
    binary_fill_holes,
    binary_hit_or_miss,
    binary_opening,
    binary_propagation,
)
from sci.ndimage.comprehension import labeled_comprehension
from sci.ndimage.correlation import convolve, convolve1d, correlate, correlate1d
from sci.ndimage.derivatives import laplace, prewitt, sobel
from sci.ndimage.distances import distance_transform_bf, distance_transform_cdt, distance_transform_edt
from sci.ndimage.extremes import maximum_filter, maximum_filter1d, minimum_filter, minimum_filter1d
from sci.ndimage.fourier import fourier_ellipsoid, fourier_gaussian, fourier_shift, fourier_uniform
from sci.ndimage.gaussian import (
    gaussian_filter,
    gaussian_filter1d,
    gaussian_gradient_magnitude,
    gaussian_laplace,
)
from sci.ndimage.generic import generic_filter, generic_filter1d, generic_gradient_magnitude, generic_laplace
from sci.ndimage.geometry import geometric_transform, rotate
from sci.ndimage.grey import (
    black_tophat,
    grey_closing,
    grey_dilation,
    grey_erosion,
    grey_opening,
    morphological_gradient,
    morphological_laplace,
    white_tophat,
)
from sci.ndimage.label_extremes import (
    extrema,
    maximum,
    maximum_position,
    median,
    minimum,
    minimum_position,
)
from sci.ndimage.mapping import affine_transform, map_coordinates
from sci.ndimage.measurements import (
    center_of_mass,
    histogram,
    mean,
    standard_deviation,
    sum,
    sum_labels,
    variance,
)
from sci.ndimage.objects import find_objects, label, value_indices
from sci.ndimage.ranks import median_filter, percentile_filter, rank_filter
from sci.ndimage.resampling import shift, zoom
from sci.ndimage.splines import spline_filter, spline_filter1d
from sci.ndimage.structures import generate_binary_structure, iterate_structure
from sci.ndimage.uniform import uniform_filter, uniform_filter1d
from sci.ndimage.vectorized import vectorized_filter

__all__ = [
    "affine_transform",
    "binary_closing",
    "binary_dilation",
    "binary_erosion",
    "binary_fill_holes",
    "binary_hit_or_miss",
    "binary_opening",
    "binary_propagation",
    "black_tophat",
    "center_of_mass",
    "convolve",
    "convolve1d",
    "correlate",
    "correlate1d",
    "distance_transform_bf",
    "distance_transform_cdt",
    "distance_transform_edt",
    "extrema",
    "find_objects",
    "fourier_ellipsoid",
    "fourier_gaussian",
    "fourier_shift",
    "fourier_uniform",
    "gaussian_filter",
    "gaussian_filter1d",
    "gaussian_gradient_magnitude",
    "gaussian_laplace",
    "generate_binary_structure",
    "generic_filter",
    "generic_filter1d",
    "generic_gradient_magnitude",
    "generic_laplace",
    "geometric_transform",
    "grey_closing",
    "grey_dilation",
    "grey_erosion",
    "grey_opening",
    "histogram",
    "iterate_structure",
    "label",
    "labeled_comprehension",
    "laplace",
    "map_coordinates",
    "maximum",
    "maximum_filter",
    "maximum_filter1d",
    "maximum_position",
    "mean",
    "median",
    "median_filter",
    "minimum",
    "minimum_filter",
    "minimum_filter1d",
    "minimum_position",
    "morphological_gradient",
    "morphological_laplace",
    "percentile_filter",
    "prewitt",
    "rank_filter",
    "rotate",
    "shift",
    "sobel",
    "spline_filter",
    "spline_filter1d",
    "standard_deviation",
    "sum",
    "sum_labels",
    "uniform_filter",
    "uniform_filter1d",
    "value_indices",
    "variance",
    "vectorized_filter",
    "white_tophat",
    "zoom",
]

__getattr__, __dir__ = delegate(__name__, __all__)
