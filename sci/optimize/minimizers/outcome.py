"""From the engine's numbers to SciPy's result; callbacks in between."""

from __future__ import annotations

import inspect
import time
from typing import Any

import numpy as np
import scipy.optimize
from scipy.optimize import LbfgsInvHessProduct, OptimizeResult, OptimizeWarning

from sci.bridge import Call, Reason, warn_user
from sci.bridge.host import run_on_host
from sci.bridge.reasons import record_host
from sci.optimize.minimizers.methods import METHODS, NEVER, OPTIMISTIX, message
from sci.optimize.minimizers.prepare import most_iterations
from sci.optimize.minimizers.trust_constr import trust_constr_result

__all__ = ["drive", "finish_jax"]


_ARGUMENTS = ("fun", "x0", "args", "jac", "hess", "hessp", "bounds", "constraints", "tol", "callback", "options")
_WITHOUT_GRADIENT = ("nelder-mead", "powell", "cobyla")
_RUNTIME = ("trust", "dogleg", "Nelder", "Powell")  # SciPy's class of the warning


def drive(call: Call, run: Any) -> OptimizeResult:
    """NumPy world: run at once, or one iteration at a time under a callback; build SciPy's result."""
    if call["method"] not in METHODS:
        return _on_scipy(call, run)
    method, begin = METHODS[call["method"]], time.perf_counter()
    if call["method"] == OPTIMISTIX:
        out, status, vectors = run(), None, []
    elif call["callback"] is None:
        # With a state and a pause as under a callback: the same compiled code gives the same bits.
        call["state"] = _first_state(call)
        out, status = run(state=call["state"], pause=NEVER), None
        most = most_iterations(call) + 1
        while 0 < call["capacity"] < most and _passes(call, out) >= call["capacity"]:
            out = run(capacity=min(4 * call["capacity"], most), state=_first_state(call, 4 * call["capacity"], most))
        vectors = list(out["path"][: _passes(call, out) + 1])
    else:
        out, status, vectors = _with_callback(call, run)
    if _without_slope(call, out):
        detail = "the exact gradient of fun is not finite at x0, where fun is: SciPy's finite differences"
        given = {name: call["original"][name] for name in _ARGUMENTS} | {"method": method.title}
        return run_on_host("scipy.optimize.minimize", scipy.optimize.minimize, (), given, Reason.UNTRACEABLE, detail)
    status = int(out["status"]) if status is None else status
    entries: dict[str, Any] = {
        **{name: out[name] for name in ("x", "fun", "jac", "hess_inv")},
        **{name: int(out[name]) for name in ("nfev", "njev", "nit")},
        **{name: out["extra"][name] for name in ("hess", "direc", "final_simplex") if name in out["extra"]},
        "status": status,
        "success": bool(out["success"]) and status == int(out["status"]),
        "message": message(method, status, out | {"catol": call["settings"].get("catol")}),
    }
    if method.title == "TNC" and call["bounds"] is not None:
        # As SciPy, whose TNC never sees a variable that the bounds fix.
        entries["jac"] = np.where(call["bounds"][0] == call["bounds"][1], np.nan, out["jac"])
    if "multipliers" in out["extra"]:
        entries["multipliers"] = out["extra"]["multipliers"]
    if "maxcv" in out["extra"]:
        entries["maxcv"] = float(out["extra"]["maxcv"])
    if "nhev" in out["extra"]:
        entries["nhev"] = int(out["extra"]["nhev"])
    if "pairs" in out["extra"]:
        entries["hess_inv"] = _inverse_hessian(out["extra"])
    if method.title == "trust-constr":
        return _trust_constr(call, out, entries, time.perf_counter() - begin)
    result = OptimizeResult({name: entries[name] for name in method.fields if name in entries})
    if call["return_all"]:
        result["allvecs"] = vectors
    if call["disp"]:
        _report(result, method.title)
    return result


def _without_slope(call: Call, out: dict[str, Any]) -> bool:
    """Whether the rule of derivation fails at a start where the function is smooth, as in ``(x**2) ** 0.5`` at 0.

    Also where a function overwrites infinite intermediate values. Nothing has moved then, and no callback was called.
    """
    original = call["original"]
    if original["jac"] is True or callable(original["jac"]) or call["method"] in (OPTIMISTIX, *_WITHOUT_GRADIENT):
        return False
    return int(out["nit"]) - (call["method"] == "slsqp") <= 0 and bool(
        np.isfinite(out["fun"]) and not np.isfinite(out["jac"]).all()
    )


def _trust_constr(call: Call, out: dict[str, Any], entries: dict[str, Any], seconds: float) -> OptimizeResult:
    result = trust_constr_result(call, out, entries, seconds)
    options = call["original"]["options"] or {}
    if options.get("verbose") or options.get("disp"):
        print(result.message)
        print(
            f"Number of iterations: {result.nit}, function evaluations: {result.nfev}, CG iterations: 0, "
            f"optimality: {result.optimality:.2e}, constraint violation: {result.constr_violation:.2e}, "
            f"execution time: {seconds:4.2} s."
        )
    return result


