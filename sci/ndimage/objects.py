"""Connected components and where labels are: `label`, `find_objects`, `value_indices`."""

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_traced
from sci.ndimage._arguments import array_argument
from sci.ndimage._kernels.components import label_components
from sci.ndimage.binary import binary_structure


def _prepare_label(call):
    x = array_argument(call)
    if x.dtype.kind == "c":
        raise TypeError(f"Complex type not supported: input is {x.dtype}")
    structure = call["structure"]
    structure = binary_structure(x.ndim, 1) if structure is None else np.asarray(structure, bool)
    if structure.ndim != x.ndim:
        raise RuntimeError(f"structure and input must have equal rank: {structure.ndim} and {x.ndim}")
    if any(n != 3 for n in structure.shape):
        raise ValueError(f"structure dimensions must be equal to 3, not {structure.shape}")
    if not np.array_equal(structure, np.flip(structure)):
        raise AssertionError("Structuring element is not symmetric")
    if x.size >= 2**31 - 2:
        raise HostRoute(Reason.SHAPE, "labels of more than 31 bits")
    output = call["output"]
    if isinstance(output, np.ndarray):
        if output.shape != x.shape:
            raise ValueError(f"output shape not correct: {output.shape}, not {x.shape}")
        call["dtype"] = output.dtype
    else:
        call["dtype"] = np.dtype(np.int32 if output is None else output)
    call["plan"] = structure.tobytes()


def _finish_label(call, result):
    labels, count = result[0], int(result[1])
    given = labels.astype(call["dtype"], copy=False)
    if count and int(given.max() if call["dtype"].kind != "b" else 1) != count:
        raise RuntimeError(f"insufficient bit-depth in requested output type: {call['dtype']} for {count} labels")
    if isinstance(call["output"], np.ndarray):
        call["output"][...] = given
        return count
    return given, count


def _image():
    return np.random.default_rng(17).random((7, 9)) > 0.5


@implements(
    "scipy.ndimage.label",
    static=("plan",),
    dtypes="keep",
    prepare=_prepare_label,
    finish=_finish_label,
    grad=False,
    examples=lambda: [
        Example((_image(),), vmap=("input",)),
        Example((np.stack([_image(), _image()[::-1]]), np.ones((3, 3, 3)))),
    ],
)
def label(input, plan):
    """Number the connected components of what is not zero, in raster order of their first samples, as SciPy does.

    Unions of runs; see `sci/ndimage/_kernels/components.py` for the algorithm and its references. The time grows with
    the number of runs (unbroken lines along the last axis). On a CPU it is about SciPy's for images of areas; SciPy is
    two to three times as fast on dense noise (runs of a few samples), four to five times on a spiral one sample wide.

    Returns
    -------
    labels : int32 array of `input`'s shape
    num_features : int (in the JAX world an int32 array)

    Raises
    ------
    RuntimeError
        A structure of another dimension, an output type too small for the labels.
    ValueError
        A structure that is not three wide.
    AssertionError
        A structure that is not symmetric (SciPy's choice of exception).

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.label([1, 1, 0, 1, 0, 0, 1])
    (array([1, 1, 0, 2, 0, 0, 3], dtype=int32), 3)
    """
    foreground = input != 0
    if foreground.size == 0:
        return jnp.zeros(foreground.shape, np.int32), jnp.int32(0)
    if foreground.ndim == 0:
        return foreground.astype(np.int32), foreground.astype(np.int32)
    return label_components(foreground, np.frombuffer(plan, bool).reshape((3,) * foreground.ndim))


def _prepare_find(call):
    x = array_argument(call)
    if x.dtype.kind == "c":
        raise TypeError(f"Complex type not supported: input is {x.dtype}")
    if x.dtype.kind not in "iu" or x.ndim == 0:
        raise HostRoute(Reason.DTYPE, f"input is {x.dtype}, {x.ndim}-dimensional")
    count = call["max_label"]
    if is_traced(count) or (count < 1 and is_traced(x)):
        raise ValueError("max_label must be given and at least 1 inside a transformation: it sizes the result")
    call["count"] = count = int(count) if count >= 1 else int(np.max(np.asarray(x)))
    call["capacity"] = 1 << max(count, 1).bit_length()  # few sizes compile


def _finish_find(call, table):
    found = []
    for row in table[: max(call["count"], 0)].tolist():
        found.append(None if row[0][0] >= row[0][1] else tuple(slice(a, b, None) for a, b in row))
    return found


