"""A chain of image operations as one compiled function (`pipeline`)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from sci.bridge import to_jax
from sci.bridge.cache import LRU
from sci.bridge.worlds import double_precision, is_jax, writable

__all__ = ["pipeline"]


class Pipeline:
    """See `pipeline`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._compiled = LRU(64)

    def __call__(self, *images: Any) -> Any:
        if any(is_jax(image) for image in images):
            return self._run(images)
        arrays = [np.asarray(image) for image in images]
        if refused := [a.dtype for a in arrays if a.dtype.kind not in "biufc"]:
            raise TypeError(f"{self.__name__}: an image has dtype {refused[0]}; allowed are numbers")  # type: ignore[attr-defined]
        with double_precision():  # float64 stays what it is; bytes and float32 are computed in single precision
            leaves, tree = jax.tree_util.tree_flatten(self._run(arrays))
            return jax.tree_util.tree_unflatten(tree, writable(leaves, arrays))

    def _run(self, images: Any) -> Any:
        traced = to_jax(self._function, *images)
        # a `jax.jit` for each traced version and precision, as in the bridge
        key = (jax.tree_util.tree_structure(traced), jax.config.jax_enable_x64)  # type: ignore[attr-defined]
        compiled = self._compiled.get_or_make(key, lambda: jax.jit(lambda chain, *values: chain(*values)))
        return compiled(traced, *images)

    def __repr__(self) -> str:
        return f"<pipeline {self.__name__}>"  # type: ignore[attr-defined]


def pipeline(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a chain of image operations into one fused function.

    Parameters
    ----------
    function : callable
        Takes images (arrays) and returns an array, or a tuple, list or dictionary of arrays. It is written with
        `image.cv2`, `image.filters`, `sci.ndimage` and NumPy or `jax.numpy` arithmetic, on one image; plain Python
        values (kernel sizes, thresholds) are read from its surroundings, at each call.

    Returns
    -------
    callable
        With the same arguments. NumPy arrays in, writable NumPy arrays out; JAX arrays in, JAX arrays out, under
        ``jit``, ``vmap`` (a batch of images along a leading axis) and ``grad`` too. Dtypes are those that the
        operations give one by one.

    Raises
    ------
    sci.TraceError
        When called, if the function cannot be compiled (it shows a window, writes a file, calls the original OpenCV);
        with file, line and reason. Nothing runs on the original library here.
    TypeError
        If `function` is not callable, or an image is not an array of numbers.

    Notes
    -----
    One operation writes each intermediate image to memory, a chain need not: gray, blur, two Sobels, magnitude and
    threshold of a 1080p photograph is several times faster as a pipeline. Each new shape or dtype compiles once;
    `image.prefetch` brings a folder of photographs into few shapes.

    Examples
    --------
    >>> import numpy as np
    >>> import image
    >>> from image import cv2
    >>> @image.pipeline
    ... def edges(photo):
    ...     gray = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)
    ...     smooth = cv2.GaussianBlur(gray, (5, 5), 0)
    ...     return np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    >>> edges(np.zeros((8, 8, 3), np.uint8)).dtype
    dtype('float32')
    """
    if not callable(function):
        raise TypeError(f"pipeline: function must be callable, got {type(function).__name__}")
    return Pipeline(function)
