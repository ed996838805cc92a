"""From the engine's numbers to SciPy's result; callbacks in between."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import scipy.optimize
from scipy.optimize import LbfgsInvHessProduct, OptimizeResult, OptimizeWarning

from sci.bridge import Call, Reason
from sci.bridge.reasons import record_host
from sci.optimize._shared import warn_user
from sci.optimize.minimizers.methods import METHODS, NEVER, message

__all__ = ["drive", "finish_jax"]


def drive(call: Call, run: Any) -> OptimizeResult:
    """NumPy world: run at once, or one iteration at a time under a callback; build SciPy's result."""
    if call["method"] not in METHODS:
        return _on_scipy(call, run)
    method = METHODS[call["method"]]
    if call["callback"] is None:
        # With a state and a pause as under a callback: the same compiled code gives the same bits.
        call["state"] = _first_state(call)
        out, status = run(state=call["state"], pause=NEVER), None
        most = int(call["settings"]["maxiter"]) + 1
        while 0 < call["capacity"] < most and out["nit"] >= call["capacity"]:
            out = run(capacity=min(4 * call["capacity"], most), state=_first_state(call, 4 * call["capacity"], most))
        vectors = list(out["path"][: out["nit"] + 1])
    else:
        out, status, vectors = _with_callback(call, run)
    status = int(out["status"]) if status is None else status
    entries: dict[str, Any] = {
        **{name: out[name] for name in ("x", "fun", "jac", "hess_inv")},
        **{name: int(out[name]) for name in ("nfev", "njev", "nit")},
        **{name: out["extra"][name] for name in ("hess",) if name in out["extra"]},
        "status": status,
        "success": status == 0,
        "message": message(method, status, out),
    }
    if "multipliers" in out["extra"]:
        entries["multipliers"] = out["extra"]["multipliers"]
    if "nhev" in out["extra"]:
        entries["nhev"] = int(out["extra"]["nhev"])
    if "pairs" in out["extra"]:
        entries["hess_inv"] = _inverse_hessian(out["extra"])
    result = OptimizeResult({name: entries[name] for name in method.fields if name in entries})
    if call["return_all"]:
        result["allvecs"] = vectors
    if call["disp"]:
        _report(result, method.title)
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

    start = call["x0"] if call["bounds"] is None else np.clip(call["x0"], *call["bounds"])
    size = call["capacity"] if capacity is None else min(capacity, most)
    return solver(call["method"], call["settings"], call["fixed"], None).init(None, start, size)


def _with_callback(call: Call, run: Any) -> tuple[dict[str, Any], int | None, list[Any]]:
    """Iterate with the user's callback in between; SciPy's two signatures, and its StopIteration."""
    callback = call["callback"]
    takes_result = set(inspect.signature(callback).parameters) == {"intermediate_result"}
    state = _first_state(call)
    vectors, nit = [call["x0"].copy()], 0
    while True:
        out = run(state=state, pause=nit + 1)
        state = out["state"]
        # SLSQP counts an iteration when it begins.
        done = int(out["nit"]) - (call["method"] == "slsqp" and out["status"] == -1)
        if done > nit:
            nit = done
            vectors.append(out["x"].copy())
            try:
                if takes_result:
                    callback(intermediate_result=OptimizeResult(x=out["x"].copy(), fun=out["fun"]))
                else:
                    callback(out["x"].copy())
            except StopIteration:
                return out, 99, vectors
        if out["status"] != -1:
            return out, None, vectors


def _report(result: OptimizeResult, title: str) -> None:
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
        warn_user(result.message, RuntimeWarning if title.startswith(("trust", "dogleg")) else OptimizeWarning)
    print(f"         Current function value: {result.fun:f}")
    print(f"         Iterations: {result.nit:d}")
    print(f"         Function evaluations: {result.nfev:d}")
    print(f"         Gradient evaluations: {result.njev:d}")
    if "nhev" in result:
        print(f"         Hessian evaluations: {result.nhev:d}")


def finish_jax(call: Call, out: dict[str, Any]) -> OptimizeResult:
    """The result's arrays."""
    names = ("fun", "jac", "hess_inv", "nfev", "njev", "status", "success", "x", "nit")
    result = OptimizeResult({name: out[name] for name in names if out[name] is not None})
    result.update({name: out["extra"][name] for name in ("nhev", "hess", "multipliers") if name in out["extra"]})
    if call["return_all"]:
        result["allvecs"] = out["path"]
    return result


def _on_scipy(call: Call, run: Any) -> OptimizeResult:
    """SciPy's algorithm on the compiled objective with its exact derivatives."""
    given = call["original"]
    name = call["method"].removeprefix("values of ")
    record_host("scipy.optimize.minimize", Reason.METHOD, f"method={name!r}; derivatives compiled")

    def both(x: Any) -> Any:
        out = run(x0=x, method=call_method)
        return out["fun"], out["jac"]

    def hessian(x: Any) -> Any:
        return run(x0=x, method="hessian")["hess"]

    call_method = call["method"]
    extra = {"hess": hessian} if call["derive_hess"] else {k: given[k] for k in ("hess", "hessp")}
    names = ("x0", "bounds", "constraints", "tol", "callback", "options")
    result = scipy.optimize.minimize(both, jac=True, method=name, **{k: given[k] for k in names}, **extra)
    if not np.isfinite(result.fun):
        result.success = False
    return result
