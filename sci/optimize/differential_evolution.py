"""`differential_evolution`: the population evaluated by the compiled objective."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint, OptimizeResult

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, warn_user
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, need_callable, users
from sci.optimize.minimizers import minimize
from sci.optimize.populations import finite_box, starting_population
from sci.optimize.randomness import generator, key_of, known_seed
from solvers.globalmin import DifferentialEvolution
from solvers.globalmin import differential_evolution as engine

__all__ = ["differential_evolution"]

_NAMES = tuple(f"{kind}{end}" for kind in ("best1", "rand1", "randtobest1", "currenttobest1", "best2", "rand2")
               for end in ("bin", "exp"))  # fmt: skip
_NEVER = 2**31 - 1
_MESSAGES = {
    0: "Optimization terminated successfully.",
    1: "Maximum number of iterations has been exceeded.",
    2: "callback function requested stop early",
    3: "in progress",
    4: "The objective function is not finite at any point that was tried.",
}


#: How far inside its limits a constraint is polished, relatively.
_MARGIN = 1e-10


def _prepare(call: Call) -> None:
    need_callable(call, "func")
    if callable(call["strategy"]):
        raise HostRoute(Reason.OPTION, "a strategy that is a function")
    if call["strategy"] not in _NAMES:
        raise ValueError("Please select a valid mutation strategy")
    call["given"] = (call["func"], call["args"])
    _updating(call)
    _mutation(call)
    call["maxiter"] = 1000 if call["maxiter"] is None else int(call["maxiter"])
    lower, upper = finite_box(call["bounds"])
    random = generator(call, "differential_evolution")
    _integrality(call, lower, upper)
    lower, upper = call["lower"], call["upper"]
    members = starting_population(call, random, lower, upper)
    if len(members) < 6 and call["strategy"].startswith("rand2"):
        raise ValueError(f"strategy {call['strategy']!r} needs a population of at least 6, got {len(members)}")
    call["population"], call["key_data"] = members, key_of(call, random)
    _constraints(call)
    call["vectorized"] = bool(call["vectorized"])
    call["state"], call["pause"] = None, _NEVER
    if not isinstance(call["args"], tuple):
        call["args"] = tuple(call["args"])
    bind_arguments(call, "func")


def _validate(call: Call) -> None:
    """In the JAX world: a known seed, and nothing that needs the host."""
    if call.numpy:
        return
    known_seed(call, "differential_evolution")
    for name, given in (("constraints", call["limits"]), ("callback", call["callback"]), ("disp", call["disp"]),
                        ("a function as polish", callable(call["polish"]))):  # fmt: skip
        if given:
            raise NotImplementedError(f"differential_evolution with JAX arrays takes no {name}")


def _updating(call: Call) -> None:
    """Which of SciPy's two orders; its warnings where one option overrides another."""
    if call["updating"] not in ("immediate", "deferred"):
        raise ValueError(f"updating is {call['updating']!r}; allowed are 'immediate' and 'deferred'")
    workers, call["immediate"] = call["workers"], call["updating"] == "immediate"
    if callable(workers):
        raise HostRoute(Reason.OPTION, "workers that is a function")
    if not isinstance(workers, (int, np.integer)) or workers == 0 or workers < -1:
        raise HostRoute(Reason.OPTION, f"workers={workers!r}")
    who = "differential_evolution: the '{}' keyword has overridden updating='immediate' to updating='deferred'"
    if workers != 1 and call["immediate"]:
        warn_user(who.format("workers"), UserWarning)
        call["immediate"] = False
    if workers != 1 and call["vectorized"]:
        warn_user("differential_evolution: the 'workers' keyword overrides the 'vectorized' keyword", UserWarning)
        call["vectorized"] = False
    if call["vectorized"] and call["immediate"]:
        warn_user(who.format("vectorized"), UserWarning)
        call["immediate"] = False


