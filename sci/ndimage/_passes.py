"""Running a plan of one-dimensional passes: the body that all separable filters share.

A *plan* is the static part, one ``(axis, mode, origin, symmetry)`` per pass; the weights are data, so that a
new `sigma` of the same radius compiles nothing. As in SciPy, every pass is stored in the output's dtype.
"""

import numpy as np
from jax import numpy as jnp

from sci.ndimage._kernels.casting import compute_dtype, on_parts, truncate_to
from sci.ndimage._kernels.separable import correlate_axis


def accumulator(dtype, output):
    """The dtype of the arithmetic for an input and an output dtype."""
    acc = compute_dtype(dtype)
    output = np.dtype(output)
    if output.kind in "fc":
        return np.dtype(jnp.promote_types(acc, compute_dtype(output)))
    return np.dtype(jnp.promote_types(acc, compute_dtype(np.int32)))  # integers: as exact as can be


def run_plan(x, weights, cval, plan, output, exact=True):
    """Apply the passes of `plan` with `weights` (one array each) to `x`.

    Parameters
    ----------
    x : array
    weights : sequence of arrays, shape (n,)
    cval : scalar
    plan : tuple of (axis, mode, origin, symmetry)
    output : numpy.dtype
        Of the result and of every intermediate.
    exact : bool
        Round products as SciPy does where `output` is an integer; needless for integer weights.

    Returns
    -------
    array of `x`'s shape and dtype `output`
    """
    output = np.dtype(output)
    acc = accumulator(x.dtype, output)
    exact = exact and output.kind in "biu"
    if not plan:
        return truncate_to(x, output)
    for w, (axis, mode, origin, symmetry) in zip(weights, plan, strict=True):

        def one(part, k, w=w, axis=axis, mode=mode, origin=origin, symmetry=symmetry):
            return correlate_axis(part, w, axis, mode, k, origin, symmetry, exact)

        x = truncate_to(on_parts(one, x.astype(acc), cval), output)
    return x


def sqrt_of_squares(total):
    """Square root of a non-negative sum whose gradient is zero, not infinite, at zero."""
    positive = total != 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, total, 1)), 0)
