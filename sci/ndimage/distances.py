"""Distance transforms: `distance_transform_edt`, `distance_transform_cdt`, `distance_transform_bf`."""

from typing import Any

import numpy as np
from jax import numpy as jnp

from sci.bridge import Example, HostRoute, Reason, implements
from sci.bridge.worlds import is_jax
from sci.ndimage._arguments import sequence
from sci.ndimage._kernels import distances as k
from sci.ndimage.binary import binary_structure


def _check_targets(call):
    """The output arrays and flags, as SciPy checks them."""
    errors = []
    if not call["return_distances"] and not call["return_indices"]:
        errors.append("at least one of return_distances/return_indices must be True")
    if isinstance(call["distances"], np.ndarray) and not call["return_distances"]:
        errors.append("return_distances must be True if distances is supplied")
    if isinstance(call["indices"], np.ndarray) and not call["return_indices"]:
        errors.append("return_indices must be True if indices is supplied")
    if errors:
        raise RuntimeError(", ".join(errors))


def _check_target(call, name, shape, dtype, error):
    target = call[name]
    if not isinstance(target, np.ndarray):
        return
    if target.shape != shape:
        raise error(f"{name} array has wrong shape: {target.shape}, not {shape}")
    if target.dtype.type != dtype:
        raise error(f"{name} array must be {np.dtype(dtype)}, not {target.dtype}")


def _input(call, dtype, error):
    x = call["input"]
    if not is_jax(x):
        x = np.asarray(x)
        if x.dtype.kind not in "biufc":
            raise HostRoute(Reason.DTYPE, f"input is {x.dtype}")
        x = x != 0
    else:
        x = jnp.asarray(x) != 0
    if x.size == 0:
        raise HostRoute(Reason.SHAPE, "the input is empty")
    call["input"] = x
    call["return_distances"], call["return_indices"] = bool(call["return_distances"]), bool(call["return_indices"])
    _check_targets(call)
    _check_target(call, "distances", x.shape, dtype, error)
    _check_target(call, "indices", (x.ndim, *x.shape), np.int32, error)
    return x


def _sampling(call, ndim):
    if call["sampling"] is not None and not is_jax(call["sampling"]):
        call["sampling"] = np.asarray(sequence(call["sampling"], ndim, "sampling"), np.float64)


def _finish(call, result):
    """Fill the arrays given, return what was not given, as SciPy does: one array, a pair, or None."""
    found = []
    for name, value in zip(("distances", "indices"), result, strict=True):
        if value is None:
            continue
        if isinstance(call[name], np.ndarray):
            call[name][...] = value
        else:
            found.append(value)
    return tuple(found) if len(found) == 2 else found[0] if found else None


def _finish_jax(call, result):
    found = [r for r in result if r is not None]
    return tuple(found) if len(found) == 2 else found[0]


_FACTS: dict[str, Any] = {
    "static": ("return_distances", "return_indices", "metric"),
    "ignored": ("distances", "indices"),
    "dtypes": {"input": "keep"},
    "finish": _finish,
    "finish_jax": _finish_jax,
    "grad": False,
}


def _image():
    return np.random.default_rng(20).random((6, 9)) > 0.3


def _order(shape):
    """The longest axis first: its pass is the cheapest for long lines."""
    longest = int(np.argmax(shape))
    return (longest, *[a for a in range(len(shape)) if a != longest])


def _prepare_edt(call):
    x = _input(call, np.float64, RuntimeError)
    if x.ndim == 0:
        raise HostRoute(Reason.SHAPE, "the input is a scalar")
    _sampling(call, x.ndim)
    call["metric"] = k.EUCLIDEAN


@implements(
    "scipy.ndimage.distance_transform_edt",
    **_FACTS,
    prepare=_prepare_edt,
    examples=lambda: [
        Example((_image(),), vmap=("input",), skip_odd=("0-d",)),
        Example((_image(), (0.5, 2.0)), skip_odd=("0-d",)),
    ],
    note="empty and 0-d input",
)
def distance_transform_edt(input, sampling, return_distances, return_indices, metric):
    """Exact Euclidean distance to the nearest zero sample, any dimension.

    With unit spacing squared distances are integers, and exact; of equally near samples SciPy's is returned. See
    `sci/ndimage/_kernels/distances.py` for the algorithm and its references.

    Raises
    ------
    RuntimeError
        Neither distances nor indices asked for, output arrays of the wrong shape or dtype.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.distance_transform_edt([0, 1, 1, 1, 0])
    array([0., 1., 2., 1., 0.])
    """
    order = tuple(range(input.ndim)) if return_indices else _order(input.shape)  # the order decides which of equals
    far, indices = k.distance_transform(input, sampling, metric, order, with_index=return_indices)
    real = jnp.result_type(float)
    # without any background SciPy measures to the sample before the first one
    nowhere = jnp.all(input)
    axes = range(input.ndim)
    away = [jnp.arange(n).reshape((-1,) + (1,) * (input.ndim - a - 1)) + (a == 0) for a, n in enumerate(input.shape)]
    steps = [away[a].astype(real) * (1.0 if sampling is None else sampling[a]) for a in axes]
    outside = sum((s * s for s in steps), start=jnp.zeros(input.shape, real))
    distances = jnp.sqrt(jnp.where(nowhere, outside, far.astype(real))) if return_distances else None
    if return_indices:
        first = jnp.where(jnp.arange(input.ndim) == 0, -1, 0).reshape((-1,) + (1,) * input.ndim)
        indices = jnp.where(nowhere, first, indices).astype(np.int32)
    return distances, indices


