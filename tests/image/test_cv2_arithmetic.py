"""`image.cv2`: arithmetic, logic, channels, statistics, matrices, against OpenCV."""

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

from image import cv2 as ours  # noqa: E402
from tests.image.against_cv2 import both, both_raise  # noqa: E402

RNG = np.random.default_rng(3)
A, B = RNG.integers(0, 256, (2, 17, 19, 3), dtype=np.uint8)
MASK = RNG.integers(0, 2, (17, 19), dtype=np.uint8)
GRAY = np.ascontiguousarray(A[..., 0])
IMAGES = {
    "uint8": (A, B),
    "int8": ((A.astype(int) - 128).astype(np.int8), (B.astype(int) - 128).astype(np.int8)),
    "uint16": (A.astype(np.uint16) * 200, B.astype(np.uint16) * 150),
    "int16": (A.astype(np.int16) * 120 - 15000, B.astype(np.int16) * 100 - 12000),
    "int32": (A.astype(np.int32) * 4000000, B.astype(np.int32) * -4000000),
    "float32": (A.astype(np.float32) * np.float32(0.37), B.astype(np.float32) * np.float32(0.37)),
    "float64": (A * 0.37, B * 0.37),
}


@pytest.mark.parametrize("kind", ["uint8", "int8", "uint16", "int32", "float32"])
def test_pairs(kind):
    a, b = IMAGES[kind]
    exact = {} if kind not in ("float32", "float64") else {"rtol": 1e-6, "atol": 1e-5}
    near = exact or {"atol": 1}
    for name in ("add", "subtract", "absdiff", "min", "max"):
        both(name, a, b, **exact)
    for name, args in (("bitwise_and", (a, b)), ("bitwise_xor", (a, b)), ("bitwise_not", (a,))):
        assert getattr(ours, name)(*args).tobytes() == getattr(cv2, name)(*args).tobytes()
    both("compare", a, b, cv2.CMP_GT)
    both("divide", a, b, **near)
    both("addWeighted", a, 0.3, b, 0.6, 2.2, **near)
    both("scaleAdd", a, 0.3, b, **near)
    if kind not in ("uint16", "int32"):  # OpenCV overflows where we saturate
        both("multiply", a, b, scale=0.7, **near)


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_scalars(kind):
    a, _ = IMAGES[kind]
    near = {"rtol": 1e-6, "atol": 1e-5} if kind.startswith("float") else {"atol": 1}
    for name in ("add", "subtract", "multiply", "divide"):
        both(name, a, 3, **near)
        both(name, (1.5, 2, 3), a, **near)
    both("min", a, 30)
    both("max", a, (10.5, 3, 100))
    both("compare", a, 30.5, cv2.CMP_GE)
    both("compare", 30, a, cv2.CMP_LT)


def test_masks_and_depths():
    target = np.full_like(A, 9)
    both("add", A, B, mask=MASK)
    both("add", A, B, target.copy(), MASK)
    result = ours.add(A, B, target, MASK)
    assert result is target
    assert (target[MASK == 0] == 9).all()
    both("subtract", A, B, dtype=cv2.CV_16S)
    both("add", A, A.astype(np.float32), dtype=cv2.CV_64F)
    both("divide", A, B, dtype=cv2.CV_32F, rtol=1e-6)
    both("bitwise_and", A, (3, 7, 9), None, MASK)
    both("bitwise_not", A, mask=MASK)
    both("divide", GRAY, 0)


