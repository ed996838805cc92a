"""`image.load` and `image.prefetch` on real files, and what is refused."""

from __future__ import annotations

import io

import jax
import numpy as np
import pytest
from PIL import Image
from skimage import data

import image


def encoded(pixels, kind="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def photograph():
    return np.ascontiguousarray(data.astronaut()[:90, :120])


def test_load_colors(photograph, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encoded(photograph))
    np.testing.assert_array_equal(image.load(path), photograph)
    np.testing.assert_array_equal(image.load(str(path), "bgr"), photograph[..., ::-1])
    gray = image.load(path, "gray")
    assert gray.shape == (90, 120) and gray.dtype == np.uint8
    with path.open("rb") as file:
        np.testing.assert_array_equal(image.load(file), photograph)
    cv2 = pytest.importorskip("cv2")
    np.testing.assert_array_equal(image.load(path, "bgr"), cv2.imread(str(path)))


def test_orientation_is_applied(photograph):
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 270 degrees
    rotated = image.load(encoded(photograph, "PNG", exif=exif))
    np.testing.assert_array_equal(rotated, np.rot90(photograph, 3))


def test_deep_images_are_kept_or_refused():
    deep = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    np.testing.assert_array_equal(image.load(encoded(deep), "unchanged"), deep)
    with pytest.raises(ValueError, match="not 8 bits"):
        image.load(encoded(deep))


@pytest.mark.parametrize(
    ("source", "options", "error", "message"),
    [
        (b"nothing", {}, ValueError, "cannot be decoded"),
        (encoded(np.zeros((64, 64), np.uint8))[:60], {}, ValueError, "cannot be decoded"),
        (encoded(np.zeros((64, 64), np.uint8)), {"max_pixels": 4095}, ValueError, "max_pixels allows 4095"),
        ("/no/such/file.png", {}, FileNotFoundError, "file.png"),
        (b"", {"color": "hsv"}, ValueError, "color is 'hsv'"),
    ],
)
def test_refused(source, options, error, message):
    with pytest.raises(error, match=message):
        image.load(source, **options)


def test_bomb_is_refused_before_it_is_decoded():
    bomb = encoded(np.zeros((1, 1), np.uint8))
    width = bomb.index(b"IHDR") + 4
    import struct
    import zlib

    header = struct.pack(">II", 60_000, 60_000) + bomb[width + 8 : width + 13]
    bomb = bomb[:width] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + bomb[width + 17 :]
    with pytest.raises(ValueError, match="max_pixels|cannot be decoded"):
        image.load(bomb)


def test_prefetch_keeps_every_image_in_place(tmp_path, photograph):
    rng = np.random.default_rng(0)
    originals = [photograph[: rng.integers(20, 90), : rng.integers(20, 120)] for _ in range(23)]
    paths = []
    for i, pixels in enumerate(originals):
        paths.append(tmp_path / f"{i}.png")
        paths[-1].write_bytes(encoded(pixels))
    seen = []
    for batch in image.prefetch((p for p in paths), 4, bucket=32, workers=3):
        assert isinstance(batch.images, jax.Array) and batch.images.dtype == np.uint8
        assert batch.images.shape[0] == 4 and batch.images.shape[1] % 32 == batch.images.shape[2] % 32 == 0
        assert (batch.indices[batch.count :] == -1).all() and not np.asarray(batch.images)[batch.count :].any()
        for pixels, (h, w), index in zip(np.asarray(batch.images), batch.sizes, batch.indices):
            if index >= 0:
                np.testing.assert_array_equal(pixels[:h, :w], originals[index])
                assert not pixels[h:].any() and not pixels[:, w:].any()
                seen.append(index)
    assert sorted(seen) == list(range(23))


def test_given_buckets_and_dictionaries():
    items = [{"image": np.full((n, 10), n, np.uint8), "label": n} for n in (5, 20, 9)]
    batches = list(image.prefetch(items, 2, color="gray", key="image", bucket=[(32, 32), (10, 16)]))
    assert [b.images.shape for b in batches] == [(2, 10, 16), (2, 32, 32)]
    assert [b.indices.tolist() for b in batches] == [[0, 2], [1, -1]]
    with pytest.raises(ValueError, match=r"image 1 has size \(20, 10\)"):
        list(image.prefetch(items, 2, color="gray", key="image", bucket=[(10, 16)]))
    with pytest.raises(ValueError, match="no entry 'picture'"):
        list(image.prefetch(items, 2, color="gray", key="picture"))


def test_random_access_sources():
    class Source:  # as Grain's
        def __len__(self):
            return 3

        def __getitem__(self, i):
            if i >= 3:
                raise IndexError
            return np.full((4, 4, 3), i, np.uint8)

    (batch,) = image.prefetch(Source(), 3, bucket=4)
    assert np.asarray(batch.images)[:, 0, 0, 0].tolist() == [0, 1, 2]


def test_errors_come_in_turn_or_are_skipped(photograph):
    good = encoded(photograph)
    with pytest.raises(ValueError, match="cannot be decoded"):
        list(image.prefetch([good, b"bad", good], 2))
    with pytest.warns(RuntimeWarning, match="image 1 was skipped"):
        (batch,) = image.prefetch([good, b"bad", good], 2, on_error="skip")
    assert batch.indices.tolist() == [0, 2]
    with pytest.raises(ValueError, match="allowed is uint8"):
        list(image.prefetch([np.zeros((3, 3, 3))], 1))


@pytest.mark.parametrize(
    "options",
    [{"batch_size": 0}, {"buffer": 0}, {"workers": -1}, {"on_error": "hide"}, {"bucket": 0}, {"bucket": []},
     {"color": "unchanged"}, {"color": "x"}],
)  # fmt: skip
def test_options_are_checked_at_once(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        image.prefetch([], **{"batch_size": 1, **options})


def test_sources_are_consumed_lazily_and_stopping_early_is_clean():
    taken = []

    def endless():
        n = 0
        while True:
            taken.append(n)
            yield np.zeros((8, 8, 3), np.uint8)
            n += 1

    stream = image.prefetch(endless(), 2, bucket=8, workers=1)
    next(stream)
    stream.close()
    assert len(taken) < 20


def test_progress_bar(capsys):
    list(image.prefetch([np.zeros((8, 8, 3), np.uint8)] * 3, 2, bucket=8, progress=True))
    assert "3/3" in capsys.readouterr().err
