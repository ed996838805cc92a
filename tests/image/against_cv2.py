"""A call of `image.cv2` held against OpenCV itself: natively, dtype, shape and values."""

from __future__ import annotations

import cv2
import numpy as np

import sci
from image import cv2 as ours


def _leaves(value):
    return list(value) if isinstance(value, (tuple, list)) else [value]


def both(name, *args, atol=0.0, rtol=0.0, share=1.0, **kwargs):
    """Assert that `name` runs natively and agrees with OpenCV on `share` of the samples."""
    sci.clear_fallbacks()
    copies = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
    result, expected = getattr(ours, name)(*args, **kwargs), getattr(cv2, name)(*copies, **kwargs)
    assert not sci.fallbacks()
    results, oracles = _leaves(result), _leaves(expected)
    assert len(results) == len(oracles)
    for got, wanted in zip(results, oracles, strict=True):
        got, wanted = np.asarray(got), np.asarray(wanted)
        assert got.dtype == wanted.dtype
        assert got.shape == wanted.shape
        close = np.isclose(got.astype(float), wanted.astype(float), rtol=rtol, atol=atol, equal_nan=True)
        assert close.mean() >= share, f"{name}: {1 - close.mean():.2%} of the samples differ"
    return result


def both_raise(name, *args, **kwargs):
    """Assert that OpenCV and we raise `cv2.error`; ours names something."""
    for module in (cv2, ours):
        try:
            getattr(module, name)(*args, **kwargs)
        except cv2.error as error:
            assert str(error)
        else:
            raise AssertionError(f"{module.__name__}.{name} did not raise")
