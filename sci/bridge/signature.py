"""Binding arguments to names, fast: `inspect.Signature.bind` alone costs a third of the budget."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

__all__ = ["Binder", "public_signature"]

_P = inspect.Parameter


def public_signature(
    original: Any, body: Any, extras: Mapping[str, Any], signature: inspect.Signature | None = None
) -> inspect.Signature:
    """The original's signature with our extra keyword-only parameters behind it.

    Where the original has none that Python can read (C functions of OpenCV), the body's own.
    """
    if signature is None:
        try:
            signature = inspect.signature(original if original is not None else body)
        except (ValueError, TypeError):
            signature = inspect.signature(body)
    parameters = [p.replace(annotation=_P.empty) for p in signature.parameters.values()]
    tail = [parameters.pop()] if parameters and parameters[-1].kind is _P.VAR_KEYWORD else []
    known = {p.name for p in parameters}
    added = [_P(name, _P.KEYWORD_ONLY, default=value) for name, value in extras.items() if name not in known]
    return inspect.Signature([*parameters, *added, *tail])


class Binder:
    """Binds calls of one signature to a dictionary of all its parameters, defaults filled in.

    ``*args`` and ``**kwargs`` parameters appear under their names as a tuple and a dictionary.
    """

    def __init__(self, signature: inspect.Signature) -> None:
        self.signature = signature
        parameters = list(signature.parameters.values())
        self.positional = [p.name for p in parameters if p.kind in (_P.POSITIONAL_ONLY, _P.POSITIONAL_OR_KEYWORD)]
        self.by_keyword = {p.name for p in parameters if p.kind in (_P.POSITIONAL_OR_KEYWORD, _P.KEYWORD_ONLY)}
        self.required = [
            p.name for p in parameters if p.default is _P.empty and p.kind not in (_P.VAR_POSITIONAL, _P.VAR_KEYWORD)
        ]
        self.defaults = {p.name: None if p.default is _P.empty else p.default for p in parameters}
        self.variadic = any(p.kind is _P.VAR_POSITIONAL for p in parameters)
        self.options = next((p.name for p in parameters if p.kind is _P.VAR_KEYWORD), None)

    def __call__(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], into: dict[str, Any]) -> None:
        """Fill `into` with the bound values. Raises TypeError as a Python function does."""
        names = self.positional
        into.update(self.defaults)
        if self.options is not None:
            into[self.options] = options = {}
        if self.variadic or len(args) > len(names):
            self._slow(args, kwargs, into)
            return
        given = names[: len(args)]
        into.update(zip(given, args, strict=True))
        for key, value in kwargs.items():
            if key in self.by_keyword and key not in given:
                into[key] = value
            elif self.options is not None and key not in self.by_keyword:
                options[key] = value
            else:
                self._slow(args, kwargs, into)
                return
        for name in self.required:
            if name not in given and name not in kwargs:
                self._slow(args, kwargs, into)
                return

    def _slow(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], into: dict[str, Any]) -> None:
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        into.update(bound.arguments)
