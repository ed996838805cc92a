"""Connected components: `connectedComponents`, `connectedComponentsWithStats`."""

import inspect

import numpy as np
from jax import numpy as jnp

from image.cv2 import constants as c
from image.cv2._support import fail, image_argument, into_dst
from sci.bridge import Example, HostRoute, Reason, implements
from sci.ndimage._kernels.components import label_components
from sci.ndimage._kernels.groups import group_count, group_extreme, group_sum

_TYPES = {c.CV_32S: np.dtype(np.int32), c.CV_16U: np.dtype(np.uint16)}
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
_FIRST_CAPACITY = 1024
_CRASH = ("empty",)  # of an empty image OpenCV dies


def _prepare(function):
    def prepare(call):
        image = image_argument(call, function, "image")
        if np.dtype(image.dtype) not in (np.uint8, np.int8, np.bool_) or (image.ndim == 3 and image.shape[2] != 1):
            fail(function, f"image must be uint8 or int8 with one channel, not {image.dtype} {image.shape}")
        if image.ndim == 1:
            raise HostRoute(Reason.SHAPE, "image has one dimension")
        if int(call["connectivity"]) not in (4, 8):
            fail(function, f"connectivity == 8 || connectivity == 4 does not hold: connectivity={call['connectivity']}")
        if int(call["ltype"]) not in _TYPES:
            fail(function, f"the type of labels must be 16u or 32s: ltype={call['ltype']}, give CV_32S or CV_16U")
        call["eight"], call["dtype"] = int(call["connectivity"]) == 8, _TYPES[int(call["ltype"])]
        if "size" in call:
            size = call["size"]
            if size is None and not call.numpy:
                fail(function, "size is None: with JAX arrays the number of rows of the statistics must be given")
            call["size"] = _FIRST_CAPACITY if size is None else int(size)

    return prepare


def _numbered(image, eight):
    """Labels in OpenCV's order: of the first pixels for 4 neighbours, of the first 2 x 2 blocks for 8."""
    x = (image if image.ndim == 2 else image[..., 0]) != 0
    labels, count = label_components(x, np.ones((3, 3), bool) if eight else _CROSS)
    if not eight:
        return labels, count
    height, width = x.shape
    across, down = (width + 1) // 2, (height + 1) // 2
    # a block's pixels all belong to one component: its label is the largest in it
    blocks = jnp.pad(labels, [(0, -height % 2), (0, -width % 2)]).reshape(down, 2, across, 2).max(axis=(1, 3)).ravel()
    most = blocks.shape[0] + 1
    place = jnp.arange(most - 1, dtype=np.int32)
    first = jnp.full(most, most - 1, np.int32).at[blocks].min(place).at[0].set(most - 1)
    begins = first[blocks] == place
    order = jnp.zeros(most, np.int32).at[jnp.where(begins, blocks, most)].set(
        jnp.cumsum(begins.astype(np.int32)), mode="drop"
    )  # fmt: skip
    return order[labels], count


def _too_many(call, count, function):
    if call["dtype"] == np.uint16 and count > 65535:
        fail(function, f"ltype=CV_16U holds 65535 labels, the image has {count}")


def _signature(image, labels=None, connectivity=8, ltype=4):
    """OpenCV's signature, which Python cannot read from its C function."""


def _signature_stats(image, labels=None, stats=None, centroids=None, connectivity=8, ltype=4, *, size=None):
    """OpenCV's signature."""


def _finish(call, result):
    labels, count = result
    _too_many(call, int(count), "connectedComponents")
    return int(count) + 1, into_dst(call, labels, "labels")


def _blobs():
    return (np.random.default_rng(38).random((9, 11)) > 0.6).astype(np.uint8)


