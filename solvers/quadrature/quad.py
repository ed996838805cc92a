"""Entry of the adaptive quadrature."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from solvers.implicit import close
from solvers.quadrature.adaptive import Intervals, integrate
from solvers.quadrature.gauss_kronrod import RULE_15, RULE_21
from solvers.quadrature.rule import merge
from solvers.quadrature.weighted import WEIGHTS, integrate_weighted

#: How the range extends: what `quad` takes as ``kind``.
KINDS = ("finite", "upper", "lower", "whole")


class Integral(NamedTuple):
    """Result of `quad`; a pytree.

    Attributes
    ----------
    value : the integral
    error : estimate of its absolute error
    neval : number of integrand evaluations
    status : QUADPACK's ``ier``, see `solvers.quadrature.status`
    intervals : the final partition (of the transformed range, if that is infinite), or the `Cycles` of a weight
    """

    value: jax.Array
    error: jax.Array
    neval: jax.Array
    status: jax.Array
    intervals: Intervals

    def report(self, dtype):
        """Error, status and evaluations as one vector, for an integral around this one."""
        return lax.stop_gradient(
            jnp.stack([jnp.asarray(v).astype(dtype) for v in (self.error, self.status, self.neval)])
        )


class _Config(NamedTuple):
    fun: Any  # fun(leaves, part, x) -> real scalar, report of inner integrals (0 or 3)
    kind: str
    limit: int
    detail: bool
    once: bool = False  # the integrand is an integral itself
    weight: str | None = None
    cycles: int = 50


def quad(
    fun, a, b, args=(), *, epsabs=1.49e-8, epsrel=1.49e-8, limit=50, kind=None, intervals=True, points=None,
    weight=None, wvar=None, cycles=50,
):  # fmt: skip
    """Integrate ``fun(x, *args)`` over ``[a, b]`` by adaptive Gauss-Kronrod with extrapolation.

    Runs under `jit` and `vmap`. Differentiable in forward and reverse mode, to any order, with respect
    to the limits, ``args`` and the values that ``fun`` closes over or holds as a pytree: by Leibniz'
    rule, the derivative is an integral again, computed to the same tolerances.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)`` of a scalar ``x``, real or complex scalar. All nodes of an interval are
        evaluated in one batch. It may return the `Integral` of an inner `quad`: errors and status of all
        inner integrals then go into the outer one, and ``neval`` counts the innermost evaluations.
    a, b : scalar
        Limits; ``b < a`` gives minus the integral over ``[b, a]``.
    args : tuple of pytrees
    epsabs, epsrel : scalar
        The error is to be below ``max(epsabs, epsrel * abs(value))``.
    limit : int
        Capacity for intervals.
    kind : {"finite", "upper", "lower", "whole"}, optional
        Which limits are infinite: none, the larger, the smaller, both. Default: read off ``a`` and
        ``b``; of a traced limit the value is unknown and it is taken as finite, so that an
        infinite one gives NaN.
    intervals : bool
        Whether the result has the final partition, else None: a large batch is faster without.
    points : (m,) array, optional
        Where the integrand is difficult, inside a finite range, increasing: it is cut there from the start (QAGP).
    weight : {"cos", "sin", "alg", "alg-loga", "alg-logb", "alg-log", "cauchy"}, optional
        A factor of the integrand that is integrated exactly; see `scipy.integrate.quad`. Derivatives with respect to
        the limits and `wvar` are refused then.
    wvar : scalar or (2,) array
        Its parameters.
    cycles : int
        Periods at most, for cos and sin over an infinite range.

    Returns
    -------
    Integral
        For a complex integrand ``status`` is the larger of those of its two parts, ``error`` is
        complex (the two parts' errors), ``intervals`` has a leading axis of two.

    Raises
    ------
    ValueError
        If ``kind`` or ``limit`` is not allowed, or ``fun`` does not return a scalar.

    References
    ----------
    .. [1] R. Piessens, E. de Doncker-Kapenga, C. W. Ueberhuber, D. K. Kahaner, "QUADPACK", Springer 1983.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from solvers.quadrature import quad
    >>> bool(abs(quad(lambda x: jnp.exp(-x * x), -jnp.inf, jnp.inf).value - jnp.sqrt(jnp.pi)) < 1e-6)
    True
    """
    kind = range_kind(a, b) if kind is None else kind
    if kind not in KINDS:
        raise ValueError(f"`kind` must be one of {KINDS}, got {kind!r}.")
    if limit < 1:
        raise ValueError(f"`limit` must be at least 1, got {limit}.")
    dtype = jnp.result_type(float, *(x for x in (a, b) if isinstance(x, (jax.Array, np.ndarray, np.inexact))))
    dtype = jnp.promote_types(dtype, jnp.float32)
    a, b = jnp.asarray(a, dtype), jnp.asarray(b, dtype)
    call, leaves, is_complex, nested = _close(fun, a, args)
    eps = jax.tree.map(lambda v: lax.stop_gradient(jnp.asarray(v, dtype)), (epsabs, epsrel))
    if points is not None:
        if kind != "finite":
            raise ValueError("`points` need a finite range.")
        points = lax.stop_gradient(jnp.asarray(points, dtype))
    if weight is not None:
        if weight not in WEIGHTS:
            raise ValueError(f"`weight` must be one of {WEIGHTS}, got {weight!r}.")
        if kind == "whole" or (kind != "finite" and weight not in ("cos", "sin")):
            raise ValueError(f"`weight` {weight!r} cannot have a range of kind {kind!r}.")
        wvar = jnp.asarray(wvar, dtype)
    config = _Config(call, kind, int(limit), bool(intervals), nested, weight, int(cycles))
    # compiled as a whole also where the caller does not compile
    run = jax.jit(lambda leaves, part, ends, eps: _quad(config, leaves, part, ends[0], ends[1], (*eps, points, wvar)))
    if not is_complex:
        return run(leaves, jnp.zeros((), dtype), (a, b), eps)
    r = jax.vmap(lambda part: run(leaves, part, (a, b), eps))(jnp.arange(2, dtype=dtype))
    value, error = (lax.complex(x[0], x[1]) for x in (r.value, r.error))
    return Integral(value, error, jnp.sum(r.neval), jnp.max(r.status), r.intervals)


def range_kind(a, b):
    """`KINDS` entry of the limits, as far as they are known."""
    infinite = [not isinstance(x, jax.core.Tracer) and bool(np.isinf(x)) for x in (a, b)]
    if not any(infinite):
        return "finite"
    if all(infinite):
        return "whole" if a != b else "finite"
    end = a if infinite[0] else b
    return "upper" if end > 0 else "lower"


def _close(fun, x, args):
    """The integrand as ``call(leaves, part, x)``, every array it depends on among ``leaves``.

    ``part`` 0 is the real, 1 the imaginary part.
    """
    leaves, tree = jax.tree.flatten((fun, args))
    arrays = [isinstance(v, (jax.Array, np.ndarray, np.number, float, complex)) for v in leaves]
    dynamic = [jnp.asarray(v) for v, is_array in zip(leaves, arrays, strict=True) if is_array]

    def call(dynamic, x):
        rest = iter(dynamic)
        f, extra = jax.tree.unflatten(
            tree, [next(rest) if is_array else v for v, is_array in zip(leaves, arrays, strict=True)]
        )
        y = f(x, *extra)
        y, report = (y.value, y.report(x.dtype)) if isinstance(y, Integral) else (jnp.asarray(y), jnp.zeros(0, x.dtype))
        if y.shape != ():
            raise ValueError(f"`fun` must return a scalar, got shape {y.shape}.")
        return y, report

    pure, captured, (value, report) = close(call, dynamic, x)
    is_complex = jnp.issubdtype(value.dtype, jnp.complexfloating)

    def part_of(leaves, part, x):
        y, report = pure(leaves[1], leaves[0], x)
        y = jnp.where(part == 0, y.real, y.imag) if is_complex else y
        return y.astype(x.dtype), report

    return part_of, (dynamic, captured), is_complex, report.size > 0


def _transform(config, fun, a, b):
    """Rule, integrand and ends of the range that is bisected, and evaluations per node."""
    if config.kind == "finite":
        return RULE_21, fun, jnp.minimum(a, b), jnp.maximum(a, b), 1
    zero, one = jnp.zeros_like(a), jnp.ones_like(a)

    def mapped(t):
        # (0, 1] -> [end, infinity)
        y = (1 - t) / t
        if config.kind == "whole":
            (f, right), (g, left) = fun(y), fun(-y)
            f, report = f + g, jax.vmap(lambda r, l: merge(jnp.stack([r, l])))(right, left)
        elif config.kind == "upper":
            f, report = fun(jnp.minimum(a, b) + y)
        else:
            f, report = fun(jnp.maximum(a, b) - y)
        return f / t / t, report

    return RULE_15, mapped, zero, one, 2 if config.kind == "whole" else 1


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _quad(config, leaves, part, a, b, eps):
    fun = jax.vmap(lambda x: config.fun(leaves, part, x))
    *eps, points, wvar = eps
    if config.weight is not None:
        value, error, code, neval, parts = integrate_weighted(
            config.weight, config.kind, fun, jnp.minimum(a, b), jnp.maximum(a, b), wvar, *eps, config.limit,
            config.cycles,
        )  # fmt: skip
        value = jnp.where(b < a, -value, value)
        return Integral(value, error, neval.astype(jnp.int32), code.astype(jnp.int32), parts if config.detail else None)
    rule, fun, low, high, cost = _transform(config, fun, a, b)
    value, error, code, n, inner, parts = integrate(
        rule, fun, low, high, *eps, config.limit, config.detail, config.once, points
    )
    neval = cost * len(rule.nodes) * (2 * n - (1 if points is None else points.shape[0] + 1))
    if inner.size:  # the integrand is an integral itself: its troubles are ours
        error, code, neval = jnp.maximum(error, inner[0]), jnp.maximum(code, inner[1]), inner[2]
    value = jnp.where(b < a, -value, value)
    return Integral(value, error, neval.astype(jnp.int32), code.astype(jnp.int32), parts)


@partial(_quad.defjvp, symbolic_zeros=True)
def _quad_jvp(config, primals, tangents):
    """Leibniz: the integrand at moving limits, and the integral of its derivative."""
    leaves, part, a, b, _ = primals
    d_leaves, _, d_a, d_b, d_eps = tangents
    if config.weight is not None:
        if not all(map(_is_zero, (d_a, d_b, d_eps[-1]))):
            raise NotImplementedError("`quad` with a weight is not differentiable in the limits and `wvar`.")
        return _weighted_rate(config, primals, d_leaves)
    out = _quad(config, *primals)
    rate = jnp.zeros_like(out.value)
    for x, d_x, other, sign in ((b, d_b, a, 1), (a, d_a, b, -1)):
        if not _is_zero(d_x) and config.kind != "whole":
            finite = {"finite": True, "upper": x < other, "lower": x > other}[config.kind]
            # the integrand is not evaluated at an infinite limit: 0 * inf is not 0 in a reverse sweep
            end, _ = config.fun(leaves, part, jnp.where(finite, x, other))
            rate += sign * jnp.where(finite, end, 0) * d_x
    return out, _tangent(out, rate + _parameter_rate(config, primals, d_leaves))


def _weighted_rate(config, primals, d_leaves):
    """The integral, and the integral of the integrand's derivative with the same weight."""
    out = _quad(config, *primals)
    return out, _tangent(out, _parameter_rate(config, primals, d_leaves))


def _is_zero(tangent):
    return isinstance(tangent, jax.custom_derivatives.SymbolicZero) or jnp.result_type(tangent) == jax.dtypes.float0


def _tangent(out, rate):
    """Tangent of an `Integral` of which only the value varies."""

    def zero(x):
        inexact = jnp.issubdtype(x.dtype, jnp.inexact)
        return jnp.zeros_like(x) if inexact else np.zeros(x.shape, jax.dtypes.float0)

    return jax.tree.map(zero, out)._replace(value=rate)


def _parameter_rate(config, primals, d_leaves):
    """Integral of the integrand's derivative: one adaptive integral per perturbed number."""
    leaves, part, a, b, eps = primals
    tree = jax.tree.structure(leaves)
    moving = [(i, d) for i, d in enumerate(tree.flatten_up_to(d_leaves)) if not _is_zero(d)]
    direction = jnp.concatenate([_as_reals(d) for _, d in moving]) if moving else jnp.zeros(0)
    if direction.size == 0:
        return jnp.zeros_like(a)
    sizes = [(i, jnp.shape(d), jnp.result_type(d)) for i, d in moving]

    def derivative(inputs, part, x):
        leaves, unit = inputs
        fixed = jax.tree.leaves(leaves)

        def along(varying):
            new = list(fixed)
            for (i, _, _), v in zip(sizes, varying, strict=True):
                new[i] = v
            return config.fun(jax.tree.unflatten(tree, new), part, x)[0]

        rate = jax.jvp(along, ([fixed[i] for i, _, _ in sizes],), (_from_reals(unit, sizes),))[1]
        return rate, jnp.zeros(0, rate.dtype)

    units = jnp.eye(direction.size, dtype=direction.dtype)
    changed = config._replace(fun=derivative, detail=False)
    rates = jax.vmap(lambda unit: _quad(changed, (leaves, unit), part, a, b, eps).value)
    return jnp.dot(rates(units), direction.astype(a.dtype))


def _as_reals(x):
    x = jnp.ravel(x)
    return jnp.concatenate([x.real, x.imag]) if jnp.iscomplexobj(x) else x


def _from_reals(vector, sizes):
    """Inverse of `_as_reals` over several arrays of given shapes and dtypes."""
    out, start = [], 0
    for _, shape, dtype in sizes:
        n = int(np.prod(shape))
        v = vector[start : start + n]
        if jnp.issubdtype(dtype, jnp.complexfloating):
            v = lax.complex(v, vector[start + n : start + 2 * n])
            n *= 2
        out.append(v.reshape(shape).astype(dtype))
        start += n
    return out
