# ruff: noqa: E402, I001, B018
# %% [markdown]
# # Change the import
#
# `sci` has SciPy's modules, names, signatures and results; the computing is done by JAX. This notebook shows
# what changes when you change the import, and what you can do afterwards that SciPy cannot: batches, gradients,
# fused image chains. It also shows where nothing is won.
#
# Every number below was computed when the notebook was built (`python -m notebooks.build`).

# %%
import os
import time

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import scipy

import sci
from sci import integrate, linalg, ndimage, optimize

SMALL = bool(os.environ.get("SCI_NOTEBOOK_SMALL"))  # the tests run this notebook at reduced sizes
plt.rcParams.update(
    {"figure.dpi": 72, "axes.spines.top": False, "axes.spines.right": False, "figure.figsize": (8, 3.4)}
)


def timed(label, function, repeats=5):
    """Print the first call and the median of some later ones; return the result."""
    seconds = []
    for _ in range(1 + repeats):
        start = time.perf_counter()
        result = jax.block_until_ready(function())
        seconds.append(time.perf_counter() - start)
    print(f"{label:28s} first {1e3 * seconds[0]:8.1f} ms, then {1e3 * np.median(seconds[1:]):8.2f} ms")
    return result


# %% [markdown]
# ## Same names, same results
#
# NumPy arrays in, NumPy arrays out, float64, SciPy's exceptions. Nothing global is changed: JAX stays in single
# precision for the rest of your program.

# %%
rng = np.random.default_rng(0)
a = rng.standard_normal((60, 60))
image = rng.random((128, 128))
pairs = {
    "linalg.solve": (linalg.solve(a, a[0]), scipy.linalg.solve(a, a[0])),
    "linalg.expm": (linalg.expm(a / 10), scipy.linalg.expm(a / 10)),
    "linalg.svd, values": (linalg.svd(a)[1], scipy.linalg.svd(a)[1]),
    "ndimage.gaussian_filter": (ndimage.gaussian_filter(image, 2.0), scipy.ndimage.gaussian_filter(image, 2.0)),
    "ndimage.zoom, cubic": (ndimage.zoom(image, 1.5), scipy.ndimage.zoom(image, 1.5)),
}
for name, (ours, theirs) in pairs.items():
    print(f"{name:26s} {type(ours).__name__} {ours.dtype}, largest difference {np.max(np.abs(ours - theirs)):.1e}")

# %%
try:
    linalg.cholesky([[1.0, 2.0], [2.0, 1.0]])
except scipy.linalg.LinAlgError as error:
    print("LinAlgError:", error)

# %% [markdown]
# ## A slow fit
#
# In January 1978 influenza went through an English boarding school of 763 boys (BMJ, 4 March 1978, p. 587). The
# SIR model has two rates; the number of boys in bed is fitted by least squares. Each trial of the fit solves
# a differential equation, so SciPy spends its time in Python, in the right-hand side below.
#
# The same functions serve both libraries: they are plain NumPy code. If the tracer cannot look through the solver
# inside the model, the loop of `curve_fit` stays with SciPy and says so in a warning; the solver inside it is compiled
# all the same, and that is where the time goes.

# %%
IN_BED = np.array([3, 8, 26, 76, 225, 298, 258, 233, 189, 128, 68, 29, 14, 4], dtype=float)
DAYS = np.arange(14.0)
BOYS = 763.0


def sir(t, y, infection, recovery):
    susceptible, infected = y
    new = infection * susceptible * infected / BOYS
    return np.array([-new, new - recovery * infected])


def model(solve_ivp):
    def in_bed(days, infection, recovery):
        start = np.array([BOYS - 3.0, 3.0])
        solution = solve_ivp(sir, (0.0, 13.0), start, t_eval=days, args=(infection, recovery), rtol=1e-8, atol=1e-8)
        return solution.y[1]

    return in_bed


def fit(library):
    return library.optimize.curve_fit(model(library.integrate.solve_ivp), DAYS, IN_BED, p0=[2.0, 0.5])


theirs = timed("scipy", lambda: fit(scipy), repeats=3)
ours = timed("sci", lambda: fit(sci), repeats=3 if SMALL else 11)
for (best, covariance), name in ((theirs, "scipy"), (ours, "sci")):
    (infection, recovery), (di, dr) = best, np.sqrt(np.diag(covariance))
    print(f"{name:6s} infection {infection:.6f} +- {di:.4f} /day, recovery {recovery:.6f} +- {dr:.4f} /day, "
          f"R0 = {infection / recovery:.4f}")  # fmt: skip

