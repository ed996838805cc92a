"""`labeled_comprehension`: a function of the user's on the samples of each label."""

import jax
import numpy as np
from jax import dtypes
from jax import numpy as jnp

from sci.bridge import Example, HostRoute, Reason, as_array, implements
from sci.bridge.worlds import is_jax, is_traced
from sci.ndimage._arguments import array_argument
from sci.ndimage._windows import as_user_code

# The function is compiled for every number of samples that a label has; more sizes than this are left to SciPy.
_SIZES = 4


def _known(call, name):
    """``call[name]`` on the host: it decides how many samples the function gets."""
    value = call[name]
    if is_traced(value):
        raise ValueError(f"{name} must be known, not traced: it decides the shapes that func gets")
    return np.asarray(value)


def _places(call, x):
    """Flat positions of the samples of every result."""
    labels, index = call["labels"], call["index"]
    if labels is None:
        if index is not None:
            raise ValueError("index without defined labels")
        return [np.arange(x.size)]
    labels = _known(call, "labels")
    try:
        shape = np.broadcast_shapes(x.shape, labels.shape)
    except ValueError:
        raise ValueError(
            "input and labels must have the same shape (excepting dimensions with width 1): "
            f"{x.shape} and {labels.shape}"
        ) from None
    if shape != x.shape:
        xp = jnp if is_jax(x) else np
        call["input"] = xp.broadcast_to(x, shape)
    labels = np.broadcast_to(labels, shape).ravel()
    if index is None:
        return [np.flatnonzero(labels > 0)]
    index = np.atleast_1d(_known(call, "index"))
    if np.any(index.astype(labels.dtype).astype(index.dtype) != index):
        raise ValueError(
            f"Cannot convert index values from <{index.dtype}> to <{labels.dtype}> (labels' type) without loss of "
            "precision"
        )
    if index.size == 0 or index.ndim > 1:
        raise HostRoute(Reason.SHAPE, f"index has the shape {index.shape}")
    order = np.argsort(labels, kind="stable")
    wanted, ordered = index.astype(labels.dtype), labels[order]
    first, last = (np.searchsorted(ordered, wanted, side=side) for side in ("left", "right"))
    return [order[a:b] for a, b in zip(first, last, strict=True)]


def _prepare(call):
    x = array_argument(call)
    if call.numpy and call["labels"] is not None and np.asarray(call["labels"]).dtype.kind not in "biuf":
        raise HostRoute(Reason.DTYPE, "labels that are not numbers")
    if isinstance(x, np.ma.MaskedArray):
        raise HostRoute(Reason.MASKED, "input")
    whole = call["labels"] is None or call["index"] is None
    places = _places(call, x)
    x, function, located = call["input"], call["func"], bool(call["pass_positions"])
    sizes = sorted({len(p) for p in places} - (set() if whole else {0}))
    if len(sizes) > _SIZES or 0 in sizes:
        raise HostRoute(Reason.SHAPE, f"func is called with {len(sizes)} different numbers of samples")
    dtype = None if whole else np.dtype(call["out_dtype"])
    if call.numpy and dtype is not None and dtype.kind not in "biufc":
        raise HostRoute(Reason.DTYPE, f"out_dtype is {dtype}")
    call["groups"], call["targets"] = [], []
    for k in range(_SIZES):
        call[f"func{k}"] = None
        if k < len(sizes):
            where = [i for i, p in enumerate(places) if len(p) == sizes[k]]
            call["groups"].append(np.array([places[i] for i in where]))
            call["targets"].append(np.array(where))
            call[f"func{k}"] = _one(function, located)
    call["default"] = 0 if whole else call["default"]
    call["plan"] = (whole, located, len(places), None if dtype is None else dtype.name)


def _one(function, located):
    if located:
        return as_user_code(lambda values, positions: function(values, positions))
    return as_user_code(lambda values: function(values))


def _example(k):
    def example(call):
        places, x = call["groups"][k][0], call["input"]
        values = np.asarray(x).ravel()[places] if not is_jax(x) else np.arange(1, len(places) + 1).astype(x.dtype)
        return (values, places) if call["plan"][1] else (values,)

    return example


def _finish(call, result):
    if call["plan"][0]:
        return result
    return result[0] if np.isscalar(call["index"]) else result


def _image():
    return np.random.default_rng(18).normal(size=(5, 4)) + 3


def _labels():
    return np.array([[1, 1, 2, 2], [1, 3, 3, 0], [0, 0, 0, 0], [3, 0, 0, 2], [0, 0, 0, 0]])


def _spread(values):
    return np.max(values) - np.mean(values) ** 2


@implements(
    "scipy.ndimage.labeled_comprehension",
    static=("plan",),
    ignored=("labels", "index", "out_dtype", "pass_positions", "func"),
    dtypes="keep",
    trees=("groups", "targets"),
    callables={f"func{k}": _example(k) for k in range(_SIZES)},
    prepare=_prepare,
    finish=_finish,
    finish_jax=_finish,
    note=f"labels of more than {_SIZES} different numbers of samples; functions that cannot be traced",
    examples=lambda: [
        Example(
            (_image(), _labels(), [3, 1, 9], _spread, float, -1.5),
            grad=("input",),
            jit=False,
            skip_odd=("0-d", "empty"),
        ),
    ],
)
def labeled_comprehension(input, default, groups, targets, func0, func1, func2, func3, plan):
    """Apply `func` to the samples of each label, ``func(values)`` or ``func(values, positions)``.

    The function is compiled once for each number of samples that occurs, and mapped over the labels of that many;
    calls with more than four such numbers run on SciPy. Differentiable in `input` and in JAX values that the function
    closes over; `labels` and `index` must be known.

    Raises
    ------
    ValueError
        `index` without `labels`, shapes that do not fit, an index that the labels' type does not hold; labels that
        are traced.

    Examples
    --------
    >>> import numpy as np
    >>> from sci import ndimage
    >>> ndimage.labeled_comprehension([1.0, 2.0, 3.0, 5.0], [1, 1, 2, 2], [1, 2, 7], np.prod, float, -1)
    array([ 2., 15., -1.])
    """
    whole, located, count, dtype = plan
    flat = input.ravel()
    functions = (func0, func1, func2, func3)

    def of(function, places):
        values = flat[places]
        return as_array(function(values, places) if located else function(values))

    if whole:
        return of(func0, groups[0][0])
    wanted = dtypes.canonicalize_dtype(np.dtype(dtype))
    out = jnp.broadcast_to(jnp.asarray(default).astype(wanted), (count,))
    for function, places, target in zip(functions, groups, targets, strict=False):
        values = jax.vmap(lambda p, function=function: of(function, p).reshape(()))(places)
        out = out.at[target].set(values.astype(wanted))
    return out
