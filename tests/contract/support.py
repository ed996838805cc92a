"""What the contract tests share: the cases from the registry, and comparison by example."""

from __future__ import annotations

import importlib
import inspect
import warnings
from typing import Any

import jax
import numpy as np
import pytest

from sci.bridge import Entry, Example, load_all

# dtype -> (relative, absolute) tolerance where an example says nothing else
SINGLE = (2e-3, 1e-4)


def cases(keep=lambda entry, example: True, costly: bool = False, ufuncs: bool = True) -> list[Any]:
    """Parameters (entry, example) for every example of every registered function.

    Of `costly` checks (many shapes to compile) only the first example of a function is in the default
    set, the others are `slow`. Without `ufuncs` all are for universal functions.
    """
    found = []
    for name, entry in sorted(load_all().items()):
        for i, example in enumerate(entry.examples() if entry.examples else []):
            if keep(entry, example):
                marks = (
                    [pytest.mark.slow]
                    if (costly and i) or (not ufuncs and isinstance(entry.original, np.ufunc))
                    else []
                )
                found.append(pytest.param(entry, example, id=f"{name}-{i}", marks=marks))
    return found


def original(entry: Entry) -> Any:
    """The original function; skips where its package is not installed."""
    module, _, name = entry.name.rpartition(".")
    package = pytest.importorskip(module.partition(".")[0])
    del package
    return getattr(importlib.import_module(module), name)


def bound(entry: Entry, example: Example) -> inspect.BoundArguments:
    return entry.facts.signature.bind(*example.args, **example.kwargs)


def call(function: Any, arguments: inspect.BoundArguments, **changes: Any) -> Any:
    """Call with some arguments replaced by name. Warnings are the business of their own tests.

    The other arrays are copied: some functions change their arguments, and the example is used again.
    """
    changed = inspect.BoundArguments(arguments.signature, {n: _copied(v) for n, v in arguments.arguments.items()})
    changed.arguments.update(changes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*changed.args, **changed.kwargs)


def _copied(value: Any) -> Any:
    if type(value) in (list, tuple) and any(isinstance(v, np.ndarray) for v in value):
        return type(value)(map(_copied, value))
    return value.copy() if type(value) is np.ndarray else value


def _numeric(value: Any) -> bool:
    if isinstance(value, (list, np.ndarray)):
        try:
            array = np.asarray(value)
        except ValueError:
            return False
        return array.dtype.kind in "biufc" and array.ndim > 0
    return False


def array_names(entry: Entry, example: Example) -> list[str]:
    """The arguments of an example that are arrays which the body computes with."""
    facts = entry.facts
    names = set(facts.dynamic) - set(facts.callables) - facts.trees
    return [n for n, v in bound(entry, example).arguments.items() if n in names and _numeric(v)]


def leaves(example: Example, result: Any) -> list[np.ndarray]:
    picked = example.output(result) if example.output else result
    return [np.asarray(x) for x in jax.tree_util.tree_leaves(picked)]


def assert_same(
    example: Example, result: Any, expected: Any, rtol=None, atol=None, dtypes=True, exact_check=True
) -> None:
    """Compare a result with the original's, by the example's own check where it has one."""
    if example.check is not None and exact_check:
        example.check(result, expected)
        return
    ours, theirs = leaves(example, result), leaves(example, expected)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        if dtypes:
            assert a.dtype == b.dtype
        if a.size:
            np.testing.assert_allclose(
                a, b, rtol=example.rtol if rtol is None else rtol, atol=example.atol if atol is None else atol
            )


def outcome(function: Any, arguments: inspect.BoundArguments, **changes: Any) -> tuple[str, Any]:
    """("raised", exception) or ("returned", result)."""
    try:
        return "returned", call(function, arguments, **changes)
    except Exception as error:
        return "raised", error


def assert_same_outcome(entry: Entry, example: Example, changes: dict[str, Any], rtol=None, atol=None) -> None:
    """Ours raises what the original raises (or a subclass of it), else gives the same numbers."""
    arguments = bound(entry, example)
    kind, expected = outcome(original(entry), arguments, **changes)
    ours_kind, ours = outcome(entry.function, arguments, **changes)
    shown = {k: getattr(v, "shape", v) for k, v in changes.items()}
    if kind == "raised":
        assert ours_kind == "raised", f"the original raised {expected!r}, ours returned {ours!r} for {shown}"
        allowed = (type(expected), *_KIN.get(type(expected), ()))
        assert isinstance(ours, allowed), f"the original raised {expected!r}, ours {ours!r} for {shown}"
        return
    if ours_kind == "raised":
        raise AssertionError(f"the original returned, ours raised {ours!r} for {shown}") from ours
    assert_same(example, ours, expected, rtol=rtol, atol=atol, exact_check=False)


# NumPy's own messages come as either of these, by version and by path
_KIN = {IndexError: (ValueError,), AttributeError: (TypeError, ValueError), np.exceptions.AxisError: (ValueError,)}


def double():
    """The JAX world in double precision, so that its numbers can be held against NumPy's."""
    return jax.enable_x64(True)
