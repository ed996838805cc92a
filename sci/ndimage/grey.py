"""Grey morphology: erosion, dilation, opening, closing, gradient, Laplacian and top hats."""

import operator
import warnings
from typing import Any

import numpy as np
from jax import numpy as jnp

from sci.bridge import Example, implements
from sci.bridge.worlds import is_jax
from sci.ndimage._arguments import FILTER, check_axes, given, sequence, set_output_dtype
from sci.ndimage._kernels.casting import truncate_to
from sci.ndimage.extremes import footprint_argument, plan_extreme, real_cval, real_input, run_extreme

_FACTS: dict[str, Any] = FILTER | {"static": ("plans", "output", "native"), "trees": ("structure",)}


def _structure_argument(call):
    value = call["structure"]
    if value is None or is_jax(value):
        return value if value is None else jnp.asarray(value)
    return np.asarray(value, np.float64)


def _reflected_origin(origin, size, footprint, structure, axes):
    """The origin of the reflected window, as SciPy's dilation takes it."""
    origins = []
    for k, value in enumerate(sequence(origin, len(axes), "origin")):
        if footprint is not None:
            n = footprint.shape[k]
        elif structure is not None:
            n = structure.shape[k]
        else:
            n = size if np.isscalar(size) else size[k]
        origins.append(-operator.index(value) - (not n & 1))
    return tuple(origins)


def _flip(window):
    return None if window is None else window[(slice(None, None, -1),) * window.ndim]


def _prepare(*steps, keep_dtype=False, twice=False):
    """`prepare` for a sequence of erosions (True) and dilations (False).

    Each step has a plan and a structure of its own. With `keep_dtype` only an output array, not a dtype, decides
    the dtype of the result, as SciPy has it for gradient and Laplacian.
    """

    def prepare(call):
        size, footprint, structure = call["size"], footprint_argument(call), _structure_argument(call)
        if size is None and footprint is None and structure is None:
            raise ValueError("size, footprint, or structure must be specified")
        if size is not None and footprint is not None:
            for _ in range(1 + twice):
                warnings.warn("ignoring size because footprint is set", UserWarning, stacklevel=4)
        x = real_input(call)
        call["native"] = real_cval(call, x)
        if keep_dtype and not isinstance(given(call, "output"), np.ndarray):
            call["output"] = None
        set_output_dtype(call, x.dtype)
        axes = check_axes(call["axes"], x.ndim)
        plans, windows = [], []
        for erosion in steps:
            if erosion:
                arguments = (size, footprint, structure, call["origin"])
            else:
                origin = _reflected_origin(call["origin"], size, footprint, structure, axes)
                arguments = (size, _flip(footprint), _flip(structure), origin)
            plan, window = plan_extreme(x, *arguments, call["mode"], axes)
            plans.append((erosion, plan))
            windows.append(window)
        call["plans"], call["structure"] = tuple(plans), tuple(windows)

    return prepare


def _step(x, structure, cval, plans, k, output, native):
    erosion, plan = plans[k]
    return run_extreme(x, structure[k], cval, plan, output, erosion, native)


def _chain(input, structure, cval, plans, output, native):
    """The steps one after the other; all but the last keep the input's dtype.

    Of a boolean image under a structure SciPy stores the step's bytes (1 + 1 is 2, 0 - 1 is 255), and reads them in
    the next step.
    """
    x = input
    for k in range(len(plans)):
        between = np.uint8 if x.dtype == np.bool_ and structure[k] is not None else x.dtype
        x = _step(x, structure, cval, plans, k, output if k == len(plans) - 1 else between, native)
    return x


def _difference(a, b, output):
    """``a - b`` as NumPy computes it into an array of dtype `output`; booleans give exclusive or."""
    if a.dtype == np.bool_ and b.dtype == np.bool_:
        return a ^ b
    common = jnp.promote_types(a.dtype, b.dtype)
    return truncate_to(a.astype(common) - b.astype(common), output)


def _no_booleans(prepare):
    def checked(call):
        prepare(call)
        if np.dtype(call["input"].dtype) == np.bool_ and call["output"] == np.bool_:
            raise TypeError("numpy boolean subtract, the `-` operator, is not supported: input is boolean")

    return checked


def _image():
    return np.random.default_rng(15).normal(size=(8, 7))


_CROSS = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
# a NaN gives NaN wherever its window reaches; in SciPy the result depends on where it stands in the window
_NAN = ("nan", "inf")


@implements(
    "scipy.ndimage.grey_erosion",
    **_FACTS,
    prepare=_prepare(True),
    examples=lambda: [
        Example(
            (_image(),),
            {"structure": np.arange(6.0).reshape(2, 3) / 9, "mode": "constant", "cval": 0.3},
            grad=("input",),
            skip_odd=_NAN,
        ),
    ],
)
def grey_erosion(input, structure, cval, plans, output, native):
    """Erosion with a flat window (size or footprint) or a structure: the minimum of ``input - structure``.

    A NaN in a window gives NaN. Differentiable in `input`; ties share the gradient.

    Raises
    ------
    ValueError
        None of size, footprint, structure; a footprint without taps; an origin off the window.
    RuntimeError
        A window of the wrong dimension, unknown mode.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.grey_erosion([3, 5, 4, 8, 6], size=3)
    array([3, 3, 4, 4, 6])
    """
    return _chain(input, structure, cval, plans, output, native)


