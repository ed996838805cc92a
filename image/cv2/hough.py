"""Straight lines by votes: `HoughLines`, `HoughLinesWithAccumulator`.

Reference: R. O. Duda, P. E. Hart, "Use of the Hough transformation to detect lines and curves in pictures", Comm. ACM
15(1), 1972. Cells, rounding and the order of the lines are OpenCV's.
"""

import inspect

import numpy as np
from jax import lax
from jax import numpy as jnp

from image.cv2._support import fail, image_argument
from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from sci.ndimage._kernels.packing import flag_positions

__all__ = ["HoughLines", "HoughLinesWithAccumulator"]

_BLOCK = 1024
_FIRST_CAPACITY = 4096


def _tables(theta, least, most, rho):
    """Cosine and sine of every angle over `rho`, the angles summed up in single precision as OpenCV's."""
    count = int(np.floor((most - least) / theta)) + 1
    if count > 1 and abs(np.pi - (count - 1) * theta) < theta / 2:
        count -= 1  # pi is zero again
    angles = np.add.accumulate(np.r_[np.float32(least), np.full(count - 1, theta, np.float32)], dtype=np.float32)
    scale = float(np.float32(1) / np.float32(rho))
    return tuple((f(angles.astype(float)) * scale).astype(np.float32) for f in (np.cos, np.sin))


