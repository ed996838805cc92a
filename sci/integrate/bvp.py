"""`solve_bvp`: boundary value problems by collocation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate._bvp import BVPResult

from sci.bridge import Call, Example, HostRoute, Reason, as_array, implements, register_result, warn_user
from sci.bridge.worlds import is_jax
from solvers import bvp
from solvers.pytrees import pytree_dataclass

__all__ = ["BVPResult", "Spline", "solve_bvp"]

register_result(BVPResult)

#: Intervals of the first compiled body, and how it grows: a new capacity is compiled anew.
_FIRST, _GROWTH = 64, 8
_FOREVER = np.iinfo(np.int32).max
_LEAST_TOL = 100 * np.finfo(float).eps


@pytree_dataclass
@dataclass(frozen=True)
class Spline:
    """Solution between the nodes in the JAX world: called as SciPy's `PPoly`, a pytree."""

    x: jax.Array
    c: jax.Array
    n: jax.Array

    def __call__(self, x: Any, nu: int = 0) -> jax.Array:
        """Value, or derivative of order ``nu``, at ``x`` of any shape: shape (components, ...)."""
        x = jnp.asarray(x)
        i = jnp.clip(jnp.searchsorted(self.x, x, side="right") - 1, 0, self.n - 2)
        t, c = x - self.x[i], self.c[:, i]
        t = t[..., None]
        value = jnp.zeros_like(c[0])
        for power in range(3, nu - 1, -1):
            factor = float(np.prod(np.arange(power - nu + 1, power + 1)))
            value = value * t + factor * c[3 - power]
        return jnp.moveaxis(value, -1, 0)


# --- arguments -------------------------------------------------------------------------------


def _prepare(call: Call) -> None:
    for name in ("fun", "bc"):
        if not callable(call[name]):
            raise HostRoute(Reason.OPTION, f"{name} is not callable")
    x, y, p = _guess(call)
    n, k = y.shape[0], p.shape[0]
    tol = call["tol"]
    if not is_jax(tol) and tol < _LEAST_TOL:
        warn_user(f"`tol` is too low, setting to {_LEAST_TOL:.2e}", UserWarning)
        call["tol"] = _LEAST_TOL
    if call["verbose"] not in (0, 1, 2):
        raise ValueError(f"`verbose` must be in [0, 1, 2], got {call['verbose']!r}.")
    call["singular"] = call["project"] = None
    if call["S"] is not None:
        y = _singular_term(call, y, n)
    if call["bc_tol"] is None:
        call["bc_tol"] = call["tol"]
    if call.numpy:
        _check_functions(call, x, y, p)
    intervals = _FIRST
    wanted = x.shape[0] - 1 if call["size"] is None else max(int(call["size"]), x.shape[0]) - 1
    while intervals < wanted:
        intervals *= 2 if call["size"] is not None else _GROWTH
    if not call.numpy and call["size"] is None:
        intervals = max(intervals, 2 * _FIRST)
    call["mesh"] = bvp.start(x, y.T, p, intervals, np if call.numpy else jnp)
    call["until"], call["with_p"] = _FOREVER, k > 0
    call["most"] = call["max_nodes"] if call.numpy else jnp.minimum(call["max_nodes"], intervals + 1)
    call["a"] = x[0]
    middle = x.shape[0] // 2
    call["column"] = (x[middle : middle + 1], y[:, middle : middle + 1]) + ((p,) if k else ())
    call["ends"] = (y[:, 0], y[:, -1]) + ((p,) if k else ())


def _guess(call: Call) -> tuple[Any, Any, Any]:
    """Mesh, values and parameters as arrays; SciPy's checks of them."""
    xp = np if call.numpy else jnp
    x = xp.asarray(call["x"])
    x = x.astype(float if call.numpy else jnp.promote_types(x.dtype, jnp.float32))
    if x.ndim != 1:
        raise ValueError(f"`x` must be 1 dimensional, got shape {x.shape}.")
    if x.shape[0] < 2:
        raise ValueError(f"`x` must have at least 2 nodes, got {x.shape[0]}.")
    if call.numpy and np.any(np.diff(x) <= 0):
        raise ValueError("`x` must be strictly increasing.")
    y = xp.asarray(call["y"])
    if y.dtype.kind not in "biufc":
        raise HostRoute(Reason.DTYPE, f"argument 'y' has dtype {y.dtype}")
    dtype: Any = complex if y.dtype.kind == "c" else float
    if not call.numpy:
        dtype = jnp.promote_types(x.dtype, y.dtype)
        x = x.astype(jnp.finfo(dtype).dtype)
    y = y.astype(dtype)
    if y.ndim != 2:
        raise ValueError(f"`y` must be 2 dimensional, got shape {y.shape}.")
    if y.shape[1] != x.shape[0]:
        raise ValueError(f"`y` is expected to have {x.shape[0]} columns, but actually has {y.shape[1]}.")
    if y.shape[0] == 0:
        raise HostRoute(Reason.SHAPE, "y has no components")
    p = xp.zeros(0, dtype) if call["p"] is None else xp.asarray(call["p"], dtype=dtype)
    if p.ndim != 1:
        raise ValueError(f"`p` must be 1 dimensional, got shape {p.shape}.")
    return x, y, p


