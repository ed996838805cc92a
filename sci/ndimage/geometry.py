"""Interpolation on top of `resampling`: `rotate`, `geometric_transform`."""

import types

import jax
import numpy as np
from jax import numpy as jnp

from sci.bridge import Example, HostRoute, Reason, as_array, implements
from sci.bridge.worlds import is_jax, is_traced
from sci.ndimage._arguments import array_argument, finish_output, given, set_output_dtype
from sci.ndimage._interpolation import interpolate_at, interpolation_arguments
from sci.ndimage._kernels.casting import on_parts, real_dtype, round_to, rounding_guard, separate_product
from sci.ndimage._passes import accumulator


def _plane(call, x):
    """The two axes of the rotation, ascending (ValueError as in SciPy)."""
    if x.ndim < 2:
        raise ValueError(f"input array should be at least 2D, its shape is {x.shape}")
    axes = list(call["axes"])
    if len(axes) != 2:
        raise ValueError(f"axes should contain exactly two values, not {axes}")
    if not all(float(a).is_integer() for a in axes):
        raise ValueError(f"axes should contain only integer values, not {axes}")
    axes = sorted(int(a) + (x.ndim if a < 0 else 0) for a in axes)
    if not all(0 <= a < x.ndim for a in axes):
        raise ValueError(f"invalid rotation plane specified: axes={call['axes']} for {x.ndim} dimensions")
    return tuple(axes)


def _cos_sin(angle):
    """Exact at multiples of 90 degrees where the angle is known."""
    if is_traced(angle):
        return jnp.cos(jnp.deg2rad(angle)), jnp.sin(jnp.deg2rad(angle))
    from scipy.special import cosdg, sindg

    return cosdg(float(angle)), sindg(float(angle))


def _prepare_rotate(call):
    axes = _plane(call, array_argument(call))
    x, order, mode, _ = interpolation_arguments(call)
    angle = call["angle"]
    c, s = _cos_sin(np.asarray(angle) if is_jax(angle) and not is_traced(angle) else angle)
    matrix = jnp.array([[c, s], [-s, c]]) if is_traced(angle) else np.array([[c, s], [-s, c]])
    inside = np.array([x.shape[a] for a in axes])
    shape = tuple(inside.tolist())
    if call["reshape"]:
        if is_traced(angle):
            raise ValueError("angle is traced, which leaves the result's shape open: give reshape=False")
        iy, ix = shape
        bounds = matrix @ [[0, 0, iy, iy], [0, ix, 0, ix]]
        shape = tuple((np.ptp(bounds, axis=1) + 0.5).astype(int).tolist())
    call["matrix"] = matrix
    call["offset"] = (inside - 1) / 2 - matrix @ ((np.array(shape) - 1) / 2)
    set_output_dtype(call, x.dtype, x.dtype.kind == "c")
    call["plan"] = (axes, shape, bool(call["prefilter"]), order, mode)


def _image():
    return np.random.default_rng(21).normal(size=(7, 8))


@implements(
    "scipy.ndimage.rotate",
    quick=True,
    static=("plan", "output"),
    ignored=("reshape",),
    dtypes="keep",
    out="output",
    finish=finish_output,
    prepare=_prepare_rotate,
    examples=lambda: [
        # SciPy reads out of bounds for coordinates that are no number, and in empty arrays
        Example((_image(), 31.0), {"mode": "mirror"}, grad=("input",), skip_odd=("empty", "nan", "inf")),
        Example(
            (_image()[None], -45.0), {"axes": (1, 2), "reshape": False, "order": 1}, skip_odd=("empty", "nan", "inf")
        ),
    ],
)
def rotate(input, matrix, offset, cval, plan, output):
    """Rotate in the plane of two axes by spline interpolation of order 0 to 5.

    Differentiable in `input`; with ``reshape=False`` also in a traced `angle`.

    Raises
    ------
    ValueError
        Fewer than two dimensions, axes that span no plane.
    RuntimeError
        Unknown order or mode.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.rotate([[1.0, 2.0], [3.0, 4.0]], 90).round(6)
    array([[2., 4.],
           [1., 3.]])
    """
    axes, shape, prefilter, order, mode = plan
    acc = accumulator(input.dtype, output)
    real = jnp.promote_types(real_dtype(acc), jnp.result_type(float))
    matrix, offset = jnp.asarray(matrix, real), jnp.asarray(offset, real)
    rows, columns = jnp.arange(shape[0], dtype=real)[:, None], jnp.arange(shape[1], dtype=real)
    guard = rounding_guard(matrix)  # whether a sample on the border counts as inside hangs on the last bit
    positions = []
    for h in range(2):
        position = offset[h] + separate_product(matrix[h, 0], rows, guard)
        positions.append(position + separate_product(matrix[h, 1], columns, guard))
    planes = jnp.moveaxis(input, axes, (-2, -1))
    stack = planes.reshape(-1, *planes.shape[-2:]).astype(acc)

    def one(plane):
        return on_parts(lambda x, k: interpolate_at(x, positions, k, prefilter, order, mode), plane, cval)

    turned = jax.vmap(one)(stack) if stack.shape[0] else jnp.zeros((0, *shape), acc)
    turned = jnp.moveaxis(turned.reshape(*planes.shape[:-2], *shape), (-2, -1), axes)
    return round_to(turned, output)


