"""The tape: operations recorded while a clone of the user's function runs on witness values.

One `Recorder` is one run of the function along one path. Branches on computed values ask
`Recorder.decide`, which follows a prescribed prefix of answers and then the witness; the driver
(`record`) starts new runs until both answers of every decision have been explored.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np

from .errors import TraceError, TraceReason, error_at, user_frame

MAX_PATHS = 64
MAX_NODES = 12_000
_local = threading.local()


class Node:
    """One operation: ``fn(*inputs)`` gives an array of ``shape`` and ``dtype`` (NumPy's own)."""

    __slots__ = ("dtype", "fn", "ins", "phi", "place", "safe", "shape", "value")

    def __init__(self, fn, ins, shape, dtype, place, safe=False, value=None):
        self.fn, self.ins, self.shape, self.dtype = fn, ins, shape, dtype
        self.place, self.safe, self.value = place, safe, value
        self.phi = None  # (node if true, node if false) of a choice; its input is the condition


@dataclass
class Decision:
    """A branch taken at node position ``position`` on the truth of node ``cond``."""

    position: int
    cond: int
    taken: bool
    witness: bool  # what the witness says
    place: tuple


class Unmergeable(BaseException):
    """A call cannot be merged: it must be recorded as part of its caller. Its arguments say why."""


@dataclass
class Scope:
    """Decisions of a call that is being merged."""

    prefix: tuple
    start: int
    decisions: list = field(default_factory=list)
    broken: bool = False


@dataclass
class Run:
    """Everything recorded along one path."""

    nodes: list
    decisions: list
    outcome: object = None
    nan_only: bool = False
    failed: bool = False
    tolerance: float = 0.0  # relative agreement to expect where an iterative solver was called


@dataclass
class Recorder:
    """State of one run; the current one is thread-local."""

    prefix: tuple = ()
    nodes: list = field(default_factory=list)
    decisions: list = field(default_factory=list)
    memo: dict = field(default_factory=dict)
    answers: dict = field(default_factory=dict)
    relations: dict = field(default_factory=dict)
    compared: dict = field(default_factory=dict)
    refusal: TraceError | None = None
    scopes: list = field(default_factory=list)
    serial: int = 0
    nan_only: bool = False
    implicit: BaseException | None = None
    refusals: int = 0
    known: dict = field(default_factory=dict)  # witness of a node: inputs and results of solvers
    tolerance: float = 0.0

    def add(self, fn, ins, shape, dtype, safe=False, key=None):
        """Append a node and return its number; equal ``key`` means the same node."""
        if key is not None:
            found = self.memo.get(key)
            if found is not None:
                return found
        nodes = self.nodes
        if len(nodes) >= MAX_NODES:
            refuse(TraceReason.SIZE, f"more than {MAX_NODES} operations", "use array operations, not loops")
        number = len(nodes)
        nodes.append(Node(fn, ins, shape, dtype, user_frame(2), safe))
        if key is not None:
            self.memo[key] = number
        return number

    def constant(self, value):
        """Node of a constant; scalars are shared."""
        array = np.asarray(value)
        key = None
        if array.ndim == 0:
            key = ("const", array.dtype.char, array.tobytes())
            found = self.memo.get(key)
            if found is not None:
                return found
        number = self.add(None, (), array.shape, array.dtype, True, key)
        self.nodes[number].value = array.copy()
        return number

    def phi(self, cond, sides, shape, dtype):
        """Node that is the first of ``sides`` where ``cond`` holds, else the second."""
        key = ("phi", cond, sides)
        number = self.add(None, (cond,), shape, dtype, False, key)
        self.nodes[number].phi = sides
        return number

    def unmergeable(self, reason, detail, born=None):
        """Give up merging; remembered, in case user code swallows the exception.

        The scopes that began after ``born`` are broken, or the innermost.
        """
        for scope in self.scopes[-1:] if born is None else self.scopes:
            scope.broken = scope.broken or born is None or born <= scope.start
        raise Unmergeable(reason, detail)

    def mark(self):
        """State that a merged call must leave as it was."""
        return dict(self.answers), dict(self.relations), self.nan_only, self.implicit

    def reset(self, mark):
        self.answers, self.relations = dict(mark[0]), dict(mark[1])
        self.nan_only, self.implicit = mark[2], mark[3]

    # -- branches ---------------------------------------------------------------------------

    def note_comparison(self, number, left, right, truth, ordered):
        """Remember that node ``number`` is true for the relations ``truth`` of left and right."""
        if left > right:
            left, right = right, left
            truth = frozenset({"<": ">", ">": "<"}.get(r, r) for r in truth)
        self.compared[number] = (left, right, truth, ordered)

    def decide(self, cond, witness):
        """Which way to go at a branch on node ``cond``."""
        known = self.answers.get(cond)
        if known is not None:
            return known
        relation = self.compared.get(cond)
        if relation is not None:
            left, right, truth, ordered = relation
            allowed = self.relations.get((left, right)) or frozenset("<=>" if ordered else "<=>u")
            if allowed <= truth or not allowed & truth:
                self.answers[cond] = allowed <= truth
                return self.answers[cond]
        scope = self.scopes[-1] if self.scopes else self
        position = len(scope.decisions)
        if position >= MAX_PATHS:
            if self.scopes:
                self.unmergeable(TraceReason.LOOP, f"more than {MAX_PATHS} decisions in one call")
            refuse(
                TraceReason.LOOP,
                f"more than {MAX_PATHS} decisions in one call",
                "bound the loop by a constant number of passes, or use np.where",
            )
        forced = position < len(scope.prefix)
        taken = scope.prefix[position] if forced else bool(witness)
        scope.decisions.append(Decision(len(self.nodes), cond, taken, bool(witness), user_frame(2)))
        self.answers[cond] = taken
        if relation is not None:
            now = allowed & truth if taken else allowed - truth
            self.relations[(left, right)] = now
            if now == frozenset("u"):
                self.nan_only = True
        return taken


def current():
    """The recorder of this thread."""
    recorder = getattr(_local, "recorder", None)
    if recorder is None:
        raise TraceError(TraceReason.OUTSIDE_WRITE, "a traced value outlived the call that made it")
    return recorder


def current_or_none():
    """The recorder of this thread, if a trace is being recorded."""
    return getattr(_local, "recorder", None)


def refuse(reason, detail="", hint=""):
    """Raise the TraceError for the current line and remember it, in case user code swallows it."""
    refuse_with(error_at(user_frame(2), reason, detail, hint))


def refuse_with(error):
    """Raise a TraceError and remember it."""
    recorder = getattr(_local, "recorder", None)
    if recorder is not None:
        recorder.refusals += 1
        if recorder.refusal is None:
            recorder.refusal = error
        if recorder.refusals > 200:  # a loop that swallows everything must still end
            raise KeyboardInterrupt("sci.to_jax: the traced function swallows exceptions for ever")
    raise error


def record(start):
    """Explore all paths of ``start``.

    Parameters
    ----------
    start : callable
        ``start(recorder)`` makes the inputs and the clone, and returns (call, finish): ``call()``
        runs the clone, ``finish(result)`` turns the result into the outcome of the path.

    Returns
    -------
    list of Run
    """
    runs, pending = [], [()]
    while pending:
        prefix = pending.pop()
        run = _run(start, prefix)
        runs.append(run)
        for i in range(len(prefix), len(run.decisions)):
            pending.append((*(d.taken for d in run.decisions[:i]), not run.decisions[i].taken))
        if len(runs) + len(pending) > MAX_PATHS:
            place = run.decisions[-1].place if run.decisions else (None, None)
            hint = "use np.where, or bound the loop"
            same = {d.place for d in run.decisions}
            reason = TraceReason.LOOP if len(same) == 1 else TraceReason.BRANCHES
            raise error_at(place, reason, f"more than {MAX_PATHS} paths", hint)
    return runs


def _run(start, prefix):
    recorder = Recorder(prefix)
    outer = getattr(_local, "recorder", None)
    _local.recorder = recorder
    run = Run(recorder.nodes, recorder.decisions)
    try:
        with np.errstate(all="ignore"):
            call, finish = start(recorder)
            try:
                run.outcome = finish(call())
            except TraceError as error:
                raise recorder.refusal or error from None
            except BaseException as error:
                if recorder.refusal is not None:
                    raise recorder.refusal from None
                if isinstance(error, (KeyboardInterrupt, GeneratorExit)):
                    raise
                run.failed = True
                if not recorder.nan_only and error is not recorder.implicit:
                    raise _raised(error, recorder) from error
            if recorder.refusal is not None:
                raise recorder.refusal
    finally:
        _local.recorder = outer
    run.nan_only, run.tolerance = recorder.nan_only, recorder.tolerance
    return run


def _raised(error, recorder):
    trace, place = error.__traceback__, (None, None)
    from .errors import _HERE

    while trace is not None:
        code = trace.tb_frame.f_code
        name = trace.tb_frame.f_globals.get("__name__") or ""
        if not code.co_filename.startswith(_HERE) and name.partition(".")[0] not in ("numpy", "jax", "scipy"):
            place = (code, trace.tb_lineno)
        trace = trace.tb_next
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return error_at(place, TraceReason.RAISES, message[:300], "return np.nan there, or use np.where")
