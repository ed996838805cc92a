"""`distanceTransform` and `distanceTransformWithLabels`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import fail, image_argument, into_dst
from sci.bridge import Example, HostRoute, Reason, implements
from sci.ndimage._kernels.chamfer import chamfer
from sci.ndimage._kernels.components import label_components
from sci.ndimage._kernels.distances import EUCLIDEAN, distance_transform

# Costs of a step, a diagonal step and a knight's move (Borgefors for the Euclidean ones).
_COSTS = {
    (c.DIST_L1, 3): (1.0, 2.0, 3.0),
    (c.DIST_C, 3): (1.0, 1.0, 2.0),
    (c.DIST_L2, 3): (0.955, 1.3693, 0.0),
    (c.DIST_L1, 5): (1.0, 2.0, 3.0),
    (c.DIST_C, 5): (1.0, 1.0, 2.0),
    (c.DIST_L2, 5): (1.0, 1.4, 2.1969),
}
_LONGEST = 7000  # rows and columns together, for the fixed point of the labelled transform


def _prepare(function):
    def prepare(call):
        src = image_argument(call, function, empty=True)
        if np.dtype(src.dtype) != np.uint8 or (src.ndim == 3 and src.shape[2] != 1):
            fail(function, f"src must be uint8 with one channel, not {src.dtype} {src.shape}")
        if src.ndim == 1:
            raise HostRoute(Reason.SHAPE, "src has one dimension")
        metric, size = int(call["distanceType"]), int(call["maskSize"])
        labelled = function == "distanceTransformWithLabels"
        if size not in (c.DIST_MASK_PRECISE, c.DIST_MASK_3, c.DIST_MASK_5):
            fail(function, f"maskSize={size}: give DIST_MASK_3, DIST_MASK_5 or DIST_MASK_PRECISE (0)")
        if metric not in (c.DIST_L1, c.DIST_L2, c.DIST_C):
            fail(function, f"distanceType={metric}: give DIST_L1, DIST_L2 or DIST_C")
        if labelled:
            size = 5  # OpenCV labels with the larger mask always
            if sum(src.shape[:2]) > _LONGEST:
                raise HostRoute(Reason.SHAPE, f"labels of an image of shape {src.shape}")
            if int(call["labelType"]) not in (c.DIST_LABEL_CCOMP, c.DIST_LABEL_PIXEL):
                fail(function, f"labelType={call['labelType']}: give DIST_LABEL_CCOMP or DIST_LABEL_PIXEL")
            call["pixels"] = int(call["labelType"]) == c.DIST_LABEL_PIXEL
        elif metric != c.DIST_L2:
            size = 3
        call["metric"], call["size"] = metric, size
        call["bytes"] = not labelled and metric == c.DIST_L1 and int(call["dstType"]) == c.CV_8U

    return prepare


def _signature(src, distanceType, maskSize, dst=None, dstType=5):
    """OpenCV's signature, which Python cannot read from its C function."""


def _signature_labels(src, distanceType, maskSize, dst=None, labels=None, labelType=0):
    """OpenCV's signature."""


def _shape():
    image = np.ones((9, 12), np.uint8)
    image[2, 3] = image[7, 9] = image[7, 10] = 0
    return image


def _plane(src):
    return (src if src.ndim == 2 else src[..., 0]) != 0


@implements(
    "cv2.distanceTransform",
    static=("metric", "size", "bytes"),
    dtypes="keep",
    signature=inspect.signature(_signature),
    prepare=_prepare("distanceTransform"),
    finish=into_dst,
    grad=False,
    note="one-dimensional arrays",
    examples=lambda: [
        Example((_shape(), c.DIST_L2, c.DIST_MASK_5), rtol=1e-6),
        Example((_shape(), c.DIST_L2, c.DIST_MASK_PRECISE), vmap=("src",), rtol=1e-6),
    ],
)
def distanceTransform(src, metric, size, bytes):
    """Distance of every pixel to the nearest zero pixel.

    Parameters
    ----------
    src : uint8 array (h, w)
    distanceType : int
        DIST_L1, DIST_L2, DIST_C.
    maskSize : int
        For DIST_L2: DIST_MASK_PRECISE (exact), DIST_MASK_3 or DIST_MASK_5 (chamfer distances, Borgefors' costs).
    dstType : int
        CV_8U with DIST_L1: saturated uint8; float32 otherwise.

    Returns
    -------
    float32 or uint8 array (h, w)
        Huge where there is no zero pixel at all: OpenCV's own values, which differ between its builds.

    Raises
    ------
    cv2.error
        Images that are not uint8 with one channel, unknown distances and masks.

    References
    ----------
    `sci/ndimage/_kernels/distances.py` and `chamfer.py`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.distanceTransform(np.array([[1, 1, 0, 1]], np.uint8), cv2.DIST_L2, 0)
    array([[2., 1., 0., 1.]], dtype=float32)
    """
    foreground = _plane(src)
    if size == c.DIST_MASK_PRECISE:
        square, _ = distance_transform(foreground, None, EUCLIDEAN, (0, 1))
        wide = jnp.where(foreground.all(), np.float32(2.0**128 * (1 - 2.0**-24)), square.astype(np.float32))
        return jnp.sqrt(wide)
    exact = metric != c.DIST_L2
    costs = np.array(_COSTS[metric, size], np.int32 if exact else jnp.result_type(float))
    distance, _ = chamfer(foreground, costs, size)
    if bytes:
        return jnp.minimum(distance, 255).astype(np.uint8)
    return jnp.where(foreground.all(), np.finfo(np.float32).max, distance.astype(np.float32))


def _finish_labels(call, result):
    return into_dst(call, result[0]), into_dst(call, result[1], "labels")


@implements(
    "cv2.distanceTransformWithLabels",
    static=("metric", "size", "pixels"),
    dtypes="keep",
    signature=inspect.signature(_signature_labels),
    prepare=_prepare("distanceTransformWithLabels"),
    finish=_finish_labels,
    grad=False,
    note="one-dimensional arrays, images of more than 7000 rows and columns together",
    examples=lambda: [Example((_shape(), c.DIST_L2, c.DIST_MASK_5), rtol=1e-6)],
)
def distanceTransformWithLabels(src, metric, size, pixels):
    """Distance of every pixel to the nearest zero pixel, and which one that is; always with the 5 x 5 mask.

    Parameters
    ----------
    labelType : int
        DIST_LABEL_CCOMP numbers the connected components of the zero pixels, DIST_LABEL_PIXEL the pixels.

    Returns
    -------
    dst : float32 array (h, w)
    labels : int32 array (h, w), 0 where there is no zero pixel at all

    Raises
    ------
    cv2.error
        As `distanceTransform`; unknown label types.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.distanceTransformWithLabels(np.array([[0, 1, 1, 0]], np.uint8), cv2.DIST_L1, 5)[1]
    array([[1, 1, 2, 2]], dtype=int32)
    """
    foreground = _plane(src)
    if pixels:
        flat = ~foreground.ravel()
        names = jnp.where(flat, jnp.cumsum(flat.astype(np.int32)), 0).reshape(foreground.shape)
    else:
        names, _ = label_components(~foreground, np.ones((3, 3), bool))
    costs = np.rint(np.array(_COSTS[metric, size]) * 65536).astype(np.int32)
    distance, labels = chamfer(foreground, costs, size, names)
    far = np.float32((2.0**32 - 1 - costs[2]) / 65536)
    result = distance.astype(np.float32) * np.float32(1 / 65536)
    return jnp.where(foreground.all(), far, result), labels
