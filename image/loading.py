"""Decoding image files, one at a time (`load`) and as a stream of batches on the device (`prefetch`)."""

from __future__ import annotations

import io
import itertools
import os
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Batch", "load", "prefetch"]

_COLORS = ("rgb", "bgr", "gray", "unchanged")
#: Pillow's own threshold of suspicion: a quarter of a gigabyte as RGB.
_MAX_PIXELS = 89_478_485
_EIGHT_BITS = frozenset({"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"})


@dataclass(frozen=True)
class Batch:
    """Images of one bucket, on the device.

    Attributes
    ----------
    images : jax.Array, shape (batch_size, height, width[, channels])
        Each image in the upper left corner, zeros elsewhere. Rows from `count` on are empty.
    sizes : ndarray of int32, shape (batch_size, 2)
        Height and width of each image; 0 in empty rows.
    indices : ndarray of int64, shape (batch_size,)
        Position of each image in the source; -1 in empty rows.
    count : int
        How many rows hold an image.
    """

    images: Any
    sizes: np.ndarray
    indices: np.ndarray
    count: int


def load(source: Any, color: str = "rgb", max_pixels: int = _MAX_PIXELS) -> np.ndarray:
    """Decode one image.

    Parameters
    ----------
    source : path, bytes, file object or ndarray
        What Pillow reads: JPEG, PNG, TIFF, WebP, ... Of animations the first frame. An array is returned as it is.
    color : {'rgb', 'bgr', 'gray', 'unchanged'}
        Order of the channels; ``'gray'`` drops that axis, ``'unchanged'`` keeps channels and depth of the file.
        The orientation stored by cameras (EXIF) is applied.
    max_pixels : int
        Larger images are refused before they are decoded: a small file can hold an enormous image.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3) or (height, width)
        With ``'unchanged'`` any dtype and number of channels.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be decoded, is too large, or has more than 8 bits a channel (unless ``'unchanged'``).

    Examples
    --------
    >>> import io, numpy as np, image
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.fromarray(np.full((4, 6, 3), 200, np.uint8)).save(file, "PNG")
    >>> image.load(file.getvalue()).shape
    (4, 6, 3)
    """
    _check_color(color)
    if isinstance(source, np.ndarray):
        return source
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("image.load decodes with Pillow: pip install 'scijax[image]'", name="PIL") from error

    name = _name(source)
    file = io.BytesIO(source) if isinstance(source, (bytes, bytearray, memoryview)) else source
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # `max_pixels` decides
            opened = Image.open(file)
        with opened:
            width, height = opened.size
            if width * height > max_pixels:
                raise ValueError(f"{name} has {width} x {height} pixels; max_pixels allows {max_pixels}")
            if color == "unchanged":
                return np.array(ImageOps.exif_transpose(opened))
            if opened.mode not in _EIGHT_BITS:
                raise ValueError(f"{name} has pixels of mode {opened.mode!r}, not 8 bits; color='unchanged' keeps them")
            pixels = np.array(ImageOps.exif_transpose(opened).convert("L" if color == "gray" else "RGB"))
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, EOFError) as error:
        raise ValueError(f"{name} cannot be decoded: {error}") from error
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(f"{name} cannot be decoded: {error}") from error
    return np.ascontiguousarray(pixels[..., ::-1]) if color == "bgr" else pixels


