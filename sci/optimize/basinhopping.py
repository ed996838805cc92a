"""`basinhopping`: a random walk whose local searches are compiled."""

from __future__ import annotations

import inspect
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.optimize import OptimizeResult

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements
from sci.bridge.randomness import lender
from sci.bridge.worlds import is_jax
from sci.optimize._shared import bind_arguments, need_callable, users
from sci.optimize.minimizers import minimize
from sci.optimize.minimizers.bounds import two_vectors
from sci.optimize.randomness import generator, key_of, known_seed
from solvers.globalmin import basin_hopping as engine
from solvers.minimize import BFGS, LBFGSB

__all__ = ["basinhopping"]


def _prepare(call: Call) -> None:
    need_callable(call, "func")
    for name, words in (("target_accept_rate", "target_accept_rate"), ("stepwise_factor", "stepwise_factor")):
        if not is_jax(call[name]) and not 0.0 < call[name] < 1.0:
            raise ValueError(f"{words} has to be in range (0, 1), got {call[name]!r}")
    for name in ("take_step", "accept_test"):
        if call[name] is not None and not callable(call[name]):
            raise TypeError(f"{name} must be callable")
    call["search"] = dict(call["minimizer_kwargs"] or {})
    x0 = call["x0"]
    call["x0"] = jnp.atleast_1d(jnp.asarray(x0)) if is_jax(x0) else np.array(x0)
    if not is_jax(x0) and (call["x0"].dtype.kind not in "biuf" or call["x0"].ndim > 1 or call["x0"].size == 0):
        raise HostRoute(Reason.DTYPE, f"x0 has dtype {call['x0'].dtype} and shape {call['x0'].shape}")
    if not is_jax(x0):
        call["x0"] = np.atleast_1d(call["x0"]).astype(float)
    args = call["search"].pop("args", ())
    call["args"] = args if isinstance(args, tuple) else (args,)
    call["numpy_args"], call["original"] = call["args"], call["func"]
    if is_jax(call["args"]):
        call.numpy = False
    call["random"] = generator(call, "basinhopping")
    call["key_data"] = key_of(call, call["random"])
    call["has_value"] = call["search"].get("jac") is True
    call["method"], call["bounds"], call["gtol"], call["refused"] = "BFGS", None, None, None
    try:
        _prepare_jax(call)
    except HostRoute as route:
        if not call.numpy:
            raise
        call["refused"] = route  # of no matter, unless `func` closes over JAX arrays
    bind_arguments(call, "func")


def _validate(call: Call) -> None:
    if not call.numpy:
        known_seed(call, "basinhopping")
        if call["refused"] is not None:
            raise NotImplementedError(f"basinhopping with JAX arrays: {call['refused'].detail}")


def _prepare_jax(call: Call) -> None:
    """What the compiled walk has: the default step and test, two local methods."""
    for name in ("take_step", "accept_test", "callback"):
        if call[name] is not None:
            raise HostRoute(Reason.CALLBACK, f"{name} in the JAX world")
    search = dict(call["search"])
    search.pop("jac", None)
    bounds, method = search.pop("bounds", None), search.pop("method", None)
    method = ("BFGS" if bounds is None else "L-BFGS-B") if method is None else method
    tol = search.pop("tol", None)
    if search or not isinstance(method, str) or method.upper() not in ("BFGS", "L-BFGS-B"):
        raise HostRoute(Reason.METHOD, f"minimizer_kwargs with method={method!r}, {sorted(search)} in the JAX world")
    call["method"] = method.upper()
    call["bounds"] = two_vectors(bounds, call["x0"]) if call["method"] == "L-BFGS-B" else None
    call["gtol"] = 1e-5 if tol is None else tol