def _mutation(call: Call) -> None:
    values = np.atleast_1d(np.asarray(call["mutation"], float))
    if not np.isfinite(values).all() or (values >= 2).any() or (values < 0).any():
        raise ValueError(
            "The mutation constant must be a float in U[0, 2), or specified as a tuple(min, max)"
            " where min < max and min, max are in U[0, 2)."
        )
    call["mutation"] = np.sort(values[:2]) if values.size > 1 else np.repeat(values, 2)


def _integrality(call: Call, lower: Any, upper: Any) -> None:
    """Bounds between which only whole numbers lie, for the variables that are integers."""
    lib: Any = jnp if is_jax((lower, upper)) else np
    call["lower"], call["upper"], call["integral"] = lower, upper, None
    if call["integrality"] is None or not np.any(call["integrality"]):
        return
    integral = np.broadcast_to(np.asarray(call["integrality"], bool), lower.shape).copy()
    low, high = lib.ceil(lower), lib.floor(upper)
    if lib is np and not (low[integral] <= high[integral]).all():
        raise ValueError(
            "One of the integrality constraints does not have any possible integer values between the lower/upper "
            "bounds."
        )
    call["lower"] = lib.where(integral, lib.nextafter(low - 0.5, np.inf), lower)
    call["upper"] = lib.where(integral, lib.nextafter(high + 0.5, -np.inf), upper)
    call["integral"] = integral


def _constraints(call: Call) -> None:
    given = call["constraints"]
    given = list(given) if hasattr(given, "__len__") else [given]
    call["limits"], call["violation"] = given, None
    if not given:
        return
    for constraint in given:
        if not isinstance(constraint, (Bounds, LinearConstraint, NonlinearConstraint)):
            raise ValueError("`constraint` of an unknown type is passed.")
        if isinstance(constraint, LinearConstraint) and not isinstance(constraint.A, (np.ndarray, list, tuple)):
            raise HostRoute(Reason.SPARSE, "a sparse linear constraint")
    parts = [_violation(c) for c in given]

    @users
    def violation(x: Any) -> Any:
        return np.concatenate([part(x) for part in parts])

    call["violation"] = violation


def _violation(constraint: Any) -> Any:
    """By how much each component leaves its limits: (m,) at a point, (m, s) at s points (n, s)."""
    lower, upper = np.asarray(constraint.lb, float), np.asarray(constraint.ub, float)
    matrix = np.atleast_2d(constraint.A) if isinstance(constraint, LinearConstraint) else None
    function = constraint.fun if isinstance(constraint, NonlinearConstraint) else None

    @users
    def violation(x: Any) -> Any:
        value = x if matrix is None and function is None else matrix @ x if function is None else function(x)
        value = np.atleast_1d(value)
        return (np.maximum(lower - value.T, 0.0) + np.maximum(value.T - upper, 0.0)).T

    return violation


def _point(call: Call) -> Any:
    n, size = len(call["lower"]), len(call["population"])
    middle = 0.5 * (call["lower"] + call["upper"])
    if not call["vectorized"]:
        return middle
    lib: Any = jnp if is_jax(middle) else np
    return lib.broadcast_to(middle[:, None], (n, size))


def _drive(call: Call, run: Any) -> OptimizeResult:
    callback = _callback(call["callback"])
    if callback is None and not call["disp"]:
        out, stopped = run(), False
    else:
        out, stopped = _by_generations(call, run, callback)
    code = 2 if stopped else int(out["status"])
    if code == 0 and not np.isfinite(out["fun"]):
        code = 4
    result = _result(call, out, _MESSAGES[code], code == 0)
    _polish_numpy(call, result)
    if not np.isfinite(result.fun) and not call["limits"]:
        result.success, result.message = False, _MESSAGES[4]
    if call["limits"]:
        _add_violation(call, result)
        if result.maxcv > 0:
            result.success = False
            result.message = f"The solution does not satisfy the constraints, MAXCV = {result.maxcv}"
    return result


