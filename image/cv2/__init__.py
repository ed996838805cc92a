"""OpenCV's names, constants and semantics, computed by JAX where native.

OpenCV itself is imported only for names that are not native, and for its exception class `error`.
"""

from image._delegate import delegate_optional
from image.cv2 import constants as _constants
from image.cv2._support import error_class as _error_class
from image.cv2.arithmetic import (
    absdiff,
    add,
    addWeighted,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    convertScaleAbs,
    inRange,
    subtract,
)
from image.cv2.arrangement import LUT, copyMakeBorder, flip, rotate, transpose
from image.cv2.colour import cvtColor
from image.cv2.constants import *  # noqa: F403
from image.cv2.derivatives import Scharr, Sobel, magnitude
from image.cv2.geometry import resize
from image.cv2.morphology import dilate, erode, getStructuringElement, medianBlur, morphologyEx
from image.cv2.smoothing import GaussianBlur, blur, boxFilter
from image.cv2.thresholding import threshold

__all__ = [
    "GaussianBlur",
    "LUT",
    "Scharr",
    "Sobel",
    "absdiff",
    "add",
    "addWeighted",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "blur",
    "boxFilter",
    "convertScaleAbs",
    "copyMakeBorder",
    "cvtColor",
    "dilate",
    "erode",
    "flip",
    "getStructuringElement",
    "inRange",
    "magnitude",
    "medianBlur",
    "morphologyEx",
    "resize",
    "rotate",
    "subtract",
    "threshold",
    "transpose",
]
__all__ += ["error", *_constants.__all__]  # noqa: F405
__all__.sort()

_from_original, __dir__ = delegate_optional(__name__, "cv2", __all__, "opencv-python-headless")


def __getattr__(name: str) -> object:
    if name == "error":  # cv2.error itself, where OpenCV is installed: loaded when first caught
        return _error_class()
    return _from_original(name)
