"""Cosine-sine decomposition: residuals and structure over partitions and clustered angles; options; bad input."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg as original
from scipy.stats import ortho_group, unitary_group

import sci
from sci import linalg

rng = np.random.default_rng(2)


def close(a, b, tolerance=5e-15):
    np.testing.assert_allclose(a, b, atol=tolerance * max(4, len(a)))


def blocks(u, p):
    assert not u[:p, p:].any() and not u[p:, :p].any()
    close(u @ u.conj().T, np.eye(len(u)))


@pytest.mark.parametrize("group", [ortho_group, unitary_group])
def test_all_partitions(group):
    for m, partitions in ((2, [(1, 1)]), (5, [(1, 4), (4, 1), (2, 3), (4, 4)])):
        x = group.rvs(m, random_state=m)
        for p, q in partitions:
            for swap in (False, True):
                u, cs, vh = linalg.cossin(x, p, q, swap_sign=swap)
                close(u @ cs @ vh, x)
                blocks(u, p)
                blocks(vh, q)
                expected = original.cossin(x, p, q, swap_sign=swap)[1]
                close(cs, expected)
                assert cs.dtype == expected.dtype
    assert not sci.fallbacks()


def made(m, p, q, angles, kind):
    """A matrix with given angles."""
    r = min(p, q, m - p, m - q)
    assert len(angles) == r
    parts = [unitary_group.rvs(k, random_state=k) if kind is complex else ortho_group.rvs(k, random_state=k)
             for k in (p, m - p, q, m - q)]  # fmt: skip
    from sci.linalg.decomp_cossin import _middle

    cs = np.asarray(_middle(jnp.asarray(np.sort(angles)), (p, q), (m - p, m - q), False))
    return original.block_diag(*parts[:2]) @ cs @ original.block_diag(*parts[2:])


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize(
    "angles",
    [
        np.zeros(4), np.full(4, np.pi / 2), np.array([0, 0, np.pi / 2, np.pi / 2]), np.full(4, 0.3),
        np.array([1e-9, 1e-9, 2e-9, 0.5]), np.pi / 2 - np.array([1e-9, 1e-9, 1e-15, 0.5]), np.full(4, np.pi / 4),
        np.array([1e-16, 1e-12, 1e-8, 1e-4]), np.pi / 2 - np.array([1e-16, 1e-12, 1e-8, 1e-4]),
        np.pi / 4 + np.array([0, 1e-15, 1e-10, 1e-8]),
    ],
)  # fmt: skip
def test_angles_that_agree_or_vanish(angles, kind):
    with jax.enable_x64(True):
        for m, p, q in ((8, 4, 4), (10, 4, 5), (10, 6, 4)):
            x = made(m, p, q, angles, kind)
            u, cs, vh = linalg.cossin(x, p, q)
            close(u @ cs @ vh, x)
            blocks(u, p)
            blocks(vh, q)
            (_, _), theta, (_, _) = linalg.cossin(x, p, q, separate=True)
            np.testing.assert_allclose(theta, np.sort(angles), atol=1e-14)


def test_options_types_and_stacks():
    x = ortho_group.rvs(5, size=3, random_state=1)
    for kw in ({}, {"compute_u": False}, {"compute_vh": False}, {"compute_u": False, "compute_vh": False}):
        for kind in (float, complex, np.float32, np.complex64):
            got, expected = (m.cossin(x[0].astype(kind), 2, 3, **kw) for m in (linalg, original))
            assert [(a.shape, a.dtype) for a in got] == [(a.shape, a.dtype) for a in expected]
            (us, theta, vs), (us0, theta0, vs0) = (
                m.cossin(x[0].astype(kind), 2, 3, separate=True, **kw) for m in (linalg, original)
            )
            assert [(a.shape, a.dtype) for a in (*us, theta, *vs)] == [(a.shape, a.dtype) for a in (*us0, theta0, *vs0)]
    parts = (x[..., :2, :3], x[..., :2, 3:], x[..., 2:, :3], x[..., 2:, 3:])
    u, cs, vh = linalg.cossin(parts)
    assert u.shape == (3, 5, 5)
    close(u @ cs @ vh, x)
    (u1, u2), theta, _ = linalg.cossin(parts, separate=True)
    assert u1.shape == (3, 2, 2) and u2.shape == (3, 3, 3) and theta.shape == (3, 2)
    lists = [part[0].tolist() for part in parts]
    np.testing.assert_allclose(linalg.cossin(lists)[1], cs[0], atol=1e-14)
    jitted = jax.jit(lambda *parts: linalg.cossin(parts))(*(jnp.asarray(part[0]) for part in parts))
    np.testing.assert_allclose(jitted[1], cs[0], atol=1e-5)


def test_bad_input():
    x = ortho_group.rvs(4, random_state=0)
    cases = [
        ((x, 0, 1), {}), ((x, 4, 1), {}), ((x, 1, -2), {}), ((x, 1, 5), {}), ((x[:3], 1, 1), {}), ((5,), {}),
        ((([1, 2], [3, 4, 5], [6, 7], [8, 9, 10]),), {}), ((([], [], [], []),), {}), ((x * np.nan, 1, 1), {}),
        ((x[:3],), {}), (((x[:2], x[:2], x[2:], x[2:]),), {}),
    ]  # fmt: skip
    for args, kw in cases:
        for module in (original, linalg):
            with pytest.raises(ValueError):
                module.cossin(*args, **kw)
    with pytest.warns(linalg.LinAlgWarning, match="not unitary"):
        linalg.cossin(2 * x, 2, 2)
    with pytest.raises(linalg.LinAlgError):
        linalg.cossin((x[:2, :2] * np.nan, x[:2, 2:], x[2:, :2], x[2:, 2:]))
