"""The headline chain: NumPy makes a pass over memory for each operation, a compiled one makes one."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import Topic

topic = Topic("elementwise", "Elementwise chain x + x*x + x*x*x (float32)")


def chain(x):
    """Five operations; one read and one write are enough."""
    return x + x * x + x * x * x


def _array(quick: bool) -> np.ndarray:
    n = 1000 if quick else 5000
    return np.random.default_rng(4).random((n, n), dtype=np.float32)


@topic.pair("5000x5000, device-resident, against NumPy", ratio=5, memory=True)
def resident(quick: bool):
    import jax

    import sci

    x = _array(quick)
    f = jax.jit(sci.to_jax(chain, x))
    on_device = jax.device_put(x)
    return lambda: f(on_device), lambda: chain(x)


@topic.pair("5000x5000, device-resident, against a plain copy (the memory floor)", ratio=0.8, fresh=False, same=None)
def floor(quick: bool):
    import jax

    import sci

    x = _array(quick)
    f = jax.jit(sci.to_jax(chain, x))
    on_device, out = jax.device_put(x), np.empty_like(x)
    return lambda: f(on_device), lambda: np.copyto(out, x)


@topic.pair("5000x5000, NumPy in and out through sci.to_jax, against NumPy", ratio=2.5, memory=True)
def numpy_in_and_out(quick: bool):
    import sci

    x = _array(quick)
    f = sci.to_jax(chain, x)
    return lambda: np.asarray(f(x)), lambda: chain(x)
