"""The traced function against the original: at the example point, twice, and at perturbed points."""

from __future__ import annotations

import random
import time

import numpy as np

from . import inputs, interp
from .errors import TraceError, TraceReason, error_at, quiet
from .outcome import flatten_result
from .rebuild import World

RTOL, ATOL = 1e-11, 1e-13
SINGLE = 1e-5  # where the program computes in float32
_ENOUGH = 0.5  # seconds after which a slow program is not tried at another point
_LARGE = 1 << 20  # numbers in the arguments: above, two points beside the example at the most


class RandomGuard:
    """Puts NumPy's and Python's global random state back if the block moved it."""

    def __enter__(self):
        self.numpy, self.python = np.random.get_state(legacy=False), random.getstate()  # noqa: NPY002
        self.moved = False
        return self

    def __exit__(self, *_):
        after = np.random.get_state(legacy=False)["state"]  # noqa: NPY002
        before = self.numpy["state"]
        if after["pos"] != before["pos"] or not np.array_equal(after["key"], before["key"]):
            np.random.set_state(self.numpy)  # noqa: NPY002
            self.moved = True
        if random.getstate() != self.python:
            random.setstate(self.python)
            self.moved = True
        return False


def points(values, kinds, near=False):
    """Deterministic perturbations of the argument leaves; integers stay.

    ``near``: two close ones only. Solvers and large arrays are slow, and far away solvers fail or find
    another solution.
    """
    yield list(values)
    close = [(1.013, 0.0037, ""), (0.985, -0.0011, "")]
    for k, (scale, shift, flip) in enumerate(
        close
        if near
        else [
            close[0],
            (-0.9, 0.011, ""),
            (1.71, -0.23, "odd"),
            (0.37, 0.05, "even"),
            (-2.3, 0.4, "odd"),
            (6.1, -1.7, "even"),
        ]
    ):
        moved = []
        for i, value in enumerate(values):
            if value.dtype.kind not in "fc":
                moved.append(value)
                continue
            pattern = 1 + 0.07 * np.sin(1.3 * np.arange(value.size) + i + k).reshape(value.shape)
            sign = np.ones(value.size)
            if flip:
                sign[(0 if flip == "even" else 1) :: 2] = -1
            change = scale * pattern * sign.reshape(value.shape)
            moved.append(np.asarray(value * change + shift * pattern, value.dtype))
        yield moved


def verify(function, program, fixed, arguments, values, place):
    """Raise TraceError unless the program agrees with ``function``.

    Parameters
    ----------
    function : callable
        The original (or its plain rebuild, where captured values are abstract).
    fixed, values : list of ndarray
        Leaves of the callable and of the arguments at the example point.
    arguments : tuple
        Description of (args, kwargs).
    """
    from .program import leaf_kinds

    trace_place = place
    found = leaf_kinds(arguments, {})
    kinds = [found.get(i, "a") for i in range(len(values))]
    with RandomGuard() as guard, quiet():
        begin = time.perf_counter()
        large = sum(v.size for v in values) > _LARGE  # a rich sample in itself
        slow = bool(program.tolerance) or large
        for number, point in enumerate(points(values, kinds, slow)):
            _check(function, program, fixed, arguments, point, kinds, number == 0, place)
            if slow and (number or large) and time.perf_counter() - begin > _ENOUGH:
                break
    if guard.moved:
        raise error_at(trace_place, TraceReason.RANDOM, "the global random state moved")


def _call(function, arguments, point, kinds):
    leaves = [inputs.witness_of(k, v) for k, v in zip(kinds, point, strict=True)]
    args, kwargs = World(leaves, False).build(arguments)
    return function(*args, **kwargs)


def _check(function, program, fixed, arguments, point, kinds, example, place):
    stacked, single = program.stacked, program.single
    try:
        expected, structure = flatten_result(_call(function, arguments, point, kinds), stacked)
    except TraceError:
        if example:
            raise
        raise error_at(place, TraceReason.VERIFICATION, "it returns another structure at another point") from None
    except Exception as error:
        if example:
            text = f"{type(error).__name__}: {error}"[:300]
            raise error_at(place, TraceReason.RAISES, f"at the example point: {text}") from error
        return
    if example:
        again, _ = flatten_result(_call(function, arguments, point, kinds), stacked)
        if len(again) != len(expected) or any(
            a.shape != b.shape or not np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
            for a, b in zip(expected, again, strict=True)
        ):
            raise error_at(place, TraceReason.IMPURE)
    try:
        got = interp.evaluate(program.jaxpr.jaxpr, program.jaxpr.consts, [*fixed, *point])
    except interp.Unavailable as error:
        raise error_at(place, TraceReason.VERIFICATION, str(error)) from None
    except Exception as error:  # a primitive that NumPy cannot follow
        text = f"it could not be compared: {type(error).__name__}: {error}"
        raise error_at(place, TraceReason.VERIFICATION, text[:300]) from error
    if structure is not None and structure != program.treedef:
        raise error_at(place, TraceReason.VERIFICATION, f"structure {structure} became {program.treedef}")
    tolerance = program.tolerance
    if tolerance and not example and any(b.dtype.kind in "fc" and np.isnan(b).any() for b in got):
        return  # the solver fails here: NaN for us, for SciPy something shorter or unfinished
    size = max(
        (np.max(np.abs(v[np.isfinite(v)]), initial=0.0) for v in [*fixed, *point] if v.dtype.kind in "fc"), default=0
    )
    for a, b in zip(expected, got, strict=True):
        message = difference(a, b, example, single, tolerance, size)
        if message:
            where = "at the example point" if example else "at a perturbed point"
            raise error_at(place, TraceReason.VERIFICATION, f"{where}: {message}")


def difference(a, b, example, single=False, tolerance=0.0, size=0.0):
    """What is wrong with ``b`` as a stand-in for ``a``, or an empty string.

    Parameters
    ----------
    a, b : ndarray
    example : bool
        Whether this is the example point.
    single : bool
        Whether float32 is used.
    tolerance : float
        Agreement to expect of iterative solvers, 0 without any.
    size : float
        Largest input: the scale of solutions that should be zero.
    """
    if a.shape != b.shape:
        return f"shape {a.shape} became {b.shape}"
    if a.dtype.kind == "c" and b.dtype.kind == "f" and not example and np.all(np.isnan(b) | (a.imag == 0)):
        a = np.where(np.isnan(b), np.nan, a.real)  # Python's complex powers are NaN here
    if not np.can_cast(a.dtype, b.dtype, "safe"):
        return f"dtype {a.dtype} became {b.dtype}"
    if a.dtype.kind in "biu" and b.dtype.kind in "biu":
        return "" if np.array_equal(a, b) else f"{a} became {b}"[:200]
    a = a.astype(b.dtype)
    finite = np.isfinite(a)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    scale = np.max(np.abs(a[finite]), initial=0.0)
    rtol, atol = (SINGLE, SINGLE) if single or b.dtype.char in "fFe" else (RTOL, ATOL)
    if tolerance:
        rtol, atol = max(rtol, tolerance), max(atol, tolerance)
        scale = max(scale, 1e-3 * min(size, 1.0))
    near = finite & (np.abs(a - b) <= rtol * np.abs(a) + atol * scale)
    if np.all(same | near):
        return ""
    return f"{a} became {b}"[:200]
