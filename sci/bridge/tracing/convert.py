"""`as_array`: NumPy's conversion of nests, on JAX values."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np


def as_array(tree, dtype=None):
    """``np.asarray`` of a nest of lists and tuples of JAX scalars and arrays.

    Parameters
    ----------
    tree : array_like
        Numbers, arrays, or nested lists and tuples of them, of equal shapes.
    dtype : dtype, optional
        Type of the result; NumPy's promotion of the parts by default.

    Returns
    -------
    jax.Array

    Raises
    ------
    ValueError
        If the parts differ in shape.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> as_array([jnp.float32(1.5), [2][0]]).tolist()
    [1.5, 2.0]
    """
    if isinstance(tree, jax.Array):
        return tree if dtype is None else tree.astype(jax.dtypes.canonicalize_dtype(dtype))
    if not isinstance(tree, (list, tuple)):
        return jnp.asarray(tree, dtype)
    if not any(isinstance(v, jax.Array) for v in jax.tree_util.tree_leaves(tree)):
        return jnp.asarray(np.asarray(tree), dtype)
    parts = [as_array(v) if isinstance(v, (list, tuple)) else v for v in tree]
    shapes = {np.shape(p) for p in parts}
    if len(shapes) != 1:
        raise ValueError(f"as_array: parts must have equal shapes, got {sorted(shapes)}")
    if dtype is None:
        strong = [p.dtype for p in parts if hasattr(p, "dtype") and not getattr(p, "weak_type", False)]
        weak = [p for p in parts if not hasattr(p, "dtype")]
        soft = [np.asarray(p).dtype.type(0).item() for p in weak]
        soft += [np.dtype(p.dtype).type(0).item() for p in parts if getattr(p, "weak_type", False)]
        dtype = np.result_type(*strong, *soft) if strong else np.result_type(*map(np.asarray, soft))
    dtype = jax.dtypes.canonicalize_dtype(dtype)
    return jnp.stack([jnp.asarray(p, dtype) for p in parts])
