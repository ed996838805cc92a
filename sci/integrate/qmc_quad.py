"""`qmc_quad`: integrals over boxes by quasi-Monte Carlo sampling."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate._quadrature import QMCQuadResult

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, warn_user
from sci.bridge.worlds import is_jax

__all__ = ["qmc_quad"]


def _prepare(call: Call) -> None:
    if not callable(call["func"]):
        raise TypeError("`func` must be callable.")
    xp: Any = jnp if is_jax([call["a"], call["b"]]) else np
    a, b = (xp.asarray(call[name]) for name in ("a", "b"))
    if any(v.dtype.kind not in "biuf" for v in (a, b)):
        raise HostRoute(Reason.DTYPE, f"limits of dtypes {a.dtype} and {b.dtype}")
    dtype = xp.result_type(a, b)
    dtype = dtype if dtype.kind == "f" else xp.result_type(float)
    a, b = (v.astype(dtype) for v in xp.broadcast_arrays(xp.atleast_1d(a), xp.atleast_1d(b)))
    if a.ndim != 1:
        raise HostRoute(Reason.SHAPE, f"limits of shape {a.shape}")
    call["a"], call["b"] = a, b
    for name in ("n_points", "n_estimates"):
        value = call[name]
        if isinstance(value, bool) or int(value) != value:
            raise TypeError(f"`{name}` must be an integer, got {value!r}.")
        call[name] = int(value)
    if call["log"] not in (True, False):
        raise TypeError(f"`log` must be boolean (`True` or `False`), got {call['log']!r}.")
    call["log"] = bool(call["log"])
    from scipy import stats  # half a second: only where it is needed, as in SciPy

    engine = call["qrng"]
    if engine is None:
        engine = stats.qmc.Halton(a.shape[0])
    elif not isinstance(engine, stats.qmc.QMCEngine):
        raise TypeError(f"`qrng` must be an instance of scipy.stats.qmc.QMCEngine, got {type(engine).__name__}.")
    if engine.d != a.shape[0]:
        raise ValueError(
            "`qrng` must be initialized with dimensionality equal to the number of variables in `a`, i.e., "
            f"`qrng.random().shape[-1]` must equal `a.shape[0]`: {engine.d} is not {a.shape[0]}."
        )
    if call.numpy:
        _check_function(call["func"], a, b)
    call["empty"] = call.numpy and bool(np.any(a == b))
    call["sample"] = _sample(engine, call["n_estimates"], call["n_points"], call["empty"]).astype(dtype)
    at = call["sample"][0].T if is_jax([a, b]) else (call["sample"][0] * (b - a) + a).T
    call["example"] = (np.ascontiguousarray(at),)


def _check_function(func: Any, a: np.ndarray, b: np.ndarray) -> None:
    try:
        func((a + b) / 2)
    except Exception as error:
        raise ValueError(
            "`func` must evaluate the integrand at points within the integration range; e.g. `func( (a + b) / 2)` must "
            "return the integrand at the centroid of the integration volume."
        ) from error
    try:
        func(np.stack([a, b]).T)
    except Exception as error:
        raise HostRoute(Reason.OPTION, f"func takes one point at a time: {error}") from error


def _sample(engine: Any, n_estimates: int, n_points: int, empty: bool) -> np.ndarray:
    """Points of independent engines (n_estimates, n_points, d): the given one, and those that it spawns."""
    if empty:
        return np.full((1, n_points, engine.d), 0.5)
    sequence = engine.rng.bit_generator._seed_seq
    seeds = sequence.spawn(n_estimates)
    rngs = [np.random.Generator(type(engine.rng.bit_generator)(seed)) for seed in seeds]
    samples = []
    for rng in rngs:
        samples.append(engine.random(n_points))
        engine = type(engine)(seed=rng, **engine._init_quad)
    return np.stack(samples)


def _finish(call: Call, out: Any) -> QMCQuadResult:
    if call["empty"]:
        message = "A lower limit was equal to an upper limit, so the value of the integral is zero by definition."
        warn_user(message, UserWarning)
        dtype = call["a"].dtype.type
        return QMCQuadResult(dtype(-np.inf if call["log"] else 0), dtype(0))
    integral, error, negative = out
    if call["log"]:
        return QMCQuadResult(integral + np.pi * 1j if negative else integral, error)
    return QMCQuadResult(integral, error)


def _finish_jax(call: Call, out: Any) -> QMCQuadResult:
    integral, error, negative = out
    return QMCQuadResult(integral + 1j * jnp.pi * negative if call["log"] else integral, error)


def _bump(x: Any) -> Any:
    return np.exp(-np.sum(x**2, axis=0))


_bump.__module__ = "user"


def _examples() -> list[Example]:
    from scipy.stats.qmc import QMCEngine

    class Lattice(QMCEngine):
        """The same points from every engine: what an example can be compared on."""

        def __init__(self, d: int, *, seed: Any = None, **_: Any) -> None:
            super().__init__(d=d, seed=seed)
            self._init_quad = {"d": d}

        def _random(self, n: int = 1, *, workers: int = 1) -> np.ndarray:
            return (0.5 + np.outer(np.arange(n), [0.7548776662466927, 0.5698402909980532])) % 1

    return [
        Example(
            (_bump, np.array([0.1, 0.0]), np.array([1.5, 2.0])),
            {"n_points": 64, "n_estimates": 3, "qrng": Lattice(2)},
            output=lambda r: [r[0]],
            grad=("a", "b"),
            grad_rtol=1e-4,
            skip_odd=("empty",),  # an engine of no dimension
        )
    ]


@implements(
    "scipy.integrate.qmc_quad",
    callables={"func": lambda call: call["example"]},
    static=("log", "empty"),
    prepare=_prepare,
    finish=_finish,
    finish_jax=_finish_jax,
    examples=_examples,
)
def qmc_quad(func, a, b, sample, log, empty):
    """Integrate over a box by randomised quasi-Monte Carlo sampling.

    The points come from SciPy's engines, on the host: the same as SciPy's for an engine in the same state. In the JAX
    world they are constants of the compiled function.

    Parameters
    ----------
    func : callable
        ``func(x)`` of points, shape (d, n_points), returns (n_points,).
    a, b : array_like, shape (d,)
        Finite limits.
    n_estimates, n_points : int
        Independent estimates, and points of each.
    qrng : scipy.stats.qmc.QMCEngine, optional
        Source of the points; `Halton` by default.
    log : bool
        Whether `func` returns the (real) logarithm of the integrand; the results are logarithms then.

    Returns
    -------
    QMCQuadResult
        ``integral`` and ``standard_error``. With `log` the integral has an imaginary part of pi if it is negative (in
        the JAX world it is always complex). Differentiable with respect to `a`, `b` and what `func` closes over.

    Raises
    ------
    TypeError
        For a `func` that cannot be called, counts that are no integers, or a `qrng` that is no engine.
    ValueError
        If `qrng` has another dimension.

    References
    ----------
    .. [1] A. B. Owen, "Monte Carlo Theory, Methods and Examples", Ch. 17, 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.integrate import qmc_quad
    >>> r = qmc_quad(lambda x: x[0] * x[1], [0, 0], [1, 2])
    >>> bool(abs(r.integral - 1) < 0.01)
    True
    """
    if empty:  # zero by definition: `_finish` says so, and the integrand is not asked
        return jnp.zeros(()), jnp.zeros(()), jnp.zeros((), bool)
    count, n_points = sample.shape[:2]
    swapped = b < a
    low, high = jnp.minimum(a, b), jnp.maximum(a, b)
    volume = jnp.prod(high - low) / n_points
    negative = jnp.sum(swapped) % 2 == 1

    def estimate(points):
        y = as_array(func((points * (high - low) + low).T))
        if y.size == n_points:
            y = y.reshape(-1)  # (1, n_points), as SciPy takes it
        else:
            raise ValueError(f"`func` must return shape {(n_points,)} for {n_points} points, got {y.shape}.")
        if log:
            return jax.scipy.special.logsumexp(y) + jnp.log(volume)
        return jnp.sum(y * volume)

    estimates = jax.lax.map(estimate, sample)
    if not log:
        mean = jnp.mean(estimates)
        deviation = jnp.std(estimates, ddof=1) if count > 1 else jnp.full_like(mean, jnp.nan)
        return jnp.where(negative, -mean, mean), deviation / np.sqrt(count), negative
    mean = jax.scipy.special.logsumexp(estimates) - np.log(count)
    shift = jnp.where(jnp.isfinite(mean.real), mean.real, 0)
    spread = jnp.sum(jnp.abs(jnp.exp(estimates - shift) - jnp.exp(mean - shift)) ** 2)
    deviation = 0.5 * (jnp.log(spread) - np.log(count - 1)) + shift if count > 1 else jnp.full_like(shift, jnp.nan)
    return mean, deviation - 0.5 * np.log(count), negative