def _by_generations(call: Call, run: Any, callback: Any) -> tuple[dict[str, Any], bool]:
    """One generation at a time, with the callback and the report between them."""
    out = run(pause=0)
    while out["status"] == -1:
        out = run(state=out["state"], pause=int(out["nit"]) + 1)
        if call["disp"]:
            print(f"differential_evolution step {int(out['nit'])}: f(x)= {out['fun']}")
        if callback is not None:
            partial = _result(call, out, _MESSAGES[3], True)
            partial.convergence = call["tol"] / (out["convergence"] + np.finfo(float).eps)
            try:
                stop = bool(callback(partial))
            except StopIteration:
                stop = True
            if stop:
                return out, True
    return out, False


def _callback(callback: Any) -> Any:
    """The callback under one signature for SciPy's two."""
    if not callable(callback):
        return None
    if set(inspect.signature(callback).parameters) == {"intermediate_result"}:
        return lambda result: callback(intermediate_result=result)
    return lambda result: callback(np.copy(result.x), convergence=result.convergence)


def _result(call: Call, out: dict[str, Any], message: str, success: bool) -> OptimizeResult:
    nit = int(out["nit"])
    result = OptimizeResult(
        x=out["x"],
        fun=out["fun"],
        nfev=nit + 1 if call["vectorized"] else int(out["nfev"]),
        nit=nit,
        message=message,
        success=success,
        population=out["population"],
        population_energies=out["energies"],
    )
    if call["limits"]:
        _add_violation(call, result)
        result.success = result.success and not result.maxcv > 0
    return result


def _add_violation(call: Call, result: OptimizeResult) -> None:
    """Violations at the result by the constraints themselves."""
    x = result.x[:, None] if call["vectorized"] else result.x
    result.constr = [np.ravel(_violation(c)(x)) for c in call["limits"]]
    result.constr_violation = result.maxcv = np.max(np.concatenate(result.constr))


def _polish_numpy(call: Call, result: OptimizeResult) -> None:
    """Improve the best member by a local method; taken if it is better and allowed."""
    polish, integral = call["polish"], call["integral"]
    if not polish or (integral is not None and integral.all()) or not (call["limits"] or np.isfinite(result.fun)):
        return
    lower, upper = call["lower"].copy(), call["upper"].copy()
    if integral is not None:
        lower[integral] = upper[integral] = result.x[integral]
    if call["limits"] and result.maxcv > 0:
        warn_user(
            "differential evolution didn't find a solution satisfying the constraints, attempting to polish from the "
            "least infeasible solution",
            UserWarning,
        )
    function, args = call["given"]
    if callable(polish):
        found = polish(function, np.copy(result.x), bounds=Bounds(lb=lower, ub=upper), constraints=call["constraints"])
        if not isinstance(found, OptimizeResult):
            raise ValueError("The result from a user defined polishing function should return an OptimizeResult.")
    else:
        found = _polished(call, function, args, result.x, call["limits"], lower, upper)
        if call["limits"] and not _within(call, result, found):
            inside, spent = [_narrowed(c) for c in call["limits"]], found.nfev
            found = _polished(call, function, args, result.x, inside, lower, upper)
            found.nfev += spent
            found.success = _within(call, result, found)
    result.nfev += found.get("nfev", 0)
    better = found.success and found.fun < result.fun
    if better and np.all(found.x <= upper) and np.all(lower <= found.x):
        result.fun, result.x, result.jac = found.fun, found.x, found.get("jac", None)
        result.population[0], result.population_energies[0] = found.x, found.fun


