"""Binary morphology: erosion, dilation, opening, closing, hit or miss, propagation, holes."""

import operator
from typing import Any

import numpy as np
from jax import numpy as jnp

from sci.bridge import Call, Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax, is_traced
from sci.ndimage._arguments import array_argument, check_axes, given, sequence
from sci.ndimage._kernels.extremes import extreme_window
from sci.ndimage._kernels.flood import flood, repeat
from sci.ndimage.extremes import expand_window, unpack_footprint


def binary_structure(rank, connectivity):
    """Boolean array of shape ``(3,) * rank``: the neighbours at city-block distance <= `connectivity`."""
    if rank < 1:
        return np.array(True)
    return np.abs(np.indices([3] * rank) - 1).sum(axis=0) <= max(connectivity, 1)


def _input(call):
    x = array_argument(call)
    if x.dtype.kind == "c":
        raise TypeError(f"Complex type not supported: input is {x.dtype}")
    return x


def _structure(call, name, rank):
    value = call[name]
    if value is None:
        return binary_structure(rank, 1)
    if is_traced(value):
        raise ValueError(f"{name} is traced: its entries decide what is computed and must be known")
    return np.asarray(value, dtype=bool)


def _window(structure, origin, x, axes, reflect):
    """``(shape, entries, origins)`` of a structure (reflected for dilation), checked as in SciPy."""
    origin = [operator.index(o) for o in sequence(origin, len(axes), "origin")]
    if reflect:
        if structure.ndim < len(axes):  # SciPy's own words for it: its reflection reads a size that is not there
            raise IndexError(f"tuple index out of range: structure has {structure.ndim} axes, not {len(axes)}")
        structure = structure[(slice(None, None, -1),) * structure.ndim]
        if structure.ndim == len(axes):
            origin = [-o - (n % 2 == 0) for o, n in zip(origin, structure.shape, strict=True)]
    if len(axes) < x.ndim:
        structure = expand_window(structure, axes, x.ndim, "structure")
        per_axis = dict(zip(axes, origin, strict=True))
        origin = [per_axis.get(a, 0) for a in range(x.ndim)]
    if structure.ndim != x.ndim:
        raise RuntimeError(
            f"structure and input must have same dimensionality: {structure.ndim} and {x.ndim} dimensions"
        )
    if structure.size < 1:
        raise RuntimeError("structure must not be empty")
    for o, n in zip(origin, structure.shape, strict=True):
        if not 0 <= n // 2 + o < n:
            raise IndexError(f"origin {o} is out of bounds for a structure of {n} samples")
    return structure.shape, structure.tobytes(), tuple(origin)


def _mask(call, x):
    mask = call["mask"]
    if mask is None:
        return
    mask = jnp.asarray(mask) if is_jax(mask) else np.asarray(mask)
    if mask.shape != x.shape:
        raise RuntimeError(f"mask and input must have equal sizes: {mask.shape} and {x.shape}")
    call["mask"] = mask


def _output(call):
    """Only an output array decides the dtype of the result: boolean otherwise, as in SciPy."""
    target = given(call, "output")
    if isinstance(target, np.ndarray) and target.dtype.kind == "c":
        raise TypeError(f"Complex output type not supported: output is {target.dtype}")
    call["output"] = target.dtype if isinstance(target, np.ndarray) else np.dtype(bool)


def _iterations(call):
    if is_traced(call["iterations"]):
        return
    try:
        call["iterations"] = operator.index(call["iterations"])
    except TypeError as error:
        raise TypeError(f"iterations parameter should be an integer, not {call['iterations']!r}") from error


def _prepare(*steps):
    """`prepare` for a sequence of erosions (False) and dilations (True)."""

    def prepare(call):
        _iterations(call)
        x = _input(call)
        axes = check_axes(call["axes"], x.ndim)
        structure = _structure(call, "structure", len(axes))
        call["plan"] = tuple((d, *_window(structure, call["origin"], x, axes, d)) for d in steps)
        _mask(call, x)
        _output(call)
        call["border_value"] = bool(call["border_value"])
        call["single"] = not is_traced(call["iterations"]) and int(call["iterations"]) == 1

    return prepare


def _run(input, mask, iterations, border_value, plan, output, single):
    x = input != 0
    mask = None if mask is None else mask != 0
    iterations = 1 if single else iterations
    for dilate, shape, entries, origins in plan:
        x = repeat(x, mask, iterations, unpack_footprint(shape, entries), origins, border_value, dilate)
    return x.astype(output)


_FACTS: dict[str, Any] = {
    "static": ("plan", "output", "single"),
    "ignored": ("brute_force",),
    "dtypes": "keep",
    "out": "output",
    "grad": False,
}


def _image():
    return np.random.default_rng(16).random((7, 8)) > 0.4


@implements(
    "scipy.ndimage.binary_erosion",
    **_FACTS,
    prepare=_prepare(False),
    examples=lambda: [
        Example((_image(),), vmap=("input",)),
        Example((_image(), [[1, 1, 0]]), {"iterations": 2, "border_value": 1, "mask": _image()[::-1]}),
    ],
)
def binary_erosion(input, mask, iterations, border_value, plan, output, single):
    """Binary erosion with a structure, any dimension, repeated `iterations` times or (below 1) to the end.

    `brute_force` has no meaning here.

    Raises
    ------
    RuntimeError
        A structure of another dimension than the input, a mask of another shape.
    TypeError
        Complex input, iterations that are no integer.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.binary_erosion([0, 1, 1, 1, 0]).astype(int)
    array([0, 0, 1, 0, 0])
    """
    return _run(input, mask, iterations, border_value, plan, output, single)