def prefetch(
    sources: Iterable[Any],
    batch_size: int,
    *,
    color: str = "rgb",
    bucket: int | Iterable[tuple[int, int]] = 64,
    workers: int | None = None,
    buffer: int = 2,
    key: str | None = None,
    on_error: str = "raise",
    max_pixels: int = _MAX_PIXELS,
    device: Any = None,
    progress: bool = False,
) -> Iterator[Batch]:
    """Batches of images on the device, decoded in threads ahead of their use.

    Images are collected by size into buckets, so that a compiled function meets few shapes; they stay uint8 until
    your function converts them. While you compute on one batch, the next ones are decoded and copied.

    Parameters
    ----------
    sources : iterable
        Paths, bytes, file objects or arrays: a list, a generator, a Grain data set or sampler. Consumed lazily.
    batch_size : int
        Images a batch. The last batch of each bucket may hold fewer (`Batch.count`); its shape is the same.
    color : {'rgb', 'bgr', 'gray'}
        See `load`.
    bucket : int or iterable of (height, width)
        Sizes are rounded up to multiples of the integer, or to the smallest of the given sizes that holds the image.
    workers : int, optional
        Decoding threads; the number of processors by default.
    buffer : int
        Batches that wait on the device; 2 is double buffering.
    key : str, optional
        Entry that holds the image, for sources that yield dictionaries.
    on_error : {'raise', 'skip'}
        What a file that cannot be decoded does; ``'skip'`` warns and leaves it out.
    max_pixels : int
        See `load`.
    device : jax.Device or jax.sharding.Sharding, optional
        Where batches go; JAX's default device by default.
    progress : bool
        Show a bar (tqdm) that counts images.

    Yields
    ------
    Batch

    Raises
    ------
    ValueError
        For options that are not allowed, files that cannot be decoded, images larger than every given bucket, and
        arrays that are not uint8 of the channels that `color` means. A file's error comes when its turn comes.

    Examples
    --------
    >>> import numpy as np, image
    >>> photographs = (np.full((30 + k, 40, 3), k, np.uint8) for k in range(5))
    >>> for batch in image.prefetch(photographs, batch_size=4):
    ...     print(batch.images.shape, batch.count)
    (4, 64, 64, 3) 4
    (4, 64, 64, 3) 1
    """
    _check_color(color)
    if color == "unchanged":
        raise ValueError("prefetch: color is 'unchanged'; allowed are 'rgb', 'bgr' and 'gray', of one shape each")
    if on_error not in ("raise", "skip"):
        raise ValueError(f"prefetch: on_error is {on_error!r}; allowed are 'raise' and 'skip'")
    for name, number in (("batch_size", batch_size), ("buffer", buffer), ("workers", workers or 1)):
        if not isinstance(number, int) or number < 1:
            raise ValueError(f"prefetch: {name} is {number!r}; allowed are integers from 1")
    sizes = _bucket_sizes(bucket)
    # a generator function would check nothing before its first item is asked for
    return _stream(sources, batch_size, color, sizes, workers, buffer, key, on_error, max_pixels, device, progress)


# --- parts ---------------------------------------------------------------------------------------


def _check_color(color: str) -> None:
    if color not in _COLORS:
        raise ValueError(f"color is {color!r}; allowed are {', '.join(map(repr, _COLORS))}")


def _name(source: Any) -> str:
    if isinstance(source, (str, os.PathLike)):
        return repr(os.fspath(source))
    return "the image" if isinstance(source, (bytes, bytearray, memoryview)) else repr(getattr(source, "name", source))


def _bucket_sizes(bucket: Any) -> int | list[tuple[int, int]]:
    if isinstance(bucket, int) and not isinstance(bucket, bool):
        if bucket < 1:
            raise ValueError(f"prefetch: bucket is {bucket}; allowed are integers from 1, or sizes")
        return bucket
    sizes = [(int(h), int(w)) for h, w in bucket]
    if not sizes or min(map(min, sizes)) < 1:
        raise ValueError(f"prefetch: bucket is {sizes}; allowed are sizes (height, width) from (1, 1)")
    return sorted(sizes, key=lambda s: s[0] * s[1])


