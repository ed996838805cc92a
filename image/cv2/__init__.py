"""OpenCV's names, constants and semantics, computed by JAX where native.

OpenCV itself is imported only for names that are not native, and for its exception class `error`.
"""

from image._delegate import delegate_optional
from image.cv2 import constants as _constants
from image.cv2._support import error_class as _error_class
from image.cv2.accumulation import (
    accumulate,
    accumulateProduct,
    accumulateSquare,
    accumulateWeighted,
    blendLinear,
)
from image.cv2.affine_fits import estimateAffine2D, estimateAffinePartial2D
from image.cv2.arithmetic import (
    absdiff,
    add,
    addWeighted,
    convertScaleAbs,
    divide,
    multiply,
    scaleAdd,
    subtract,
)
from image.cv2.arrangement import LUT, copyMakeBorder, flip, rotate, transpose
from image.cv2.bilateral import (
    bilateralFilter,
)
from image.cv2.box_filters import (
    sqrBoxFilter,
    stackBlur,
)
from image.cv2.channels import extractChannel, insertChannel, merge, mixChannels, split
from image.cv2.colormaps import (
    applyColorMap,
)
from image.cv2.colour import (
    cvtColor,
    demosaicing,
)
from image.cv2.constants import *  # noqa: F403
from image.cv2.contours import arcLength, boundingRect, contourArea, isContourConvex, pointPolygonTest
from image.cv2.coordinates import (
    cartToPolar,
    phase,
    polarToCart,
)
from image.cv2.corners import cornerEigenValsAndVecs, cornerHarris, cornerMinEigenVal, preCornerDetect
from image.cv2.counting import countNonZero, findNonZero, hasNonZero
from image.cv2.denoising import (
    fastNlMeansDenoising,
    fastNlMeansDenoisingColored,
)
from image.cv2.derivatives import (
    Laplacian,
    Scharr,
    Sobel,
    magnitude,
)
from image.cv2.distance import distanceTransform, distanceTransformWithLabels
from image.cv2.domain_transform import detailEnhance, edgePreservingFilter, stylization
from image.cv2.drawing_ellipses import ellipse, ellipse2Poly
from image.cv2.drawing_lines import arrowedLine, clipLine, drawMarker, line, polylines
from image.cv2.drawing_polygons import fillConvexPoly, fillPoly
from image.cv2.drawing_shapes import circle, rectangle
from image.cv2.edges import (
    Canny,
    spatialGradient,
)
from image.cv2.elementwise import (
    exp,
    log,
    pow,
    sqrt,
)
from image.cv2.equalization import createCLAHE, equalizeHist
from image.cv2.farneback import calcOpticalFlowFarneback
from image.cv2.features import goodFeaturesToTrack
from image.cv2.filtering import (
    filter2D,
    sepFilter2D,
)
from image.cv2.floods import floodFill
from image.cv2.frequency import dct, dft, idct, idft
from image.cv2.geometry import resize
from image.cv2.histograms import calcBackProject, calcHist, compareHist
from image.cv2.homography import findHomography
from image.cv2.hough import HoughLines, HoughLinesWithAccumulator
from image.cv2.integrals import integral, integral2, integral3
from image.cv2.kernels import (
    getDerivKernels,
    getGaborKernel,
    getGaussianKernel,
)
from image.cv2.labels import connectedComponents, connectedComponentsWithStats
from image.cv2.lenses import (
    initUndistortRectifyMap,
    undistort,
)
from image.cv2.linear import (
    determinant,
    gemm,
    invert,
    perspectiveTransform,
    solve,
    transform,
)
from image.cv2.logic import (
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    compare,
    inRange,
    max,
    min,
)
from image.cv2.lucas_kanade import calcOpticalFlowPyrLK
from image.cv2.masks import checkRange, copyTo, finiteMask, patchNaNs
from image.cv2.matching import matchTemplate
from image.cv2.matrices import completeSymm, eigen, mulTransposed, trace
from image.cv2.morphology import dilate, erode, getStructuringElement, medianBlur, morphologyEx
from image.cv2.norms import PSNR, norm, normalize
from image.cv2.ordering import reduceArgMax, reduceArgMin, sort, sortIdx
from image.cv2.patches import getRectSubPix
from image.cv2.phase_correlation import phaseCorrelate
from image.cv2.points import convertPointsFromHomogeneous, convertPointsToHomogeneous
from image.cv2.polar import (
    warpPolar,
)
from image.cv2.pyramids import (
    pyrDown,
    pyrUp,
)
from image.cv2.region_moments import HuMoments, moments
from image.cv2.remapping import convertMaps, remap
from image.cv2.scalars import borderInterpolate, cubeRoot, fastAtan2, solveCubic
from image.cv2.shape_fits import boxPoints, fitLine
from image.cv2.smoothing import GaussianBlur, blur, boxFilter
from image.cv2.spectra import createHanningWindow, getOptimalDFTSize, mulSpectrums
from image.cv2.statistics import mean, meanStdDev, minMaxLoc, reduce, sumElems
from image.cv2.subpixel_corners import cornerSubPix
from image.cv2.thresholding import adaptiveThreshold, threshold
from image.cv2.tiling import hconcat, repeat, vconcat
from image.cv2.transforms import (
    getAffineTransform,
    getPerspectiveTransform,
    getRotationMatrix2D,
    invertAffineTransform,
)
from image.cv2.warping import warpAffine, warpPerspective

