"""Dense linear algebra: the same LAPACK below; wins are batches and small matrices."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import Topic

topic = Topic("linalg", "Linear algebra (float64)")

# the figures for any function of linalg
_FIRST = {"first": 0.3, "cached": 0.15}


def _general(n: int, *batch: int) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((*batch, n, n)) + 2 * np.sqrt(n) * np.eye(n)


def _definite(n: int, *batch: int) -> np.ndarray:
    a = _general(n, *batch)
    return a @ a.swapaxes(-1, -2) / n


def _both():
    from scipy import linalg as original

    from sci import linalg

    return linalg, original


def _vmapped(function, *stacks):
    """A call of ``function`` for all matrices of the stacks at once."""
    import jax

    batched = jax.jit(jax.vmap(function))

    def call():
        with jax.enable_x64(True):
            return batched(*stacks)

    return call


def _stacks(name, *stacks):
    """The function of all matrices at once by vmap, and a loop over SciPy's."""
    ours, original = (getattr(module, name) for module in _both())
    return _vmapped(ours, *stacks), lambda: np.stack([original(*items) for items in zip(*stacks, strict=True)])


@topic.pair("solve 4x4", **_FIRST)
def solve_small(quick: bool):
    ours, original = _both()
    a, b = _general(4), np.arange(4.0)
    return lambda: ours.solve(a, b), lambda: original.solve(a, b)


@topic.pair("solve 1000x1000", memory=True, **_FIRST)
def solve_large(quick: bool):
    ours, original = _both()
    n = 200 if quick else 1000
    a, b = _general(n), np.arange(float(n))
    return lambda: ours.solve(a, b), lambda: original.solve(a, b)


@topic.pair("solve, 10,000 of 4x4 in one call")
def solve_batch(quick: bool):
    ours, original = _both()
    m = 100 if quick else 10_000
    a, b = _general(4, m), np.ones((m, 4, 1))
    return lambda: ours.solve(a, b), lambda: original.solve(a, b)


@topic.pair("solve, 10,000 of 4x4: vmap, and a loop over SciPy")
def solve_loop(quick: bool):
    m = 100 if quick else 10_000
    return _stacks("solve", _general(4, m), np.ones((m, 4)))


@topic.pair("inv 200x200", **_FIRST)
def inv(quick: bool):
    ours, original = _both()
    a = _general(200)
    return lambda: ours.inv(a), lambda: original.inv(a)


@topic.pair("det 4x4", **_FIRST)
def det(quick: bool):
    ours, original = _both()
    a = _general(4)
    return lambda: ours.det(a), lambda: original.det(a)


@topic.pair("cholesky 500x500", **_FIRST)
def cholesky(quick: bool):
    ours, original = _both()
    a = _definite(500)
    return lambda: ours.cholesky(a, lower=True), lambda: original.cholesky(a, lower=True)


@topic.pair("lu 300x300", **_FIRST)
def lu(quick: bool):
    ours, original = _both()
    a = _general(300)
    return lambda: ours.lu(a), lambda: original.lu(a)


@topic.pair("qr 300x300", same=lambda qr: (abs(qr[0]), abs(qr[1])), **_FIRST)
def qr(quick: bool):
    ours, original = _both()
    a = _general(300)
    return lambda: ours.qr(a), lambda: original.qr(a)


@topic.pair("svd 200x200", same=lambda usv: usv[1], **_FIRST)
def svd(quick: bool):
    ours, original = _both()
    a = _general(200)
    return lambda: ours.svd(a), lambda: original.svd(a)


@topic.pair("eigh 200x200", same=lambda wv: wv[0], **_FIRST)
def eigh(quick: bool):
    ours, original = _both()
    a = _definite(200)
    return lambda: ours.eigh(a), lambda: original.eigh(a)


@topic.pair("eigh, 10,000 of 4x4: vmap, and a loop over SciPy", same=lambda wv: wv[0])
def eigh_batch(quick: bool):
    ours, original = _both()
    a = _definite(4, 100 if quick else 10_000)

    def loop():
        pairs = [original.eigh(x) for x in a]
        return np.stack([w for w, _ in pairs]), np.stack([v for _, v in pairs])

    return _vmapped(ours.eigh, a), loop


