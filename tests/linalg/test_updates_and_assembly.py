"""QR updates, block_diag, cdf2rdf, sketches and generalised eigenproblems: identities, options, bad input."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg as original

import sci
from sci import linalg

rng = np.random.default_rng(6)


def factors(m, n, mode, kind=float):
    a = rng.normal(size=(m, n)).astype(kind)
    if kind is complex:
        a = a + 1j * rng.normal(size=(m, n))
    return a, *original.qr(a, mode=mode)


def assert_factors(q, r, a):
    np.testing.assert_allclose(q @ r, a, atol=1e-12)
    np.testing.assert_allclose(q.conj().T @ q, np.eye(q.shape[1]), atol=1e-12)
    np.testing.assert_allclose(np.tril(r, -1), 0, atol=1e-12)


@pytest.mark.parametrize(("m", "n", "mode"), [(6, 3, "full"), (6, 3, "economic"), (4, 4, "full"), (3, 5, "full")])
@pytest.mark.parametrize("kind", [float, complex])
def test_qr_updates(m, n, mode, kind):
    a, q, r = factors(m, n, mode, kind)
    u, v = rng.normal(size=(m, 2)), rng.normal(size=(n, 2))
    for x, y in ((u, v), (u[:, 0], v[:, 0])):
        got = linalg.qr_update(q, r, x, y)
        assert_factors(*got, a + x.reshape(m, -1) @ y.reshape(n, -1).conj().T)
        theirs = original.qr_update(q, r, x.astype(kind), y.astype(kind))
        assert [z.shape for z in got] == [z.shape for z in theirs]
    for rows in (rng.normal(size=n), rng.normal(size=(2, n))):
        for k in (0, 2, -1, m):
            got = linalg.qr_insert(q, r, rows, k)
            assert_factors(*got, np.insert(a, k, rows, axis=0))
            theirs = original.qr_insert(q, r, rows.astype(kind), k)
            assert [z.shape for z in got] == [z.shape for z in theirs]
    for columns in (rng.normal(size=m), rng.normal(size=(m, 2))):
        for k in (0, 1, n):
            got = linalg.qr_insert(q, r, columns, k, which="col")
            assert_factors(*got, np.insert(a, k, columns, axis=1) if columns.ndim == 1 else
                           np.concatenate([a[:, :k], columns, a[:, k:]], axis=1))  # fmt: skip
            theirs = original.qr_insert(q, r, columns.astype(kind), k, which="col")
            assert [z.shape for z in got] == [z.shape for z in theirs]
    for k, p, which in ((0, 1, "row"), (-1, 1, "row"), (1, 2, "row"), (0, 1, "col"), (1, 2, "col")):
        got = linalg.qr_delete(q, r, k, p, which)
        assert_factors(*got, np.delete(a, range(k % a.shape[which == "col"], k % a.shape[which == "col"] + p),
                                       axis=int(which == "col")))  # fmt: skip
        theirs = original.qr_delete(q, r, k, p, which)
        assert [z.shape for z in got] == [z.shape for z in theirs]
    assert not sci.fallbacks()


def test_qr_updates_of_stacks_are_the_items():
    a = rng.normal(size=(2, 3, 5, 4))
    q, r = original.qr(a)
    k, row, rows = rng.integers(-4, 4, (2, 3)), rng.normal(size=4), rng.normal(size=(3, 2, 4))
    u, v = rng.normal(size=(2, 3, 5, 2)), rng.normal(size=(2, 3, 4, 2))
    calls = [
        ("qr_insert", (row, k)), ("qr_insert", (rows, 1)), ("qr_insert", (u, 2, "col")), ("qr_delete", (k,)),
        ("qr_delete", (0, 2, "col")), ("qr_update", (u[0, 0, :, 0], v[0, 0, :, 0])),
        ("qr_update", (u[..., :1], v[..., :1])),
    ]  # fmt: skip
    for name, arguments in calls:
        got, theirs = (getattr(module, name)(q, r, *arguments) for module in (linalg, original))
        assert [x.shape for x in got] == [x.shape for x in theirs]
        np.testing.assert_allclose(got[0] @ got[1], theirs[0] @ theirs[1], atol=1e-12)
    assert not sci.fallbacks()
    with pytest.raises(ValueError, match="zero-size"):
        linalg.qr_delete(q[:0], r[:0], 0)
    with pytest.raises(ValueError, match="not a valid index"):
        linalg.qr_delete(q, r, np.array([0, 1, 5]))


def test_qr_updates_keep_single_precision():
    _, q, r = factors(5, 3, "full")
    q, r, u = q.astype(np.float32), r.astype(np.float32), np.ones(3, np.float32)
    for name, arguments in (("qr_insert", (u, 1)), ("qr_delete", (1,)), ("qr_update", (np.ones(5, np.float32), u))):
        got, theirs = (getattr(module, name)(q, r, *arguments) for module in (linalg, original))
        assert [x.dtype for x in got] == [x.dtype for x in theirs]
        np.testing.assert_allclose(got[0] @ got[1], theirs[0] @ theirs[1], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("qr_insert", (np.eye(3), np.eye(3), np.ones(2), 0)),
        ("qr_insert", (np.eye(3), np.eye(3), np.ones(3), 4)),
        ("qr_insert", (np.eye(3), np.eye(3), np.ones(3), 0, "diagonal")),
        ("qr_delete", (np.eye(3), np.eye(3), 3)),
        ("qr_delete", (np.eye(3), np.eye(3), 1, 3)),
        ("qr_delete", (np.eye(3), np.eye(2), 1)),
        ("qr_update", (np.eye(3), np.eye(3), np.ones(2), np.ones(3))),
        ("qr_update", (np.eye(3), np.eye(3), np.full(3, np.nan), np.ones(3))),
    ],
)
def test_qr_updates_refuse(name, arguments):
    for module in (original, linalg):
        with pytest.raises(ValueError):
            getattr(module, name)(*arguments)


def test_block_diag():
    blocks = (np.ones((2, 3), np.int32), [4.0, 5.0], np.zeros((0, 2)), 7)
    got, expected = linalg.block_diag(*blocks), original.block_diag(*blocks)
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(linalg.block_diag(), original.block_diag())
    stack = rng.normal(size=(4, 2, 2))
    np.testing.assert_array_equal(linalg.block_diag(stack, np.eye(3)), original.block_diag(stack, np.eye(3)))


def test_real_form_of_complex_pairs():
    a = rng.normal(size=(3, 6, 6))
    w, v = original.eig(a)
    for got, expected in zip(linalg.cdf2rdf(w, v), original.cdf2rdf(w, v), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-14)
    with pytest.raises(ValueError, match="pairs"):
        linalg.cdf2rdf(np.array([1j, 2.0]), np.eye(2))
    with pytest.raises(ValueError, match="square"):
        linalg.cdf2rdf(np.ones(2), np.ones((2, 3)))


def test_sketches():
    a = rng.normal(size=(50, 4))
    np.testing.assert_allclose(
        linalg.clarkson_woodruff_transform(a, 10, rng=5), original.clarkson_woodruff_transform(a, 10, rng=5)
    )
    np.testing.assert_allclose(
        linalg.clarkson_woodruff_transform(a, 10, seed=5), original.clarkson_woodruff_transform(a, 10, seed=5)
    )
    with pytest.raises(ValueError, match="sketch_size"):
        linalg.clarkson_woodruff_transform(a, 0)


@pytest.mark.parametrize("kind", [float, complex])
def test_generalised_eigenproblems(kind):
    a, b = rng.normal(size=(2, 5, 5)) + (1j * rng.normal(size=(2, 5, 5)) if kind is complex else 0)
    b = b + 4 * np.eye(5)
    w, vl, vr = linalg.eig(a, b, left=True)
    assert np.abs(a @ vr - b @ vr * w).max() < 1e-12
    assert np.abs(vl.conj().T @ a - (vl.conj().T @ b) * w[:, None]).max() < 1e-12
    np.testing.assert_allclose(np.linalg.norm(vl, axis=0), 1)
    pairs = linalg.eigvals(a, b, homogeneous_eigvals=True)
    distance = np.abs((pairs[0] / pairs[1])[:, None] - original.eigvals(a, b))
    assert distance.min(axis=0).max() < 1e-10 and distance.min(axis=1).max() < 1e-10
    assert not sci.fallbacks()
    singular = linalg.eigvals(a, np.diag([1.0, 1, 1, 1, 0]))
    assert np.isinf(singular).any() and sci.fallbacks()[0].reason.name == "OPTION"
