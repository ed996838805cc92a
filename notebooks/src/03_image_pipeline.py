# ruff: noqa: E402, I001, B018
# %% [markdown]
# # Image pipelines: OpenCV's names, one compiled function
#
# `image.cv2` has OpenCV's functions, arguments and rounding, `sci.ndimage` SciPy's. On NumPy arrays they return what
# the originals return. Given JAX arrays they become part of your `jax.jit`: a chain of filters is one program, takes a
# whole batch through `vmap`, and has derivatives, which is how a filter can be learned and two photographs registered.
#
# Every number below was computed when the notebook was built (`python -m notebooks.build`).

# %%
import os
import tempfile
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from skimage import data

import image
from image import cv2
from sci import ndimage, optimize

SMALL = bool(os.environ.get("SCI_NOTEBOOK_SMALL"))  # the tests run this notebook at reduced sizes
plt.rcParams.update({"figure.dpi": 72, "figure.figsize": (8, 3.2), "image.cmap": "gray"})


def show(**pictures):
    figure, axes = plt.subplots(1, len(pictures), layout="constrained")
    for axis, (title, picture) in zip(np.atleast_1d(axes), pictures.items()):
        axis.imshow(np.asarray(picture))
        axis.set_title(title.replace("_", " "))
        axis.axis("off")
    plt.show()


def milliseconds(function, repeats=15):
    jax.block_until_ready(function())
    seconds = []
    for _ in range(3 if SMALL else repeats):
        start = time.perf_counter()
        jax.block_until_ready(function())
        seconds.append(time.perf_counter() - start)
    return 1e3 * np.median(seconds)


# %% [markdown]
# ## A photograph, as with OpenCV
#
# `image.load` decodes (Pillow), applies the camera's orientation and refuses decompression bombs.

# %%
folder = Path(tempfile.mkdtemp())
for name in ("astronaut", "coffee", "chelsea", "rocket"):
    plt.imsave(folder / f"{name}.png", getattr(data, name)())

photograph = image.load(folder / "astronaut.png", color="bgr")
gray = cv2.cvtColor(photograph, cv2.COLOR_BGR2GRAY)
blurred = cv2.GaussianBlur(gray, (0, 0), 1.4)
gx = cv2.Sobel(blurred, cv2.CV_32F, 1, 0)
gy = cv2.Sobel(blurred, cv2.CV_32F, 0, 1)
level, edges = cv2.threshold(cv2.magnitude(gx, gy), 60.5, 255, cv2.THRESH_BINARY)
print(type(gray).__name__, gray.dtype, gray.shape, "edges on", f"{(edges > 0).mean():.1%} of the pixels")
show(photograph=photograph[..., ::-1], blurred=blurred, edges=edges)

# %% [markdown]
# ## The same chain as one function
#
# Under `jax.jit` the five calls above are one program without intermediate images in memory.


# %%
def edge_map(picture):
    gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    blurred = cv2.GaussianBlur(gray, (0, 0), 1.4)
    gx = cv2.Sobel(blurred, cv2.CV_32F, 1, 0)
    gy = cv2.Sobel(blurred, cv2.CV_32F, 0, 1)
    return cv2.threshold(cv2.magnitude(gx, gy), 60.5, 255, cv2.THRESH_BINARY)[1]


fused = jax.jit(edge_map)
on_device = jnp.asarray(photograph)
np.testing.assert_array_equal(np.asarray(fused(on_device)) > 0, edges > 0)

import cv2 as opencv


def opencv_chain():
    gray = opencv.cvtColor(photograph, opencv.COLOR_BGR2GRAY)
    blurred = opencv.GaussianBlur(gray, (0, 0), 1.4)
    gx = opencv.Sobel(blurred, opencv.CV_32F, 1, 0)
    gy = opencv.Sobel(blurred, opencv.CV_32F, 0, 1)
    return opencv.threshold(opencv.magnitude(gx, gy), 60.5, 255, opencv.THRESH_BINARY)[1]


