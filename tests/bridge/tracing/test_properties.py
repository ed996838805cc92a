"""Random programs: expressions, writes, branches and loops, generated as source and run both ways."""

import jax
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sci.bridge.tracing import TraceError, interp, to_jax
from sci.bridge.tracing.verify import difference

N = 4
UNARY = [
    "np.sin({})",
    "np.tanh({})",
    "np.abs({})",
    "-({})",
    "np.exp(-np.abs({}))",
    "np.sqrt(np.abs({}) + 0.1)",
    "np.floor({})",
    "np.sign({})",
    "np.cumsum({})",
    "np.sort({})",
    "({})[::-1]",
    "np.roll({}, 1)",
    "np.round({}, 1)",
    "({}).copy()",
    "np.where({0} > 0, {0}, 0.5)",
    "({0}) * ({0}).mean()",
    "np.clip({}, -0.5, 0.7)",
    "np.concatenate([({0})[1:], ({0})[:1]])",
    "np.array([v * 2 for v in {}])",
    "np.diff({}, prepend=0.0)",
    "np.outer({0}, {0}).sum(axis=1)",
    "({}).astype(np.float32)",
    "np.maximum.accumulate({})",
    "np.log1p(({})**2)",
    "(np.arange(4) * ({}))",
    "({0})[np.argsort({0})]",
    "np.reshape({}, (2, 2)).T.ravel()",
]
BINARY = [
    "({} + {})",
    "({} - {})",
    "({} * {})",
    "({} / (2.5 + np.abs({})))",
    "np.maximum({}, {})",
    "np.hypot({}, {})",
    "np.arctan2({}, {})",
    "({} % (0.7 + np.abs({})))",
    "({} // (0.7 + np.abs({})))",
    "np.minimum({}, {})",
    "np.copysign({}, {})",
    "np.where({} > {}, 1.5, -0.5)",
    "np.interp({}, np.linspace(-2, 2, 4), {})",
]
ATOMS = ["y", "a", "0.5", "y[0]", "t", "np.ones(4)", "k", "(y > 0)", "np.arange(4)"]


def arrays(depth):
    atom = st.sampled_from(ATOMS).map(lambda s: f"(y * 0 + {s})")
    if depth == 0:
        return atom
    inner = arrays(depth - 1)
    one = st.tuples(st.sampled_from(UNARY), inner).map(lambda p: p[0].format(p[1]))
    two = st.tuples(st.sampled_from(BINARY), inner, inner).map(lambda p: p[0].format(p[1], p[2]))
    return st.one_of(atom, one, two)


INDEX = st.sampled_from(["0", "-1", "1:3", "::2", "::-1", "[0, 2]", "z > 0", "[1, 1]", ":"])
SCALAR = st.sampled_from(["t", "y[1]", "k", "z.sum()", "2", "z[0] * y[2]", "float(y[3])", "max(y[0], z[1])"])
CONDITION = st.sampled_from(["y[0] > 0.2", "z.sum() > t", "y[1] < y[2] < 2", "t > 0 and z[0] > 0",
                             "not y[3] > 0", "any(v > 1 for v in z)", "np.all(z > -3)", "z[0] == z[1]",
                             "z[1] > 0 or y[1] > 0"])  # fmt: skip


@st.composite
def statements(draw, depth):
    kind = draw(st.sampled_from(["set", "put", "add", "view", "if", "for", "row"]))
    if kind == "set":
        return [f"z = {draw(arrays(2))} + z"]
    if kind == "put":
        return [f"z[{draw(INDEX)}] = {draw(SCALAR)}"]
    if kind == "add":
        return [f"z[{draw(INDEX)}] {draw(st.sampled_from(['+=', '*=', '-=']))} {draw(SCALAR)}"]
    if kind == "view":
        return ["v = z[1:]", f"v[{draw(st.sampled_from(['0', ':2', '::-1']))}] = {draw(SCALAR)}", "v += z[:3]"]
    if kind == "row":
        return ["m = np.zeros((2, 4))", "m[1] = z", f"m[:, 1] += {draw(SCALAR)}", "z = m[1] + m[0]"]
    if depth == 0:
        return ["z = z * 0.5"]
    body = ["    " + line for line in draw(statements(depth - 1))]
    if kind == "if":
        other = ["    " + line for line in draw(statements(depth - 1))]
        return [f"if {draw(CONDITION)}:", *body, "else:", *other]
    return ["for i in range(3):", *body, f"    if {draw(CONDITION)} and i > 0:", "        break"]


@st.composite
def programs(draw):
    lines = ["z = y.astype(float) + a * 0"]
    for _ in range(draw(st.integers(1, 4))):
        lines += draw(statements(1))
    lines.append("return " + draw(st.sampled_from(["z", "[z, z.sum()]", "z[0] if z[1] > 0 else z[2]", "(z, t)"])))
    return "def f(t, y):\n" + "\n".join("    " + line for line in lines)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(programs(), st.lists(st.floats(-2, 2).map(lambda v: round(v, 3)), min_size=N, max_size=N))
def test_random_program(source, other):
    space = {"np": np, "k": 1.25, "a": np.array([0.5, -1.0, 2.0, 0.25])}
    exec(source, space)
    f, y = space["f"], np.array([0.31, -0.72, 0.23, 1.4])
    try:
        traced = to_jax(f, 0.9, y)
    except TraceError as error:
        assert error.reason.name in ("BRANCHES", "LOOP", "SIZE"), f"{error}\n{source}"
        return
    program = traced._entry.programs.values()[0]
    for t, point in ((0.9, y), (0.4, np.array(other)), (-1.1, -y)):
        with np.errstate(all="ignore"):
            want = [np.asarray(v) for v in jax.tree_util.tree_leaves(f(t, point.copy()))]
            leaves = [*traced._leaves, np.float64(t), point]
            with jax.enable_x64(True):
                got = interp.evaluate(program.jaxpr.jaxpr, program.jaxpr.consts, leaves)
        for a, b in zip(want, got, strict=True):
            assert difference(a, b, False, program.single) == "", source


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(programs())
def test_random_program_compiled(source):
    """The same through XLA, for a few."""
    space = {"np": np, "k": 1.25, "a": np.array([0.5, -1.0, 2.0, 0.25])}
    exec(source, space)
    f, y = space["f"], np.array([0.31, -0.72, 0.23, 1.4])
    try:
        traced = to_jax(f, 0.9, y)
    except TraceError:
        return
    with np.errstate(all="ignore"):
        want = jax.tree_util.tree_leaves(f(0.9, y.copy()))
    for a, b in zip(want, jax.tree_util.tree_leaves(traced(0.9, y)), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-6 if np.asarray(a).dtype == np.float32 else 1e-10, atol=1e-10)
