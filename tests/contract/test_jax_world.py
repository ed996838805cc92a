"""JAX in, JAX out: jit, vmap and grad of every registered function."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.contract.support import assert_same, bound, call, cases, double, leaves


def _array(value):
    return np.asarray(value, dtype=np.result_type(np.asarray(value).dtype, np.float64))


def _scalarised(entry, example, names):
    """The call as a function of some arguments, its result weighted into one real number."""

    def function(*values):
        result = call(entry.function, bound(entry, example), **dict(zip(names, values, strict=True)))
        picked = example.output(result) if example.output else result
        total = 0.0
        for k, leaf in enumerate(jax.tree_util.tree_leaves(picked)):
            leaf = jnp.asarray(leaf)
            if jnp.issubdtype(leaf.dtype, jnp.inexact):
                weights = np.cos(np.arange(leaf.size) + k).reshape(leaf.shape)
                total = total + (weights * leaf.real).sum()
                if jnp.iscomplexobj(leaf):
                    total = total + (np.flip(weights) * leaf.imag).sum()
        return total

    return function


@pytest.mark.parametrize(("entry", "example"), cases(lambda e, x: e.jit and x.jit and bool(x.vmap or x.grad)))
def test_jit_equals_the_numpy_world(entry, example):
    arguments = bound(entry, example)
    names = list(dict.fromkeys([*example.vmap, *example.grad]))
    expected = call(entry.function, arguments)
    with double():
        values = [jnp.asarray(arguments.arguments[n]) for n in names]
        run = jax.jit(lambda *v: call(entry.function, arguments, **dict(zip(names, v, strict=True))))
        result = run(*values)
    picked = example.output(result) if example.output else result
    assert all(isinstance(leaf, jax.Array) for leaf in jax.tree_util.tree_leaves(picked))
    assert_same(example, result, expected, rtol=max(example.rtol, 1e-9), dtypes=False, exact_check=False)


@pytest.mark.parametrize(("entry", "example"), cases(lambda e, x: e.vmap and bool(x.vmap), costly=True))
def test_vmap_equals_a_loop(entry, example):
    arguments = bound(entry, example)
    # elementwise functions batch alike in every argument
    for name in example.vmap[:1] if isinstance(entry.original, np.ufunc) else example.vmap:
        value = np.asarray(arguments.arguments[name])
        kind = value.dtype if value.dtype.kind in "iu" else np.result_type(value.dtype, np.float64)
        factors = (1, 1, 1) if value.dtype.kind in "iu" else (1.0, 1.02, 0.97)
        batch = np.stack([np.asarray(value * f, dtype=kind) for f in factors])
        with double():
            result = jax.vmap(lambda x, name=name: call(entry.function, arguments, **{name: x}))(jnp.asarray(batch))
            got = leaves(example, result)
            for i, item in enumerate(batch):
                single = leaves(example, call(entry.function, arguments, **{name: jnp.asarray(item)}))
                for batched, one in zip(got, single, strict=True):
                    np.testing.assert_allclose(
                        batched[i], one, rtol=max(example.rtol, 1e-9), atol=max(example.atol, 1e-11)
                    )


@pytest.mark.parametrize(("entry", "example"), cases(lambda e, x: e.grad and bool(x.grad)))
def test_gradients_equal_finite_differences(entry, example):
    """In one direction through all arguments at once: a wrong partial derivative shows there too."""
    arguments = bound(entry, example)
    function = _scalarised(entry, example, example.grad)
    with double():
        x = jax.tree.map(lambda v: jnp.asarray(_array(v)), tuple(arguments.arguments[n] for n in example.grad))
        direction = jax.tree.map(lambda v: jnp.asarray(np.cos(1.0 + np.arange(v.size)).reshape(v.shape)), x)
        compiled = jax.jit(function)
        step = 1e-5 * max(1.0, *(float(jnp.abs(v).max()) for v in jax.tree.leaves(x)))

        def moved(k):
            return float(compiled(*jax.tree.map(lambda v, d: v + k * step * d, x, direction)))

        # fourth-order central difference: its error must not decide the test
        expected = (moved(-2) - 8 * moved(-1) + 8 * moved(1) - moved(2)) / (12 * step)
        _, forward = jax.jit(lambda x, d: jax.jvp(function, x, d))(x, direction)
        backward = jax.jit(jax.grad(function, argnums=tuple(range(len(x)))))(*x)
        along = sum(
            float((b * d).sum()) for b, d in zip(jax.tree.leaves(backward), jax.tree.leaves(direction), strict=True)
        )
    assert all(np.isfinite(b).all() for b in jax.tree.leaves(backward))
    scale = max(abs(expected), 1e-3)
    assert abs(float(forward) - expected) <= example.grad_rtol * scale, "forward mode"
    assert abs(along - expected) <= example.grad_rtol * scale, "reverse mode"


def _both(entry, example):
    return entry.vmap and entry.grad and bool(set(example.vmap) & set(example.grad))


# to a universal function a batch is nothing new
@pytest.mark.parametrize(("entry", "example"), cases(_both, costly=True, ufuncs=False))
def test_gradient_of_a_batch_is_the_batch_of_gradients(entry, example):
    arguments = bound(entry, example)
    name = next(n for n in example.vmap if n in example.grad)
    function = _scalarised(entry, example, [name])
    with double():
        x = jax.tree.map(lambda v: jnp.asarray(_array(v)), arguments.arguments[name])
        batch = jax.tree.map(lambda v: jnp.stack([v, 1.02 * v, 0.97 * v]), x)
        together = jax.jit(jax.grad(lambda b: jax.vmap(function)(b).sum()))(batch)
        gradient = jax.jit(jax.grad(function))
        for i in range(3):
            single = gradient(jax.tree.map(lambda v, i=i: v[i], batch))
            for t, s in zip(jax.tree.leaves(together), jax.tree.leaves(single), strict=True):
                np.testing.assert_allclose(t[i], s, rtol=1e-6, atol=1e-8 * max(1.0, float(jnp.abs(s).max())))


@pytest.mark.parametrize(
    ("entry", "example"), cases(lambda e, x: e.jit and x.jit and bool(x.vmap or x.grad), costly=True)
)
def test_single_precision_stays_single(entry, example):
    arguments = bound(entry, example)
    names = [
        n for n in dict.fromkeys([*example.vmap, *example.grad]) if np.asarray(arguments.arguments[n]).dtype.kind == "f"
    ]
    if not names or example.float32 is False:
        pytest.skip("no real argument, or declared double only")
    values = {n: jnp.asarray(np.asarray(arguments.arguments[n]), dtype=jnp.float32) for n in names}
    result = call(entry.function, arguments, **values)
    for leaf in leaves(example, result):
        assert leaf.dtype not in (np.dtype(np.float64), np.dtype(np.complex128))