# %% [markdown]
# The first call compiles, later calls do not, also not for fresh lambdas of the same code or other numbers in
# their closures. A fit that is done once may well be faster with SciPy; a bootstrap or a profile likelihood is
# not.

# %%
fine = np.linspace(0, 13, 200)
figure, axis = plt.subplots(layout="constrained")
axis.plot(DAYS, IN_BED, "o", color="#2b6ca3", label="boys in bed")
axis.plot(fine, model(integrate.solve_ivp)(fine, *ours[0]), color="#d1702b", label="SIR, fitted")
axis.set(xlabel="days", ylabel="boys", ylim=(0, None))
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# ## A thousand initial conditions
#
# Give it JAX arrays and the result is JAX's: `jit`, `vmap` and `grad` go through SciPy's functions. Here Lorenz's
# equations are solved for many initial states in one call. (JAX computes in single precision unless told
# otherwise; `jax.enable_x64(True)` is the scope for double.)


# %%
def lorenz(t, u):
    x, y, z = u
    return np.array([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])


members = 50 if SMALL else 1000
outputs = np.linspace(0, 16, 161)
starts = np.array([1.0, 1.0, 20.0]) + 1e-3 * rng.standard_normal((members, 3))


def trajectory(start):
    return integrate.solve_ivp(lorenz, (0.0, 16.0), start, t_eval=outputs, rtol=1e-6, atol=1e-6).y


@jax.jit
def ensemble(starts):
    return jax.vmap(trajectory)(starts)


def run():
    with jax.enable_x64(True):
        return ensemble(starts)


paths = np.asarray(timed(f"sci, {members} by vmap", run))
few = 5
start = time.perf_counter()
for s in starts[:few]:
    scipy.integrate.solve_ivp(lorenz, (0.0, 16.0), s, t_eval=outputs, rtol=1e-6, atol=1e-6)
print(f"scipy, one after another: {(time.perf_counter() - start) / few * 1e3:.1f} ms each, "
      f"{(time.perf_counter() - start) / few * members:.1f} s for {members}")  # fmt: skip

# %%
figure, (left, right) = plt.subplots(1, 2, layout="constrained", figsize=(9, 3.4))
for path in paths[:30]:
    left.plot(outputs, path[0], color="#2b6ca3", lw=0.5, alpha=0.4)
left.set(xlabel="time", ylabel="x", title="thirty of them: the same, then not")
right.semilogy(outputs, paths.std(axis=0).T, label=["x", "y", "z"])
right.set(xlabel="time", ylabel="standard deviation", title="spread of the ensemble")
right.legend(frameon=False)
plt.show()

# %% [markdown]
# ## The gradient of a simulation
#
# How does the number of boys who never fall ill depend on the two rates? SciPy would need differences, whose step
# you have to choose. Here it is `jax.grad`, exact for the steps that were taken.


# %%
def never_ill(rates):
    start = jnp.array([BOYS - 3.0, 3.0])
    solution = integrate.solve_ivp(sir, (0.0, 60.0), start, t_eval=jnp.array([60.0]), args=(rates[0], rates[1]),
                                   rtol=1e-9, atol=1e-9)  # fmt: skip
    return solution.y[0, -1]


def by_scipy(rates):
    return scipy.integrate.solve_ivp(sir, (0.0, 60.0), [BOYS - 3.0, 3.0], args=tuple(rates), rtol=1e-11, atol=1e-11).y[
        0, -1
    ]


with jax.enable_x64(True):
    rates = jnp.array(ours[0])
    value, gradient = jax.jit(jax.value_and_grad(never_ill))(rates)
h = 1e-5
differences = [(by_scipy(ours[0] + h * e) - by_scipy(ours[0] - h * e)) / (2 * h) for e in np.eye(2)]
print(f"never ill: {value:.6f} boys (scipy {by_scipy(ours[0]):.6f})")
print("gradient          ", np.asarray(gradient))
print("by differences    ", np.array(differences))

# %% [markdown]
# ## NumPy code becomes a JAX function
#
# What makes this work is `sci.to_jax`: it turns NumPy code into a JAX function. Branches on values, assignment
# into arrays, `math` functions and bounded loops are understood.

# %%
import math