def _within(call: Call, result: OptimizeResult, found: OptimizeResult) -> bool:
    """Whether the polished point violates the constraints no more than the best member; it is moved if that helps.

    A point on the limits is outside by rounding as often as not: a little of the way to the member leads back.
    """
    if not found.success:
        return False
    polished, target = OptimizeResult(x=found.x), found.x
    _add_violation(call, polished)
    if result.maxcv > 0 or polished.maxcv == 0:
        return bool(polished.maxcv <= result.maxcv)
    function, args = call["given"]
    for share in 10.0 ** np.arange(-14, -3):
        polished.x = target + share * (result.x - target)
        _add_violation(call, polished)
        if polished.maxcv == 0:
            value = function(polished.x[:, None] if call["vectorized"] else polished.x, *args)
            found.x, found.fun, found.nfev = polished.x, np.ravel(value)[0], found.nfev + 1
            return True
    return False


def _polished(call: Call, function: Any, args: Any, x: Any, constraints: Any, lower: Any, upper: Any) -> OptimizeResult:
    if call["vectorized"]:
        function = _of_one(function)
    method = "SLSQP" if call["limits"] else "L-BFGS-B"
    if call["disp"]:
        print(f"Polishing solution with '{method}'")
    if call["vectorized"] and constraints:
        constraints = [_constraint_of_one(c) for c in constraints]
    constraints = [LinearConstraint(np.eye(x.size), c.lb, c.ub) if isinstance(c, Bounds) else c for c in constraints]
    options = {"ftol": 1e-10} if constraints else {}
    with np.errstate(all="ignore"):
        return minimize(function, x, args, method, bounds=Bounds(lower, upper), constraints=constraints,
                        options=options)  # fmt: skip


def _narrowed(constraint: Any) -> Any:
    """The constraint with limits a little further in."""
    narrowed = copy.copy(constraint)
    lower, upper = np.broadcast_arrays(np.asarray(constraint.lb, float), np.asarray(constraint.ub, float))
    low, high = _MARGIN * np.maximum(1, np.abs([np.nan_to_num(lower, posinf=0, neginf=0),
                                                np.nan_to_num(upper, posinf=0, neginf=0)]))  # fmt: skip
    room = upper - lower > 4 * (low + high)
    narrowed.lb, narrowed.ub = np.where(room, lower + low, lower), np.where(room, upper - high, upper)
    return narrowed


def _of_one(function: Any) -> Any:
    @users
    def single(x: Any, *args: Any) -> Any:
        return np.ravel(function(x[:, None], *args))[0]

    return single


def _constraint_of_one(constraint: Any) -> Any:
    if not isinstance(constraint, NonlinearConstraint):
        return constraint
    function = constraint.fun

    @users
    def single(x: Any) -> Any:
        return np.ravel(function(x[:, None]))

    return NonlinearConstraint(single, constraint.lb, constraint.ub)


def _finish_jax(call: Call, out: dict[str, Any]) -> OptimizeResult:
    x, fun, nfev = out["x"], out["fun"], out["nfev"]
    lower, upper, integral = call["lower"], call["upper"], call["integral"]
    if call["polish"] and not (integral is not None and integral.all()):
        start, close = jax.lax.stop_gradient(x), 1e-9 * (upper - lower)
        # On the bound, not a rounding error away: the derivative of the local search asks whether a bound holds.
        start = jnp.where(start - lower <= close, lower, jnp.where(upper - start <= close, upper, start))
        if integral is not None:
            lower, upper = jnp.where(integral, start, lower), jnp.where(integral, start, upper)
        function = call["func"]
        single = (lambda x, *a: as_array(function(x[:, None], *a)).reshape(())) if call["vectorized"] else function
        found = minimize(single, start, call["args"], "L-BFGS-B", bounds=Bounds(lower, upper))
        better = found.success & (found.fun <= fun)
        x, fun = jnp.where(better, found.x, x), jnp.where(better, found.fun, fun)
        nfev = nfev + found.nfev
    return OptimizeResult(
        x=x,
        fun=fun,
        nfev=nfev,
        nit=out["nit"],
        status=out["status"],
        success=(out["status"] == 0) & jnp.isfinite(fun),
        population=out["population"],
        population_energies=out["energies"],
    )