class _Steps:
    """SciPy's step: uniform within the step size, which adapts to the rate of acceptance."""

    def __init__(self, call: Call) -> None:
        self.given, self.random, self.stepsize = call["take_step"], call["random"], call["stepsize"]
        self.adapts = self.given is None or hasattr(self.given, "stepsize")
        self.target, self.factor = call["target_accept_rate"], call["stepwise_factor"]
        self.interval, self.verbose = call["interval"], call["disp"]
        self.steps = self.accepted = 0

    def __call__(self, x: np.ndarray) -> np.ndarray:
        self.steps += 1
        if self.adapts and self.steps % self.interval == 0:
            self._adapt()
        if self.given is not None:
            return self.given(x)
        return x + self.random.uniform(-self.stepsize, self.stepsize, np.shape(x))

    def _adapt(self) -> None:
        owner = self if self.given is None else self.given
        old, rate = owner.stepsize, self.accepted / self.steps
        owner.stepsize = old / self.factor if rate > self.target else old * self.factor
        if self.verbose:
            print(
                f"adaptive stepsize: acceptance rate {rate:f} target {self.target:f} new stepsize "
                f"{owner.stepsize:g} old stepsize {old:g}"
            )


def _accepts(call: Call, new: OptimizeResult, old: OptimizeResult, x_old: np.ndarray, f_old: Any) -> bool:
    """The user's test and Metropolis' rule, in SciPy's protocol."""
    test, accept = call["accept_test"], True
    if test is not None:
        if set(inspect.signature(test).parameters) == {"res_new", "res_old"}:
            answer = test(res_new=new, res_old=old)
        else:
            answer = test(f_new=new.fun, x_new=new.x, f_old=f_old, x_old=x_old)
        if isinstance(answer, str) and answer == "force accept":
            return True
        if answer is None:
            raise ValueError("accept_tests must return True, False, or 'force accept'")
        accept = bool(answer)
    rise = float(np.squeeze(new.fun)) - float(np.squeeze(old.fun))
    temperature = call["T"]
    chance = 1.0 if rise <= 0 else 0.0 if temperature == 0 else float(np.exp(-rise / temperature))
    allowed = chance >= call["random"].uniform() and (new.success or not old.success)
    return accept and bool(allowed)


def _drive(call: Call, run: Any) -> OptimizeResult:
    call["random"] = lender(call, call["random"])  # drawn from between the user's own functions

    def local(x: np.ndarray) -> OptimizeResult:
        found = minimize(call["original"], x, call["numpy_args"], **call["search"])
        for name in ("nfev", "njev", "nhev"):
            if name in found:
                total[name] = total.get(name, 0) + found[name]
        if not found.success:
            total["minimization_failures"] += 1
            if call["disp"]:
                print("warning: basinhopping: local minimization failure")
        return found

    total: dict[str, Any] = {"minimization_failures": 0}
    steps, callback, niter = _Steps(call), call["callback"], int(call["niter"])
    patience = niter + 2 if call["niter_success"] is None else call["niter_success"]
    held = lowest = local(call["x0"].copy())
    x, energy, done, count = np.copy(held.x), held.fun, 0, 0
    if call["disp"]:
        print(f"basinhopping step 0: f {energy:g}")
    if callable(callback):
        callback(lowest.x, lowest.fun, True)
    message = ["requested number of basinhopping iterations completed successfully"]
    for done in range(1, niter + 1):
        found = local(steps(np.copy(x)))
        accept = _accepts(call, found, held, x, energy)
        steps.accepted += accept
        if hasattr(call["take_step"], "report"):
            call["take_step"].report(accept, f_new=found.fun, x_new=found.x, f_old=energy, x_old=x)
        new_lowest = False
        if accept:
            held, x, energy = found, np.copy(found.x), found.fun
            new_lowest = bool(found.success and (found.fun < lowest.fun or not lowest.success))
            lowest = found if new_lowest else lowest
        if call["disp"]:
            _report(done, energy, found, accept, lowest, new_lowest)
        if callable(callback) and callback(found.x, found.fun, accept):
            message = ["callback function requested stop early byreturning True"]  # SciPy's words
            break
        count = 0 if new_lowest else count + 1
        if count > patience:
            message = ["success condition satisfied"]
            break
    result = OptimizeResult(total)
    result.lowest_optimization_result = lowest
    result.update(x=np.copy(lowest.x), fun=lowest.fun, message=message, nit=max(done, 1))
    result.success = bool(lowest.success and np.isfinite(lowest.fun).all())
    return result


