"""`shgo`: samples on a simplicial complex in one batch, then local searches from those below their neighbours."""

from __future__ import annotations

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import Bounds, OptimizeResult

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, warn_user
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, need_callable, users
from sci.optimize.complexes import Simplicial, Triangulated
from sci.optimize.minimizers import minimize
from sci.optimize.minimizers.constraints import count, split
from solvers.globalmin import homology, sampled
from solvers.minimize import SLSQP

__all__ = ["shgo"]

_INFINITE = 1e50  # SciPy's stand-in for an infinite bound
_FEASIBLE = 1e-6  # violation up to which a local minimum counts as one
_SAMPLINGS = ("halton", "sobol", "simplicial")
_SECOND = {"jac", "hess", "hessp"}
_TAKES = {
    "nelder-mead": set(), "powell": set(), "cg": {"jac"}, "bfgs": {"jac"}, "newton-cg": _SECOND,
    "l-bfgs-b": {"jac", "bounds"}, "tnc": {"jac", "bounds"}, "cobyla": {"constraints"},
    "cobyqa": {"bounds", "constraints"}, "slsqp": {"jac", "bounds", "constraints"}, "dogleg": {"jac", "hess"},
    "trust-ncg": _SECOND, "trust-krylov": _SECOND, "trust-exact": {"jac", "hess"},
    "trust-constr": {*_SECOND, "constraints"},
}  # fmt: skip
_LIMITS = ("maxiter", "maxfev", "maxev", "minhgrd", "f_min")


def _prepare(call: Call) -> None:
    need_callable(call, "func")
    call["lower"], call["upper"] = _box(call["bounds"])
    options = dict(call["options"] or {})
    call["search"] = _search(call, options)
    call["has_value"] = call["search"].get("jac") is True
    call["given"] = (call["func"], call["args"] if isinstance(call["args"], tuple) else (call["args"],))
    _sizes(call, options)
    call["rules"] = options
    call["eq"], call["ineq"], *_ = split(call["constraints"])
    call["x0"] = 0.5 * (call["lower"] + call["upper"])
    call["args"] = call["given"][1]
    call["points"], call["neighbours"] = call["x0"][None], np.zeros((1, 1), np.int32)
    call["whole"], call["narrow"] = False, True
    call["equalities"] = call["inequalities"] = 0
    if is_jax((call["args"], [cell.cell_contents for cell in getattr(call["func"], "__closure__", None) or ()])):
        call.numpy = False
    if not call.numpy:
        _lay_out(call)
    bind_arguments(call, "func")


def _box(bounds: Any) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(bounds, Bounds):
        bounds = np.stack(np.broadcast_arrays(np.atleast_1d(bounds.lb), np.atleast_1d(bounds.ub)), axis=1)
    if is_jax(bounds):
        raise NotImplementedError("shgo needs concrete bounds: its samples are laid out before anything is compiled")
    box = np.array(bounds, float)
    if box.ndim != 2 or box.shape[1] != 2:
        raise ValueError(f"bounds must be (min, max) pairs, got an array of shape {box.shape}")
    infinite = ~np.isfinite(box)
    box[infinite[:, 0], 0], box[infinite[:, 1], 1] = -_INFINITE, _INFINITE
    wrong = box[:, 0] > box[:, 1]
    if wrong.any():
        raise ValueError(f"Error: lb > ub in bounds {', '.join(str(b) for b in wrong)}.")
    return box[:, 0].copy(), box[:, 1].copy()


