"""Structures of binary morphology: `generate_binary_structure`, `iterate_structure`."""

import operator

import numpy as np
from jax import numpy as jnp

from sci.bridge import Example, implements
from sci.ndimage._arguments import sequence
from sci.ndimage._kernels.flood import repeat
from sci.ndimage.binary import binary_structure


def _prepare_generate(call):
    call["rank"], call["connectivity"] = operator.index(call["rank"]), float(call["connectivity"])


@implements(
    "scipy.ndimage.generate_binary_structure",
    static=("rank", "connectivity"),
    prepare=_prepare_generate,
    finish=lambda call, result: np.asarray(result),  # also of rank 0
    vmap=False,
    grad=False,
    examples=lambda: [Example((2, 1))],
)
def generate_binary_structure(rank, connectivity):
    """The neighbours of a sample at city-block distance up to `connectivity`, a boolean ``(3,) * rank`` array.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.generate_binary_structure(2, 1).astype(int)
    array([[0, 1, 0],
           [1, 1, 1],
           [0, 1, 0]])
    """
    return jnp.asarray(binary_structure(rank, connectivity))


def _prepare_iterate(call):
    structure = np.asarray(call["structure"])
    call["iterations"] = iterations = operator.index(call["iterations"])
    call["structure"] = structure
    if call["origin"] is not None and iterations >= 2:
        call["origin"] = [iterations * o for o in sequence(call["origin"], structure.ndim, "origin")]
    call["entries"], call["shape"] = (structure != 0).tobytes(), structure.shape


def _finish_iterate(call, result):
    if call["iterations"] < 2:
        return call["structure"].copy()  # as it came, whatever its dtype
    return result if call["origin"] is None else (result, call["origin"])


@implements(
    "scipy.ndimage.iterate_structure",
    static=("iterations", "entries", "shape"),
    ignored=("origin",),
    prepare=_prepare_iterate,
    finish=_finish_iterate,
    vmap=False,
    grad=False,
    examples=lambda: [Example(([[0, 1, 0], [1, 1, 1], [0, 1, 0]], 2))],
)
def iterate_structure(iterations, entries, shape):
    """A structure dilated with itself ``iterations - 1`` times.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.iterate_structure([1, 1, 1], 2).astype(int)
    array([1, 1, 1, 1, 1])
    """
    structure = np.frombuffer(entries, bool).reshape(shape)
    if iterations < 2:
        return jnp.asarray(structure)
    more = iterations - 1
    centre = tuple(slice(more * (n // 2), more * (n // 2) + n) for n in shape)
    start = np.zeros([n + more * (n - 1) for n in shape], bool)
    start[centre] = structure
    window, origins = np.flip(structure), [-(n % 2 == 0) for n in shape]
    return repeat(jnp.asarray(start), None, jnp.int32(more), window, origins, False, True)
