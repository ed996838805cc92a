"""`cubature`: adaptive integrals over boxes."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate._cubature import CubatureRegion, CubatureResult

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements
from sci.bridge.extras import bind_arguments
from sci.bridge.worlds import is_jax, is_traced
from solvers import quadrature
from solvers.quadrature.cubature import CONVERGED, FULL
from solvers.quadrature.cubature_rules import RULES, cubature_rule

__all__ = ["cubature"]

#: Room for regions at first, and how it grows: a new capacity is compiled anew.
_FIRST, _GROWTH = 256, 8
#: Most nodes of a rule that are evaluated natively, for all parts of a region at once.
_LARGEST = 1 << 22

jax.tree_util.register_pytree_node(
    CubatureRegion,
    lambda r: ((r.estimate, r.error, r.a, r.b), None),
    lambda _, leaves: CubatureRegion(*leaves, np),
)
jax.tree_util.register_pytree_node(
    CubatureResult,
    lambda r: ((r.estimate, r.error, r.regions, r.subdivisions, r.status), (r.atol, r.rtol)),
    lambda aux, leaves: CubatureResult(leaves[0], leaves[1], leaves[4], leaves[2], leaves[3], *aux),
)


# --- arguments -------------------------------------------------------------------------------


def _prepare(call: Call) -> None:
    if not callable(call["f"]):
        raise HostRoute(Reason.OPTION, "f is not callable")
    if not isinstance(call["rule"], str):
        raise HostRoute(Reason.OPTION, "a rule object")
    if call["rule"] not in RULES:
        raise ValueError(f"unknown rule {call['rule']!r}; allowed are {RULES}")
    workers = call["workers"]
    if not callable(workers) and not isinstance(workers, (int, np.integer)):
        raise TypeError(f"workers must be an integer or a map-like callable, got {workers!r}")
    bind_arguments(call, "f")
    a, b, points = _limits(call)
    n = a.shape[0]
    if call["rule"] == "genz-malik" and n < 2:
        raise ValueError(f"Genz-Malik cubature is only defined for ndim >= 2, got {n}")
    size = (2 * n * (n + 1) + 2**n) if call["rule"] == "genz-malik" else (15 if call["rule"] == "gk15" else 21) ** n
    if size * 2**n > _LARGEST:
        raise HostRoute(Reason.SHAPE, f"{size} nodes and {2**n} parts of a region in {n} dimensions")
    most = call["max_subdivisions"]
    call["most"] = np.inf if most is None else float(most)
    a, b, points = _mapped(call, a, b, points)
    call["low"], call["high"] = _regions(call, a, b, points)
    call["capacity"] = _FIRST if call["size"] is None else int(call["size"])
    while call["capacity"] < call["low"].shape[0] + 2**n:
        call["capacity"] *= _GROWTH
    nodes = cubature_rule(call["rule"], n)[0]
    if is_traced([a, b]):
        example = np.full(nodes.shape, 0.61) + 0.1 * nodes
    else:
        low, high = (np.asarray(call[v])[0] for v in ("low", "high"))
        example = (low + high) / 2 + nodes * (high - low) / 2
        example = np.asarray(_unmapped(np, example, *(np.asarray(v) for v in call["from"]))[0])
    call["example"] = (example.astype(np.asarray(0.0 if is_jax([a, b]) else a).dtype), *call["args"])


def _limits(call: Call) -> tuple[Any, Any, list[Any]]:
    points = [] if call["points"] is None else list(call["points"])
    xp: Any = jnp if is_jax([call["a"], call["b"], *points]) else np
    arrays = [xp.asarray(v) for v in (call["a"], call["b"], *points)]
    if any(v.dtype.kind not in "biuf" for v in arrays):
        raise HostRoute(Reason.DTYPE, "limits or points are not real")
    dtype = xp.result_type(*arrays)
    dtype = dtype if dtype.kind == "f" else xp.result_type(float)
    a, b, *points = (v.astype(dtype) for v in xp.broadcast_arrays(*arrays))
    if a.size == 0 or b.size == 0:
        raise ValueError("`a` and `b` must be nonempty")
    if a.ndim != 1:
        raise ValueError(f"`a` and `b` must be 1D arrays, got {a.ndim} dimensions")
    if points and is_traced([a, b, *points]):
        raise HostRoute(Reason.OPTION, "points with traced limits")
    return a, b, points


def _mapped(call: Call, a: Any, b: Any, points: list[Any]) -> tuple[Any, Any, list[Any]]:
    """The range that infinite limits are mapped to; what a limit is if it is traced is finite."""
    xp: Any = jnp if is_jax([a, b]) else np
    traced = is_traced([a, b])
    call["sign"] = xp.prod(xp.where(a > b, -1.0, 1.0)).astype(a.dtype)
    low, high = xp.minimum(a, b), xp.maximum(a, b)
    below, above = (np.zeros(a.shape, bool), np.zeros(a.shape, bool)) if traced else (
        np.isneginf(np.asarray(low)), np.isposinf(np.asarray(high))
    )  # fmt: skip
    both = below & above
    call["kinds"] = tuple(
        (2 if d else 1 if u else -1 if d2 else 0) for d, u, d2 in zip(both, above, below, strict=True)
    )
    infinite = bool(np.any(below | above))
    if not traced and np.any(np.asarray(low) == np.asarray(high)) and infinite:
        raise HostRoute(Reason.OPTION, "an empty infinite range")
    # the finite end of each axis
    start = xp.where(below, xp.where(above, 0.0, high), low).astype(a.dtype)
    call["from"] = (np.array(call["kinds"]), start)
    call["start"] = start
    if not infinite:
        return low, high, points
    kinds = np.array(call["kinds"])
    low = xp.where(kinds == 2, -1.0, xp.where(kinds == 0, low, 0.0)).astype(a.dtype)
    high = xp.where(kinds == 0, high, 1.0).astype(a.dtype)
    with np.errstate(all="ignore"):
        points = [xp.where(kinds == 0, p, _inverse(xp, p, kinds, start)) for p in points]
    return low, high, [*points, xp.zeros_like(low)]


def _inverse(xp: Any, x: Any, kinds: Any, start: Any) -> Any:
    sign = xp.where(x < 0, -1.0, 1.0)
    whole = xp.where(x == 0, xp.inf, 1 / (x + sign))
    return xp.where(kinds == 2, whole, 1 / (xp.where(kinds == 1, x - start, start - x) + 1))


def _unmapped(xp: Any, t: Any, kinds: Any, start: Any) -> tuple[Any, Any]:
    """Points for the integrand, and the factor of the change of variable."""
    safe = xp.where(kinds == 0, 1, t)
    distance = (1 - xp.abs(safe)) / safe
    x = xp.where(kinds == 2, distance, xp.where(kinds == 1, start + distance, start - distance))
    factor = xp.prod(xp.where(kinds == 0, 1, 1 / safe**2), axis=-1)
    return xp.where(kinds == 0, t, x), factor


def _regions(call: Call, a: Any, b: Any, points: list[Any]) -> tuple[Any, Any]:
    """The box, cut along every axis at each point inside it."""
    if not points:
        return a[None], b[None]
    xp: Any = jnp if is_jax([a, b]) else np
    if is_traced([a, b]):
        raise HostRoute(Reason.OPTION, "infinite and traced limits together")
    boxes = [(np.asarray(a), np.asarray(b))]
    for point in map(np.asarray, points):
        if np.any(np.isinf(point)):
            continue  # the mapping takes it to an end
        cut: list[Any] = []
        for low, high in boxes:
            inside = np.all((low <= point) & (point <= high)) and not (np.all(point == low) or np.all(point == high))
            if not inside:
                cut.append((low, high))
                continue
            for side in itertools.product((False, True), repeat=low.size):
                part = np.where(side, point, low), np.where(side, high, point)
                if not np.any(part[0] == part[1]):
                    cut.append(part)
        boxes = cut
    return tuple(xp.stack([xp.asarray(box[i]) for box in boxes]) for i in range(2))


# --- results ---------------------------------------------------------------------------------


def _drive(call: Call, run: Any) -> CubatureResult:
    out = run()
    while int(out.status) == FULL:
        out = run(capacity=_GROWTH * call["capacity"])
    n = int(out.n)
    regions = [
        CubatureRegion(out.values[i], out.errors[i], out.low[i].copy(), out.high[i].copy(), np) for i in range(n)
    ]
    status = "converged" if int(out.status) == CONVERGED else "not_converged"
    return CubatureResult(out.value, out.error, status, regions, int(out.subdivisions), call["atol"], call["rtol"])


def _finish_jax(call: Call, out: Any) -> CubatureResult:
    """All regions in one object of arrays; the unused ones are empty boxes."""
    regions = [CubatureRegion(out.values, out.errors, out.low, out.high, jnp)]
    return CubatureResult(out.value, out.error, out.status, regions, out.subdivisions, call["atol"], call["rtol"])


def _product(x: Any, k: Any) -> Any:
    return np.exp(-k * x[:, 0]) * np.cos(x[:, 1])


_product.__module__ = "user"


@implements(
    "scipy.integrate.cubature",
    callables={"f": lambda call: call["example"]},
    trees=("args",),
    dtypes={"args": "keep", "most": "keep"},
    static=("rule", "kinds", "capacity"),
    prepare=_prepare,
    drive=_drive,
    finish_jax=_finish_jax,
    extras={"size": None},
    examples=lambda: [
        Example(
            (_product, np.array([0.2, 0.5]), np.array([1.5, 2.0])),
            {"args": (np.array(0.7),), "rule": "genz-malik", "rtol": 1e-5},
            grad=("a", "b"),
            output=lambda r: r.estimate,
            rtol=1e-9,
            grad_rtol=1e-4,
            skip_odd=("nan", "inf", "0-d"),  # SciPy converges to NaN there, and a 0-d limit is broadcast by it
        )
    ],
    note="rule objects, `points` with traced limits, rules of more than four million nodes.",
)
def cubature(f, low, high, sign, start, args, rule, rtol, atol, most, kinds, capacity):
    """Integrate a function of several variables with array values over a box, adaptively.

    Parameters
    ----------
    f : callable
        ``f(x, *args)`` of points, shape (npoints, ndim), returns (npoints, ...). It is called with the nodes of one
        region at a time.
    a, b : array_like, shape (ndim,)
        Limits, possibly infinite. A traced limit is taken as finite.
    rule : {"gk21", "gk15", "gauss-kronrod", "genz-malik"}
        Product of a Gauss-Kronrod rule, or the rule of Genz and Malik (two dimensions or more).
    rtol, atol : float
        Every element of the error is to be at most ``atol + rtol * abs(estimate)``.
    max_subdivisions : int, optional
        Most regions that are cut.
    args : tuple
        Further arguments of `f`.
    workers
        Without meaning here.
    points : list of array_like, optional
        Where the box is cut from the start, so that `f` is not evaluated there.
    size : int, optional
        Room for regions in the JAX world (default 256).

    Returns
    -------
    CubatureResult
        ``estimate``, ``error``, ``status`` ("converged" or "not_converged", with JAX arrays 0 or 1, and 2 where `size`
        was too small), ``subdivisions``, ``regions``, ``atol``, ``rtol``. An integral that is not a number is
        not converged (SciPy says converged). ``estimate`` is differentiable to any order with respect to `a`, `b`,
        `args` and what `f` closes over: the derivative of the sum over the final partition.

    Raises
    ------
    ValueError
        For an unknown rule, or limits that are empty or not one-dimensional.

    Notes
    -----
    Over a range from minus infinity to a number, SciPy 1.17 integrates the mirrored range; here the limits hold.
    Complex values are integrated (SciPy discards their imaginary part).

    References
    ----------
    .. [1] A. C. Genz, A. A. Malik, "Remarks on algorithm 006: an adaptive algorithm for numerical integration over an
           N-dimensional rectangular region", J. Comput. Appl. Math. 6 (1980) 295-302.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.integrate import cubature
    >>> r = cubature(lambda x: np.exp(-np.sum(x**2, axis=-1)), [0, 0], [np.inf, np.inf])
    >>> bool(abs(r.estimate - np.pi / 4) < 1e-8)
    True
    """

    def integrand(t):
        if not any(kinds):
            return as_array(f(t, *args))
        x, factor = _unmapped(jnp, t, np.array(kinds), start)
        y = as_array(f(x, *args))
        return y * factor.reshape(-1, *[1] * (y.ndim - 1))

    out = quadrature.cubature(
        integrand, low, high, rule=rule, rtol=rtol, atol=atol, max_subdivisions=most, capacity=capacity
    )
    return out._replace(value=sign * out.value)