@implements(
    "cv2.connectedComponents",
    static=("eight", "dtype"),
    dtypes="keep",
    signature=inspect.signature(_signature),
    prepare=_prepare("connectedComponents"),
    finish=_finish,
    finish_jax=lambda call, result: (result[1] + 1, result[0]),
    grad=False,
    note="one-dimensional arrays",
    examples=lambda: [
        Example((_blobs(),), vmap=("image",), skip_odd=_CRASH, rtol=0, atol=0),
        Example((_blobs(),), {"connectivity": 4, "ltype": c.CV_16U}, skip_odd=_CRASH, rtol=0, atol=0),
    ],
)
def connectedComponents(image, eight, dtype):
    """Number the connected areas of what is not zero, in OpenCV's order.

    Parameters
    ----------
    image : uint8 or int8 array (h, w)
    connectivity : int
        8 or 4.
    ltype : int
        CV_32S or CV_16U.

    Returns
    -------
    retval : int
        Number of labels, with the background's 0.
    labels : int32 or uint16 array (h, w)

    Raises
    ------
    cv2.error
        Other depths, several channels, empty images, other connectivities and label types.

    References
    ----------
    `sci/ndimage/_kernels/components.py`.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.connectedComponents(np.array([[1, 0, 1, 1]], np.uint8))
    (3, array([[1, 0, 2, 2]], dtype=int32))
    """
    labels, count = _numbered(image, eight)
    return labels.astype(dtype), count


def _drive(call, run):
    labels, count, stats, centroids = run()
    n = int(count) + 1
    _too_many(call, n - 1, "connectedComponentsWithStats")
    if n > stats.shape[0]:
        _, _, stats, centroids = run(size=1 << n.bit_length())
    labels = into_dst(call, labels, "labels")
    stats, centroids = np.ascontiguousarray(stats[:n]), np.ascontiguousarray(centroids[:n])
    return n, labels, into_dst(call, stats, "stats"), into_dst(call, centroids, "centroids")


@implements(
    "cv2.connectedComponentsWithStats",
    static=("eight", "dtype", "size"),
    dtypes="keep",
    signature=inspect.signature(_signature_stats).replace(
        parameters=[p for p in inspect.signature(_signature_stats).parameters.values() if p.name != "size"]
    ),
    extras={"size": None},
    prepare=_prepare("connectedComponentsWithStats"),
    drive=_drive,
    finish_jax=lambda call, result: (result[1] + 1, result[0], *result[2:]),
    grad=False,
    note="one-dimensional arrays",
    examples=lambda: [Example((_blobs(),), skip_odd=_CRASH, rtol=1e-12)],
)
def connectedComponentsWithStats(image, eight, dtype, size):
    """`connectedComponents` with the bounding box, the area and the centre of each component.

    Parameters
    ----------
    size : int
        Ours. Rows of `stats` and `centroids`, needed in the JAX world; more labels than rows (see `retval`) are
        left out. In the NumPy world there are as many rows as labels.

    Returns
    -------
    retval : int
    labels : int32 or uint16 array (h, w)
    stats : int32 array (labels, 5)
        Left, top, width, height, area (CC_STAT_LEFT ... CC_STAT_AREA).
    centroids : float64 array (labels, 2)
        x and y; NaN for a background without pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> cv2.connectedComponentsWithStats(np.array([[1, 0, 1, 1]], np.uint8))[2]
    array([[1, 0, 1, 1, 1],
           [0, 0, 1, 1, 1],
           [2, 0, 2, 1, 2]], dtype=int32)
    """
    labels, count = _numbered(image, eight)
    height, width = labels.shape
    flat = labels.ravel()
    wide = jnp.result_type(float)
    area = group_count(flat, size)
    sides, centres = [], []
    for place in (jnp.arange(width)[None], jnp.arange(height)[:, None]):
        at = jnp.broadcast_to(place, labels.shape).ravel().astype(np.int32)
        low, high = group_extreme(at, flat, size, True), group_extreme(at, flat, size, False)
        sides.append((low, high - low + 1))
        centres.append(group_sum(at.astype(wide), flat, size) / area)
    (left, broad), (top, tall) = sides
    stats = jnp.stack([left, top, broad, tall, area], axis=-1).astype(np.int32)
    # OpenCV's values for a background without pixels
    none = np.array([-1, np.iinfo(np.int32).max, 0, 0, 0], np.int32)
    stats = stats.at[0].set(jnp.where(area[0] == 0, none, stats[0]))
    return labels.astype(dtype), count, stats, jnp.stack(centres, axis=-1)