@users
def _waves(x: Any, centre: Any) -> Any:
    # steep: the polished minimum must be sharper than the steps of finite differences
    return 1e6 * (np.sum((x - centre) ** 2) - 0.1 * np.cos(3 * (x[0] - centre[0])))


def _examples() -> list[Example]:
    options = {"args": (np.array([0.4, -0.7]),), "rng": 3, "maxiter": 8, "popsize": 5}
    common: dict[str, Any] = {"grad": ("args",), "vmap": ("args",), "rtol": 1e-5, "atol": 1e-5, "grad_rtol": 1e-3}
    return [
        Example(
            (_waves, [(-2.0, 2.0), (-1.0, 3.0)]), options, output=lambda r: (r["x"], r["fun"]), float32=False, **common
        )
    ]


@implements(
    "scipy.optimize.differential_evolution",
    callables={"func": lambda call: (_point(call), *call["args"]), "violation": lambda call: (_point(call),)},
    trees=("args", "state"),
    dtypes={
        "args": "keep",
        "key_data": "keep",
        "maxiter": "keep",
        "state": "keep",
        "pause": "keep",
        "integral": "keep",
    },
    static=("strategy", "immediate", "vectorized"),
    prepare=_prepare,
    validate=_validate,
    drive=_drive,
    finish_jax=_finish_jax,
    extras={"key": None},
    examples=_examples,
    note="a strategy or workers that are functions; sparse linear constraints.",
)
def differential_evolution(
    func, args, population, key_data, lower, upper, integral, mutation, recombination, tol, atol, maxiter, pause,
    state, violation, strategy, immediate, vectorized,
):  # fmt: skip
    """Find the global minimum of a function in a box by differential evolution.

    The same distribution as SciPy's and reproducible with `rng` or `seed`, but not the same stream of random
    numbers. With ``updating="deferred"`` each generation is one batch; ``"immediate"`` is one compiled loop over its
    members. An integer `workers` changes the order of updating as in SciPy, and starts no process. Values that are
    not a number count as infinite; a result whose value is not finite is no success. Constrained problems are
    polished by SLSQP, others by L-BFGS-B, with exact gradients.

    With JAX arrays, give ``key=`` (of `jax.random`) or an integer `rng`; constraints, callbacks and polishing functions
    raise NotImplementedError; with a key ``init`` is "latinhypercube", "random" or an array. The result is an
    `OptimizeResult` of arrays, whose ``x`` and ``fun`` are differentiable with respect to `args` and what `func` closes
    over as a minimum in the box.

    References
    ----------
    R. Storn, K. Price, "Differential evolution: a simple and efficient heuristic for global optimization over
    continuous spaces", J. Global Optim. 11, 1997. J. Lampinen, "A constraint handling approach for the differential
    evolution algorithm", CEC 2002.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import differential_evolution
    >>> found = differential_evolution(lambda x: np.sum((x - 1) ** 2), [(-3, 3), (-3, 3)], rng=1)
    >>> bool(found.success), found.x.round(4).tolist()
    (True, [1.0, 1.0])
    """

    def value(x, *extra):
        out = as_array(func(x, *extra))
        if vectorized:
            if out.size != x.shape[1]:
                raise RuntimeError(
                    "The vectorized function must return an array of shape (S,) when given an array of shape "
                    "(len(x), S)"
                )
        elif out.size != 1:
            raise RuntimeError("func(x, *args) must return a scalar value")
        return out

    method = DifferentialEvolution(strategy, immediate, tuple(mutation), recombination, tol, atol, maxiter, pause)
    limits = None if violation is None else lambda x: as_array(violation(x))
    result = engine(
        value, (lower, upper), population, key_data, args, method,
        constraints=limits, integral=integral, vectorized=vectorized, state=state,
    )  # fmt: skip
    return result._asdict()