@topic.pair("svd, 10,000 of 4x4: vmap, and a loop over SciPy", same=lambda usv: usv[1])
def svd_batch(quick: bool):
    ours, original = _both()
    a = _general(4, 100 if quick else 10_000)

    def loop():
        parts = zip(*[original.svd(x) for x in a], strict=True)
        return tuple(np.stack(part) for part in parts)

    return _vmapped(ours.svd, a), loop


@topic.pair("expm, 10,000 of 4x4: vmap, and a loop over SciPy")
def expm_batch(quick: bool):
    return _stacks("expm", _general(4, 100 if quick else 10_000) / 5)


@topic.pair("expm 50x50", **_FIRST)
def expm(quick: bool):
    ours, original = _both()
    a = _general(50) / 10
    return lambda: ours.expm(a), lambda: original.expm(a)


@topic.pair("inv, 10,000 of 4x4: vmap, and a loop over SciPy")
def inv_loop(quick: bool):
    return _stacks("inv", _general(4, 100 if quick else 10_000))


@topic.pair("inv, 1,000 of 32x32: vmap, and a loop over SciPy")
def inv_loop_larger(quick: bool):
    return _stacks("inv", _general(32, 20 if quick else 1000))


@topic.pair("expm, 10,000 of 8x8: vmap, and a loop over SciPy")
def expm_batch_larger(quick: bool):
    return _stacks("expm", _general(8, 100 if quick else 10_000) / 5)


@topic.pair("cholesky, 10,000 of 3x3: vmap, and a loop over SciPy")
def cholesky_loop(quick: bool):
    return _stacks("cholesky", _definite(3, 100 if quick else 10_000))


@topic.pair("lstsq 300x100", same=lambda out: out[0], **_FIRST)
def lstsq(quick: bool):
    ours, original = _both()
    a, b = _general(300)[:, :100], np.ones(300)
    return lambda: ours.lstsq(a, b), lambda: original.lstsq(a, b)


@topic.pair("solve_banded n=10,000, 2 + 2 diagonals")
def solve_banded(quick: bool):
    ours, original = _both()
    n = 500 if quick else 10_000
    ab = np.random.default_rng(2).standard_normal((5, n))
    ab[2] += 6
    b = np.ones(n)
    return lambda: ours.solve_banded((2, 2), ab, b), lambda: original.solve_banded((2, 2), ab, b)


@topic.pair("solve_banded, 1,000 of n=100, 2 + 2 diagonals, in one call")
def solve_banded_batch(quick: bool):
    ours, original = _both()
    m = 20 if quick else 1000
    ab = np.random.default_rng(2).standard_normal((m, 5, 100))
    ab[:, 2] += 6
    b = np.ones((m, 100, 1))
    return lambda: ours.solve_banded((2, 2), ab, b), lambda: original.solve_banded((2, 2), ab, b)


@topic.pair("solve_toeplitz n=2,000")
def solve_toeplitz(quick: bool):
    ours, original = _both()
    n = 200 if quick else 2000
    c, b = 1 / (1.0 + np.arange(n)) ** 2, np.ones(n)
    return lambda: ours.solve_toeplitz(c, b), lambda: original.solve_toeplitz(c, b)


@topic.pair("sqrtm 200x200", **_FIRST)
def sqrtm(quick: bool):
    ours, original = _both()
    a = _general(200)
    return lambda: ours.sqrtm(a), lambda: original.sqrtm(a)


@topic.pair("logm 100x100", **_FIRST)
def logm(quick: bool):
    ours, original = _both()
    a = _general(100)
    return lambda: ours.logm(a), lambda: original.logm(a)


@topic.pair("eigvals 200x200", same=np.sort, **_FIRST)
def eigvals(quick: bool):
    ours, original = _both()
    a = _general(200)
    return lambda: ours.eigvals(a), lambda: original.eigvals(a)


