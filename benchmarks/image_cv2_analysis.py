"""OpenCV's histograms, labels, matching, distances and transforms, 1080p."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import Topic
from benchmarks.image_cv2 import _both, _frame

topic = Topic("image_cv2_analysis", "OpenCV: measures, features and flow")


def _gray(quick: bool, dtype=np.uint8) -> np.ndarray:
    return _frame(quick, dtype, colour=False)


@topic.pair("equalizeHist, 1080p gray uint8", rtol=1e-9)
def equalize(quick: bool):
    ours, original = _both()
    image = _gray(quick)
    return lambda: ours.equalizeHist(image), lambda: original.equalizeHist(image)


@topic.pair("createCLAHE(2, 8x8).apply, 1080p gray uint8", rtol=0.02)
def clahe(quick: bool):
    ours, original = _both()
    image = _gray(quick)
    a, b = ours.createCLAHE(2.0, (8, 8)), original.createCLAHE(2.0, (8, 8))
    return lambda: a.apply(image), lambda: b.apply(image)


@topic.pair("adaptiveThreshold mean 11, 1080p gray uint8", rtol=1e-9)
def adaptive(quick: bool):
    ours, original = _both()
    image = _gray(quick)
    options = (255, 0, 0, 11, 2)
    return lambda: ours.adaptiveThreshold(image, *options), lambda: original.adaptiveThreshold(image, *options)


@topic.pair("integral, 1080p gray uint8", rtol=1e-9)
def integral(quick: bool):
    ours, original = _both()
    image = _gray(quick)
    return lambda: ours.integral(image), lambda: original.integral(image)


@topic.pair("matchTemplate TM_CCOEFF_NORMED 64x64, 1080p gray uint8", rtol=0.05)
def match(quick: bool):
    ours, original = _both()
    image = _gray(quick)
    side = 16 if quick else 64
    templ, method = image[:side, :side].copy(), original.TM_CCOEFF_NORMED
    return lambda: ours.matchTemplate(image, templ, method), lambda: original.matchTemplate(image, templ, method)


@topic.pair("distanceTransform DIST_L2 precise, 1080p", rtol=1e-5)
def distance(quick: bool):
    ours, original = _both()
    image = (_gray(quick) > 60).astype(np.uint8)
    return lambda: ours.distanceTransform(image, 2, 0), lambda: original.distanceTransform(image, 2, 0)


@topic.pair("connectedComponents of a thresholded 1080p photograph", same=lambda r: r[1], rtol=1e-9)
def components(quick: bool):
    ours, original = _both()
    image = (_gray(quick) > 100).astype(np.uint8)
    return lambda: ours.connectedComponents(image), lambda: original.connectedComponents(image)


@topic.pair("cornerHarris 3, 3, 1080p gray float32", rtol=1e-3)
def harris(quick: bool):
    ours, original = _both()
    image = _gray(quick, np.float32)
    return lambda: ours.cornerHarris(image, 3, 3, 0.04), lambda: original.cornerHarris(image, 3, 3, 0.04)


@topic.pair("dft of 1024x1024 float32 to a whole spectrum", rtol=1e-4)
def fourier(quick: bool):
    ours, original = _both()
    side = 128 if quick else 1024
    image = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
    return lambda: ours.dft(image, flags=16), lambda: original.dft(image, flags=16)


@topic.pair("goodFeaturesToTrack 500 corners 5 apart, 1080p gray uint8", rtol=1e-9)
def good_features(quick: bool):
    ours, original = _both()
    image = _gray(quick)
    return lambda: ours.goodFeaturesToTrack(image, 500, 0.01, 5), lambda: original.goodFeaturesToTrack(
        image, 500, 0.01, 5
    )


@topic.pair("findHomography RANSAC, 1000 points, a quarter of them wrong", same=lambda r: r[1].sum(), rtol=0.05)
def homography(quick: bool):
    ours, original = _both()
    rng = np.random.default_rng(1)
    p = (rng.random((100 if quick else 1000, 2)) * 500).astype(np.float32)
    q = p @ np.array([[1, 0.1], [-0.05, 0.9]]) / (1 + p[:, :1] / 2000) + rng.normal(size=p.shape) * 0.3 + 3
    q = q.astype(np.float32)
    q[: len(p) // 4] = rng.random((len(p) // 4, 2)) * 500
    return lambda: ours.findHomography(p, q, original.RANSAC), lambda: original.findHomography(p, q, original.RANSAC)


def _moved(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.roll(image, (1, 2), (0, 1)))


@topic.pair("calcOpticalFlowFarneback, 3 levels, 1080p gray uint8", same=lambda r: np.median(r), rtol=0.05)
def farneback(quick: bool):
    ours, original = _both()
    image = _gray(quick)
    arguments = (image, _moved(image), None, 0.5, 3, 15, 3, 5, 1.2, 0)
    return lambda: ours.calcOpticalFlowFarneback(*arguments), lambda: original.calcOpticalFlowFarneback(*arguments)


@topic.pair("calcOpticalFlowPyrLK, 500 points, 1080p gray uint8", same=lambda r: r[1].sum(), rtol=0.05)
def lucas_kanade(quick: bool):
    ours, original = _both()
    image = _gray(quick)
    points = original.goodFeaturesToTrack(image, 500, 0.01, 5)
    arguments = (image, _moved(image), points, None)
    return lambda: ours.calcOpticalFlowPyrLK(*arguments), lambda: original.calcOpticalFlowPyrLK(*arguments)


@topic.pair("HoughLines of Canny's edges, 512x512", rtol=1e-9)
def hough(quick: bool):
    from skimage import data

    ours, original = _both()
    edges = original.Canny(data.camera()[:: 8 if quick else 1, :: 8 if quick else 1].copy(), 100, 200)
    least = 10 if quick else 120
    return lambda: ours.HoughLines(edges, 1, np.pi / 180, least), lambda: original.HoughLines(
        edges, 1, np.pi / 180, least
    )


@topic.pair("fillPoly of 200 corners, 1080p gray uint8", rtol=1e-9)
def fill_polygon(quick: bool):
    ours, original = _both()
    image = _gray(quick)
    turns = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    reach = np.array(image.shape[::-1]) * (0.3 + 0.15 * np.cos(9 * turns))[:, None]
    star = (reach * np.stack([np.cos(turns), np.sin(turns)], 1) + np.array(image.shape[::-1]) / 2).astype(np.int32)
    return lambda: ours.fillPoly(image.copy(), [star], 255), lambda: original.fillPoly(image.copy(), [star], 255)


@topic.pair("edgePreservingFilter recursive, 1080p colour uint8", rtol=0.02)
def edge_preserving(quick: bool):
    ours, original = _both()
    image = _frame(quick)
    return lambda: ours.edgePreservingFilter(image), lambda: original.edgePreservingFilter(image)