def _inverse_hessian(extra: dict[str, Any]) -> LbfgsInvHessProduct:
    """The pairs in memory, oldest first."""
    pairs, updates = extra["pairs"], int(extra["updates"])
    m = len(pairs) // 2
    order = np.arange(updates) if updates < m else (np.arange(m) + updates) % m
    return LbfgsInvHessProduct(pairs[m + order], pairs[order])


def _first_state(call: Call, capacity: int | None = None, most: int = NEVER) -> Any:
    """The engine's state before anything was evaluated."""
    from sci.optimize.minimizers.entry import solver

    made = solver(call["method"], call["settings"], call["fixed"], None)
    moved = call["bounds"] is not None and getattr(made, "clips_start", True)
    start = np.clip(call["x0"], *call["bounds"]) if moved else call["x0"]
    size = call["capacity"] if capacity is None else min(capacity, most)
    return made.init(None, start, size)


def _passes(call: Call, out: dict[str, Any]) -> int:
    """Iterations that are done: SLSQP and Nelder-Mead count one when it begins."""
    if "passes" in out["extra"]:
        return int(out["extra"]["passes"])
    return int(out["nit"]) - (call["method"] == "slsqp" and out["status"] == -1)


def _with_callback(call: Call, run: Any) -> tuple[dict[str, Any], int | None, list[Any]]:
    """Iterate with the user's callback in between; SciPy's two signatures, and its StopIteration."""
    callback = call["callback"]
    takes_result = set(inspect.signature(callback).parameters) == {"intermediate_result"}
    state = _first_state(call)
    vectors, nit = [getattr(state, "trial", call["x0"]).copy()], 0
    while True:
        out = run(state=state, pause=nit + 1)
        state = out["state"]
        # two where SLSQP's next one finds that nothing is left to do
        for _ in range(_passes(call, out) - nit):
            nit += 1
            vectors.append(out["x"].copy())
            try:
                stopped = _told(call, out, takes_result)
            except StopIteration:
                stopped = True
            if stopped:
                out = out | {"nit": nit} if call["method"] == "slsqp" else out
                return out, METHODS[call["method"]].stopped, vectors
        if out["status"] != -1:
            return out, None, vectors


def _told(call: Call, out: dict[str, Any], takes_result: bool) -> bool:
    """Call the user's callback; whether its answer ends the run."""
    callback, x = call["callback"], out["x"].copy()
    result = OptimizeResult(x=x, fun=out["fun"])
    if call["method"] == "trust-constr":
        names = ("optimality", "constr_violation", "barrier_parameter", "constr_penalty")
        result.update({name: float(out["extra"][name]) for name in names})
        result.update(nit=int(out["nit"]), niter=int(out["nit"]), nfev=int(out["nfev"]), grad=out["jac"])
        return bool(callback(intermediate_result=result) if takes_result else callback(x, result))
    if call["method"] == "cobyla":
        result.update(nfev=int(out["nfev"]), nit=int(out["nit"]), maxcv=float(out["extra"]["maxcv"]))
    if takes_result:
        callback(intermediate_result=result)
    else:
        callback(x)
    return False


def _report(result: OptimizeResult, title: str) -> None:
    if title in ("TNC", "COBYLA"):
        print(result.message)
        print(f"Number of function values = {result.nfev}   Least value of F = {result.fun}\nX = {result.x}")
        return
    if title == "SLSQP":
        print(f"{result.message}    (Exit mode {result.status})")
        print("            Current function value:", result.fun)
        print("            Iterations:", result.nit)
        print("            Function evaluations:", result.nfev)
        print("            Gradient evaluations:", result.njev)
        return
    if result.success:
        print(result.message)
    else:
        warn_user(result.message, RuntimeWarning if title.startswith(_RUNTIME) else OptimizeWarning)
    print(f"         Current function value: {result.fun:f}")
    print(f"         Iterations: {result.nit:d}")
    print(f"         Function evaluations: {result.nfev:d}")
    if "njev" in result:
        print(f"         Gradient evaluations: {result.njev:d}")
    if "nhev" in result:
        print(f"         Hessian evaluations: {result.nhev:d}")


def finish_jax(call: Call, out: dict[str, Any]) -> OptimizeResult:
    """The result's arrays."""
    names = ("fun", "jac", "hess_inv", "nfev", "njev", "status", "success", "x", "nit")
    result = OptimizeResult({name: out[name] for name in names if out[name] is not None})
    extra = ("nhev", "hess", "multipliers", "direc", "final_simplex", "maxcv", "optimality", "constr_violation")
    result.update({name: out["extra"][name] for name in extra if name in out["extra"]})
    if call["return_all"]:
        result["allvecs"] = out["path"]
    return result


def _on_scipy(call: Call, run: Any) -> OptimizeResult:
    """SciPy's algorithm on the compiled objective."""
    given, name = call["original"], call["host_method"]
    record_host("scipy.optimize.minimize", Reason.METHOD, f"method={name!r}; values compiled")

    def value(x: Any) -> Any:
        return run(x0=x)["fun"]

    names = ("x0", "hess", "hessp", "bounds", "constraints", "tol", "callback", "options")
    result = scipy.optimize.minimize(value, method=name, **{k: given[k] for k in names})
    if not np.isfinite(result.fun):
        result.success = False
    return result
