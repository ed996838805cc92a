"""Chains of image operations: where fusion pays."""

from __future__ import annotations

from benchmarks.harness import Topic
from benchmarks.image_cv2 import _both, _frame

topic = Topic("image_pipelines", "Image pipelines")


def _edges(cv2, photo):
    """Gray, blur, both Sobels, magnitude, threshold: the same lines for both libraries."""
    gray = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)
    smooth = cv2.GaussianBlur(gray, (5, 5), 0)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    # no whole number has this root: rounding cannot move a pixel over the threshold
    return cv2.threshold(cv2.magnitude(across, down), 60.0042, 255.0, cv2.THRESH_BINARY)[1]


def _compiled(quick: bool):
    """Our pipeline, OpenCV's chain, the photograph."""
    import image

    ours, original = _both()
    return image.pipeline(lambda x: _edges(ours, x)), lambda x: _edges(original, x), _frame(quick)


@topic.pair("edges of a 1080p photograph (uint8), device-resident", ratio=3, rtol=1e-6)
def edges_resident(quick: bool):
    import jax

    edges, plain, photo = _compiled(quick)
    on_device = jax.device_put(photo)
    return lambda: edges(on_device), lambda: plain(photo)


@topic.pair("edges of a 1080p photograph (uint8), NumPy in and out", ratio=2.5, rtol=1e-6)
def edges_numpy(quick: bool):
    edges, plain, photo = _compiled(quick)
    return lambda: edges(photo), lambda: plain(photo)
