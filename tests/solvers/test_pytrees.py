"""Two classes with the same fields are never taken for one another, by JAX's caches or by ours."""

import dataclasses
import itertools

import jax

import solvers
from sci.bridge.implements import Bridge, _compiled
from solvers import scalar
from solvers.iterate import split
from solvers.pytrees import pytree_dataclass
from solvers.roots import QuasiNewton
from solvers.roots.approximations import Broyden1, Broyden2


def scaled(register, factor):
    @register
    @dataclasses.dataclass(frozen=True)
    class Scaled:
        x: float = 1.0

        def value(self):
            return self.x * factor

    return Scaled()


def test_structures_know_their_class():
    one, other = (jax.tree.structure(scaled(pytree_dataclass, k)) for k in range(2))
    assert one != other


def test_engines_tell_anybodys_classes_apart():
    # jax.jit would run the first program for about one in a hundred of the others
    traced, static = zip(*(split_static(scaled(jax.tree_util.register_dataclass, k)) for k in range(2)), strict=True)
    assert traced[0] == traced[1] and static[0] != static[1]


def split_static(node):
    traced, join = split(node)
    return traced, join.args[0]


def test_scipy_names_tell_anybodys_classes_apart():
    facts = {"static": (), "ignored": (), "finite": (), "callables": {}, "extras": {}, "dtypes": {"x": "keep"}}
    facts |= dict.fromkeys(("out", "prepare", "supports", "validate", "finish", "finish_jax", "drive"))
    bridge = Bridge("scipy.optimize.rosen", lambda x: x.value(), trees=("x",), **facts)
    before = len(_compiled)
    nodes = [scaled(jax.tree_util.register_dataclass, k) for k in range(2)]
    assert [float(bridge.run((node,), {})) for node in nodes] == [0.0, 1.0]
    assert len(_compiled) == before + 2  # each has a jit of its own


def test_structures_of_solvers_differ():
    bracketing = [getattr(scalar, name)() for name in ("Bisect", "Ridder", "Brent")]
    for one, other in itertools.combinations(bracketing, 2):
        assert jax.tree.structure(one) != jax.tree.structure(other)
    one, other = (jax.tree.structure(QuasiNewton(approximation=kind())) for kind in (Broyden1, Broyden2))
    assert one != other


def test_a_pytree_dataclass_has_static_fields_and_paths():
    node = solvers.roots.QuasiNewton(f_tol=1e-3, search=False)
    assert jax.tree.map(lambda x: x, node) == node
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(node)]
    assert ".f_tol" in paths and ".search" not in paths
    assert jax.tree.structure(node) != jax.tree.structure(dataclasses.replace(node, search=True))
