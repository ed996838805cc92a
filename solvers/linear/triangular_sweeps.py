"""Sparse triangular systems by level scheduling.

A row can be solved when those that it needs are. Rows (cut into pieces of some entries) are put into steps of fixed
size, in an order in which every step reads only what earlier ones have finished; a step is a gather, a product and a
scatter. The plan hangs on the pattern alone and is made by the caller.

Reference: E. Anderson, Y. Saad, "Solving sparse triangular linear systems on parallel computers", Int. J. High Speed
Comput. 1 (1989) 73-95.
"""

import jax.numpy as jnp
from jax import lax

__all__ = ["padded", "solve_triangular_sweeps", "sweep", "sweep_transposed"]


_INSIDE = "promise_in_bounds"


def _column(values, x):
    return values.reshape(values.shape + (1,) * (x.ndim - 1))


def sweep(plan, values, x):
    """Solve with ``I + N`` of the strictly triangular part N; `x` has one more entry, zero, for the padding."""

    def step(x, given):
        rows, columns, values = given
        products = _column(values, x) * x.at[columns].get(mode=_INSIDE)
        return x.at[rows].add(-products.sum(axis=1), mode=_INSIDE), None

    return lax.scan(step, x, (*plan, values))[0]


def sweep_transposed(plan, values, x):
    """The transpose of `sweep`: the same steps transposed, in the opposite order."""

    def step(x, given):
        rows, columns, values = given
        products = _column(values, x) * x.at[rows].get(mode=_INSIDE)[:, None]
        return x.at[columns].add(-products, mode=_INSIDE), None

    return lax.scan(step, x, (*plan, values), reverse=True)[0]


def padded(x):
    """One more entry, zero, which the padding of the steps reads and writes."""
    return jnp.concatenate([x, jnp.zeros((1, *x.shape[1:]), x.dtype)])


def solve_triangular_sweeps(plan, values, diagonal, b, transposed=False):
    """Solve ``T x = b``, or ``T^T x = b`` (without conjugation), for a triangular matrix T of order n.

    Parameters
    ----------
    plan : tuple of integer arrays, shapes (steps, w) and (steps, w, e)
        Of w pieces of e entries in each step, the row and the columns, 0 to n; padding points to n. Unsigned ones are
        compiled and run quicker.
    values : array, shape (steps, w, e)
        The entries beside the diagonal; zero in the padding.
    diagonal : array, shape (n,)
    b : array, shape (n, ...), of the dtype of the values
    transposed : bool

    Returns
    -------
    array, shape of b
        Differentiable in both modes with respect to `values`, `diagonal` and `b` (the derivative is another solve).
    """
    rows, columns = plan
    n = b.shape[0]
    scale = _column(jnp.where(diagonal == 0, jnp.nan, diagonal), b)
    by_row = jnp.concatenate([diagonal, jnp.ones(1, diagonal.dtype)])[rows]
    scaled = lax.stop_gradient(values / jnp.where(by_row == 0, 1, by_row)[..., None])
    fixed = lax.stop_gradient(scale)

    def product(x):
        x = padded(x)
        return (_column(jnp.append(diagonal, 0), x) * x).at[rows].add((_column(values, x) * x[columns]).sum(axis=2))[:n]

    def product_transposed(x):
        x = padded(x)
        return (_column(jnp.append(diagonal, 0), x) * x).at[columns].add(_column(values, x) * x[rows][:, :, None])[:n]

    def solve(_, rhs):
        return sweep(plan, scaled, padded(rhs / fixed))[:n]

    def solve_transposed(_, rhs):
        return sweep_transposed(plan, scaled, padded(rhs))[:n] / fixed

    if transposed:
        return lax.custom_linear_solve(product_transposed, b, solve_transposed, solve)
    return lax.custom_linear_solve(product, b, solve, solve_transposed)