def _search(call: Call, options: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments of the local searches, from `minimizer_kwargs` and `options` as SciPy joins them."""
    given = None if call["minimizer_kwargs"] is None else dict(call["minimizer_kwargs"])
    if options.get("jac") is True:
        given = (given or {}) | {"jac": options.pop("jac")}
    search: dict[str, Any] = {"method": "SLSQP", "options": {}, "callback": call["callback"], "bounds": None}
    search |= {"options": {"ftol": 1e-12}} if given is None else given
    method = search["method"]
    if not isinstance(method, str) or method.lower() not in _TAKES:
        raise HostRoute(Reason.METHOD, f"minimizer_kwargs with method={method!r}")
    if call["constraints"] is not None:
        search["constraints"] = call["constraints"]
    inner = dict(search["options"]) | options
    search |= {name: inner.pop(name) for name in _SECOND & inner.keys()}
    takes = _TAKES[method.lower()] | {"callback", "options", "method"}
    if search.get("jac") is True and "jac" not in takes:
        raise HostRoute(Reason.OPTION, f"jac=True with method={method!r}")
    search["options"] = {name: value for name, value in inner.items() if name == "ftol"}
    return {name: value for name, value in search.items() if name in takes and value is not None}


def _sizes(call: Call, options: dict[str, Any]) -> None:
    """`n` and `iters` as SciPy completes them."""
    method, d = call["sampling_method"], call["lower"].size
    if isinstance(method, str) and method not in _SAMPLINGS:
        raise ValueError(f"Unknown sampling_method specified. Valid methods: {', '.join(_SAMPLINGS)}")
    if not isinstance(method, str) and not callable(method):
        raise ValueError(f"sampling_method must be a string or a function, got {method!r}")
    n, iters, simplicial = call["n"], call["iters"], method == "simplicial"
    if simplicial and (n == 100 or (n is None and iters is None)):
        n = 2**d + 1
    if n is None and not simplicial:
        n = 100
    if method == "sobol":
        n = int(2 ** np.ceil(np.log2(n)))
    call["n"], call["iters"] = n, 1 if iters is None else iters
    if any(options.get(name) is not None for name in _LIMITS):
        call["iters"] = None


def _validate(call: Call) -> None:
    if call.numpy:
        return
    if not call["whole"]:
        raise NotImplementedError("shgo with JAX arrays that a function of `func` closes over: give them in `args`")
    call["equalities"], call["inequalities"] = count(call["eq"], call), count(call["ineq"], call)


def _lay_out(call: Call) -> None:
    """JAX world: the whole graph, before anything is compiled."""
    for name in ("callback", "minimizer_kwargs", "options"):
        if call[name]:
            raise NotImplementedError(f"shgo with JAX arrays takes no {name}")
    graph = _graph(call, None)
    if not graph.narrow and call["iters"] != 1:
        raise NotImplementedError("shgo with JAX arrays and a sequence of samples: one iteration only")
    for _ in range(call["iters"]):
        graph.grow([])
    around = graph.neighbours()
    widest = max([len(a) for a in around], default=0)
    if not widest:
        raise ValueError(f"n={call['n']} samples are too few for a simplex in {call['lower'].size} dimensions")
    table = [np.concatenate([a, np.full(widest - len(a), i)]) for i, a in enumerate(around)]
    call["points"], call["neighbours"] = graph.points, np.array(table, np.int32)
    call["whole"], call["narrow"] = True, graph.narrow


def _graph(call: Call, keeps: Any) -> Any:
    method, lower, upper = call["sampling_method"], call["lower"], call["upper"]
    if method == "simplicial":
        symmetry = [0] * lower.size if call["rules"].get("symmetry") else None
        return Simplicial(lower, upper, call["n"], symmetry)
    if isinstance(method, str):
        from scipy.stats import qmc

        sobol = method == "sobol"
        engine = qmc.Sobol(lower.size, scramble=False, rng=0) if sobol else qmc.Halton(lower.size, rng=0)

        def method(n: int, d: int) -> Any:
            return engine.random(n)

    return Triangulated(lower, upper, call["n"], method, keeps)


class _Homology:
    """One run in the NumPy world: the graph grows, its minimisers are searched from, until a limit is met."""

    def __init__(self, call: Call, run: Any) -> None:
        self.call, self.run, self.rules = call, run, call["rules"]
        keeps = None if self.rules.get("infty_constraints", True) or call["ineq"] is None else self._feasible
        self.graph = _graph(call, keeps)
        self.values, self.evaluated = np.empty(0), 0
        self.minima: dict[tuple[float, ...], OptimizeResult] = {}
        self.counts = dict.fromkeys(("nlfev", "nljev", "nlhev"), 0)
        self.begin, self.iterations = time.time(), 0

    def _evaluate(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All points in one batch, filled up to a power of two: few sizes, few compilations."""
        padded = np.resize(points, (1 << (len(points) - 1).bit_length(), points.shape[1]))
        out = self.run(points=padded)
        return out["values"][: len(points)], out["feasible"][: len(points)]

    def _feasible(self, points: np.ndarray) -> np.ndarray:
        return self._evaluate(points)[1]

    def iterate(self) -> None:
        every = self.rules.get("minimize_every_iter", True)
        while True:
            self.graph.grow([r.x for r in self.minima.values()])
            points = self.graph.points
            if len(points) > len(self.values):
                values, feasible = self._evaluate(points[len(self.values) :])
                self.values = np.concatenate([self.values, values])
                self.evaluated += int(np.count_nonzero(feasible))
            before = len(self.minima)
            if every:
                self._search_pool(points)
            self.iterations += 1
            if self._ended(len(self.minima) - before):
                break
        if not every:
            self._search_pool(points)

    def _pool(self, points: np.ndarray) -> list[int]:
        """The vertices that are lower than all their neighbours, lowest first; not those that a search ended at."""
        around = self.graph.neighbours()
        ends = {tuple(r.x) for r in self.minima.values()}
        # also a lone sample, feasible or not
        lower = [i for i, a in enumerate(around) if (self.values[i] < self.values[a]).all()
                 and tuple(points[i]) not in ends]  # fmt: skip
        self.around = around
        return sorted(lower, key=lambda i: self.values[i])

    def _search_pool(self, points: np.ndarray) -> None:
        """A search from each: first the lowest, then the farthest from where the last one ended."""
        pool, most = self._pool(points), self.rules.get("local_iter", False)
        done, chosen = 0, 0
        while pool:
            found = self._local(points, pool.pop(chosen))
            done += 1
            if most and done >= most:
                break
            if pool:
                chosen = int(np.argmax(np.linalg.norm(points[pool] - found.x, axis=1)))

    def _local(self, points: np.ndarray, i: int) -> OptimizeResult:
        start = points[i]
        if tuple(start) in self.minima:
            return self.minima[tuple(start)]
        call, search = self.call, dict(self.call["search"])
        if "bounds" in _TAKES[search["method"].lower()]:
            lower, upper = call["lower"].copy(), call["upper"].copy()
            if self.graph.narrow:
                near = points[self.around[i]]
                lower = np.maximum(lower, np.max(near, axis=0, where=near < start, initial=-np.inf))
                upper = np.minimum(upper, np.min(near, axis=0, where=near > start, initial=np.inf))
            search["bounds"] = list(zip(lower.tolist(), upper.tolist(), strict=True))
        func, args = call["given"]
        found = minimize(func, start.copy(), args, **search)
        for ours, theirs in (("nlfev", "nfev"), ("nljev", "njev"), ("nlhev", "nhev")):
            self.counts[ours] += int(found.get(theirs, 0))
        self.minima[tuple(start)] = found
        return found

    def _lowest(self) -> tuple[Any, Any]:
        """The lowest value so far and where."""
        best: tuple[Any, Any] = (None, None)
        if self.values.size and np.isfinite(self.values.min()):
            i = int(self.values.argmin())
            best = float(self.values[i]), self.graph.points[i]
        for found in self.minima.values():
            if best[0] is None or found.fun < best[0]:
                best = float(np.squeeze(found.fun)), found.x
        return best

    def _ended(self, growth: int) -> bool:
        """SciPy's criteria, after each iteration."""
        rules, iters = self.rules, self.call["iters"]
        reached = [
            (iters, self.iterations), (rules.get("maxiter"), self.iterations), (rules.get("maxfev"), self.evaluated),
            (rules.get("maxev"), self.graph.sampled), (rules.get("maxtime"), time.time() - self.begin),
        ]  # fmt: skip
        if any(limit is not None and value >= limit for limit, value in reached):
            return True
        least = rules.get("minhgrd")
        if least is not None and self.minima and growth <= least:
            return True
        return rules.get("f_min") is not None and self._precise()

    def _precise(self) -> bool:
        """Whether the known least value is reached."""
        known, tolerance = self.rules["f_min"], self.rules.get("f_tol", 1e-4)
        lowest, _ = self._lowest()
        if lowest is None:
            return False
        if known == 0.0:
            return lowest <= tolerance
        error = (lowest - known) / abs(known)
        if lowest <= known and abs(error) >= 2 * tolerance:
            warn_user(f"A much lower value than expected f* = {known} was found f_lowest = {lowest}")
        return lowest <= known or error <= tolerance

    def result(self) -> OptimizeResult:
        result = OptimizeResult(nfev=0, **self.counts)
        if not self.minima:
            fun, x = self._lowest()
            message = f"Failed to find a feasible minimizer point. Lowest sampling point = {fun}"
            result.update(nit=self.iterations, success=False, message=message, fun=fun, x=x, nfev=self.evaluated,
                          tnev=self.graph.sampled)  # fmt: skip
            return result
        xl = np.array([r.x for r in self.minima.values()])
        funl = np.array([float(np.squeeze(r.fun)) for r in self.minima.values()])
        held = self._held(xl)
        # A search that ended outside of the constraints is no minimum, however low.
        order = np.lexsort((np.where(np.isnan(funl), np.inf, funl), ~held))
        xl, funl = xl[order], funl[order]
        good = bool(held[order[0]] and np.isfinite(funl[0]))
        message = "Optimization terminated successfully." if good else "No local search ended at a feasible minimum."
        result.update(xl=xl, funl=funl, x=xl[0], fun=funl[0], nit=self.iterations,
                      nfev=self.evaluated + self.counts["nlfev"], message=message, success=good)  # fmt: skip
        return result

    def _held(self, xl: np.ndarray) -> np.ndarray:
        if self.call["eq"] is None and self.call["ineq"] is None:
            return np.ones(len(xl), bool)
        padded = np.resize(xl, (1 << (len(xl) - 1).bit_length(), xl.shape[1]))
        return self.run(points=padded)["violation"][: len(xl)] <= _FEASIBLE


def _drive(call: Call, run: Any) -> OptimizeResult:
    search = _Homology(call, run)
    search.iterate()
    return search.result()


def _finish_jax(call: Call, out: dict[str, Any]) -> OptimizeResult:
    return OptimizeResult(out | {"nit": call["iters"]})


@users
def _waves(x: Any, depth: Any) -> Any:
    return np.sum((x - 0.4) ** 2) - depth * np.cos(3 * (x[0] - 0.1))


def _example_constraint(call: Call) -> tuple[Any, ...]:
    return (call["x0"],)


@implements(
    "scipy.optimize.shgo",
    callables={
        "func": lambda call: (call["x0"], *call["args"]),
        "eq": _example_constraint,
        "ineq": _example_constraint,
    },
    trees=("args",),
    dtypes={"args": "keep", "points": "keep", "neighbours": "keep", "lower": "keep", "upper": "keep"},
    static=("whole", "narrow", "size", "equalities", "inequalities", "has_value"),
    ignored=("workers", "sampling_method"),
    prepare=_prepare,
    validate=_validate,
    drive=_drive,
    finish_jax=_finish_jax,
    extras={"size": 16},
    examples=lambda: [
        Example(
            (_waves, [(-2.0, 2.0), (-1.0, 3.0)]),
            {"args": (np.float64(0.7),)},
            output=lambda r: (r["x"], r["fun"]),
            grad=("args",), vmap=("args",), rtol=1e-6, atol=1e-6, grad_rtol=1e-4, float32=False,
        )
    ],
    note="a local method that is a function; the triangulation itself is SciPy's.",
)  # fmt: skip
def shgo(
    func, eq, ineq, args, points, neighbours, lower, upper, whole, narrow, size, equalities, inequalities, has_value
):
    """Find the global minimum of a function by simplicial homology.

    The samples of an iteration are one batch on a graph; from each that is lower than its neighbours starts a local
    search, in the order that SciPy takes. The graphs are SciPy's triangulation of the box (``simplicial``) and
    Delaunay's of the Sobol or Halton points: combinatorics, done on the host. The searches are calls of
    `sci.optimize.minimize`, whose own derivatives are exact: SLSQP counts less evaluations than SciPy's. All edges of
    Delaunay's simplices count, of which SciPy leaves some out in more than two dimensions, so that its pool has further
    samples. In a further iteration with a sequence all points are triangulated anew. The limits in `options` are looked
    at after an iteration, and `minhgrd` compares iterations. Minima that violate a constraint by more than 1e-6 come
    last and are no success, nor is a value that is not finite.

    With JAX arrays (in `args` or what `func` closes over; the bounds must be concrete) the searches are one batch from
    the `size` lowest of the pool. The result is then an `OptimizeResult` of arrays: ``xl`` of shape (size, n), ``funl``
    infinite behind the last minimum, ``pool`` how many samples were below their neighbours. ``x`` and ``fun`` are
    differentiable as a minimum within bounds and constraints. `callback`, `minimizer_kwargs`, `options`, and `iters`
    with a sequence raise NotImplementedError, as do JAX arrays that are hidden deeper than in `func`'s own closure.

    Raises
    ------
    ValueError
        For bounds with ``lb > ub`` or of another shape, and an unknown sampling method.

    References
    ----------
    S. C. Endres, C. Sandrock, W. W. Focke, "A simplicial homology algorithm for Lipschitz optimisation", J. Global
    Optim. 72, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import shgo
    >>> found = shgo(lambda x: (x[0] ** 2 - 1) ** 2 + 0.1 * x[0], [(-2, 2)], n=8, sampling_method="sobol")
    >>> bool(found.success), found.xl.round(3).ravel().tolist()
    (True, [-1.012, 0.987])
    """

    def value(x, *extra):
        out = func(x, *extra)
        out = as_array(out[0] if has_value else out)
        if out.size != 1:
            raise ValueError(f"func must return a scalar value, got an array of shape {out.shape}")
        return out.reshape(())

    def joined(functions):
        parts = [f for f in functions if f is not None]
        return (lambda x: jnp.concatenate([as_array(f(x)).ravel() for f in parts])) if parts else None

    unequal, both = joined((ineq,)), joined((eq, ineq))
    if whole:
        method = SLSQP(ftol=1e-12, equalities=equalities, inequalities=inequalities)
        found = homology(value, points, neighbours, args, method, bounds=(lower, upper), narrow=narrow,
                         constraints=both, inequalities=unequal, size=size)  # fmt: skip
        return found._asdict()
    values, feasible = sampled(lambda x: value(x, *args), points, unequal)
    violation = jnp.zeros(len(points), points.dtype)
    if ineq is not None:
        violation = jnp.maximum(violation, -jnp.min(_rows(ineq, points), axis=1))
    if eq is not None:
        violation = jnp.maximum(violation, jnp.max(jnp.abs(_rows(eq, points)), axis=1))
    return {"values": values, "feasible": feasible, "violation": violation}


def _rows(function: Any, points: Any) -> Any:
    """A constraint's values at each point, (m, k)."""
    return jax.vmap(lambda x: as_array(function(x)).ravel())(points)