__all__ = [
    "Canny",
    "GaussianBlur",
    "HoughLines",
    "HoughLinesWithAccumulator",
    "HuMoments",
    "LUT",
    "Laplacian",
    "PSNR",
    "Scharr",
    "Sobel",
    "absdiff",
    "accumulate",
    "accumulateProduct",
    "accumulateSquare",
    "accumulateWeighted",
    "adaptiveThreshold",
    "add",
    "addWeighted",
    "applyColorMap",
    "arcLength",
    "arrowedLine",
    "bilateralFilter",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "blendLinear",
    "blur",
    "borderInterpolate",
    "boundingRect",
    "boxFilter",
    "boxPoints",
    "calcBackProject",
    "calcHist",
    "calcOpticalFlowFarneback",
    "calcOpticalFlowPyrLK",
    "cartToPolar",
    "checkRange",
    "circle",
    "clipLine",
    "compare",
    "compareHist",
    "completeSymm",
    "connectedComponents",
    "connectedComponentsWithStats",
    "contourArea",
    "convertMaps",
    "convertPointsFromHomogeneous",
    "convertPointsToHomogeneous",
    "convertScaleAbs",
    "copyMakeBorder",
    "copyTo",
    "cornerEigenValsAndVecs",
    "cornerHarris",
    "cornerMinEigenVal",
    "cornerSubPix",
    "countNonZero",
    "createCLAHE",
    "createHanningWindow",
    "cubeRoot",
    "cvtColor",
    "dct",
    "demosaicing",
    "detailEnhance",
    "determinant",
    "dft",
    "dilate",
    "distanceTransform",
    "distanceTransformWithLabels",
    "divide",
    "drawMarker",
    "edgePreservingFilter",
    "eigen",
    "ellipse",
    "ellipse2Poly",
    "equalizeHist",
    "erode",
    "estimateAffine2D",
    "estimateAffinePartial2D",
    "exp",
    "extractChannel",
    "fastAtan2",
    "fastNlMeansDenoising",
    "fastNlMeansDenoisingColored",
    "fillConvexPoly",
    "fillPoly",
    "filter2D",
    "findHomography",
    "findNonZero",
    "finiteMask",
    "fitLine",
    "flip",
    "floodFill",
    "gemm",
    "getAffineTransform",
    "getDerivKernels",
    "getGaborKernel",
    "getGaussianKernel",
    "getOptimalDFTSize",
    "getPerspectiveTransform",
    "getRectSubPix",
    "getRotationMatrix2D",
    "getStructuringElement",
    "goodFeaturesToTrack",
    "hasNonZero",
    "hconcat",
    "idct",
    "idft",
    "inRange",
    "initUndistortRectifyMap",
    "insertChannel",
    "integral",
    "integral2",
    "integral3",
    "invert",
    "invertAffineTransform",
    "isContourConvex",
    "line",
    "log",
    "magnitude",
    "matchTemplate",
    "max",
    "mean",
    "meanStdDev",
    "medianBlur",
    "merge",
    "min",
    "minMaxLoc",
    "mixChannels",
    "moments",
    "morphologyEx",
    "mulSpectrums",
    "mulTransposed",
    "multiply",
    "norm",
    "normalize",
    "patchNaNs",
    "perspectiveTransform",
    "phase",
    "phaseCorrelate",
    "pointPolygonTest",
    "polarToCart",
    "polylines",
    "pow",
    "preCornerDetect",
    "pyrDown",
    "pyrUp",
    "rectangle",
    "reduce",
    "reduceArgMax",
    "reduceArgMin",
    "remap",
    "repeat",
    "resize",
    "rotate",
    "scaleAdd",
    "sepFilter2D",
    "solve",
    "solveCubic",
    "sort",
    "sortIdx",
    "spatialGradient",
    "split",
    "sqrBoxFilter",
    "sqrt",
    "stackBlur",
    "stylization",
    "subtract",
    "sumElems",
    "threshold",
    "trace",
    "transform",
    "transpose",
    "undistort",
    "vconcat",
    "warpAffine",
    "warpPerspective",
    "warpPolar",
]
__all__ += ["error", *_constants.__all__]  # noqa: F405
__all__.sort()

_from_original, __dir__ = delegate_optional(__name__, "cv2", __all__, "opencv-python-headless")


def __getattr__(name: str) -> object:
    if name == "error":  # cv2.error itself, where OpenCV is installed: loaded when first caught
        return _error_class()
    return _from_original(name)
