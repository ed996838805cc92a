"""Chains of image operations: where fusion pays."""

from __future__ import annotations

import numpy as np

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


def _matrices(count: int) -> np.ndarray:
    """Rotations by up to 20 degrees about the centre, scaled by up to a tenth: from output to input."""
    rng = np.random.default_rng(0)
    angle, scale = rng.uniform(-0.35, 0.35, count), rng.uniform(0.9, 1.1, count)
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.stack([np.stack([c, -s], -1), np.stack([s, c], -1)], -2)
    centre = np.array([127.5, 127.5])
    return np.concatenate([linear, (centre - linear @ centre)[..., None]], -1).astype(np.float32)


@topic.pair(
    "augmentation of 32 images 256x256x3 (affine, colour, blur, normalise), device-resident", ratio=2, same=None
)
def augmentation(quick: bool):
    import jax
    import jax.numpy as jnp

    ours, original = _both()
    rng = np.random.default_rng(0)
    count = 4 if quick else 32
    photo = original.resize(_frame(True), (256, 256))
    batch = np.stack([np.roll(photo, 7 * k, axis=1) for k in range(count)])
    matrices, gain = _matrices(count), rng.uniform(0.8, 1.2, (count, 3)).astype(np.float32)
    mean, deviation = np.float32([0.48, 0.45, 0.4]), np.float32([0.23, 0.22, 0.22])
    flags = original.INTER_LINEAR | original.WARP_INVERSE_MAP

    def one(cv2, image, matrix, factor):
        moved = cv2.warpAffine(image, matrix, (256, 256), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
        return (cv2.GaussianBlur(moved * factor, (5, 5), 1.0) - mean) / deviation

    compiled = jax.jit(jax.vmap(lambda x, m, f: one(ours, x.astype(jnp.float32) / 255, m, f)))
    device = jax.device_put((batch, matrices, gain))

    def plain():
        scaled = [np.float32(x) / 255 for x in batch]
        return np.stack([one(original, x, m, f) for x, m, f in zip(scaled, matrices, gain, strict=True)])

    return lambda: compiled(*device), plain