agree = (opencv_chain() > 0) == (edges > 0)
print(f"OpenCV agrees on {agree.mean():.3%} of the pixels")
print(f"OpenCV {milliseconds(opencv_chain):.2f} ms, one program {milliseconds(lambda: fused(on_device)):.2f} ms")

# %% [markdown]
# ## A folder of photographs
#
# `image.prefetch` decodes in threads, puts images of similar size into batches of few shapes, and copies the next batch
# to the device while you work on this one. The chain takes the batch through `vmap`.

# %%
paths = sorted(folder.glob("*.png")) * (1 if SMALL else 6)
batched = jax.jit(jax.vmap(edge_map))
pictures, share = 0, []
start = time.perf_counter()
for batch in image.prefetch(paths, batch_size=4, color="bgr", bucket=256):
    maps = batched(batch.images)
    for picture, (height, width) in zip(np.asarray(maps)[: batch.count], batch.sizes):
        share.append((picture[:height, :width] > 0).mean())
    pictures += batch.count
print(
    f"{pictures} photographs in {time.perf_counter() - start:.2f} s, decoding and compiling included;",
    f"edges on {np.mean(share):.1%}",
)

# %% [markdown]
# ## Registration by gradient
#
# Which rotation and shift turn one photograph into another? `ndimage.affine_transform` is differentiable in its matrix
# and offset, so BFGS finds them from the pixels, coarse to fine.

# %%
size = 96 if SMALL else 160
fixed = ndimage.zoom(data.camera()[60:380, 100:420].astype(np.float32) / 255, size / 320, order=1)
centre = (np.array(fixed.shape) - 1) / 2


def moved(picture, parameters):
    angle, shift = parameters[0], parameters[1:]
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    matrix = jnp.array([[cos, -sin], [sin, cos]])
    return ndimage.affine_transform(picture, matrix, offset=centre - matrix @ centre + shift, order=1, mode="nearest")


truth = jnp.array([0.12, 4.0, -6.0])
target = moved(jnp.asarray(fixed), truth)

found = jnp.zeros(3)
for sigma in (6.0, 2.0, 0.7):
    a, b = (ndimage.gaussian_filter(jnp.asarray(p), sigma) for p in (fixed, target))
    result = optimize.minimize(lambda p, a=a, b=b: 1e3 * jnp.mean((moved(a, p) - b) ** 2), found, method="BFGS")
    found = result.x
    print(f"sigma {sigma}: angle {float(found[0]):.4f}, shift {np.round(np.asarray(found[1:]), 3)}")
print("truth:    angle 0.1200, shift [ 4. -6.]")
assert np.allclose(np.asarray(found), np.asarray(truth), atol=0.05)
before, after = (np.abs(np.asarray(p) - np.asarray(target)) for p in (fixed, moved(jnp.asarray(fixed), found)))
show(fixed=fixed, target=target, difference_before=before, difference_after=after)

# %% [markdown]
# ## A learned filter
#
# Somebody's camera blurs. From a sharp and a blurred picture gradient descent recovers the kernel.

# %%
profile = np.exp(-0.5 * ((np.arange(7) - 3) / 1.5) ** 2)
kernel = np.roll(np.outer(profile, profile), (1, 1), (0, 1)).astype(np.float32)
kernel /= kernel.sum()
sharp = jnp.asarray(fixed)
seen = ndimage.correlate(sharp, kernel, mode="nearest")


@jax.jit
def loss(weights):
    return jnp.mean((ndimage.correlate(sharp, weights, mode="nearest") - seen) ** 2)


weights = jnp.zeros((7, 7)).at[3, 3].set(1.0)
solution = optimize.minimize(
    lambda w: 1e4 * loss(w.reshape(7, 7)), weights.ravel(), method="BFGS", options={"maxiter": 40 if SMALL else 400}
)
learned = np.asarray(solution.x).reshape(7, 7)
print(
    f"loss {float(loss(weights)):.2e} -> {float(loss(jnp.asarray(learned))):.2e},",
    f"largest error of the kernel {np.abs(learned - kernel).max():.4f}",
)
show(true_kernel=kernel, learned=learned, seen=seen)