@implements(
    "scipy.ndimage.find_objects",
    static=("capacity",),
    ignored=("max_label",),
    dtypes="keep",
    prepare=_prepare_find,
    finish=_finish_find,
    finish_jax=lambda call, table: table[: call["count"]],
    grad=False,
    examples=lambda: [
        Example(
            (np.array([[1, 1, 0, 3], [0, 1, 0, 3]]),),
            output=lambda r: [[(s.start, s.stop) for s in o] for o in r if o is not None] if type(r) is list else r,
            jit=False,
            skip_odd=("0-d",),
        )
    ],
    note="input that is not of an integer type",
)
def find_objects(input, capacity):
    """The bounding box of every label, a tuple of slices or None.

    In the JAX world an int32 array (max_label, ndim, 2) of starts and stops; the stop of a label that does not
    occur is not above its start.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.find_objects([0, 1, 1, 0, 2])
    [(slice(1, 3, None),), (slice(4, 5, None),)]
    """
    wide = input.astype(np.int64 if jax.config.jax_enable_x64 else np.int32)
    valid = (input > 0) & (input <= capacity)
    segment = jnp.where(valid, wide - 1, capacity).astype(np.int32)
    boxes = []
    for axis, n in enumerate(input.shape):
        present = jnp.zeros((capacity, n), bool)
        at = jnp.broadcast_to(jnp.arange(n).reshape((-1,) + (1,) * (input.ndim - axis - 1)), input.shape)
        present = present.at[segment, at].set(True, mode="drop")
        first, last = jnp.argmax(present, axis=1), n - jnp.argmax(present[:, ::-1], axis=1)
        boxes.append(jnp.stack([first, jnp.where(present.any(axis=1), last, 0)], axis=-1))
    return jnp.stack(boxes, axis=1).astype(np.int32)


def _prepare_values(call):
    x = array_argument(call, "arr")
    if x.dtype.kind not in "iu":
        raise ValueError(f"Parameter 'arr' must be an integer array, not {x.dtype}")
    if x.size >= 2**31:
        raise HostRoute(Reason.SHAPE, "positions of more than 31 bits")
    ignored = call["ignore_value"]
    call["ignoring"] = ignored is not None
    if ignored is None:
        ignored = 0
    elif not is_traced(ignored):
        ignored = np.dtype(x.dtype).type(ignored)  # OverflowError if it does not fit
    call["ignored"] = ignored
    call["shape"] = x.shape


def _finish_values(call, result):
    values, positions, count = result
    values, positions = values[: int(count)], positions[: int(count)]
    first = np.flatnonzero(np.r_[True, values[1:] != values[:-1]]) if values.size else []
    places = np.unravel_index(positions, call["shape"]) if call["shape"] else ()
    parts = [np.split(p, first[1:]) for p in places]
    return {values[k]: tuple(p[i] for p in parts) for i, k in enumerate(first)}


@implements(
    "scipy.ndimage.value_indices",
    static=("ignoring",),
    dtypes="keep",
    prepare=_prepare_values,
    finish=_finish_values,
    grad=False,
    examples=lambda: [
        Example(
            (np.array([[1, 1, 0, 3], [0, 1, 0, -3]]),),
            {"ignore_value": 1},
            output=lambda r: [np.array(v) for v in r.values()] if type(r) is dict else r[0],
            jit=False,
            skip_odd=("0-d", "empty"),  # nothing to compare
        )
    ],
)
def value_indices(arr, ignored, ignoring):
    """Where every value occurs: a dictionary of index tuples, as `numpy.nonzero` gives them for ``arr == value``.

    One sort of all samples by value and place; values of any size, where SciPy makes a table from the least to the
    largest. On one CPU SciPy's count is faster where that table is small.

    Returns
    -------
    dict
        From each value, smallest first, to a tuple of integer arrays, one for an axis. In the JAX world
        ``(values, positions, count)``: all samples sorted by value, their flat positions, and how many there are
        that do not have `ignore_value` (which stand behind the others).

    Raises
    ------
    ValueError
        An array that is not of an integer type.
    OverflowError
        An `ignore_value` that the array's type does not hold.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.value_indices([3, 1, 1, 0, 3], ignore_value=0)
    {np.int64(1): (array([1, 2]),), np.int64(3): (array([0, 4]),)}
    """
    flat = arr.ravel()
    positions = jnp.arange(flat.shape[0], dtype=np.int32)
    if not ignoring:
        order = _sorted(flat, positions)
        return flat[order], order, jnp.int32(flat.shape[0])
    out = flat == ignored.astype(flat.dtype)
    _, _, order = lax.sort((out, flat, positions), num_keys=2, is_stable=True)
    return flat[order], order, flat.shape[0] - out.sum(dtype=np.int32)


def _sorted(flat, positions):
    """Positions in order of the values, by a sort of one operand where value and position fit one word."""
    if flat.dtype.itemsize > 4 or not jax.config.jax_enable_x64:
        return lax.sort((flat, positions), num_keys=1, is_stable=True)[1]
    words = lax.sort((flat.astype(np.int64) << 32) | positions.astype(np.int64))
    return (words & 0x7FFFFFFF).astype(np.int32)
