"""`bracket_root` and `bracket_minimum`: searches for brackets on arrays, every element stopping by itself."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy._lib._util import _RichResult  # SciPy's result class here; it has no public name
from scipy.optimize import OptimizeResult

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from sci.optimize._shared import users
from sci.optimize.elementwise.chandrupatla import broadcast_points, elementwise_values
from solvers.roots.brackets import bracket_minimum as search_minimum
from solvers.roots.brackets import bracket_root as search_root

__all__ = ["bracket_minimum", "bracket_root"]

_FIELDS = ("status", "nit", "nfev", "success", "bracket", "f_bracket")
_ORDER = ["success", "status", "nit", "nfev", "bracket", "f_bracket"]


def _real(name: str, value: Any) -> Any:
    if value is None or is_jax(value):
        return value
    value = np.asarray(value)
    if value.dtype.kind not in "biuf":
        if value.dtype.kind == "c":
            raise ValueError(f"`{name}` must be numeric and real.")
        raise HostRoute(Reason.DTYPE, f"argument {name!r} has dtype {value.dtype}")
    return value


def _prepare(*names: str) -> Any:
    """The points `names` and limits as arrays of one shape; what is not given at SciPy's places."""

    def prepare(call: Call) -> None:
        if not callable(call["f"]):
            raise ValueError("`func` must be callable.")
        maxiter = call["maxiter"]
        if np.ndim(maxiter) or np.asarray(maxiter).dtype.kind not in "iuf" or maxiter != int(maxiter) or maxiter < 0:
            raise ValueError(f"`maxiter` must be a non-negative integer, got {maxiter!r}.")
        call["maxiter"] = int(maxiter)
        args = call["args"] if np.iterable(call["args"]) else (call["args"],)
        given = [_real(name, call[name]) for name in names]
        lower = -np.inf if call["xmin"] is None else _real("xmin", call["xmin"])
        upper = np.inf if call["xmax"] is None else _real("xmax", call["xmax"])
        factor = 2.0 if call["factor"] is None else _real("factor", call["factor"])
        if not is_jax(factor) and not np.all(factor > 1):
            raise ValueError("All elements of `factor` must be greater than 1.")
        lib: Any = jnp if is_jax((given, lower, upper)) else np
        if len(names) == 2 and given[1] is None:
            given[1] = given[0] + lib.minimum((upper - given[0]) / 8, 1.0)
        if len(names) == 3:
            middle, left, right = given
            left = middle - lib.minimum((middle - lower) / 16, 0.5) if left is None else left
            right = middle + lib.minimum((upper - middle) / 16, 0.5) if right is None else right
            given = [middle, left, right]
        arrays = tuple(lib.asarray(v) for v in (*given, lower, upper, factor))
        if lib is np and arrays[0].dtype.kind == "f":
            # infinite limits and the factor, given as Python numbers, leave the points' precision alone
            weak = [k for k, v in enumerate((*given, lower, upper, factor)) if isinstance(v, float)]
            arrays = tuple(v.astype(arrays[0].dtype) if k in weak else v for k, v in enumerate(arrays))
        call["init"], call["args"] = broadcast_points(arrays, tuple(args))

    return prepare


def _finish(call: Call, out: dict[str, Any]) -> Any:
    return _RichResult({name: out[name] for name in _FIELDS}, _order_keys=_ORDER)


def _output(found: Any) -> dict[str, Any]:
    return found._asdict() | {"success": found.status == 0}


@users
def _cubic(x: Any, c: Any) -> Any:
    return x**3 - c


@users
def _bowl(x: Any, c: Any) -> Any:
    return (x - c) ** 2


_FACTS: dict[str, Any] = {
    "callables": {"f": lambda call: (call["init"][0], *call["args"])},
    "trees": ("init", "args"),
    "dtypes": {"args": "keep", "maxiter": "keep"},
    "finish": _finish,
    "finish_jax": lambda call, out: OptimizeResult(out),
    "grad": False,
}
_COMPARE: dict[str, Any] = {
    "vmap": ("args",),
    "output": lambda r: (r["bracket"], r["f_bracket"], r["status"], r["nit"], r["nfev"]),
}


@implements(
    "scipy.optimize.elementwise.bracket_root",
    prepare=_prepare("xl0", "xr0"),
    examples=lambda: [Example((_cubic, np.array([0.1, 0.2])), {"args": np.array([20.0]), "xmax": 50.0}, **_COMPARE)],
    **_FACTS,
)
def bracket_root(f, init, args, maxiter):
    """Find two points between which a monotonic function changes its sign, element by element.

    With JAX arrays the result is an `OptimizeResult` of arrays. A bracket is a constant to differentiation but for
    the values there. `f` sees arrays of the broadcast shape.

    Examples
    --------
    >>> from sci.optimize.elementwise import bracket_root
    >>> found = bracket_root(lambda x, c: x**3 - c, 1.0, args=(27.0,))
    >>> bool(found.bracket[0] <= 3.0 <= found.bracket[1])
    True
    """
    checked = elementwise_values(f)
    return _output(search_root(lambda x: checked(x, *args), *init, maxiter))


@implements(
    "scipy.optimize.elementwise.bracket_minimum",
    prepare=_prepare("xm0", "xl0", "xr0"),
    examples=lambda: [Example((_bowl, np.array([0.1, 0.2])), {"args": np.array([7.0]), "xmax": 50.0}, **_COMPARE)],
    **_FACTS,
)
def bracket_minimum(f, init, args, maxiter):
    """Find three points that enclose the minimum of a unimodal function, element by element.

    The JAX world and what `f` sees as for `bracket_root`.

    Examples
    --------
    >>> from sci.optimize.elementwise import bracket_minimum
    >>> left, middle, right = bracket_minimum(lambda x: (x - 5.0) ** 2, 0.0).bracket
    >>> bool(left < 5.0 < right)
    True
    """
    checked = elementwise_values(f)
    return _output(search_minimum(lambda x: checked(x, *args), *init, maxiter))
