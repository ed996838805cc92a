# ruff: noqa: E402, I001, B018
# %% [markdown]
# # Optimisation: ten thousand fits, a constrained design, honest error bars
#
# Objectives and models below are plain NumPy functions. They are traced once; their derivatives are exact, and a fit
# can be batched and differentiated like any other function.
#
# Every number below was computed when the notebook was built (`python -m notebooks.build`).

# %%
import os
import time

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import scipy.optimize

import sci
from sci import optimize

SMALL = bool(os.environ.get("SCI_NOTEBOOK_SMALL"))  # the tests run this notebook at reduced sizes
plt.rcParams.update(
    {"figure.dpi": 72, "axes.spines.top": False, "axes.spines.right": False, "figure.figsize": (8, 3.2)}
)

# %% [markdown]
# ## Ten thousand curves at once
#
# A decay is measured ten thousand times. `jax.vmap` of `curve_fit` fits all of them in one program.

# %%
count = 200 if SMALL else 10_000
rng = np.random.default_rng(0)
t = np.linspace(0, 4, 40)


def decay(t, amplitude, rate, offset):
    return amplitude * np.exp(-rate * t) + offset


truth = np.column_stack([rng.uniform(1, 3, count), rng.uniform(0.5, 2, count), rng.uniform(0, 0.5, count)])
data = decay(t, *truth.T[:, :, None]) + 0.02 * rng.standard_normal((count, t.size))

with jax.enable_x64(True):
    fit_all = jax.jit(jax.vmap(lambda y: optimize.curve_fit(decay, t, y, p0=[2.0, 1.0, 0.1])))
    start = time.perf_counter()
    parameters, covariances = jax.block_until_ready(fit_all(jnp.asarray(data)))
    first = time.perf_counter() - start
    start = time.perf_counter()
    jax.block_until_ready(fit_all(jnp.asarray(data)))
    again = time.perf_counter() - start

few = slice(0, count // 20)
start = time.perf_counter()
expected = np.array([scipy.optimize.curve_fit(decay, t, y, p0=[2.0, 1.0, 0.1])[0] for y in data[few]])
loop = (time.perf_counter() - start) * 20
np.testing.assert_allclose(np.asarray(parameters)[few], expected, rtol=1e-4, atol=1e-4)
print(f"{count} fits: {first:.2f} s the first time, {again:.3f} s then; SciPy's loop {loop:.2f} s (from a twentieth)")

# %% [markdown]
# ## Error bars that mean something
#
# The covariance comes from the exact Jacobian at the solution. Over ten thousand experiments one can check it: the
# deviations from the truth, in units of their own error bars, follow the normal distribution.

# %%
errors = np.sqrt(np.asarray(jnp.diagonal(covariances, axis1=1, axis2=2)))
pulls = (np.asarray(parameters) - truth) / errors
print("standard deviation of the pulls:", pulls.std(0).round(3), "(one is perfect)")

one = 0
best, covariance = np.asarray(parameters)[one], np.asarray(covariances)[one]
fine = np.linspace(0, 6, 100)
with jax.enable_x64(True):
    model = sci.to_jax(lambda p: p[0] * np.exp(-p[1] * fine) + p[2], best)
    slopes = np.asarray(jax.jacfwd(model)(jnp.asarray(best)))  # exact: how the curve moves with each parameter
band = 2 * np.sqrt(np.einsum("ij,jk,ik->i", slopes, covariance, slopes))
curve = decay(fine, *best)
figure, (left, axis) = plt.subplots(1, 2, layout="constrained")
left.plot(t, data[one], ".", label="data")
left.plot(fine, curve, label="fit")
left.fill_between(fine, curve - band, curve + band, alpha=0.3, label="95 %")
left.set(title="one of the fits, extrapolated", xlabel="t")
left.legend(frameon=False)
grid = np.linspace(-4, 4, 41)
for k, name in enumerate(("amplitude", "rate", "offset")):
    axis.hist(pulls[:, k], grid, histtype="step", density=True, label=name)
axis.plot(grid, np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi), "k", lw=1)
axis.set(title="deviations over their error bars")
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Many starts
#
# A function with many valleys: minimise from a thousand starting points in one program, and keep the best.


# %%
def valleys(p):
    return (p**2).sum() / 20 + np.sin(3 * p[0]) * np.cos(2 * p[1]) + 0.3 * np.sin(5 * p[0] + p[1])


starts = rng.uniform(-4, 4, (50 if SMALL else 1000, 2))
with jax.enable_x64(True):
    from_all = jax.jit(jax.vmap(lambda x0: optimize.minimize(valleys, x0, method="BFGS")))
    found = from_all(jnp.asarray(starts))
values = np.where(np.asarray(found.success), np.asarray(found.fun), np.inf)
winner = int(values.argmin())
print(
    f"{len(starts)} starts end in {len(np.unique(values.round(4)))} valleys; the lowest is {values[winner]:.6f}",
    f"at {np.asarray(found.x)[winner].round(4)}",
)

# %% [markdown]
# ## A constrained design
#
# The lightest closed can of 330 cm^3 whose wall, at least 0.1 mm, holds the pressure: minimise the metal, with the
# volume as an equality and the stress as an inequality.


# %%
def metal(p):
    radius, height, wall = p
    return 2 * np.pi * radius * (radius + height) * wall  # cm^3


constraints = (
    {"type": "eq", "fun": lambda p: np.pi * p[0] ** 2 * p[1] / 330 - 1},
    {"type": "ineq", "fun": lambda p: 1 - p[0] / (340 * p[2])},  # hoop stress under the limit
)
bounds = [(1, 10), (1, 30), (0.01, 0.2)]
can = optimize.minimize(metal, [3.0, 10.0, 0.05], method="SLSQP", bounds=bounds, constraints=constraints)
plain = scipy.optimize.minimize(metal, [3.0, 10.0, 0.05], method="SLSQP", bounds=bounds, constraints=constraints)
print(
    f"{can.message}: radius {can.x[0]:.3f} cm, height {can.x[1]:.3f} cm, wall {10 * can.x[2]:.3f} mm,",
    f"{can.fun:.3f} cm^3 of metal (SciPy: {plain.fun:.3f})",
)
assert can.success and abs(can.fun - plain.fun) < 1e-4 * plain.fun

# %% [markdown]
# ## The optimum as a function
#
# A minimum depends on the parameters of its problem, and that dependence has a derivative (the implicit function
# theorem): how does the best point move when the problem does?


# %%
with jax.enable_x64(True):
    shifted = jax.grad(
        lambda s: optimize.minimize(
            lambda p: ((p - jnp.array([s, s**2])) ** 2).sum() + p[0] ** 4,
            jnp.zeros(2),
            method="BFGS",
            options={"gtol": 1e-10},
        ).x[0]
    )
    exact = float(shifted(1.0))
    step = 1e-5
    solve = lambda s: scipy.optimize.brentq(lambda x: 2 * (x - s) + 4 * x**3, -2, 2, xtol=1e-15)  # noqa: E731
    difference = (solve(1 + step) - solve(1 - step)) / (2 * step)
print(f"d(best point)/d(problem): {exact:.8f}, by differences {difference:.8f}")