_TAXICAB = ("taxicab", "cityblock", "manhattan")


def _prepare_cdt(call):
    x = _input(call, np.int32, ValueError)
    metric, rank = call["metric"], x.ndim
    if rank == 0:
        raise HostRoute(Reason.SHAPE, "the input is a scalar")
    if isinstance(metric, str):
        if metric != "chessboard" and metric not in _TAXICAB:
            raise ValueError(f"invalid metric provided: {metric!r}, allowed are chessboard and {', '.join(_TAXICAB)}")
        call["metric"] = k.CHESSBOARD if metric == "chessboard" else k.TAXICAB
    else:
        structure = np.asarray(metric)
        if structure.dtype.itemsize != 1:  # SciPy reads the memory of any other dtype as bytes
            raise HostRoute(Reason.OPTION, f"a metric of {structure.dtype}: give bool or int8")
        if any(n != 3 for n in structure.shape):
            raise ValueError(f"metric sizes must be equal to 3, not {structure.shape}")
        for name, connectivity in ((k.TAXICAB, 1), (k.CHESSBOARD, rank)):
            if np.array_equal(structure != 0, binary_structure(rank, connectivity)):
                call["metric"] = name
                break
        else:
            raise HostRoute(Reason.OPTION, "a metric other than the chessboard and the city block")
    if call["return_indices"]:
        raise HostRoute(Reason.OPTION, "return_indices: which of equally near samples depends on SciPy's passes")


@implements(
    "scipy.ndimage.distance_transform_cdt",
    **_FACTS,
    prepare=_prepare_cdt,
    examples=lambda: [
        Example((_image(),), vmap=("input",), skip_odd=("0-d",)),
        Example((_image(), "taxicab"), skip_odd=("0-d",)),
    ],
    note="return_indices; metrics other than the two, or of entries that are not one byte; empty and 0-d input",
)
def distance_transform_cdt(input, return_distances, return_indices, metric):
    """Chessboard or city-block distance to the nearest zero sample; -1 where there is none.

    Raises
    ------
    ValueError
        An unknown metric, output arrays of the wrong shape or dtype.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.distance_transform_cdt([0, 1, 1, 1, 0])
    array([0, 1, 2, 1, 0], dtype=int32)
    """
    far, _ = k.distance_transform(input, None, metric, _order(input.shape))
    return jnp.where(jnp.all(input), -1, far).astype(np.int32), None


def _prepare_bf(call):
    metric = str(call["metric"]).lower()
    if metric not in ("euclidean", "chessboard", *_TAXICAB):
        raise RuntimeError(f"distance metric not supported: {metric!r}")
    euclidean = metric == "euclidean"
    x = _input(call, np.float64 if euclidean else np.uint32, RuntimeError)
    call["metric"] = k.TAXICAB if metric in _TAXICAB else metric
    if x.ndim == 0:
        raise HostRoute(Reason.SHAPE, "the input is a scalar")
    if metric == "chessboard" and call["return_indices"] and x.ndim > 1:  # ties are not decided axis by axis
        raise HostRoute(Reason.OPTION, "return_indices of the chessboard distance")
    _sampling(call, x.ndim)


@implements(
    "scipy.ndimage.distance_transform_bf",
    **_FACTS,
    prepare=_prepare_bf,
    examples=lambda: [
        Example((_image(),), {"return_indices": True}, skip_odd=("0-d",)),
        Example((_image(), "chessboard"), skip_odd=("0-d",)),
    ],
    note="indices of the chessboard distance, empty and 0-d input",
)
def distance_transform_bf(input, sampling, return_distances, return_indices, metric):
    """Distance to the nearest zero sample in one of three metrics; not by brute force here.

    `sampling` counts for the Euclidean metric only, as in SciPy.

    Raises
    ------
    RuntimeError
        An unknown metric, output arrays of the wrong shape or dtype.

    Examples
    --------
    >>> from sci import ndimage
    >>> ndimage.distance_transform_bf([0, 1, 1, 1, 0], "taxicab")
    array([0, 1, 2, 1, 0], dtype=uint32)
    """
    order = tuple(reversed(range(input.ndim)))
    sampling = sampling if metric == k.EUCLIDEAN else None  # as in SciPy
    far, indices = k.distance_transform(input, sampling, metric, order, late=True, with_index=return_indices)
    nowhere = jnp.all(input)
    distances = None
    if return_distances and metric == k.EUCLIDEAN:
        real = jnp.result_type(float)
        distances = jnp.where(nowhere, np.sqrt(np.finfo(real).max), jnp.sqrt(far.astype(real)))
    elif return_distances:
        distances = jnp.where(nowhere, np.iinfo(np.uint32).max, far.astype(np.uint32))
    if return_indices:
        indices = jnp.where(nowhere, 0, indices)
    return distances, indices
