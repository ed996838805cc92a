"""Run an optimistix solver object under this package's results and derivatives."""

import jax.numpy as jnp

__all__ = ["find_least_squares", "find_root", "minimise"]

_MAX_STEPS = 4096


def _status(solution, good, bad):
    import optimistix as optx

    return jnp.where(solution.result == optx.RESULTS.successful, good, bad).astype(jnp.int32)


def _counts(solution):
    steps = jnp.asarray(solution.stats["num_steps"], jnp.int32)
    return {"nfev": steps, "nit": steps}


def minimise(value_and_grad, value, method, start):
    """``optimistix.minimise``; its own tolerances decide on success."""
    import optimistix as optx

    solution = optx.minimise(lambda x, _: value(x), method, start, max_steps=_MAX_STEPS, throw=False)
    x = solution.value
    fun, jac = value_and_grad(x)
    n = start.size
    return x, {
        "fun": fun,
        "jac": jac,
        "hess_inv": jnp.full((n, n), jnp.nan, start.dtype),
        "status": jnp.where(jnp.isfinite(fun), _status(solution, 0, 1), 3),
        "path": jnp.zeros((0, n), start.dtype),
        **_counts(solution),
    }


def find_root(function, method, start):
    """``optimistix.root_find``."""
    import jax
    import optimistix as optx

    solution = optx.root_find(lambda x, _: function(x), method, start, max_steps=_MAX_STEPS, throw=False)
    x = solution.value
    counts = _counts(solution)
    return x, {
        "fun": function(x),
        "jac": jax.jacfwd(function)(x),
        "njev": counts["nit"],
        "status": _status(solution, 1, 2),
        **counts,
    }


def find_least_squares(function, method, start):
    """``optimistix.least_squares``."""
    import jax
    import optimistix as optx

    solution = optx.least_squares(lambda x, _: function(x), method, start, max_steps=_MAX_STEPS, throw=False)
    x = solution.value
    counts = _counts(solution)
    return x, {
        "fun": function(x),
        "jac": jax.jacfwd(function)(x),
        "njev": counts["nit"],
        "status": _status(solution, 2, 5),
        **counts,
    }
