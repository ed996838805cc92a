"""is_sptriangular and spbandwidth: SciPy's answers in every format."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import sparse as jax_sparse
from scipy import sparse
from scipy.sparse import linalg as original

import sci
from sci.sparse import linalg

DENSE = np.array([[3.0, 0.0, 0.0, 0.0], [1.0, -1.0, 2.0, 0.0], [2.0, 0.0, 1.0, 0.0]])
PATTERNS = [DENSE, np.tril(DENSE), np.triu(DENSE), np.eye(3), DENSE.T, np.eye(4, 6, k=2)]


@pytest.mark.parametrize("form", ["csc", "csr", "coo", "dia", "dok", "lil", "bsr", "dense"])
@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")
def test_structure(form):
    sci.clear_fallbacks()
    for dense in PATTERNS:
        a = dense if form == "dense" else sparse.csr_array(dense).asformat(form)
        for name in ("is_sptriangular", "spbandwidth"):
            ours, theirs = (getattr(m, name)(a) for m in (linalg, original))
            assert tuple(ours) == tuple(theirs) and {type(v) for v in ours} in ({bool}, {int})
    assert not sci.fallbacks()


def test_structure_warns_and_goes_to_the_host():
    with pytest.warns(sparse.SparseEfficiencyWarning):
        linalg.spbandwidth(sparse.bsr_array(np.eye(4)))
    with pytest.warns(sci.FallbackWarning):
        assert linalg.is_sptriangular(sparse.csr_array((3, 3))) == (True, True)


def test_structure_of_jax_matrices():
    a = jax_sparse.BCOO.fromdense(jnp.asarray(DENSE), nse=9)  # with padding
    assert [int(v) for v in jax.jit(linalg.spbandwidth)(a)] == [2, 1]
    lower, upper = jax.jit(linalg.is_sptriangular)(a)
    assert not lower and not upper
    with pytest.raises(ValueError, match="BCOO"):
        linalg.spbandwidth(jax_sparse.BCSR.fromdense(jnp.eye(3)))
