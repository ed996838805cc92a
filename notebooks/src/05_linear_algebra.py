# ruff: noqa: E402, I001, B018
# %% [markdown]
# # Linear algebra: ten thousand small systems, a derivative, a million unknowns
#
# One large factorisation is LAPACK's work, in SciPy and here. What changes is everything around it: batches of small
# matrices in one call, derivatives through solves, and iterative solvers as one compiled loop.
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
from scipy import sparse

from sci import linalg
from sci.sparse import linalg as sparse_linalg

SMALL = bool(os.environ.get("SCI_NOTEBOOK_SMALL"))  # the tests run this notebook at reduced sizes
plt.rcParams.update(
    {"figure.dpi": 72, "axes.spines.top": False, "axes.spines.right": False, "figure.figsize": (8, 3.2)}
)


def seconds(function, repeats=3):
    jax.block_until_ready(function())
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(function())
        best = min(best, time.perf_counter() - start)
    return best


# %% [markdown]
# ## Ten thousand systems of 4 equations
#
# `jax.vmap` of `linalg.solve` is one program over the batch; SciPy's loop pays for every call.

# %%
count = 500 if SMALL else 10_000
rng = np.random.default_rng(0)
matrices = rng.standard_normal((count, 4, 4)) + 4 * np.eye(4)
right = rng.standard_normal((count, 4))
with jax.enable_x64(True):
    a, b = jnp.asarray(matrices), jnp.asarray(right)
    batch = jax.jit(jax.vmap(linalg.solve))
    ours = seconds(lambda: batch(a, b))
    solutions = np.asarray(batch(a, b))
start = time.perf_counter()
expected = np.array([scipy.linalg.solve(m, r) for m, r in zip(matrices, right)])
loop = time.perf_counter() - start
print(
    f"{count} solves: SciPy's loop {1e3 * loop:.1f} ms, one program {1e3 * ours:.2f} ms, {loop / ours:.0f}x;",
    f"largest difference {np.abs(solutions - expected).max():.1e}",
)

# %% [markdown]
# ## A least-squares fit that is differentiated
#
# How does the fitted curve move when one measurement does? The derivative of the solution with respect to the data is
# the influence of each point: one reverse pass through `linalg.solve`.

# %%
x = np.sort(rng.uniform(-1, 1, 25))
y = np.sin(3 * x) + 0.1 * rng.standard_normal(25)
design = np.polynomial.chebyshev.chebvander(x, 5)


def fitted_at(data, where):
    normal = design.T @ design + 1e-9 * np.eye(6)
    coefficients = linalg.solve(jnp.asarray(normal), design.T @ data, assume_a="pos")
    return np.polynomial.chebyshev.chebvander(np.array([where]), 5)[0] @ coefficients


with jax.enable_x64(True):
    influence = {w: np.asarray(jax.grad(fitted_at)(jnp.asarray(y), w)) for w in (-0.5, 0.9)}
    curve = [float(fitted_at(jnp.asarray(y), w)) for w in np.linspace(-1, 1, 100)]
figure, (left, axis) = plt.subplots(1, 2, layout="constrained")
left.plot(x, y, "o", ms=4)
left.plot(np.linspace(-1, 1, 100), curve)
left.set(title="data and fit", xlabel="x")
for where, values in influence.items():
    axis.plot(x, values, "o-", ms=4, label=f"on the fit at x = {where}")
axis.set(title="influence of each measurement", xlabel="x")
axis.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Poisson's equation with a million unknowns
#
# The matrix comes as SciPy's CSR. It has five diagonals, so it is stored as such, and conjugate gradients run as one
# loop without an index in sight. A plain NumPy function that applies the stencil serves as well.

# %%
n = 60 if SMALL else 1000
line = sparse.diags_array([-np.ones(n - 1), 2 * np.ones(n), -np.ones(n - 1)], offsets=[-1, 0, 1])
laplacian = (sparse.kron(line, sparse.eye_array(n)) + sparse.kron(sparse.eye_array(n), line)).tocsr()
grid = np.linspace(0, 1, n)
charge = np.zeros((n, n))
charge[n // 4, n // 4], charge[3 * n // 4, n // 2] = 1.0, -1.0
b = charge.ravel()

residuals, solution, chunk = [], np.zeros(n * n), 20 if SMALL else 100
start = time.perf_counter()
for _ in range(6):
    solution, info = sparse_linalg.cg(laplacian, b, x0=solution, rtol=1e-8, maxiter=chunk)
    residuals.append(np.linalg.norm(laplacian @ solution - b))
print(f"{6 * chunk} iterations of CG on {n * n} unknowns: {time.perf_counter() - start:.2f} s, compiling included")

few = 10 if SMALL else 60
theirs = seconds(lambda: scipy.sparse.linalg.cg(laplacian, b, rtol=0, maxiter=few), 1)
ours = seconds(lambda: sparse_linalg.cg(laplacian, b, rtol=0, maxiter=few), 1)
print(f"{few} iterations: SciPy {theirs:.3f} s, here {ours:.3f} s (the conversion of the matrix included)")

figure, (left, axis) = plt.subplots(1, 2, layout="constrained")
left.semilogy(chunk * np.arange(1, 7), residuals, "o-")
left.set(title="convergence", xlabel="iterations", ylabel="norm of the residual")
axis.imshow(solution.reshape(n, n), cmap="RdBu", vmin=-0.5, vmax=0.5)
axis.set_title("potential of two charges")
axis.axis("off")
plt.show()