@topic.pair("solve_continuous_are 20x20", **_FIRST)
def riccati(quick: bool):
    ours, original = _both()
    a, b = _general(20) / 5, np.random.default_rng(3).standard_normal((20, 4))
    q, r = np.eye(20), np.eye(4)
    return lambda: ours.solve_continuous_are(a, b, q, r), lambda: original.solve_continuous_are(a, b, q, r)


def _grid(n: int):
    """The Laplacian of an n x n grid."""
    from scipy import sparse

    line = sparse.diags_array([-np.ones(n - 1), 2 * np.ones(n), -np.ones(n - 1)], offsets=[-1, 0, 1])
    eye = sparse.eye_array(n)
    return (sparse.kron(line, eye) + sparse.kron(eye, line)).tocsr()


def _both_sparse():
    from scipy.sparse import linalg as original

    from sci.sparse import linalg

    return linalg, original


@topic.pair("cg, Poisson 1000x1000 grid as CSR, 100 steps", memory=True, same=lambda out: out[0])
def cg(quick: bool):
    ours, original = _both_sparse()
    n = 30 if quick else 1000
    a, b = _grid(n), np.ones(n * n)
    return lambda: ours.cg(a, b, maxiter=100), lambda: original.cg(a, b, maxiter=100)


@topic.pair("eigsh, 6 smallest of a 100x100 grid by shift-invert", same=lambda wv: wv[0], **_FIRST)
def eigsh(quick: bool):
    ours, original = _both_sparse()
    a = _grid(10 if quick else 100)
    return lambda: ours.eigsh(a, 6, sigma=0), lambda: original.eigsh(a, 6, sigma=0)


@topic.pair("svds, 6 largest of a sparse 10,000x1,000", same=lambda usv: usv[1], **_FIRST)
def svds(quick: bool):
    from scipy import sparse

    ours, original = _both_sparse()
    shape = (200, 50) if quick else (10_000, 1_000)
    a = sparse.random_array(shape, density=0.01, rng=np.random.default_rng(4)).tocsr()
    return lambda: ours.svds(a, 6), lambda: original.svds(a, 6)


@topic.pair("expm_multiply, 100x100 grid", **_FIRST)
def expm_multiply(quick: bool):
    ours, original = _both_sparse()
    n = 10 if quick else 100
    a, b = -_grid(n), np.ones(n * n)
    return lambda: ours.expm_multiply(a, b), lambda: original.expm_multiply(a, b)


@topic.pair("spsolve, tridiagonal n=10,000", **_FIRST)
def spsolve(quick: bool):
    from scipy import sparse

    ours, original = _both_sparse()
    n = 100 if quick else 10_000
    a = sparse.diags_array([-np.ones(n - 1), 3 * np.ones(n), -np.ones(n - 1)], offsets=[-1, 0, 1]).tocsc()
    b = np.ones(n)
    return lambda: ours.spsolve(a, b), lambda: original.spsolve(a, b)


def _symmetric(n: int) -> np.ndarray:
    a = np.random.default_rng(5).standard_normal((n, n))
    return a + a.T


@topic.pair("ldl 1000x1000", **_FIRST)
def ldl(quick: bool):
    ours, original = _both()
    a = _symmetric(50 if quick else 1000)
    return lambda: ours.ldl(a), lambda: original.ldl(a)


@topic.pair("ldl, 1,000 of 8x8")
def ldl_batch(quick: bool):
    ours, original = _both()
    m = 20 if quick else 1000
    a = _symmetric(8) + np.arange(m)[:, None, None] * np.eye(8)
    return lambda: ours.ldl(a), lambda: original.ldl(a)


@topic.pair("matrix_balance 1000x1000", **_FIRST)
def matrix_balance(quick: bool):
    ours, original = _both()
    n = 50 if quick else 1000
    rng = np.random.default_rng(6)
    a = rng.standard_normal((n, n)) * np.exp(3 * rng.standard_normal((n, n)))
    return lambda: ours.matrix_balance(a), lambda: original.matrix_balance(a)