def _bucket_of(shape: tuple[int, ...], sizes: int | list[tuple[int, int]], index: int) -> tuple[int, int]:
    height, width = shape[:2]
    if isinstance(sizes, int):
        return -(-height // sizes) * sizes, -(-width // sizes) * sizes
    for size in sizes:
        if height <= size[0] and width <= size[1]:
            return size
    raise ValueError(f"prefetch: image {index} has size {(height, width)}, larger than every bucket: {sizes}")


def _decoded(item: Any, index: int, color: str, key: str | None, max_pixels: int) -> np.ndarray:
    if key is not None:
        if not isinstance(item, Mapping) or key not in item:
            raise ValueError(f"prefetch: item {index} has no entry {key!r}")
        item = item[key]
    pixels = load(item, color, max_pixels)
    if pixels.dtype != np.uint8 or pixels.shape[2:] != (() if color == "gray" else (3,)) or pixels.ndim < 2:
        expected = "(height, width)" if color == "gray" else "(height, width, 3)"
        raise ValueError(
            f"prefetch: image {index} is {pixels.dtype} of shape {pixels.shape}; allowed is uint8 of shape {expected}"
        )
    return pixels


class _Bucket:
    """A batch being filled."""

    def __init__(self, batch_size: int, size: tuple[int, int], channels: tuple[int, ...]) -> None:
        self.images = np.zeros((batch_size, *size, *channels), np.uint8)
        self.sizes = np.zeros((batch_size, 2), np.int32)
        self.indices = np.full(batch_size, -1, np.int64)
        self.count = 0

    def add(self, pixels: np.ndarray, index: int) -> bool:
        """Place an image; whether the batch is full now."""
        height, width = pixels.shape[:2]
        self.images[self.count, :height, :width] = pixels
        self.sizes[self.count], self.indices[self.count] = (height, width), index
        self.count += 1
        return self.count == len(self.images)

    def on_device(self, device: Any) -> Batch:
        import jax

        # the copy is asynchronous; nothing writes into the array any more
        return Batch(jax.device_put(self.images, device), self.sizes, self.indices, self.count)


def _stream(
    sources: Any, batch_size: int, color: str, sizes: Any, workers: int | None, buffer: int, key: str | None,
    on_error: str, max_pixels: int, device: Any, progress: bool,
) -> Iterator[Batch]:  # fmt: skip
    threads = workers or os.cpu_count() or 1
    channels = () if color == "gray" else (3,)
    filling: dict[tuple[int, int], _Bucket] = {}
    ready: deque[Batch] = deque()
    bar = _bar(sources) if progress else None
    pool = ThreadPoolExecutor(threads, thread_name_prefix="sci-image")
    try:
        for index, future in _ahead(pool, sources, color, key, max_pixels, threads + batch_size * buffer):
            try:
                pixels = future.result()
            except (ValueError, OSError) as error:
                if on_error == "raise":
                    raise
                warnings.warn(f"image {index} was skipped: {error}", RuntimeWarning, stacklevel=3)
                continue
            finally:
                if bar is not None:
                    bar.update()
            size = _bucket_of(pixels.shape, sizes, index)
            batch = filling.setdefault(size, _Bucket(batch_size, size, channels))
            if batch.add(pixels, index):
                ready.append(filling.pop(size).on_device(device))
            while len(ready) >= buffer:
                yield ready.popleft()
        ready.extend(batch.on_device(device) for batch in filling.values())
        while ready:
            yield ready.popleft()
    finally:  # also when the consumer stops early
        pool.shutdown(wait=False, cancel_futures=True)
        if bar is not None:
            bar.close()


def _ahead(
    pool: ThreadPoolExecutor, sources: Any, color: str, key: str | None, max_pixels: int, depth: int
) -> Iterator[tuple[int, Future[np.ndarray]]]:
    """Futures in the order of the source, at most `depth` of them in flight."""
    items = enumerate(_items(sources))
    flight: deque[tuple[int, Future[np.ndarray]]] = deque()
    for index, item in itertools.islice(items, depth):
        flight.append((index, pool.submit(_decoded, item, index, color, key, max_pixels)))
    while flight:
        yield flight.popleft()
        for index, item in itertools.islice(items, 1):
            flight.append((index, pool.submit(_decoded, item, index, color, key, max_pixels)))


def _items(sources: Any) -> Iterator[Any]:
    if hasattr(sources, "__iter__"):
        return iter(sources)
    if hasattr(sources, "__getitem__") and hasattr(sources, "__len__"):  # Grain's random access sources
        return (sources[i] for i in range(len(sources)))
    raise TypeError(f"prefetch: sources is {type(sources).__name__}; allowed are iterables and random access sources")


def _bar(sources: Any) -> Any:
    from tqdm.auto import tqdm

    return tqdm(total=len(sources) if hasattr(sources, "__len__") else None, unit="image")