def test_division_of_floats_by_zero():
    with np.errstate(all="ignore"):
        both("divide", np.array([[1.0, 0.0, -1.0]]), np.zeros((1, 3)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_elementary_functions_and_polar_vectors(dtype):
    x, y = RNG.standard_normal((2, 20, 30)).astype(dtype)
    rtol = 1e-5 if dtype == np.float32 else 1e-7
    for name in ("exp", "log", "sqrt"):
        both(name, np.abs(x) + 0.01, rtol=rtol, atol=1e-6)
    for power in (2, -1, 0.5):
        both("pow", np.abs(x) + dtype(0.01), power, rtol=rtol)
    for degrees in (dtype == np.float32,):
        both("phase", x, y, angleInDegrees=degrees, atol=1e-4)
        both("cartToPolar", x, y, angleInDegrees=degrees, rtol=1e-6, atol=1e-4)
        both("polarToCart", np.abs(x), y, angleInDegrees=degrees, atol=1e-5)


def test_powers_of_integers():
    both("pow", GRAY, 3)
    both_raise("log", GRAY)
    for name, args in (("sqrt", (GRAY,)), ("pow", (GRAY, 0.5))):  # OpenCV 5.0.0 corrupts memory here
        with pytest.raises(cv2.error):
            getattr(ours, name)(*args)


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_statistics(kind):
    a, b = IMAGES[kind]
    plane = np.ascontiguousarray(a[..., 0])
    for name in ("mean", "sumElems", "meanStdDev"):
        both(name, a, rtol=1e-6, atol=1e-6)
    both("mean", a, MASK, rtol=1e-6)
    both("meanStdDev", a, mask=MASK, rtol=1e-6)
    both("minMaxLoc", plane)
    both("minMaxLoc", plane, MASK)
    both("countNonZero", plane)
    for norm in (cv2.NORM_INF, cv2.NORM_L1, cv2.NORM_L2, cv2.NORM_L2SQR):
        both("norm", a, norm, rtol=1e-6)
        both("norm", a, b, norm, MASK, rtol=1e-6)
        both("norm", a, b, norm | cv2.NORM_RELATIVE, rtol=1e-6)
    both("PSNR", a, b, rtol=1e-6)
    for norm in (cv2.NORM_INF, cv2.NORM_L1, cv2.NORM_L2, cv2.NORM_MINMAX):
        both("normalize", a, None, 7.0, 100.0, norm, atol=1e-4 if kind.startswith("float") else 1)
    both("normalize", plane, None, 3, 50, cv2.NORM_MINMAX, -1, MASK, atol=1e-4 if kind.startswith("float") else 1)


def test_reductions():
    for image in (A, A / 7.0):
        for dim in (0, 1):
            for kind in (cv2.REDUCE_AVG, cv2.REDUCE_MAX, cv2.REDUCE_MIN):
                both("reduce", image, dim, kind, rtol=1e-5)
            both("reduce", image, dim, cv2.REDUCE_SUM, dtype=cv2.CV_64F, rtol=1e-6)
            both("reduce", image, dim, cv2.REDUCE_SUM2, dtype=cv2.CV_64F, rtol=1e-6)
    both("reduce", A, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)


def test_counts():
    both("findNonZero", MASK)
    both("hasNonZero", MASK * 0)
    both("minMaxLoc", GRAY, MASK * 0)
    assert ours.findNonZero(MASK * 0) is None
    points, count = ours.findNonZero(jnp.asarray(MASK), size=5)
    assert points.shape == (5, 2)
    assert int(count) == np.count_nonzero(MASK)
    np.testing.assert_array_equal(points, cv2.findNonZero(MASK)[:5])
    both("norm", GRAY, cv2.NORM_HAMMING)
    both("norm", GRAY, GRAY[::-1].copy(), cv2.NORM_HAMMING2)


@pytest.mark.parametrize("kind", ["uint8", "int32"])
def test_channels_and_tiles(kind):
    a, _ = IMAGES[kind]
    plane = np.ascontiguousarray(a[..., 1])
    both("merge", [plane, a])
    both("split", a)
    both("extractChannel", a, 2)
    target = a.copy()
    assert ours.insertChannel(plane, target, 0) is target
    np.testing.assert_array_equal(target[..., 0], plane)
    both("hconcat", [a, a[:, :3]])
    both("vconcat", [plane, plane[:3]])
    both("repeat", a, 2, 3)


def test_mix_channels():
    plane, pair = np.full(GRAY.shape, 9, np.uint8), np.full((*GRAY.shape, 2), 9, np.uint8)
    theirs = plane.copy(), pair.copy()
    result = ours.mixChannels([A], [plane, pair], [0, 0, 2, 1, -1, 2])
    cv2.mixChannels([A], list(theirs), [0, 0, 2, 1, -1, 2])
    assert result[0] is plane
    for mine, other in zip((plane, pair), theirs, strict=True):
        np.testing.assert_array_equal(mine, other)
    both_raise("mixChannels", [A], [plane], [5, 0])


def test_matrices():
    a, b, c = RNG.standard_normal((3, 4, 4))
    for flags in range(8):
        both("gemm", a, b, 1.5, c, 0.3, None, flags, rtol=1e-12, atol=1e-12)
    both("invert", a, rtol=1e-9)
    both("invert", a * 0)
    both("solve", a, b, rtol=1e-9)
    both("determinant", a, rtol=1e-12)
    assert ours.solve(a * 0, b)[0] is False
    mix = RNG.standard_normal((2, 4)) * 0.4
    both("transform", A, mix, atol=1)
    both("transform", A / 3.0, mix[:, :3], rtol=1e-12)
    points = RNG.random((9, 1, 2)).astype(np.float32)
    both("perspectiveTransform", points, np.eye(3) + 0.1 * RNG.standard_normal((3, 3)), rtol=1e-5)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "mask"])