def _report(step: int, energy: Any, found: Any, accept: bool, lowest: Any, new: bool) -> None:
    print(f"basinhopping step {step}: f {energy:g} trial_f {found.fun:g} accepted {accept} lowest_f {lowest.fun:g}")
    if new:
        print(f"found new global minimum on step {step} with function value {energy:g}")


def _finish_jax(call: Call, out: dict[str, Any]) -> OptimizeResult:
    return OptimizeResult(out)


@users
def _waves(x: Any, shift: Any) -> Any:
    return np.sum((x - shift) ** 2) + np.sum(np.cos(3.0 * (x - shift)))


_SHIFT = np.array([0.1, 0.2])


def _point(call: Call) -> tuple[Any, ...]:
    return (call["x0"], *call["args"])


@implements(
    "scipy.optimize.basinhopping",
    callables={"func": _point},
    trees=("args", "bounds"),
    dtypes={"x0": "float", "args": "keep", "key_data": "keep", "niter": "keep", "interval": "keep",
            "niter_success": "keep", "bounds": "keep"},
    static=("method", "has_value"),
    prepare=_prepare,
    validate=_validate,
    drive=_drive,
    finish_jax=_finish_jax,
    extras={"key": None},
    examples=lambda: [
        Example(
            (_waves, np.array([0.4, 0.9])),
            {"niter": 3, "rng": 2, "stepsize": 0.05, "minimizer_kwargs": {"args": (_SHIFT,), "tol": 1e-8}},
            output=lambda r: r["fun"],
            vmap=("x0",),
            rtol=1e-7,
            float32=False,
            # from single precision SciPy's differences lead BFGS into another valley (SciPy 1.18)
            skip_odd=("nan", "inf", "float32"),
        )
    ],
    note="local methods that have no engine here; in the JAX world also take_step, accept_test, callback, options.",
)  # fmt: skip
def basinhopping(
    func, x0, args, key_data, bounds, gtol, niter, T, stepsize, interval, target_accept_rate, stepwise_factor,
    niter_success, method, has_value,
):  # fmt: skip
    """Find the global minimum of a function by basin hopping.

    In the NumPy world the walk is SciPy's, with all its hooks, and each local search is `sci.optimize.minimize`,
    compiled once. With JAX arrays the walk is one compiled loop, by BFGS or L-BFGS-B with exact gradients; give
    ``key=`` (of `jax.random`) or an integer `rng`. The same distribution as SciPy's and reproducible, but not the same
    stream of random numbers. ``x`` and ``fun`` are then differentiable with respect to the local search's ``args`` and
    what `func` closes over.

    References
    ----------
    D. J. Wales, J. P. K. Doye, "Global optimization by basin-hopping and the lowest energy structures of
    Lennard-Jones clusters containing up to 110 atoms", J. Phys. Chem. A 101, 1997.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.optimize import basinhopping
    >>> found = basinhopping(lambda x: np.cos(14.5 * x[0] - 0.3) + (x[0] + 0.2) * x[0], [1.0], niter=20, rng=1)
    >>> found.x.round(3).tolist()
    [-0.195]
    """

    def value(x, *extra):
        out = func(x, *extra)
        return as_array(out[0] if has_value else out)

    solver = (BFGS if method == "BFGS" else LBFGSB)(gtol=gtol)
    found = engine(
        value, x0, key_data, args, solver, bounds=bounds, niter=niter, temperature=T, stepsize=stepsize,
        interval=interval, target=target_accept_rate, factor=stepwise_factor, patience=niter_success,
    )  # fmt: skip
    names = ("x", "fun", "success", "nfev", "njev", "nit")
    return {name: getattr(found, name) for name in names} | {"minimization_failures": found.failures}
