"""`image.cv2`: warps, maps, polar coordinates and lenses, against OpenCV."""

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from skimage import data  # noqa: E402

from image import cv2 as ours  # noqa: E402
from tests.image.against_cv2 import both, both_raise  # noqa: E402

PHOTO = np.ascontiguousarray(data.astronaut()[40:120:2, 150:250:2])
FLOAT = (PHOTO / 255).astype(np.float32)
AFFINE = np.array([[0.91, 0.23, 3.3], [-0.152, 1.13, -2.71]])
PERSPECTIVE = np.vstack([AFFINE, [0.0011, -0.00052, 1]])
Y, X = np.mgrid[:30, :33].astype(np.float32)
MAP_X = (X * 1.6 - 3 + 2 * np.sin(Y / 3)).astype(np.float32)
MAP_Y = (Y * 1.4 - 2 + 2 * np.cos(X / 4)).astype(np.float32)
POINTS = np.array([[1, 2], [8, 3], [9, 10], [2, 7.5]], np.float32)
OTHERS = np.array([[0, 1], [9, 1.5], [8, 12], [3, 9]], np.float32)
CAMERA = np.array([[45.0, 0, 24], [0, 43, 19], [0, 0, 1]])
LENS = np.array([0.2, -0.1, 0.003, -0.004, 0.02])


@pytest.mark.parametrize(
    ("flags", "dtype"),
    [
        (cv2.INTER_NEAREST, np.uint8),
        (cv2.INTER_LINEAR, np.uint8),
        (cv2.INTER_LINEAR, np.uint16),
        (cv2.INTER_LINEAR, np.int16),
        (cv2.INTER_LINEAR, np.float32),
        (cv2.INTER_CUBIC, np.uint8),
        (cv2.INTER_CUBIC, np.float32),
        (cv2.INTER_LANCZOS4, np.uint8),
    ],
)
def test_warps(flags, dtype):
    image = FLOAT if dtype == np.float32 else PHOTO.astype(dtype)
    # coordinates half between pixels may fall either way
    atol, share = (1e-4, 0.995) if dtype == np.float32 else (1, 0.995)
    both("warpAffine", image, AFFINE, (44, 38), flags=flags, atol=atol, share=share)
    both("warpPerspective", image, PERSPECTIVE, (44, 38), flags=flags, atol=atol, share=share)
    both("remap", image, MAP_X, MAP_Y, flags, atol=atol, share=share)


@pytest.mark.parametrize("border", [0, 1, 2, 3, 4])
def test_borders(border):
    options = {"borderMode": border, "borderValue": (10, 20.6, 300)}
    both("warpAffine", PHOTO, AFFINE, (60, 50), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, atol=1, **options)
    both("remap", PHOTO, MAP_X, MAP_Y, cv2.INTER_CUBIC, atol=1, share=0.999, **options)


def test_float64_images_take_opencvs_grid():
    both("warpAffine", FLOAT.astype(float), AFFINE, (44, 38), atol=1e-6)
    both("remap", FLOAT.astype(float), MAP_X, MAP_Y, cv2.INTER_LINEAR, atol=1e-6)


def test_kinds_of_maps():
    whole, fraction = cv2.convertMaps(MAP_X, MAP_Y, cv2.CV_16SC2)
    both("remap", PHOTO, np.dstack([MAP_X, MAP_Y]), None, cv2.INTER_LINEAR, atol=1)
    both("remap", PHOTO, whole, fraction, cv2.INTER_LINEAR, atol=1)
    both("remap", PHOTO, whole, fraction, cv2.INTER_NEAREST)
    both("remap", PHOTO, whole, None, cv2.INTER_NEAREST)
    both("remap", PHOTO, MAP_X - X, MAP_Y - Y, cv2.INTER_LINEAR | cv2.WARP_RELATIVE_MAP, atol=1)
    both("convertMaps", MAP_X, MAP_Y, cv2.CV_16SC2)
    both("convertMaps", whole, fraction, cv2.CV_32FC1)


def test_transforms_from_points():
    both("getRotationMatrix2D", (3.3, 4), 33.0, 1.2, rtol=1e-12)
    both("getAffineTransform", POINTS[:3], OTHERS[:3], rtol=1e-9, atol=1e-9)
    both("getPerspectiveTransform", POINTS, OTHERS, rtol=1e-7, atol=1e-7)
    both("invertAffineTransform", AFFINE, rtol=1e-12)
    both("invertAffineTransform", np.ones((2, 3)))