def test_accumulation_in_place(mask):
    for name, sources in (("accumulate", (A,)), ("accumulateSquare", (A,)), ("accumulateProduct", (A, B))):
        mine, theirs = np.full(A.shape, 0.5), np.full(A.shape, 0.5)
        assert getattr(ours, name)(*sources, mine, mask) is mine
        np.testing.assert_allclose(mine, getattr(cv2, name)(*sources, theirs, mask), rtol=1e-12)
    mine, theirs = np.full(A.shape, 0.5, np.float32), np.full(A.shape, 0.5, np.float32)
    ours.accumulateWeighted(A, mine, 0.3, mask)
    np.testing.assert_allclose(mine, cv2.accumulateWeighted(A, theirs, 0.3, mask), rtol=1e-5)


def test_blend():
    w1, w2 = RNG.random((2, 17, 19)).astype(np.float32)
    both("blendLinear", A, B, w1, w2, atol=1)
    both("blendLinear", A.astype(np.float32), B.astype(np.float32), w1, w2, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("add", (A, GRAY)),
        ("add", (A, A.astype(np.float32))),
        ("add", (A, B, None, MASK.astype(np.float32))),
        ("add", (A, B, None, MASK[:5])),
        ("compare", (A, B, 9)),
        ("min", (A, A.astype(np.float32))),
        ("mean", (A, MASK[:3])),
        ("minMaxLoc", (A,)),
        ("countNonZero", (A,)),
        ("norm", (GRAY, GRAY[:5])),
        ("normalize", (GRAY, None, 3, 5, 64)),
        ("reduce", (GRAY, 0, 9)),
        ("reduce", (GRAY, 0, cv2.REDUCE_SUM)),
        ("merge", ([GRAY, GRAY.astype(np.float32)],)),
        ("hconcat", ([GRAY, A],)),
        ("extractChannel", (A, 3)),
        ("repeat", (A, 0, 1)),
        ("gemm", (np.eye(3), np.eye(2), 1, None, 0)),
        ("invert", (np.ones((2, 3)),)),
        ("transform", (A, np.ones((2, 5)))),
        ("accumulate", (A, A)),
        ("blendLinear", (A, B, MASK, MASK)),
    ],
)
def test_bad_input(name, args):
    both_raise(name, *args)


def test_a_chain_under_jit_and_vmap():
    def chain(x):
        return ours.addWeighted(ours.multiply(x, x, scale=1 / 255), 0.5, ours.max(x, (10, 10, 10)), 0.5, 1.0)

    batch = jnp.asarray(np.stack([A, B]))
    got = jax.jit(jax.vmap(chain))(batch)
    for k, image in enumerate((A, B)):
        product = cv2.multiply(image, image, scale=1 / 255)
        expected = cv2.addWeighted(product, 0.5, cv2.max(image, (10, 10, 10)), 0.5, 1.0)
        assert np.abs(np.asarray(got[k], int) - expected).max() <= 1