@topic.pair("funm 200x200, sin", **_FIRST)
def funm(quick: bool):
    ours, original = _both()
    a = _general(20 if quick else 200) / 20
    return lambda: ours.funm(a, np.sin), lambda: original.funm(a, np.sin)


@topic.pair("cossin 300x300", same=lambda out: out[1], **_FIRST)
def cossin(quick: bool):
    ours, original = _both()
    n = 20 if quick else 300
    a = np.linalg.qr(_general(n))[0]
    return lambda: ours.cossin(a, n // 2, n // 2), lambda: original.cossin(a, n // 2, n // 2)


@topic.pair("interp_decomp 1000x1000 of rank 30, eps=1e-10", same=lambda out: np.array(out[0]), **_FIRST)
def interp_decomp(quick: bool):
    from scipy.linalg import interpolative as original

    from sci.linalg import interpolative as ours

    n = 100 if quick else 1000
    rng = np.random.default_rng(7)
    a = rng.standard_normal((n, 30)) @ rng.standard_normal((30, n))
    return lambda: ours.interp_decomp(a, 1e-10, rng=0), lambda: original.interp_decomp(a, 1e-10, rng=0)


@topic.pair("qz 100x100, complex", same=lambda out: np.array(0.0), **_FIRST)
def qz(quick: bool):
    ours, original = _both()
    n = 10 if quick else 100
    a, b = _general(n) + 1j, np.random.default_rng(8).standard_normal((n, n)) + 0j
    return lambda: ours.qz(a, b), lambda: original.qz(a, b)


@topic.pair("qz 100x100, real", same=lambda out: np.array(0.0), **_FIRST)
def qz_real(quick: bool):
    ours, original = _both()
    n = 10 if quick else 100
    a, b = _general(n), np.random.default_rng(8).standard_normal((n, n))
    return lambda: ours.qz(a, b), lambda: original.qz(a, b)


@topic.pair("funm_multiply_krylov, exp of a 100x100 grid, 10 restarts", **_FIRST)
def funm_multiply_krylov(quick: bool):
    from scipy.linalg import expm

    ours, original = _both_sparse()
    n = 10 if quick else 100
    a, b = -_grid(n), np.ones(n * n)

    def run(module):
        return lambda: module.funm_multiply_krylov(expm, a, b, t=1.0, assume_a="her", max_restarts=10)

    return run(ours), run(original)


@topic.pair("spsolve_triangular, the lower factor of a 100x100 grid", **_FIRST)
def spsolve_triangular(quick: bool):
    ours, original = _both_sparse()
    n = 10 if quick else 100
    a, b = original.splu(_grid(n).tocsc()).L.tocsr(), np.ones(n * n)
    return lambda: ours.spsolve_triangular(a, b), lambda: original.spsolve_triangular(a, b)


@topic.pair("splu of a 100x100 grid: solve for a JAX array, and SciPy's for NumPy's", **_FIRST)
def splu_solve(quick: bool):
    import jax

    ours, original = _both_sparse()
    n = 10 if quick else 100
    a, b = _grid(n).tocsc(), np.ones(n * n)
    theirs = original.splu(a)
    with jax.enable_x64(True):
        on_device = jax.numpy.asarray(b)
    solve = jax.jit(ours.splu(a).solve)

    def run():
        with jax.enable_x64(True):
            return np.asarray(solve(on_device))

    return run, lambda: theirs.solve(b)


@topic.pair("onenormest, 300x300 grid", same=lambda est: np.array(0.0), **_FIRST)
def onenormest(quick: bool):
    ours, original = _both_sparse()
    a = _grid(10 if quick else 300)
    return lambda: ours.onenormest(a), lambda: original.onenormest(a)


@topic.pair("norm, Frobenius, of a 300x300 grid", **_FIRST)
def sparse_norm(quick: bool):
    ours, original = _both_sparse()
    a = _grid(10 if quick else 300)
    return lambda: ours.norm(a), lambda: original.norm(a)