@implements(
    "scipy.ndimage.binary_dilation",
    **_FACTS,
    prepare=_prepare(True),
    examples=lambda: [Example((_image(), [[1, 0], [1, 1]]), {"iterations": 2, "origin": (0, -1)}, vmap=("input",))],
)
def binary_dilation(input, mask, iterations, border_value, plan, output, single):
    """Binary dilation with a structure; see `binary_erosion`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.binary_dilation([0, 0, 1, 0, 0]).astype(int)
    array([0, 1, 1, 1, 0])
    """
    return _run(input, mask, iterations, border_value, plan, output, single)


@implements(
    "scipy.ndimage.binary_opening",
    **_FACTS,
    prepare=_prepare(False, True),
    examples=lambda: [Example((_image(),))],
)
def binary_opening(input, mask, iterations, border_value, plan, output, single):
    """Erosion, then dilation; see `binary_erosion`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.binary_opening([0, 1, 1, 1, 0, 1]).astype(int)
    array([0, 1, 1, 1, 0, 0])
    """
    return _run(input, mask, iterations, border_value, plan, output, single)


@implements(
    "scipy.ndimage.binary_closing",
    **_FACTS,
    prepare=_prepare(True, False),
    examples=lambda: [Example((_image(),), {"structure": np.ones((3, 3))})],
)
def binary_closing(input, mask, iterations, border_value, plan, output, single):
    """Dilation, then erosion; see `binary_erosion`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.binary_closing([0, 1, 0, 1, 0, 0]).astype(int)
    array([0, 1, 1, 1, 0, 0])
    """
    return _run(input, mask, iterations, border_value, plan, output, single)


def _prepare_hit(call):
    x = _input(call)
    axes = check_axes(call["axes"], x.ndim)
    hit = _structure(call, "structure1", len(axes))
    miss = ~hit if call["structure2"] is None else _structure(call, "structure2", len(axes))
    second = call["origin1"] if call["origin2"] is None else call["origin2"]
    call["plan"] = (_window(hit, call["origin1"], x, axes, False), _window(miss, second, x, axes, False))
    _output(call)


@implements(
    "scipy.ndimage.binary_hit_or_miss",
    static=("plan", "output"),
    dtypes="keep",
    out="output",
    grad=False,
    prepare=_prepare_hit,
    examples=lambda: [Example((_image(), [[1, 0], [0, 1]]), {"origin1": -1})],
)
def binary_hit_or_miss(input, plan, output):
    """Where `structure1` fits and no sample of `structure2` is set. With an output array that array is returned.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.binary_hit_or_miss([0, 1, 0, 1, 1, 0], [0, 1, 1]).astype(int)
    array([0, 0, 0, 1, 0, 0])
    """
    x = input != 0
    (shape, entries, origins), (shape2, entries2, origins2) = plan
    hit, miss = unpack_footprint(shape, entries), unpack_footprint(shape2, entries2)
    fits = extreme_window(x, hit, "constant", False, origins, True) if hit.any() else jnp.ones_like(x)
    blocked = extreme_window(x, miss, "constant", False, origins2, False) if miss.any() else jnp.zeros_like(x)
    return (fits & ~blocked).astype(output)


def _prepare_flood(call):
    x = _input(call)
    axes = check_axes(call["axes"], x.ndim)
    structure = _structure(call, "structure", len(axes))
    call["plan"] = _window(structure, call["origin"], x, axes, True)
    if "mask" in call:
        _mask(call, x)
        call["border_value"] = bool(call["border_value"])
    _output(call)


_FLOOD: dict[str, Any] = {"static": ("plan", "output"), "dtypes": "keep", "out": "output", "grad": False}


def _flooded(x, mask, plan, border):
    shape, entries, origins = plan
    footprint = unpack_footprint(shape, entries)
    if footprint[tuple(n // 2 + o for n, o in zip(shape, origins, strict=True))]:
        return flood(x, mask, footprint, origins, border)
    return repeat(x, mask, -1, footprint, origins, border, True)


def _prepare_fill(call: Call) -> None:
    if np.ndim(call["input"]) == 0:
        raise HostRoute(Reason.SHAPE, "a number, not an image")
    _prepare_flood(call)


@implements(
    "scipy.ndimage.binary_propagation",
    quick=True,
    **_FLOOD,
    prepare=_prepare_flood,
    examples=lambda: [Example((_image() & _image()[::-1],), {"mask": _image()}, vmap=("input",))],
)
def binary_propagation(input, mask, border_value, plan, output):
    """Dilate within a mask until nothing changes. Runs of the mask are filled at once, by doubling.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.binary_propagation([0, 0, 1, 0, 0, 0], mask=[0, 1, 1, 1, 0, 1]).astype(int)
    array([0, 1, 1, 1, 0, 0])
    """
    return _flooded(input != 0, None if mask is None else mask != 0, plan, border_value).astype(output)


@implements(
    "scipy.ndimage.binary_fill_holes",
    quick=True,
    **_FLOOD,
    prepare=_prepare_fill,
    examples=lambda: [Example((_image(),), vmap=("input",))],
)
def binary_fill_holes(input, plan, output):
    """Fill the background that cannot be reached from outside. With an output array that array is returned.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.binary_fill_holes([0, 1, 0, 0, 1, 0]).astype(int)
    array([0, 1, 1, 1, 1, 0])
    """
    background = input == 0
    return (~_flooded(jnp.zeros(input.shape, bool), background, plan, True)).astype(output)
