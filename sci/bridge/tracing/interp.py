"""Evaluation of a jaxpr by NumPy: verification must not wait for a compiler.

Primitives without an entry run on JAX, one by one.
"""

from __future__ import annotations

import jax
import numpy as np

from .interp_primitives import PRIMITIVES


class Unavailable(Exception):
    """The jaxpr holds something that NumPy cannot evaluate."""


def evaluate(jaxpr, consts, values):
    """Outputs of an (open) jaxpr for NumPy inputs."""
    env = {}

    def read(var):
        return np.asarray(var.val, var.aval.dtype) if hasattr(var, "val") else env[var]

    for var, value in zip(jaxpr.constvars, consts, strict=True):
        env[var] = np.asarray(value)
    for var, value in zip(jaxpr.invars, values, strict=True):
        env[var] = np.asarray(value)
    for eqn in jaxpr.eqns:
        results = apply(eqn, [read(v) for v in eqn.invars])
        for var, value in zip(eqn.outvars, results, strict=True):
            env[var] = value
    return [read(v) for v in jaxpr.outvars]


def apply(eqn, values):
    """Outputs of one equation."""
    name, params = eqn.primitive.name, eqn.params
    control = _CONTROL.get(name)
    if control is not None:
        return control(params, values)
    rule = PRIMITIVES.get(name)
    if rule is not None:
        try:
            result = rule(values, params)
        except NotImplementedError:
            result = None
        if result is not None:
            result = result if isinstance(result, (list, tuple)) else [result]
            return [np.asarray(r, v.aval.dtype) for r, v in zip(result, eqn.outvars, strict=True)]
    with jax.ensure_compile_time_eval():  # the caller may be inside a transformation
        found = eqn.primitive.bind(*[jax.numpy.asarray(v) for v in values], **params)
        found = found if eqn.primitive.multiple_results else [found]
        return [np.asarray(r) for r in found]


def _closed(key):
    def run(params, values):
        inner = params[key]
        if hasattr(inner, "jaxpr"):
            return evaluate(inner.jaxpr, inner.consts, values)
        return evaluate(inner, (), values)

    return run


def _cond(params, values):
    branch = params["branches"][int(np.clip(values[0], 0, len(params["branches"]) - 1))]
    return evaluate(branch.jaxpr, branch.consts, values[1:])


def _while(params, values):
    n_cond, n_body = params["cond_nconsts"], params["body_nconsts"]
    cond, body = params["cond_jaxpr"], params["body_jaxpr"]
    cond_consts, body_consts, state = values[:n_cond], values[n_cond : n_cond + n_body], values[n_cond + n_body :]
    for _ in range(100_000):
        going = evaluate(cond.jaxpr, cond.consts, [*cond_consts, *state])[0]
        if not going.any():
            return state
        new = evaluate(body.jaxpr, body.consts, [*body_consts, *state])
        if going.ndim:  # a batch of loops: those that have ended keep their state
            new = [
                np.where(going.reshape(going.shape + (1,) * (n.ndim - going.ndim)), n, o)
                for n, o in zip(new, state, strict=True)
            ]
        state = new
    raise Unavailable("a loop of more than 100000 passes")


def _scan(params, values):
    inner, length = params["jaxpr"], params["length"]
    if "num_consts" in params:
        n_consts, n_carry = params["num_consts"], params["num_carry"]
    else:  # jax 0.12 keeps the trees of constants, carry and rows instead of their sizes
        n_consts, n_carry, _ = (len(list(tree)) for tree in params["ft_in"].unpack())
    consts, carry, xs = values[:n_consts], values[n_consts : n_consts + n_carry], values[n_consts + n_carry :]
    outputs = []
    for i in reversed(range(length)) if params["reverse"] else range(length):
        found = evaluate(inner.jaxpr, inner.consts, [*consts, *carry, *[x[i] for x in xs]])
        carry = found[:n_carry]
        outputs.append(found[n_carry:])
    if params["reverse"]:
        outputs.reverse()
    avals = inner.out_avals[n_carry:]
    stacked = [
        np.stack([o[k] for o in outputs]) if outputs else np.zeros((0, *a.shape), a.dtype) for k, a in enumerate(avals)
    ]
    return [*carry, *stacked]


def _linear_solve(params, values):
    lengths, jaxprs = params["const_lengths"], params["jaxprs"]
    start = lengths.matvec + lengths.vecmat
    consts = values[start : start + lengths.solve]
    right = values[sum(lengths) :]
    return evaluate(jaxprs.solve.jaxpr, jaxprs.solve.consts, [*consts, *right])


_CONTROL = {
    "jit": _closed("jaxpr"),
    "pjit": _closed("jaxpr"),
    "closed_call": _closed("call_jaxpr"),
    "core_call": _closed("call_jaxpr"),
    "remat": _closed("jaxpr"),
    "checkpoint": _closed("jaxpr"),
    "custom_jvp_call": _closed("call_jaxpr"),
    "custom_vjp_call": _closed("call_jaxpr"),
    "custom_vjp_call_jaxpr": _closed("fun_jaxpr"),
    "cond": _cond,
    "while": _while,
    "scan": _scan,
    "custom_linear_solve": _linear_solve,
}
