"""NumPy in, NumPy out: the promise of ``from sci import ...``, held by every registered function."""

from __future__ import annotations

import inspect
import os
import warnings

import jax
import numpy as np
import pytest

import sci
from tests.contract.support import (
    SINGLE,
    array_names,
    assert_same,
    assert_same_outcome,
    bound,
    call,
    cases,
    leaves,
    original,
)

each = pytest.mark.parametrize(("entry", "example"), cases())
each_with_arrays = pytest.mark.parametrize(
    ("entry", "example"), cases(lambda e, x: bool(array_names(e, x)), costly=True)
)


def functions():
    return [pytest.param(p.values[0], id=p.id[:-2]) for p in cases() if p.id.endswith("-0")]


@pytest.mark.parametrize("entry", functions())
def test_signature_is_the_originals(entry):
    try:
        theirs = inspect.signature(original(entry))
    except (ValueError, TypeError):
        pytest.skip("the original's signature cannot be read")
    ours = [p for p in inspect.signature(entry.function).parameters.values() if p.name not in entry.facts.extra_names]
    if isinstance(original(entry), np.ufunc):
        ours, expected = [p.kind for p in ours], [p.kind for p in theirs.parameters.values()]
    else:
        expected = [p.replace(annotation=p.empty) for p in theirs.parameters.values()]
    assert [str(p) for p in ours] == [str(p) for p in expected]


@each
def test_agrees_with_the_original(entry, example):
    if not example.oracle:
        pytest.skip("no oracle for this example")
    sci.clear_fallbacks()
    result = call(entry.function, bound(entry, example))
    assert not sci.fallbacks(), "an example must run natively"
    assert_same(example, result, call(original(entry), bound(entry, example)))


@each
def test_results_are_writable_numpy(entry, example):
    result = call(entry.function, bound(entry, example))
    for leaf in jax.tree_util.tree_leaves(example.output(result) if example.output else result):
        assert not isinstance(leaf, jax.Array)
        if isinstance(leaf, np.ndarray) and leaf.ndim:
            assert leaf.flags.writeable


@each_with_arrays
def test_arguments_are_unchanged(entry, example):
    arguments = bound(entry, example)
    arrays = {n: np.array(arguments.arguments[n]) for n in array_names(entry, example)}
    before = {n: a.copy() for n, a in arrays.items()}
    result = call(entry.function, arguments, **arrays)
    for leaf in leaves(example, result):
        assert not any(np.shares_memory(leaf, a) for a in arrays.values())
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, before[name])


LAYOUTS = {
    "fortran": np.asfortranarray,
    "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "reversed": lambda a: a[..., ::-1].copy()[..., ::-1],
    "byte-swapped": lambda a: a.astype(a.dtype.newbyteorder()),
    "list": lambda a: a.tolist(),
}


def _frozen(a):
    a = a.copy()
    a.flags.writeable = False
    return a


@each_with_arrays
def test_memory_layout_does_not_matter(entry, example):
    arguments = bound(entry, example)
    arrays = {n: np.array(arguments.arguments[n]) for n in array_names(entry, example)}
    plain = call(entry.function, arguments, **arrays)
    for name, change in (LAYOUTS | {"read-only": _frozen}).items():
        if name == "list" and any(a.dtype not in (np.dtype(float), np.dtype(complex)) for a in arrays.values()):
            continue  # a list has no dtype
        result = call(entry.function, arguments, **{n: change(a) for n, a in arrays.items()})
        assert_same(example, result, plain, exact_check=False)


@each_with_arrays
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_result_dtype_is_the_originals(entry, example, dtype):
    if not example.oracle or dtype in example.skip_odd:
        pytest.skip("no oracle for this example")
    arguments = bound(entry, example)
    arrays = {n: np.array(arguments.arguments[n]) for n in array_names(entry, example)}
    if any(a.dtype.kind != "f" for a in arrays.values()):
        pytest.skip("the example fixes its dtypes")
    changes = {n: np.ceil(a).astype(dtype) if dtype == "int64" else a.astype(dtype) for n, a in arrays.items()}
    rtol, atol = SINGLE if dtype == "float32" else (1e-7, 1e-9)
    assert_same_outcome(entry, example, changes, rtol=rtol, atol=atol)


def _mutations(array):
    """Odd inputs: each must end as the original ends."""
    array = np.array(array)
    yield "empty", array[:0]
    yield "0-d", np.array(1.5)
    yield "1x1", np.full((1,) * array.ndim, 1.5)
    yield "one axis more", array[None]
    yield "string", "abc"
    yield "object", np.array([None] * 2, dtype=object)
    if array.dtype.kind == "f":
        for name, bad in (("nan", np.nan), ("inf", np.inf)):
            spoilt = array.copy()
            spoilt.flat[0] = bad
            yield name, spoilt


@each_with_arrays
def test_odd_input_ends_as_in_the_original(entry, example):
    if not example.oracle:
        pytest.skip("no oracle for this example")
    arguments = bound(entry, example)
    wrong = []
    names = array_names(entry, example)
    for name in names[:1] if isinstance(entry.original, np.ufunc) else names:  # a ufunc treats them alike
        for kind, odd in _mutations(arguments.arguments[name]):
            if kind in example.skip_odd:
                continue
            try:
                assert_same_outcome(
                    entry, example, {name: odd}, rtol=max(example.rtol, 1e-8), atol=max(example.atol, 1e-10)
                )
            except AssertionError as error:
                wrong.append(f"{name} {kind}: {str(error).strip()[:300]}")
    assert not wrong, "\n".join(wrong)


@each
def test_second_call_does_not_retrace(entry, example):
    arguments = bound(entry, example)
    call(entry.function, arguments)
    events = []

    def listen(event, *args, **kwargs):
        if "compile" in event or "trace" in event:
            events.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        call(entry.function, arguments)
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    assert not events


@each
def test_global_state_is_untouched(entry, example):
    call(entry.function, bound(entry, example))  # what is set up once is not the call's doing
    state = lambda: (dict(jax.config.values), dict(os.environ), list(warnings.filters), np.geterr())  # noqa: E731
    before = state()
    random_state = np.random.get_state()[1].copy()
    entry.function(*example.args, **example.kwargs) if not example.warns else call(
        entry.function, bound(entry, example)
    )
    assert state() == before
    np.testing.assert_array_equal(np.random.get_state()[1], random_state)


@pytest.mark.parametrize("entry", functions())
def test_unknown_and_missing_arguments_raise_type_error(entry):
    with pytest.raises(TypeError):
        entry.function(no_such_argument=1)
    if any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(entry.function).parameters.values()):
        return  # takes any number
    with pytest.raises(TypeError):
        entry.function(*range(60))