@pytest.mark.parametrize("flags", [cv2.INTER_LINEAR, cv2.INTER_CUBIC | cv2.WARP_POLAR_LOG])
def test_polar(flags):
    flags |= cv2.WARP_FILL_OUTLIERS
    both("warpPolar", PHOTO, (20, 30), (24.3, 19.7), 18.0, flags, atol=1, share=0.999)
    both("warpPolar", PHOTO, (0, 0), (24.3, 19.7), 18.0, flags, atol=1, share=0.999)
    both("warpPolar", PHOTO, (50, 40), (25, 20), 22.0, flags | cv2.WARP_INVERSE_MAP, atol=1, share=0.999)


def test_patches():
    for centre in ((20.3, 15.7), (1.3, 0.7), (49, 39)):
        both("getRectSubPix", PHOTO, (9, 8), centre, atol=1)
        both("getRectSubPix", PHOTO, (9, 8), centre, patchType=cv2.CV_32F, atol=1e-3)
        both("getRectSubPix", FLOAT, (4, 5), centre, atol=1e-5)


def test_lenses():
    more = np.r_[LENS, 0.01, 0.02, 0.03, 0.001, 0.002, 0.003, 0.004]
    turn = np.eye(3)
    turn[:2, :2] = cv2.getRotationMatrix2D((0, 0), 3, 1)[:, :2]
    both("initUndistortRectifyMap", CAMERA, LENS, turn, CAMERA, (50, 40), cv2.CV_32FC1, rtol=1e-5, atol=1e-5)
    both("initUndistortRectifyMap", CAMERA, more, None, None, (50, 40), cv2.CV_16SC2, atol=1)
    both("undistort", PHOTO, CAMERA, LENS, atol=1, share=0.999)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("warpAffine", (PHOTO, AFFINE[:1], (5, 5))),
        ("warpAffine", (PHOTO, AFFINE, (5, 5), None, cv2.INTER_LINEAR_EXACT)),
        ("warpAffine", (np.zeros((0, 4), np.uint8), AFFINE, (5, 5))),
        ("warpPerspective", (PHOTO, AFFINE, (5, 5))),
        ("remap", (PHOTO, MAP_X, MAP_Y[:5], cv2.INTER_LINEAR)),
        ("remap", (PHOTO, MAP_X.astype(float), MAP_Y.astype(float), cv2.INTER_LINEAR)),
        ("getAffineTransform", (POINTS, OTHERS)),
        ("getPerspectiveTransform", (POINTS[:3], OTHERS[:3])),
        ("invertAffineTransform", (np.eye(3),)),
        ("getRectSubPix", (PHOTO.astype(np.int16), (3, 3), (5, 5))),
    ],
)
def test_bad_input(name, args):
    both_raise(name, *args)


def test_registration_by_gradient():
    """A shift is found by descending through `warpAffine`."""
    y, x = np.mgrid[:40, :50]
    moving = np.exp(-((x - 24) ** 2 + (y - 19) ** 2) / 60).astype(np.float32)
    true = np.array([[1, 0, 1.7], [0, 1, -2.2]])
    fixed = jnp.asarray(cv2.warpAffine(moving, true, (50, 40)))

    @jax.jit
    def step(shift):
        def loss(s):
            m = jnp.eye(2, 3).at[:, 2].set(s)
            return ((ours.warpAffine(jnp.asarray(moving), m, (50, 40)) - fixed) ** 2).sum()

        return shift - 0.1 * jax.grad(loss)(shift)

    shift = jnp.zeros(2)
    for _ in range(60):
        shift = step(shift)
    np.testing.assert_allclose(shift, true[:, 2], atol=0.02)


def test_map_gradient_and_nan():
    image = jnp.asarray(FLOAT[..., 0])
    slope = jax.grad(lambda mx: ours.remap(image, mx, jnp.asarray(MAP_Y), cv2.INTER_LINEAR).sum())(jnp.asarray(MAP_X))
    assert np.isfinite(slope).all()
    broken = MAP_X.copy()
    broken[0, 0] = np.nan
    assert ours.remap(FLOAT, broken, MAP_Y, cv2.INTER_LINEAR, borderValue=7.0)[0, 0].tolist() == [7.0, 0.0, 0.0]
