"""`implements_ufunc`: the face of NumPy's universal functions for `sci.special`.

The loop that NumPy would choose decides the dtypes, so float32, float16 and integer input give
the same result dtype as SciPy's ufunc.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from sci.bridge.implements import Call, implements
from sci.bridge.reasons import HostRoute, Reason
from sci.bridge.registry import Example

__all__ = ["implements_ufunc"]

_P = inspect.Parameter
_DOUBLE = np.dtype(np.float64)
_DEFAULTS = {
    "where": True,
    "casting": "same_kind",
    "order": "K",
    "dtype": None,
    "subok": True,
    "signature": None,
}
_COPIED = ("nin", "nout", "nargs", "ntypes", "types", "identity")


def _signature(names: list[str]) -> inspect.Signature:
    return inspect.Signature(
        [_P(n, _P.POSITIONAL_ONLY) for n in names]
        + [_P("out", _P.POSITIONAL_OR_KEYWORD, default=None)]
        + [_P(n, _P.KEYWORD_ONLY, default=v) for n, v in _DEFAULTS.items()]
    )


def _resolver(ufunc: np.ufunc, names: list[str]) -> Callable[[Call], None]:
    """A `prepare` step that casts the arguments to the loop that NumPy would run."""

    def prepare(call: Call) -> None:
        for option, default in _DEFAULTS.items():
            if call[option] is not default and call[option] != default:
                raise HostRoute(Reason.OPTION, f"{option}={call[option]!r}")
        if not call.numpy:
            return
        values = [call[n] for n in names]
        if all(type(v) is float or (type(v) is np.ndarray and v.dtype is _DOUBLE) for v in values):
            return
        if any(isinstance(v, np.ma.MaskedArray) or type(v).__module__.startswith("scipy.sparse") for v in values):
            raise HostRoute(Reason.MASKED, "masked or sparse argument")
        values = [v if type(v) in (int, float, complex) else np.asarray(v) for v in values]
        types = tuple(type(v) if type(v) in (int, float, complex) else v.dtype for v in values)
        try:
            loop = ufunc.resolve_dtypes((*types, *[None] * ufunc.nout))
        except TypeError as error:
            raise HostRoute(Reason.DTYPE, str(error)) from None
        for name, value, dtype in zip(names, values, loop, strict=False):
            call[name] = np.asarray(value).astype(dtype, copy=False)

    return prepare


def implements_ufunc(
    name: str,
    *,
    supports: Callable[[Call], Any] | None = None,
    examples: Callable[[], list[Example]] | None = None,
    grad: bool = True,
    note: str = "",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a pure elementwise body as our version of one of SciPy's ufuncs.

    Parameters
    ----------
    name : str
        Public dotted name, as ``scipy.special.gamma``.
    supports : callable, optional
        ``supports(call)`` after the arguments have the dtypes of NumPy's loop.
    examples, grad, note
        As for `implements`.

    Returns
    -------
    callable
        A decorator. The public function has the ufunc's positional arguments, ``out=``, and its
        attributes ``nin``, ``nout``, ``types``; ``where=``, ``dtype=`` and the like go to the host.
    """
    module, _, attribute = name.rpartition(".")
    ufunc = getattr(importlib.import_module(module), attribute)

    def decorate(body: Callable[..., Any]) -> Callable[..., Any]:
        names = list(inspect.signature(body).parameters)
        if len(names) != ufunc.nin:
            raise ValueError(f"{name} takes {ufunc.nin} arguments, the body {len(names)}")
        function = implements(
            name, out="out", prepare=_resolver(ufunc, names), supports=supports, signature=_signature(names),
            examples=examples, grad=grad, note=note,
        )(body)  # fmt: skip
        for copied in _COPIED:
            setattr(function, copied, getattr(ufunc, copied))
        return function

    return decorate
