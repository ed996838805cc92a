"""Which order, which step size, and which family of formulas `lsoda` takes next.

References
----------
.. [1] L. Petzold, "Automatic Selection of Methods for Solving Stiff and Nonstiff Systems of Ordinary Differential
   Equations", SIAM J. Sci. Stat. Comput. 4, 1983.
.. [2] K. Radhakrishnan, A. C. Hindmarsh, "Description and Use of LSODE", LLNL report UCRL-ID-113855, 1993, Sec. 2.5.
"""

import jax.numpy as jnp
import numpy as np

#: How many times faster BDF must be to be worth its linear algebra.
RATIO = 5.0
#: Entries whose maximum is taken one by one.
FEW = 64
#: Divisors of the step sizes: at this order, the next, the one below (rejected and accepted), the other family.
_MARGINS = np.array([1.2, 1.4, 1.3, 1.3, 1.2])


def norm(x, weights):
    """Weighted maximum norm.

    Of long vectors by halves, which are compared entry by entry: four times as fast as one entry after the other, which
    is what a compiler has to make of a maximum.
    """
    x = jnp.abs(x) * weights
    while (n := x.shape[-1]) > FEW:
        half = (n + 1) // 2
        x = jnp.maximum(x[..., :half], x[..., n - half :])
    return jnp.max(x, axis=-1, initial=0)


def estimates(f, d, saved, top_before, top, other, weights):
    """Errors of the step with five formulas, and the factors of the step sizes at which they meet the tolerance.

    This formula; the order above; the one below after a rejected and after an accepted step; the other family. All in
    one batch: on the CPU five small computations cost five times as much. ``top``: the highest row of the Nordsieck
    array, before and after the correction ``d``; ``other``: the row that is the other family's error where the order
    is too high for it, the next term of Taylor's formula.
    """
    rows = jnp.stack([d, d - saved, top_before, top, jnp.where(f.high, other, d)])
    errors = norm(rows, weights) * f.scale
    return errors, 1 / (jnp.asarray(_MARGINS, errors.dtype) * (errors**f.exponent + 1e-6))


def other_family(f, order, stiff, errors, factors, reach, measured, limited, magnitude):
    """Whether the other family would take larger steps, and the factor of its step.

    ``reach``: step size times Lipschitz constant, ``measured`` for Adams if it is known; ``limited``: whether it
    limited the step; ``magnitude``: norm of the state.
    """
    eps = jnp.finfo(errors.dtype).eps
    here, there = factors[0], factors[4]
    adams, bdf = jnp.where(stiff, there, here), jnp.where(stiff, here, there)
    # functional iteration converges, and Adams formulas are stable, for short steps only
    adams = jnp.minimum(adams, jnp.where(reach * adams > 1e-5, f.adams / reach, 2 * adams))
    known = (errors[0] > 100 * magnitude * eps) & measured
    to_bdf = (order <= 5) & jnp.where(known, bdf >= RATIO * adams, limited)
    shrunk = jnp.maximum(1e-3, adams) ** f.exponent[4] * errors[4]
    to_adams = (adams * RATIO >= 5 * bdf) & (shrunk > 1000 * eps * magnitude)
    # polluted by rounding but limited by stability: BDF with twice the step
    return jnp.where(stiff, to_adams, to_bdf), jnp.where(stiff, adams, jnp.where(known, bdf, 2.0))


def best_order(f, order, stiff, factors, reach, accept, failed):
    """The order with the largest step, its factor, and whether an accepted step had better keep both."""
    reach = jnp.maximum(reach, 1e-6)
    same, up, down = factors[0], factors[1], jnp.where(accept, factors[3], factors[2])
    low, here, high = f.stable[0], f.stable[1], f.stable[2]
    up = jnp.where(accept & f.raisable, jnp.minimum(up, high / reach), 0)
    same = jnp.minimum(same, here / reach)
    down = jnp.where(order > 1, jnp.minimum(down, low / reach), 0)
    raised = (up > same) & (up > down)
    lowered = ~raised & ((same < down) | ((up > same) & (up <= down)))
    factor = jnp.where(raised, up, jnp.where(lowered, down, same))
    factor = jnp.where(~accept & lowered, jnp.minimum(factor, 1), factor)
    stable = jnp.where(lowered, low, here)
    # an Adams step at the border of stability changes even by a little
    free = ~raised & ~stiff & (factor * reach * 1.00001 >= stable)
    factor = jnp.where(failed >= 2, jnp.minimum(factor, 0.2), factor)
    return order + raised - lowered, factor, (factor < 1.1) & ~free