def _prepare_geometric(call):
    x, order, mode, _ = interpolation_arguments(call)
    shape = call["output_shape"]
    target = given(call, "output")
    if shape is None:
        shape = x.shape
    shape = tuple(int(n) for n in shape)
    if not shape:
        raise RuntimeError("input and output rank must be > 0")
    if isinstance(target, np.ndarray) and target.shape != shape:
        raise RuntimeError(f"output shape not correct: {target.shape}, not {shape}")
    if call["cval"] is None or x.size == 0:
        raise HostRoute(Reason.SHAPE, "the input is empty")
    mapping, extra, options = call["mapping"], tuple(call["extra_arguments"]), dict(call["extra_keywords"] or {})
    if type(mapping).__name__ in ("LowLevelCallable", "PyCapsule"):
        raise HostRoute(Reason.UNTRACEABLE, "mapping is a low-level callable")

    def at(point):
        return np.array(mapping(tuple(point), *extra, **options))

    # the tracer clones the user's own code; this library's it takes as JAX, hence the other file name
    code = at.__code__.replace(co_filename="<sci.ndimage.geometry>")
    call["mapping"] = types.FunctionType(code, at.__globals__, "mapping", None, at.__closure__)
    set_output_dtype(call, x.dtype, x.dtype.kind == "c")
    call["plan"] = (shape, bool(call["prefilter"]), order, mode)


def _example_point(call):
    return (np.array([min(1, n - 1) for n in call["plan"][0]]),)


# SciPy reads out of bounds for coordinates that are no number; a mapping of two coordinates fits two axes
_CRASHES = ("empty", "nan", "inf", "object", "one axis more")


def _wave():
    # compiled here, so that the tracer sees user code
    space: dict = {}
    exec(compile("def wave(p): return p[0] + 0.3 * p[1], p[1] * 0.9 - 0.2", "<example>", "exec"), space)
    return space["wave"]


@implements(
    "scipy.ndimage.geometric_transform",
    static=("plan", "output"),
    ignored=("output_shape",),
    callables={"mapping": _example_point},
    dtypes="keep",
    out="output",
    finish=finish_output,
    prepare=_prepare_geometric,
    examples=lambda: [Example((_image(), _wave()), {"mode": "reflect"}, grad=("input",), skip_odd=_CRASHES)],
    note="mappings that cannot be traced, low-level callables, empty input",
)
def geometric_transform(input, mapping, cval, plan, output):
    """Resample where a function of the output coordinates points to, by spline interpolation of order 0 to 5.

    The mapping is traced once and evaluated for all samples at once. Differentiable in `input` and in JAX values
    that the mapping closes over.

    Raises
    ------
    RuntimeError
        Unknown order or mode, an output of the wrong shape.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.geometric_transform([0.0, 1.0, 2.0, 3.0], lambda p: (p[0] - 0.5,), order=1)
    array([0. , 0.5, 1.5, 2.5])
    """
    shape, prefilter, order, mode = plan
    acc = accumulator(input.dtype, output)
    real = jnp.promote_types(real_dtype(acc), jnp.result_type(float))
    grid = jnp.stack(jnp.meshgrid(*[jnp.arange(n) for n in shape], indexing="ij"), axis=-1)
    points = jax.vmap(lambda p: as_array(mapping(p)).astype(real))(grid.reshape(-1, len(shape)))
    if points.shape[-1] != input.ndim:
        raise RuntimeError(f"mapping returns {points.shape[-1]} coordinates, the input has {input.ndim} dimensions")
    positions = [points[:, a].reshape(shape) for a in range(input.ndim)]
    value = on_parts(lambda x, k: interpolate_at(x, positions, k, prefilter, order, mode), input.astype(acc), cval)
    return round_to(value, output)
