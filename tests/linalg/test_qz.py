"""Generalised Schur forms: residuals over singular, nilpotent and integer pairs; orders; types; bad input."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg as original

import sci
from sci import linalg

rng = np.random.default_rng(21)


def check(a, b, s, t, q, z):
    n = a.shape[-1]
    real = not np.iscomplexobj(s)
    for x, form in ((a, s), (b, t)):
        np.testing.assert_array_equal(np.tril(form, -2 if real and form is s else -1), 0)
        zh = np.swapaxes(z.conj(), -1, -2)
        np.testing.assert_allclose(q @ form @ zh, x, atol=1e-14 * max(n, 10) * max(np.abs(x).max(), 1e-300))
    for u in (q, z):
        np.testing.assert_allclose(np.swapaxes(u.conj(), -1, -2) @ u, np.broadcast_to(np.eye(n), u.shape), atol=1e-13)
    diagonal = np.diagonal(t, 0, -2, -1)
    assert (diagonal.imag == 0).all() and (diagonal.real >= 0).all()
    if real and a.ndim == 2:
        blocks = np.diagonal(s, -1) != 0
        assert not (blocks[1:] & blocks[:-1]).any()
        for i in np.flatnonzero(blocks):
            assert t[i, i + 1] == 0 and t[i, i] > 0 and t[i + 1, i + 1] > 0
            assert original.eigvals(s[i : i + 2, i : i + 2], t[i : i + 2, i : i + 2]).imag.all()


def pairs(n):
    a, b = rng.normal(size=(2, n, n)) + 1j * rng.normal(size=(2, n, n))
    none = np.zeros((n, n), complex)
    holes = b @ np.diag((np.arange(n) % 2).astype(float)) @ rng.normal(size=(n, n))
    shift = np.triu(np.ones((n, n)), 1) + 0j
    return {
        "random": (a, b), "singular B": (a, holes), "singular A": (holes, b), "B zero": (a, none), "A zero": (none, b),
        "one column zero": (a, b * (np.arange(n) > 0)), "identity": (np.eye(n) + 0j, b),
        "standard": (a, np.eye(n) + 0j),
        "integer": (np.round(a), np.round(b)), "nilpotent B": (a, np.triu(b, 1)), "jordan": (np.eye(n) + 0j, shift),
        "cyclic": (np.roll(np.eye(n), 1, 0) + 0j, np.eye(n) + 0j), "same": (holes, holes), "tiny": (1e-200 * a, b),
        "diagonal B": (a, np.diag((np.arange(n) % 3 > 0) + 0j)),
    }  # fmt: skip


@pytest.mark.parametrize("n", [1, 2, 12])
def test_residuals(n):
    for a, b in pairs(n).values():
        check(a, b, *linalg.qz(a, b))
    assert not sci.fallbacks()


@pytest.mark.parametrize("n", [1, 2, 3, 12])
def test_residuals_in_real_arithmetic(n):
    real = {name: (a.real, b.real) for name, (a, b) in pairs(n).items()}
    a, b = rng.normal(size=(2, n, n))
    real |= {
        "symmetric": (a + a.T, b @ b.T), "skew": (a - a.T, b @ b.T), "graded": (a * 10.0 ** -np.arange(0, 2 * n, 2), b),
        "rotation": (np.kron(np.eye(n), [[0.6, -0.8], [0.8, 0.6]])[:n, :n], np.eye(n)),
        "nearly real": (np.triu(a) + np.diag(np.full(n - 1, -1e-15), -1), np.eye(n)),
    }  # fmt: skip
    for a, b in real.values():
        check(a, b, *linalg.qz(a, b))
    assert not sci.fallbacks()


def test_eigenvalues_real_input_stacks_and_types():
    a, b = rng.normal(size=(2, 3, 6, 6))
    s, t, q, z = linalg.qz(a, b, output="complex")
    check(a, b, s, t, q, z)
    for k in range(3):
        ours = np.diagonal(s[k]) / np.diagonal(t[k])
        theirs = original.eigvals(a[k], b[k])
        distance = np.abs(ours[:, None] - theirs) / (1 + np.abs(theirs))
        assert distance.min(axis=0).max() < 1e-10 and distance.min(axis=1).max() < 1e-10
    x, y = a[0].astype(np.float32), b[0].astype(np.complex64)
    got, expected = (m.qz(x, y) for m in (linalg, original))
    assert [v.dtype for v in got] == [v.dtype for v in expected]
    sci.clear_fallbacks()
    check(a[0], b[0], *linalg.qz(a[0], b[0]))
    single = linalg.qz(a[0].astype(np.float32), b[0].astype(np.float32))
    assert all(x.dtype == np.float32 for x in single) and not sci.fallbacks()
    np.testing.assert_allclose(single[2] @ single[0] @ single[3].T, a[0], atol=1e-5)


RULES = {
    "lhp": lambda w: w.real < 0, "rhp": lambda w: w.real > 0, "iuc": lambda w: abs(w) < 1, "ouc": lambda w: abs(w) > 1,
}  # fmt: skip


@pytest.mark.parametrize("sort", [*RULES, "callable"])
def test_orders(sort):
    rule = RULES.get(sort, lambda w: w.imag > 0.1)
    given = sort if sort in RULES else lambda alpha, beta: (alpha / beta).imag > 0.1
    for _ in range(4):
        a, b = rng.normal(size=(2, 7, 7)) + 1j * rng.normal(size=(2, 7, 7))
        s, t, alpha, beta, q, z = linalg.ordqz(a, b, sort=given)
        check(a, b, s, t, q, z)
        np.testing.assert_array_equal(alpha, np.diagonal(s))
        np.testing.assert_array_equal(beta, np.diagonal(t))
        chosen = rule(alpha / beta)
        assert (np.diff(chosen.astype(int)) <= 0).all()
        expected = original.eigvals(a, b)
        assert chosen.sum() == rule(expected).sum()
        np.testing.assert_allclose(np.sort_complex(np.round(alpha / beta, 8)), np.sort_complex(np.round(expected, 8)))
    assert not sci.fallbacks()


@pytest.mark.parametrize("sort", [*RULES, "callable"])
def test_orders_in_real_arithmetic(sort):
    rule = RULES.get(sort, lambda w: w.real > 0.1)
    given = sort if sort in RULES else lambda alpha, beta: alpha.real > 0.1 * beta
    for k in range(6):
        a, b = rng.normal(size=(2, 8, 8))
        if k == 5:
            b[:, 3] = 0  # an infinite eigenvalue
        s, t, alpha, beta, q, z = linalg.ordqz(a, b, sort=given)
        check(a, b, s, t, q, z)
        np.testing.assert_array_equal(beta, np.diagonal(t))
        finite = beta != 0
        w = alpha[finite] / beta[finite]
        chosen = np.full(8, sort in ("ouc", "callable"))
        chosen[finite] = rule(w)
        assert k == 5 or (np.diff(chosen.astype(int)) <= 0).all()
        expected = original.eigvals(a, b)
        if k < 5:
            assert chosen.sum() == rule(expected).sum()
            np.testing.assert_allclose(np.sort_complex(np.round(w, 8)), np.sort_complex(np.round(expected, 8)))
    got, theirs = linalg.ordqz(a, b, sort=given), original.ordqz(a, b, sort=given)
    assert [x.dtype for x in got] == [x.dtype for x in theirs]
    assert not sci.fallbacks()


def test_half_of_a_pair_takes_both_and_equal_blocks_cannot_pass():
    turn = np.array([[0.0, -2.0], [2.0, 0.0]])
    a = np.zeros((3, 3))
    a[0, 0], a[1:, 1:] = 5.0, turn
    _, _, alpha, beta, _, _ = linalg.ordqz(a, np.eye(3), sort=lambda alpha, beta: alpha.imag > 0)
    np.testing.assert_allclose(np.sort_complex((alpha / beta)[:2]), [-2j, 2j], atol=1e-14)
    assert alpha[2] / beta[2] == pytest.approx(5.0)


@pytest.mark.parametrize("sort", RULES)
def test_uncoupled_real_eigenvalues_pass_each_other(sort):
    for a, b in (([1.0, 1.0], [-2.0, 0.5]), ([1.0, 1.0], [-2.0, 0.0]), ([0.0, 1.0], [0.0, -0.5])):
        alpha, beta = linalg.ordqz(np.diag(a), np.diag(b), sort=sort)[2:4]
        expected = original.ordqz(np.diag(a), np.diag(b), sort=sort)[2:4]
        np.testing.assert_allclose(alpha * expected[1], beta * expected[0], atol=1e-14)
        np.testing.assert_array_equal(beta == 0, expected[1] == 0)
    assert not sci.fallbacks()


def test_infinite_and_indefinite_eigenvalues_in_order():
    a, b = np.diag([1.0, 2.0, 0.0, -3.0]) + 0j, np.diag([0.0, 1.0, 0.0, 1.0]) + 0j
    for sort in RULES:
        _, _, alpha, beta, _, _ = linalg.ordqz(a, b, sort=sort)
        chosen = [
            (x != 0 and sort == "ouc") if y == 0 else bool(RULES[sort](x / y)) for x, y in zip(alpha, beta, strict=True)
        ]
        assert chosen == sorted(chosen, reverse=True) and sum(chosen) == {"lhp": 1, "rhp": 1, "iuc": 0, "ouc": 3}[sort]


def test_jax_world_and_bad_input():
    a = jnp.asarray(rng.normal(size=(4, 4)))
    s, t, q, z = jax.jit(lambda a: linalg.qz(a, jnp.eye(4), output="complex"))(a)
    np.testing.assert_allclose(q @ s @ z.conj().T, a, atol=1e-4)
    assert jnp.isnan(linalg.qz(a * jnp.nan, a, output="c")[0]).all()
    a = np.asarray(a, complex)
    for args, kw in (
        ((a, a[:2]), {}), ((a, a[:2, :2]), {}), ((a[0], a), {}), ((a, a), {"output": "x"}), ((a, a), {"sort": "bad"}),
        ((a * np.nan, a), {}), ((3.0, 2.0), {}),
    ):  # fmt: skip
        for name in ("qz", "ordqz"):
            for module in (original, linalg):
                with pytest.raises(ValueError):
                    getattr(module, name)(*args, **kw)
    with pytest.raises(ValueError):
        linalg.qz(np.zeros((0, 0), complex), np.zeros((0, 0)))
    with pytest.raises(ValueError, match="shape"):
        linalg.ordqz(a, a, sort=lambda alpha, beta: (alpha == beta).all())