@implements(
    "scipy.ndimage.grey_dilation",
    **_FACTS,
    prepare=_prepare(False),
    examples=lambda: [
        Example((_image(),), {"footprint": [[1, 1, 0], [0, 1, 1]], "origin": (0, 1)}, grad=("input",), skip_odd=_NAN),
    ],
)
def grey_dilation(input, structure, cval, plans, output, native):
    """Dilation: the maximum of ``input + structure`` over the reflected window; see `grey_erosion`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.grey_dilation([3, 5, 4, 8, 6], size=3)
    array([5, 5, 8, 8, 8])
    """
    return _chain(input, structure, cval, plans, output, native)


@implements(
    "scipy.ndimage.grey_opening",
    **_FACTS,
    prepare=_prepare(True, False, twice=True),
    examples=lambda: [Example((_image(), (3, 2)), vmap=("input",), grad=("input",), skip_odd=_NAN)],
)
def grey_opening(input, structure, cval, plans, output, native):
    """Erosion, then dilation; see `grey_erosion`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.grey_opening([3, 5, 4, 8, 6], size=3)
    array([3, 4, 4, 6, 6])
    """
    return _chain(input, structure, cval, plans, output, native)


@implements(
    "scipy.ndimage.grey_closing",
    **_FACTS,
    prepare=_prepare(False, True, twice=True),
    examples=lambda: [Example((_image(),), {"footprint": _CROSS, "mode": "wrap"}, grad=("input",), skip_odd=_NAN)],
)
def grey_closing(input, structure, cval, plans, output, native):
    """Dilation, then erosion; see `grey_erosion`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.grey_closing([3, 5, 4, 8, 6], size=3)
    array([5, 5, 5, 8, 8])
    """
    return _chain(input, structure, cval, plans, output, native)


@implements(
    "scipy.ndimage.morphological_gradient",
    **_FACTS,
    prepare=_no_booleans(_prepare(False, True, keep_dtype=True)),
    examples=lambda: [Example((_image(), 3), grad=("input",), skip_odd=_NAN)],
)
def morphological_gradient(input, structure, cval, plans, output, native):
    """Dilation minus erosion; see `grey_erosion`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.morphological_gradient([3, 5, 4, 8, 6], size=3)
    array([2, 2, 4, 4, 2])
    """
    top = _step(input, structure, cval, plans, 0, input.dtype, native)
    return _difference(top, _step(input, structure, cval, plans, 1, output, native), output)


@implements(
    "scipy.ndimage.morphological_laplace",
    **_FACTS,
    prepare=_no_booleans(_prepare(False, True, keep_dtype=True)),
    examples=lambda: [Example((_image(), 3), {"mode": "mirror"}, grad=("input",), skip_odd=_NAN)],
)
def morphological_laplace(input, structure, cval, plans, output, native):
    """Dilation plus erosion minus twice the input; see `grey_erosion`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.morphological_laplace([3, 5, 4, 8, 6], size=3)
    array([ 2, -2,  4, -4,  2])
    """
    top = _step(input, structure, cval, plans, 0, input.dtype, native)
    low = _step(input, structure, cval, plans, 1, output, native)
    common = jnp.promote_types(jnp.promote_types(top.dtype, low.dtype), input.dtype)
    top, low, x = (a.astype(common) for a in (top, low, input))
    return truncate_to(top + low - x - x, output)


@implements(
    "scipy.ndimage.white_tophat",
    **_FACTS,
    prepare=_prepare(True, False, twice=True),
    examples=lambda: [Example((_image(), 3), grad=("input",), skip_odd=_NAN)],
)
def white_tophat(input, structure, cval, plans, output, native):
    """The input minus its opening; see `grey_erosion`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.white_tophat([3, 5, 4, 8, 6], size=3)
    array([0, 1, 0, 2, 0])
    """
    return _difference(input, _chain(input, structure, cval, plans, output, native), output)


@implements(
    "scipy.ndimage.black_tophat",
    **_FACTS,
    prepare=_prepare(False, True, twice=True),
    examples=lambda: [Example((_image(),), {"footprint": _CROSS}, grad=("input",), skip_odd=_NAN)],
)
def black_tophat(input, structure, cval, plans, output, native):
    """The closing of the input minus the input; see `grey_erosion`.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.black_tophat([3, 5, 4, 8, 6], size=3)
    array([2, 0, 1, 0, 2])
    """
    return _difference(_chain(input, structure, cval, plans, output, native), input, output)
