"""The function of an operator times a vector, from a Krylov space that is restarted.

References
----------
M. Eiermann, O. G. Ernst, "A restarted Krylov subspace method for the evaluation of matrix functions", SIAM J. Numer.
Anal. 44 (2006) 2481-2504: the projections of all cycles form one block Hessenberg matrix, and each cycle adds its part
of the first column of that matrix's function.
"""

import jax
import jax.numpy as jnp
from jax import lax

from solvers.linear.krylov import norm

__all__ = ["NEAR", "krylov_function"]

#: So many cycles share a projection of their own size; only those after them pay for that of all cycles.
NEAR = 4


def _arnoldi(apply, v, steps):
    """Basis in rows (steps + 1, n), projection (steps + 1, steps), number of steps, and whether the space is closed."""
    eps = jnp.finfo(v.dtype).eps

    def step(state):
        j, basis, h, _ = state
        w = apply(basis[j])
        size = norm(w)
        column = jnp.conj(basis) @ w  # rows that are not there yet are zero
        w = w - column @ basis
        again = jnp.conj(basis) @ w
        w = w - again @ basis
        last = norm(w)
        closed = ~(last > 10 * eps * size)
        basis = basis.at[j + 1].set(jnp.where(closed, 0, w / jnp.where(closed, 1, last)))
        column = (column + again).at[j + 1].set(jnp.where(closed, 0, last))
        return j + 1, basis, h.at[:, j].set(column), closed

    basis = jnp.zeros((steps + 1, v.shape[0]), v.dtype).at[0].set(v)
    start = jnp.asarray(0), basis, jnp.zeros((steps + 1, steps), v.dtype), jnp.asarray(False)
    j, basis, h, closed = lax.while_loop(lambda s: (s[0] < steps) & ~s[3], step, start)
    return basis, h, j, closed


def krylov_function(apply, near, far, b, t, target, steps, cycles, hermitian):
    """``f(t A) b`` for the operator ``A = apply``.

    Parameters
    ----------
    apply : callable
        ``x -> A x`` for vectors of the dtype of `b`.
    near, far : callable
        The function f, of matrices of order ``steps * min(cycles, NEAR)`` and ``steps * cycles``. Where there are
        fewer vectors the matrix is filled up with an uncoupled multiple of the identity, by its first entry.
    b : array, shape (n,)
    t, target : scalar
        The last cycle is the one that changes the result by at most `target` in the 2-norm.
    steps, cycles : int
        Vectors in a cycle, at most n; and the most cycles.
    hermitian : bool
        Whether A is.

    Returns
    -------
    array, shape (n,)
    """
    m, size = steps, steps * cycles
    length = norm(b)
    zero = length == 0
    index = jnp.arange(m)
    place = jnp.arange(size)

    def cycle(f, order):
        def body(carry):
            k, y, v, h, _, _ = carry
            basis, new, j, closed = _arnoldi(apply, v, m)
            live = index < j
            block = jnp.where(live[:, None] & live, new[:m], 0)
            if hermitian:
                block = (block + jnp.conj(block.T)) / 2
            h = lax.dynamic_update_slice(h, block, (k * m, k * m))
            there = place < k * m + j
            # uncoupled, and f is defined there: the first entry is in the field of values
            full = jnp.where(there[:, None] & there, h, 0) + jnp.diag(jnp.where(there, 0, h[0, 0]))
            column = f(t * full[:order, :order])[:, 0]
            part = jnp.where(live, lax.dynamic_slice(column, (k * m,), (m,)), 0) * length
            h = h.at[(k + 1) * m, (k + 1) * m - 1].set(new[m, m - 1])  # out of the matrix after the last cycle
            return k + 1, y + part @ basis[:m], basis[m], h, norm(part), closed

        return body

    def run(carry, f, most):
        def going(carry):
            return (carry[0] < most) & (carry[4] > target) & ~carry[5]

        return lax.while_loop(going, cycle(f, most * m), carry)

    first = min(cycles, NEAR)
    probe = jax.ShapeDtypeStruct((first * m, first * m), jnp.result_type(b, t))
    y = jnp.zeros(b.shape, jnp.result_type(b, jax.eval_shape(near, probe)))
    infinite = jnp.full((), jnp.inf, length.dtype)
    h = jnp.zeros((size, size), b.dtype)
    carry = (jnp.asarray(0), y, b / jnp.where(zero, 1, length), h, infinite, jnp.asarray(False))
    carry = run(carry, near, first)
    if cycles > first:
        carry = run(carry, far, cycles)
    return jnp.where(zero, 0, carry[1])
