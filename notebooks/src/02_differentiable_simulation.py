# ruff: noqa: E402, I001, B018
# %% [markdown]
# # Differentiable simulation: fitting stiff chemistry, ensembles, event times
#
# `solve_ivp` with a plain NumPy right-hand side, three times: inside a fit whose gradients come through the stiff
# solver, as thousands of trajectories in one program, and as the time at which something happens, differentiated.
#
# Every number below was computed when the notebook was built (`python -m notebooks.build`).

# %%
import os
import time

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import scipy.integrate

from sci import integrate, optimize

SMALL = bool(os.environ.get("SCI_NOTEBOOK_SMALL"))  # the tests run this notebook at reduced sizes
plt.rcParams.update(
    {"figure.dpi": 72, "axes.spines.top": False, "axes.spines.right": False, "figure.figsize": (8, 3.2)}
)

# %% [markdown]
# ## Rate constants of a stiff network
#
# Robertson's autocatalytic reaction has rate constants nine orders of magnitude apart. We measure the three species at
# a few times, with noise, and recover the constants. The parameters are logarithms; the residuals' Jacobian is exact,
# through the implicit Runge-Kutta method (Radau).

# %%
times = np.concatenate([[0.0], np.logspace(-2, 3, 15)])
scale = np.array([1.0, 1e4, 1.0])  # the second species is scarce


def robertson(t, y, k1, k2, k3):
    a, b, c = y
    slow, fast, back = k1 * a, k2 * b**2, k3 * b * c
    return [-slow + back, slow - back - fast, fast]


def simulate(logs):
    solution = integrate.solve_ivp(
        robertson, (0.0, 1e3), [1.0, 0.0, 0.0], method="Radau", t_eval=times, args=tuple(10.0 ** logs),
        rtol=1e-7, atol=1e-10,
    )  # fmt: skip
    return solution.y * scale[:, None]


truth = np.log10([0.04, 3e7, 1e4])
rng = np.random.default_rng(0)
with jax.enable_x64(True):
    clean = np.asarray(simulate(jnp.asarray(truth)))
    data = clean * (1 + 0.01 * rng.standard_normal(clean.shape))

    def residuals(logs):
        return ((simulate(logs) - data) / (0.01 * (np.abs(data) + 0.01))).ravel()

    jacobian = jax.jit(jax.jacfwd(residuals))
    logs = jnp.asarray(truth + [0.3, -0.4, 0.2])
    start = time.perf_counter()
    fit = optimize.least_squares(residuals, logs, method="lm")
    print(f"fitted in {time.perf_counter() - start:.1f} s, compiling included")
    covariance = np.linalg.inv(np.asarray(jacobian(fit.x).T @ jacobian(fit.x)))
for name, found, exact, error in zip(("k1", "k2", "k3"), np.asarray(fit.x), truth, np.sqrt(np.diag(covariance))):
    print(f"log10 {name}: {found:.4f} +- {error:.4f}, truth {exact:.4f}")
assert np.allclose(np.asarray(fit.x), truth, atol=6 * np.sqrt(np.diag(covariance)).max())

with jax.enable_x64(True):
    model = np.asarray(simulate(fit.x))
figure, axis = plt.subplots(layout="constrained")
for row, label in enumerate(("A", "10$^4$ B", "C")):
    axis.semilogx(times[1:], model[row, 1:], label=label)
    axis.semilogx(times[1:], data[row, 1:], "k.", ms=4)
axis.set(title="Robertson's reaction: data and fit", xlabel="t")
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Thousands of trajectories
#
# A pendulum that is driven near chaos, from a grid of initial conditions, in one program: `jax.vmap` over `y0`.

# %%
side = 12 if SMALL else 64
angles, speeds = np.meshgrid(np.linspace(-np.pi, np.pi, side), np.linspace(-2, 2, side))
initial = np.column_stack([angles.ravel(), speeds.ravel()])


def driven(t, y):
    return [y[1], -0.1 * y[1] - np.sin(y[0]) + 0.6 * np.cos(0.7 * t)]


with jax.enable_x64(True):
    all_of_them = jax.jit(
        jax.vmap(lambda y0: integrate.solve_ivp(driven, (0.0, 40.0), y0, t_eval=np.array([40.0]), rtol=1e-6).y[:, -1])
    )
    start = time.perf_counter()
    ends = np.asarray(all_of_them(jnp.asarray(initial)))
    first = time.perf_counter() - start
    start = time.perf_counter()
    jax.block_until_ready(all_of_them(jnp.asarray(initial)))
    again = time.perf_counter() - start
few = 20
start = time.perf_counter()
for y0 in initial[:few]:
    scipy.integrate.solve_ivp(driven, (0.0, 40.0), y0, t_eval=[40.0], rtol=1e-6)
loop = (time.perf_counter() - start) * len(initial) / few
print(
    f"{len(initial)} trajectories: {first:.2f} s the first time, {again:.2f} s then;",
    f"SciPy's loop would take {loop:.1f} s (from {few} of them)",
)
figure, axis = plt.subplots(layout="constrained")
shown = axis.pcolormesh(angles, speeds, np.sin(ends[:, 0]).reshape(side, side), cmap="twilight", shading="auto")
axis.set(title="where the pendulum is at t = 40 (sine of the angle)", xlabel="first angle", ylabel="first speed")
figure.colorbar(shown)
plt.show()

# %% [markdown]
# ## When does it happen, and what does that depend on?
#
# A ball is thrown against the wind. The time at which it hits the ground is an event; its derivative with respect to
# the drag comes out of the solver, by the implicit function theorem.


# %%
def flight(t, y, drag):
    speed = np.sqrt(y[2] ** 2 + y[3] ** 2)
    return [y[2], y[3], -drag * speed * y[2], -9.81 - drag * speed * y[3]]


def ground(t, y, drag):
    return y[1]


ground.terminal, ground.direction = True, -1


def landing(drag):
    solution = integrate.solve_ivp(
        flight, (0.0, 20.0), jnp.array([0.0, 0.0, 20.0, 20.0]), events=ground, args=(drag,), rtol=1e-9, atol=1e-9
    )
    return solution.t_events[0][0]


with jax.enable_x64(True):
    drags = np.linspace(0.0, 0.05, 6)
    flown = [float(landing(jnp.asarray(d))) for d in drags]
    slope = float(jax.jacfwd(landing)(jnp.asarray(0.02)))
    step = 1e-5
    by_differences = float(landing(jnp.asarray(0.02 + step)) - landing(jnp.asarray(0.02 - step))) / (2 * step)
print(f"landing at {float(flown[2]):.4f} s; d(time)/d(drag) = {slope:.5f}, by differences {by_differences:.5f}")
assert abs(slope - by_differences) < 1e-4 * abs(slope)
figure, axis = plt.subplots(layout="constrained")
axis.plot(drags, flown, "o-")
axis.plot(drags, flown[2] + slope * (drags - 0.02), "--", label="tangent at 0.02")
axis.set(title="time of flight", xlabel="drag", ylabel="s")
axis.legend(frameon=False)
plt.show()