def _singular_term(call: Call, y: Any, n: int) -> Any:
    """What the singular term needs; the guess with ``S y(a) = 0``."""
    xp: Any = np if call.numpy else jnp
    matrix = xp.asarray(call["S"], dtype=y.dtype)
    if matrix.shape != (n, n):
        raise ValueError(f"`S` is expected to have shape {(n, n)}, but actually has {matrix.shape}")
    one = xp.eye(n, dtype=y.dtype)
    call["project"] = project = one - xp.linalg.pinv(matrix) @ matrix
    call["singular"] = matrix, xp.linalg.pinv(one - matrix)
    first = project @ y[:, 0]
    return xp.concatenate([first[:, None], y[:, 1:]], axis=1)


def _check_functions(call: Call, x: np.ndarray, y: np.ndarray, p: np.ndarray) -> None:
    """Shapes of what the functions return; every node must be computed from its own values alone."""
    extra = (p,) if p.size else ()
    fun = call["fun"]
    f = fun(x, y, *extra)
    if is_jax(f):
        return  # the function holds JAX values: the call belongs to the JAX world, which checks shapes itself
    f = np.asarray(f)
    if f.shape != y.shape:
        raise ValueError(f"`fun` return is expected to have shape {y.shape}, but actually has {f.shape}.")
    residual = call["bc"](y[:, 0], y[:, -1], *extra)
    if is_jax(residual):
        return
    residual = np.asarray(residual)
    expected = (y.shape[0] + p.size,)
    if residual.shape != expected:
        raise ValueError(f"`bc` return is expected to have shape {expected}, but actually has {residual.shape}.")
    for name, value in (("fun", f), ("bc", residual)):
        if value.dtype.kind == "c" and y.dtype.kind != "c":
            raise HostRoute(Reason.OPTION, f"{name} returns complex values for real `y`")
    away = y + 0.01 * (1 + np.abs(y)) * np.cos(1.0 + np.arange(y.size)).reshape(y.shape)
    with np.errstate(all="ignore"):
        f = np.asarray(fun(x, away, *extra))
        for i in {0, x.size // 2, x.size - 1}:
            alone = np.asarray(fun(x[i : i + 1], away[:, i : i + 1], *extra))
            if alone.shape != (y.shape[0], 1):
                raise HostRoute(Reason.UNTRACEABLE, "fun cannot be called with one node")
            if not np.allclose(alone[:, 0], f[:, i], rtol=1e-9, atol=1e-12, equal_nan=True):
                raise HostRoute(Reason.UNTRACEABLE, "fun couples the nodes of the mesh")


# --- the NumPy world -------------------------------------------------------------------------


def _drive(call: Call, run: Any) -> BVPResult:
    """Room for more nodes where needed; progress between the iterations."""
    mesh, every = call["mesh"], call["verbose"] == 2
    if every:
        print(
            "".join(f"{h:^15}" for h in ("Iteration", "Max residual", "Max BC residual", "Total nodes", "Nodes added"))
        )
    while True:
        mesh = run(mesh=mesh, until=int(mesh.iteration) + 1 if every else _FOREVER)
        status = int(mesh.status)
        if every:
            _print_progress(mesh, status)
        if status == bvp.status.FULL:
            intervals = mesh.rms.size
            while intervals + 1 < mesh.count + mesh.added.sum():
                intervals *= _GROWTH
            mesh = bvp.grown(mesh, intervals)
        elif status != bvp.status.RUNNING:
            break
    if call["verbose"]:
        _print_end(mesh, status)
    from scipy.interpolate import PPoly  # slow to import

    n = int(mesh.count)
    x, y, f = mesh.x[:n].copy(), mesh.y[:n], mesh.f[:n]
    c = np.ascontiguousarray(np.moveaxis(bvp.hermite(y, f, np.diff(x), np), -1, 0))
    return BVPResult(
        sol=PPoly(c, x, extrapolate=True, axis=1), p=mesh.p if call["with_p"] else None, x=x,
        y=np.ascontiguousarray(y.T), yp=np.ascontiguousarray(f.T), rms_residuals=mesh.rms[: n - 1].copy(),
        niter=int(mesh.iteration), status=status, message=bvp.status.MESSAGES[status],
        success=status == bvp.status.SUCCESS,
    )  # fmt: skip


def _print_progress(mesh: Any, status: int) -> None:
    added: Any = int(mesh.added.sum())
    if status == bvp.status.SINGULAR:
        return
    if status == bvp.status.MAX_NODES:
        added = f"({added})"
    print(f"{mesh.iteration:^15}{mesh.worst[0]:^15.2e}{mesh.worst[1]:^15.2e}{mesh.count:^15}{added:^15}")


def _print_end(mesh: Any, status: int) -> None:
    head = {
        0: f"Solved in {mesh.iteration} iterations, number of nodes {mesh.count}. ",
        1: f"Number of nodes is exceeded after iteration {mesh.iteration}. ",
        2: f"Singular Jacobian encountered when solving the collocation system on iteration {mesh.iteration}. ",
        3: f"The solver was unable to satisfy boundary conditions tolerance on iteration {mesh.iteration}. ",
    }[status]
    print(f"{head}\nMaximum relative residual: {mesh.worst[0]:.2e} \nMaximum boundary residual: {mesh.worst[1]:.2e}")


# --- the JAX world ---------------------------------------------------------------------------


def _finish_jax(call: Call, mesh: Any) -> BVPResult:
    c = bvp.hermite(mesh.y, mesh.f, jnp.diff(mesh.x))
    status = jnp.where(mesh.status == bvp.status.FULL, bvp.status.MAX_NODES, mesh.status)
    return BVPResult(
        sol=Spline(mesh.x, c, mesh.count), p=mesh.p if call["with_p"] else None, x=mesh.x, y=mesh.y.T, yp=mesh.f.T,
        rms_residuals=mesh.rms, n=mesh.count, niter=mesh.iteration, status=status, success=status == 0,
    )  # fmt: skip


# --- the function ----------------------------------------------------------------------------


def _beam(x: Any, y: Any) -> Any:
    return np.vstack((y[1], -np.exp(y[0])))


def _clamped(ya: Any, yb: Any) -> Any:
    return np.array([ya[0], yb[0]])


def _string(x: Any, y: Any, p: Any) -> Any:
    return np.vstack((y[1], -(p[0] ** 2) * y[0]))


def _plucked(ya: Any, yb: Any, p: Any) -> Any:
    return np.array([ya[0], yb[0], ya[1] - p[0]])


_beam.__module__ = _clamped.__module__ = _string.__module__ = _plucked.__module__ = "user"


def _examples() -> list[Example]:
    x = np.linspace(0.0, 1.0, 5)
    guess = np.vstack([np.sin(2 * np.pi * x), np.cos(2 * np.pi * x)])
    nodes = lambda r: [r["y"][:, :5], r["x"][:5]]  # noqa: E731
    # SciPy takes differences for the Jacobian
    near: dict[str, Any] = {"rtol": 1e-6, "atol": 1e-7}
    return [
        Example((_beam, _clamped, x, np.zeros((2, 5))), output=nodes, jit=False, skip_odd=(), **near),
        Example((_string, _plucked, x, guess), {"p": [6.0]}, output=lambda r: r["p"], jit=False, rtol=1e-4),
    ]


@implements(
    "scipy.integrate.solve_bvp",
    callables={
        "fun": lambda call: call["column"],
        "bc": lambda call: call["ends"],
        "fun_jac": lambda call: call["column"],
        "bc_jac": lambda call: call["ends"],
    },
    trees=("mesh", "singular"),
    dtypes={"mesh": "keep", "singular": "keep", "until": "keep", "most": "keep"},
    static=("with_p",),
    prepare=_prepare,
    drive=_drive,
    finish_jax=_finish_jax,
    extras={"size": None},
    examples=_examples,
    note="`fun` that computes a node from other nodes, or complex values from real `y`.",
)
def solve_bvp(fun, bc, fun_jac, bc_jac, mesh, singular, project, a, tol, bc_tol, most, until, with_p):
    """Solve a boundary value problem of ordinary differential equations, with unknown parameters.

    ``y' = f(x, y, p) + S y / (x - a)`` on [a, b], ``bc(y(a), y(b), p) = 0``. Collocation by a cubic spline (Lobatto
    IIIA of order 4), a damped Newton method, and a mesh that is refined where the residual is larger than `tol`.

    Parameters
    ----------
    fun : callable
        ``fun(x, y)`` or ``fun(x, y, p)`` of shapes (m,), (n, m), (k,); shape (n, m). It is called with one node at
        a time (m = 1) and batched by JAX.
    bc : callable
        ``bc(ya, yb)`` or ``bc(ya, yb, p)``, shape (n + k,).
    x : array_like, shape (m,)
        Initial mesh, increasing.
    y : array_like, shape (n, m)
        Guess of the solution, real or complex.
    p : array_like, shape (k,), optional
        Guess of the unknown parameters.
    S : array_like, shape (n, n), optional
        Matrix of the singular term.
    fun_jac, bc_jac : callable, optional
        Derivatives, as SciPy takes them. By default exact, by differentiation (SciPy takes differences).
    tol, bc_tol : float
        Bounds of the relative residual on each interval, and of the boundary conditions.
    max_nodes : int
        Most nodes of the mesh.
    verbose : {0, 1, 2}
        What is printed, in the NumPy world.
    size : int, optional
        Capacity for nodes in the JAX world (default 128), a second bound beside `max_nodes`.

    Returns
    -------
    BVPResult
        ``sol`` (a `PPoly`), ``p``, ``x``, ``y``, ``yp``, ``rms_residuals``, ``niter``, ``status`` (0 solved, 1 too
        many nodes, 2 singular Jacobian, 3 boundary conditions not met), ``message``, ``success``. With JAX arrays
        ``sol`` is a pytree that is called alike, the arrays have room for ``size`` nodes of which the first ``n`` are
        used (later ones repeat the last), and there is no message. Differentiable to any order with respect to the
        ends of `x`, `S` and what the functions close over: implicitly, on the final mesh.

    Raises
    ------
    ValueError
        For a mesh that does not increase, or shapes that do not fit.

    References
    ----------
    .. [1] J. Kierzenka, L. F. Shampine, "A BVP Solver Based on Residual Control and the Matlab PSE", ACM Trans.
           Math. Softw. 27 (2001) 299-316.
    .. [2] L. F. Shampine, P. H. Muir, H. Xu, "A User-Friendly Fortran BVP Solver", JNAIAM 1 (2006) 201-217.

    Examples
    --------
    >>> import numpy as np
    >>> from sci.integrate import solve_bvp
    >>> x = np.linspace(0, 1, 5)
    >>> ends = lambda ya, yb: np.array([ya[0], yb[0] - 1])
    >>> r = solve_bvp(lambda x, y: np.vstack((y[1], y[0])), ends, x, np.zeros((2, 5)))
    >>> bool(r.success and abs(r.sol(0.5)[0] - np.sinh(0.5) / np.sinh(1)) < 1e-4)
    True
    """
    n, k = mesh.y.shape[1], mesh.p.shape[0]
    dtype = mesh.y.dtype

    def extra(p):
        return (p,) if with_p else ()

    def right_hand_side(x, y, p):
        f = as_array(fun(x[None], y[:, None], *extra(p)))
        if f.shape != (n, 1):
            raise ValueError(
                f"`fun` return is expected to have shape {(n, 1)} for one node, but actually has {f.shape}."
            )
        return f[:, 0].astype(dtype)

    def conditions(ya, yb, p):
        c = as_array(bc(ya, yb, *extra(p)))
        if c.shape != (n + k,):
            raise ValueError(f"`bc` return is expected to have shape {(n + k,)}, but actually has {c.shape}.")
        return c.astype(dtype)

    def jacobian(x, y, p):
        parts = fun_jac(x[None], y[:, None], *extra(p))
        parts = parts if with_p else (parts,)
        return _joined("fun_jac", [as_array(v)[..., 0] for v in parts], [(n, n), (n, k)][: len(parts)], dtype)

    def conditions_jacobian(ya, yb, p):
        parts = list(bc_jac(ya, yb, *extra(p)))
        shapes = [(n + k, n), (n + k, n), (n + k, k)][: 2 + with_p]
        return _joined("bc_jac", [as_array(v) for v in parts], shapes, dtype)

    return bvp.advance(
        right_hand_side, conditions, mesh, jac=None if fun_jac is None else jacobian,
        bc_jac=None if bc_jac is None else conditions_jacobian, singular=singular, a=a, project=project, tol=tol,
        bc_tol=bc_tol, max_nodes=most, until=until,
    )  # fmt: skip


def _joined(name, parts, shapes, dtype):
    """The parts of a Jacobian side by side."""
    if [v.shape for v in parts] != shapes:
        raise ValueError(
            f"`{name}` must return arrays of shape {shapes} (at one node), got {[v.shape for v in parts]}."
        )
    return jnp.concatenate([v.astype(dtype) for v in parts], axis=1)