def potential(x):
    energy = np.zeros(len(x))
    for i in range(len(x)):
        energy[i] = math.exp(-(x[i] ** 2)) if x[i] > 0 else 1.0 + x[i] ** 3
    energy[x > 1.5] *= 2.0
    return energy.sum()


x = np.array([-0.5, 0.3, 1.2, 1.9])
traced = sci.to_jax(potential, x)
print("value   ", traced(x), "NumPy:", potential(x))
print("gradient", jax.grad(traced)(jnp.array(x)))

# %% [markdown]
# What cannot be translated faithfully is refused, with the place and the reason; nothing is guessed.


# %%
def noisy(x):
    shift = 0.1 * np.random.normal()
    return np.sum((x - shift) ** 2)


try:
    sci.to_jax(noisy, x)
except sci.TraceError as error:
    print(error)

# %% [markdown]
# ## What runs on the original library
#
# Functions and options that are not written in JAX yet are SciPy's own, with a `FallbackWarning` the first time.
# A callable that is refused does not cost you the result: SciPy computes it. `sci.fallbacks()` lists all of it.

# %%
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", sci.FallbackWarning)
    optimize.linprog([-1.0, -2.0], A_ub=[[1.0, 1.0]], b_ub=[4.0])

    def with_log(x, seen=[]):  # noqa: B006
        seen.append(len(seen))
        return (x[0] - 1) ** 2 + (x[1] + 2) ** 2

    print("minimum at", optimize.minimize(with_log, [0.0, 0.0]).x)
for record in sci.fallbacks():
    print(f"{record.function}: {record.reason.value}", record.detail and f"\n    {record.detail}")

# %% [markdown]
# ## A chain of image operations
#
# `image.cv2` has OpenCV's names and arithmetic. On NumPy arrays each function is a drop-in, and for one 8-bit
# operation OpenCV itself is hard to beat. Chained inside `jax.jit` on float images they are one program.

# %%
warnings.filterwarnings("ignore", "IProgress not found")  # the download bar of scikit-image's data, not needed here
import cv2
from skimage import data

import image.cv2 as jcv2

photo = data.astronaut()
photo = photo[::2, ::2] if SMALL else photo
bgr = np.ascontiguousarray(photo[..., ::-1])
gray = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
for name, arguments in {
    "cvtColor": (bgr, cv2.COLOR_BGR2GRAY),
    "GaussianBlur": (gray, (5, 5), 1.2),
    "Sobel": (gray, cv2.CV_32F, 1, 0),
    "resize": (bgr, (300, 200)),
}.items():
    mine, original = getattr(jcv2, name)(*arguments), getattr(cv2, name)(*arguments)
    print(f"{name:14s} {mine.dtype}: identical to OpenCV: {np.array_equal(mine, original)}")


# %%
def edges(cv, magnitude, picture):
    gray = cv.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    smooth = cv.GaussianBlur(gray, (0, 0), 2.0)
    strength = magnitude(cv.Sobel(smooth, -1, 1, 0), cv.Sobel(smooth, -1, 0, 1))
    return gray, strength, cv.threshold(strength, 0.25, 1.0, cv2.THRESH_BINARY)[1]


picture = bgr.astype(np.float32) / 255
fused = jax.jit(lambda p: edges(jcv2, jnp.hypot, p))
on_device = jnp.asarray(picture)
theirs = timed("OpenCV, five calls", lambda: edges(cv2, cv2.magnitude, picture), repeats=30)
mine = timed("one compiled function", lambda: fused(on_device), repeats=30)
print("largest difference of the gradients:", float(np.max(np.abs(np.asarray(mine[1]) - theirs[1]))))

# %%
figure, axes = plt.subplots(1, 4, figsize=(11, 2.9), layout="constrained")
titles = ("photograph", None), ("gray", "gray"), ("gradient", "inferno"), ("edges", "gray_r")
for axis, pixels, (title, colours) in zip(axes, (photo, *mine), titles):
    axis.imshow(np.asarray(pixels), cmap=colours)
    axis.set_title(title)
    axis.set_axis_off()
plt.show()

# %% [markdown]
# ## Where nothing is won
#
# - One cold call of a cheap function: compiling takes a tenth of a second and more, SciPy microseconds.
# - One large factorisation: the same LAPACK does it.
# - One 8-bit primitive: OpenCV's own kernels are as fast or faster.
#
# `python -m benchmarks` measures all of this, losses included.