def _prepare(function):
    def prepare(call):
        image = image_argument(call, function, "image", empty=True)
        if np.dtype(image.dtype) != np.uint8 or (image.ndim == 3 and image.shape[2] != 1):
            fail(function, f"img.type() == CV_8UC1 does not hold: image is {image.dtype} {image.shape}")
        if image.ndim == 1:
            raise HostRoute(Reason.SHAPE, "image has one dimension")
        if call["srn"] or call["stn"]:
            raise HostRoute(Reason.OPTION, "srn, stn: the multi-scale transform")
        names = ("rho", "theta", "min_theta", "max_theta")
        if any(is_jax(call[n]) for n in names):
            fail(function, f"{', '.join(names)} decide the shape of the votes: give numbers, not JAX arrays")
        rho, theta, least, most = (float(call[n]) for n in names)
        if not (rho > 0 and theta > 0):
            fail(function, f"rho={rho} and theta={theta} must be positive")
        if not most >= least:
            fail(function, f"max_theta must be greater than min_theta: max_theta={most}, min_theta={least}")
        call["image"] = image = image.reshape(image.shape[:2])
        call["cells"] = int(np.rint((2 * sum(image.shape) + 1) / float(np.float32(rho))))
        call["cosines"], call["sines"] = _tables(theta, least, most, rho)
        call["rho"] = np.float32(rho)
        steps = np.arange(len(call["cosines"]), dtype=np.float32)
        call["turns"] = np.float32(least) + steps * np.float32(theta)
        call["weighted"] = bool(call["use_edgeval"])
        size = call["size"]
        if size is not None and (isinstance(size, bool) or int(size) <= 0):
            raise ValueError(f"size must be a positive integer, not {size!r}")
        everything = call["cells"] * len(call["cosines"]) // 2 + 1  # no two neighbours are both maxima
        if call.numpy:
            marked = int(np.count_nonzero(image))
            call["room"] = 1 << max(marked - 1, _BLOCK - 1).bit_length()
            call["capacity"] = min(_FIRST_CAPACITY, everything)
        else:
            call["room"] = -(-image.size // _BLOCK) * _BLOCK
            call["capacity"] = everything if size is None else int(size)

    return prepare


def _drive(call, run):
    lines, count = run()
    if count > call["capacity"]:
        lines, count = run(capacity=1 << int(count - 1).bit_length())
    return np.ascontiguousarray(_shaped(lines[: int(count)])) if count else None


def _shaped(lines):
    """Lines with their votes have no axis in the middle."""
    return lines[:, None] if lines.shape[1] == 2 else lines


def _finish_jax(call, result):
    return _shaped(result[0]), result[1]


def _votes(image, cosines, sines, cells, room, weighted):
    """Number of marked samples (or sum of their values) for each angle and distance."""
    width = image.shape[1]
    places, count = flag_positions(image != 0, room)
    angles = jnp.arange(cosines.shape[0], dtype=np.int32) * cells + (cells - 1) // 2

    wide = jnp.result_type(float)

    def product(a, b):
        # rounded by itself: a product fused with the sum falls into another cell now and then
        return (a.astype(wide)[:, None] * b.astype(wide)).astype(np.float32).astype(wide)

    def block(k, votes):
        at = lax.dynamic_slice(places, [k * _BLOCK], [_BLOCK])
        valid = k * _BLOCK + jnp.arange(_BLOCK) < count
        row, column = at // width, at % width
        distance = (product(column, cosines) + product(row, sines)).astype(np.float32)
        cell = jnp.round(distance).astype(np.int32) + angles
        each = jnp.where(valid, image[row, column].astype(np.int32) if weighted else 1, 0)
        return votes.at[cell.ravel()].add(jnp.broadcast_to(each[:, None], cell.shape).ravel(), mode="promise_in_bounds")

    votes = jnp.zeros(cosines.shape[0] * cells, np.int32)
    votes = lax.fori_loop(0, (jnp.minimum(count, room) + _BLOCK - 1) // _BLOCK, block, votes)
    return votes.reshape(-1, cells)


def _lines(image, cosines, sines, threshold, rho, turns, cells, room, weighted, capacity):
    votes = _votes(image, cosines, sines, cells, room, weighted)
    around = jnp.pad(votes, 1)
    best = (votes > threshold) & (votes > around[1:-1, :-2]) & (votes >= around[1:-1, 2:])
    best = best & (votes > around[:-2, 1:-1]) & (votes >= around[2:, 1:-1])
    places, count = flag_positions(best, capacity)
    valid = jnp.arange(capacity) < count
    order = (jnp.where(valid, -votes.ravel()[places], np.iinfo(np.int32).max), places)
    falls, places = lax.sort(order, num_keys=2)
    angle, cell = places // cells, places % cells
    distance = (cell.astype(np.float32) - np.float32((cells - 1) // 2)) * rho.astype(np.float32)
    found = jnp.stack([distance, turns[angle], -falls.astype(np.float32)], axis=1)
    return jnp.where(valid[:, None], found, 0), count


def _signature(
    image, rho, theta, threshold, lines=None, srn=0, stn=0, min_theta=0, max_theta=np.pi, use_edgeval=False, *,
    size=None,
):  # fmt: skip
    """OpenCV's signature, which Python cannot read from its C function."""


def _cross():
    x = np.zeros((12, 14), np.uint8)
    x[5], x[:, 3] = 255, 7
    return x


def _facts(function):
    return {
        "static": ("cells", "room", "weighted", "capacity"),
        "ignored": ("lines",),
        "dtypes": "keep",
        "signature": inspect.signature(_signature).replace(
            parameters=[p for p in inspect.signature(_signature).parameters.values() if p.name != "size"]
        ),
        "extras": {"size": None},
        "prepare": _prepare(function),
        "drive": _drive,
        "finish_jax": _finish_jax,
        "grad": False,
        "note": "srn or stn (the multi-scale transform), one-dimensional and empty arrays",
    }


_ODD = ("one axis more", "0-d")


@implements(
    "cv2.HoughLines",
    **_facts("HoughLines"),
    examples=lambda: [Example((_cross(), 1, np.pi / 12, 5), vmap=("image",), jit=False, rtol=0, atol=0, skip_odd=_ODD)],
)
def HoughLines(image, cosines, sines, threshold, rho, turns, cells, room, weighted, capacity):
    """Straight lines through what is not zero, the one with the most votes first. OpenCV's lines and order.

    Parameters
    ----------
    image : uint8 array (h, w)
    rho : float
        Width of a cell of the distance, in pixels.
    theta : float
        Step of the angle, in radians.
    threshold : int
        A line needs more votes than this; data, not compiled in.
    lines : ignored
    srn, stn : 0
    min_theta, max_theta : float
    use_edgeval : bool
        Samples vote with their values.
    size : int, optional
        Ours, JAX world: capacity of the result, enough for any image by default.

    Returns
    -------
    float32 array (n, 1, 2)
        Signed distance from the corner and angle of the normal; None where there is no line. In the JAX world
        ``(lines, count)``, those behind `count` being zero; a count above `size` says that lines are missing;
        without double precision a vote falls into the neighbouring cell now and then.

    Raises
    ------
    cv2.error
        Images that are not uint8 of one channel, steps that are not positive, an empty range of angles.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> image = np.zeros((9, 9), np.uint8)
    >>> image[:, 3] = 1
    >>> cv2.HoughLines(image, 1, np.pi / 2, 5)
    array([[[3., 0.]]], dtype=float32)
    """
    found, count = _lines(
        image, cosines, sines, threshold, rho, turns, cells, room, weighted, capacity
    )  # fmt: skip
    return found[:, :2], count


@implements(
    "cv2.HoughLinesWithAccumulator",
    **_facts("HoughLinesWithAccumulator"),
    examples=lambda: [Example((_cross(), 1, np.pi / 12, 5), jit=False, rtol=0, atol=0, skip_odd=_ODD)],
)
def HoughLinesWithAccumulator(
    image, cosines, sines, threshold, rho, turns, cells, room, weighted, capacity
):  # fmt: skip
    """`HoughLines` with the number of votes of each line.

    Returns
    -------
    float32 array (n, 3)
        Distance, angle and votes.

    Examples
    --------
    >>> import numpy as np
    >>> from image import cv2
    >>> image = np.zeros((9, 9), np.uint8)
    >>> image[:, 3] = 1
    >>> cv2.HoughLinesWithAccumulator(image, 1, np.pi / 2, 5)
    array([[3., 0., 9.]], dtype=float32)
    """
    return _lines(image, cosines, sines, threshold, rho, turns, cells, room, weighted, capacity)
