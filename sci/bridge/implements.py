"""`implements`: a pure JAX body plus declared facts becomes a public function.

One call runs through `Bridge.__call__` below: bind, world, prepare, supports, convert, validate,
callables, compiled body, finish. Everything that SciPy's users expect and JAX does not give
(NumPy in and out, exceptions, result objects) happens here, once.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax._src.core import trace_state_clean  # has no public name

from sci.bridge import adaptive, cache, platform
from sci.bridge.cache import LRU
from sci.bridge.host import call_original
from sci.bridge.policy import current_policy, lost_backend
from sci.bridge.randomness import give_back
from sci.bridge.reasons import HostRoute, Reason
from sci.bridge.registry import Entry, Example, register
from sci.bridge.signature import Binder, public_signature
from sci.bridge.worlds import (
    PLAIN_TYPES,
    RULES,
    all_finite,
    double_precision,
    is_jax,
    to_jax_world,
    to_numpy_world,
    unchanged,
    writable,
)

__all__ = ["Call", "implements"]

#: Compiled bodies: one `jax.jit` object per function, static values and traced callables.
_compiled = LRU(1024)

_tree_flatten = jax.tree_util.tree_flatten
_tree_unflatten = jax.tree_util.tree_unflatten
_tree_structure = jax.tree_util.tree_structure


class Call(dict):
    """The bound arguments of one call, by name.

    Attributes
    ----------
    numpy : bool
        Whether the call is in the NumPy world (values may be looked at).
    nested : bool
        Whether it runs inside somebody's trace.
    args, kwargs : tuple, dict
        As the user gave them.
    borrowed : sequence of pairs
        The user's random generators, and the duplicates drawn from so far (`sci.bridge.randomness`).
    """

    __slots__ = ("args", "borrowed", "kwargs", "nested", "numpy")
    args: tuple[Any, ...]
    borrowed: Sequence[tuple[Any, Any]]
    nested: bool
    kwargs: Mapping[str, Any]
    numpy: bool


#: Modules whose work is done by LAPACK and matrix products: compiling costs more than slow elementwise code.
_IN_LAPACK = ("scipy.linalg.", "scipy.sparse.linalg.")
_LONG = 100_000

_FROZEN = frozenset({str, int, bool, type(None), np.dtype})


def freeze(value: Any) -> Any:
    """A hashable equivalent of a static argument."""
    if isinstance(value, (str, int, float, type(None), type, np.dtype)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return freeze(value.tolist())
    if isinstance(value, (list, tuple)):
        return tuple([v if type(v) in _FROZEN else freeze(v) for v in value])
    if isinstance(value, dict):
        return tuple((k, freeze(v)) for k, v in value.items())
    return value


def _elementwise(values: list[Any]) -> bool:
    """Whether a call of linear algebra is one of long elementwise loops: stacks of matrices, long vectors."""
    for value in values:
        dimensions = getattr(value, "ndim", 0)
        if dimensions > 2 or (dimensions == 1 and value.size > _LONG):
            return True
    return False


class Bridge:
    """The declared facts of one function, and how a call of it runs."""

    def __init__(
        self,
        name: str,
        body: Callable[..., Any],
        *,
        static: Iterable[str],
        ignored: Iterable[str],
        callables: Mapping[str, Callable[[Call], tuple[Any, ...]]],
        trees: Iterable[str],
        dtypes: Mapping[str, str] | str,
        out: str | None,
        prepare: Callable[[Call], None] | None,
        supports: Callable[[Call], Any] | None,
        validate: Callable[[Call], None] | None,
        finite: Iterable[str],
        finish: Callable[[Call, Any], Any] | None,
        finish_jax: Callable[[Call, Any], Any] | None,
        drive: Callable[[Call, Callable[..., Any]], Any] | None,
        extras: Mapping[str, Any],
        quick: bool = False,
        signature: inspect.Signature | None = None,
    ) -> None:
        self.name = name
        self.quick = bool(callables) or quick
        self.lapack = name.startswith(_IN_LAPACK)
        self.body = body
        self.original = _resolve(name)
        self.signature = public_signature(self.original, body, extras, signature)
        self.bind = Binder(self.signature)
        self.extra_names = frozenset(extras)
        needed = list(inspect.signature(body).parameters)
        self.static = tuple(n for n in needed if n in set(static))
        self.callables = dict(callables)
        self.trees = frozenset(trees)
        self.dynamic = tuple(n for n in needed if n not in self.static)
        self.structured = tuple(n for n in self.dynamic if n in self.callables or n in self.trees)
        rules = dict.fromkeys(self.dynamic, dtypes if isinstance(dtypes, str) else "inexact")
        if not isinstance(dtypes, str):
            rules |= dtypes
        if wrong := [r for r in rules.values() if r not in RULES]:
            raise ValueError(f"{name}: dtype rule {wrong[0]!r}; allowed are {RULES}")
        self.rules = rules
        #: name, dtypes that are taken as they are, whether it is a tree
        self.conversions = tuple(
            (n, unchanged(rules[n]), n in self.trees) for n in self.dynamic if n not in self.callables
        )
        self.out = out
        self.prepare, self.supports, self.validate = prepare, supports, validate
        self.finite = tuple(finite)
        self.finish, self.finish_jax, self.drive = finish, finish_jax, drive
        self.flags = tuple(n for n in self.signature.parameters if n.startswith("overwrite_") or n == "check_finite")
        self._check_complete(set(needed) | set(ignored), prepare)

    def _check_complete(self, handled: set[str], prepare: Any) -> None:
        # Without `prepare`, a parameter that nothing reads would be dropped in silence.
        if prepare is None:
            missing = set(self.signature.parameters) - handled - {self.out, "check_finite"}
            if missing:
                raise ValueError(f"{self.name}: parameters {sorted(missing)} are neither used nor declared ignored")

    # --- one call ----------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if current_policy() == "adaptive":
            return adaptive.call(self, args, kwargs)
        return self.run(args, kwargs)

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """One call on JAX, or on the original where a declared fact or the policy `host` says so."""
        call = self._bound(args, kwargs)
        if call.numpy and current_policy() == "host":
            return call_original(self, call, Reason.FORKED if lost_backend() else Reason.POLICY)
        try:
            target = self._prepared(call)
            dynamic = self._arguments(call)
            if self.validate is not None:
                self.validate(call)
        except HostRoute as route:
            return call_original(self, call, route.reason, route.detail)
        if call.borrowed:
            give_back(call)
        if not call.numpy:
            result = self._run(call, dynamic)
            if self.finish_jax is not None:
                result = self.finish_jax(call, result)
            return result
        if self.finite and call.get("check_finite", True):
            self._check_finite(call)
        if self.drive is not None:
            result = self.drive(call, functools.partial(self._rerun, call))
        else:
            result = self._run_numpy(call, dynamic)
            if self.finish is not None:
                result = self.finish(call, result)
        return result if target is None else _fill(self.out, target, result)

    def _call(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], numpy: bool, nested: bool, borrowed: Sequence[Any] = ()
    ) -> Call:
        call = Call()
        self.bind(args, kwargs, call)
        call.args, call.kwargs, call.numpy, call.nested, call.borrowed = args, kwargs, numpy, nested, borrowed
        return call

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        call = self._call(args, kwargs, numpy=True, nested=False)
        for name in self.flags:
            if type(call[name]) is not bool and not isinstance(call[name], (int, np.bool_, type(None))):
                raise TypeError(f"{self.name}: {name} is {call[name]!r}; allowed are True and False")
        # `fun` may close over a tracer: seen when it has been traced, in `_arguments`
        for value in call.values():
            if type(value) not in PLAIN_TYPES and is_jax(value):
                call.numpy = False
                break
        return call

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Call, list[Any]]:
        """The steps of a NumPy-world call before its compiled body. HostRoute if that does not take it."""
        call = self._bound(args, kwargs)
        self._prepared(call)
        dynamic = self._arguments(call)
        if self.validate is not None:
            self.validate(call)
        return call, dynamic

    def nested(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        """A JAX-world call inside a trace: its arrays converted, its functions untouched. HostRoute as above."""
        call = self._call(args, kwargs, numpy=False, nested=True)
        self._prepared(call)
        self._convert_arrays(call)
        give_back(call)
        return call

    def within(self, outer: Call, *args: Any, **kwargs: Any) -> Call:
        """The prepared arguments of a call that is a part of another function's: its body takes them over."""
        call = self._call(args, kwargs, outer.numpy, outer.nested, outer.borrowed)
        self._prepared(call)
        outer.borrowed = call.borrowed
        return call

    def warm(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Compile for a call, and run the body once; nothing is raised or warned about values."""
        self._run_numpy(*self.arguments(args, kwargs))

    def resolve(self) -> Callable[..., Any]:
        """The original, imported now where it is optional (scikit-image, OpenCV)."""
        if self.original is None:
            module, _, attribute = self.name.rpartition(".")
            self.original = getattr(importlib.import_module(module), attribute)
        return self.original

    def _prepared(self, call: Call) -> np.ndarray | None:
        """Run `prepare` and `supports`; returns the array given as ``out=``, if any."""
        target = None
        if self.out is not None:
            target = call[self.out]
            if isinstance(target, tuple) and len(target) == 1:
                target = target[0]
            if isinstance(target, tuple):
                raise HostRoute(Reason.OPTION, f"{self.out}= with several arrays")
            if isinstance(target, np.ndarray):
                call[self.out] = target.dtype
            elif target is not None:
                target, call[self.out] = None, np.dtype(target)
        if self.prepare is not None:
            self.prepare(call)
        if self.supports is not None:
            refusal = self.supports(call)
            if refusal is not None:
                raise HostRoute(*refusal) if isinstance(refusal, tuple) else HostRoute(refusal)
        return target

    def _arguments(self, call: Call) -> list[Any]:
        """Convert the dynamic arguments, callables last: their examples need the arrays."""
        self._convert_arrays(call)
        for name, examples in self.callables.items():
            call[name] = _traced(call[name], examples, call)
            if call.numpy and any(isinstance(x, jax.Array) for x in jax.tree_util.tree_leaves(call[name])):
                # the closure holds JAX values: the call belongs to the JAX world after all
                call.numpy = False
        return [call[name] for name in self.dynamic]

    def _convert_arrays(self, call: Call) -> None:
        numpy = call.numpy
        for name, same, tree in self.conversions:
            value = call[name]
            if not (numpy and not tree and type(value) is np.ndarray and value.dtype in same):
                call[name] = self._converted(name, value, numpy)

    def _converted(self, name: str, value: Any, numpy: bool) -> Any:
        convert = to_numpy_world if numpy else to_jax_world
        rule = self.rules[name]
        if name not in self.trees:
            return convert(name, value, rule)
        leaves, tree = _tree_flatten(value)
        return _tree_unflatten(tree, [convert(name, leaf, rule) for leaf in leaves])

    def _check_finite(self, call: Call) -> None:
        for name in self.finite:
            value = call[name]
            if value is not None and not all_finite(value):
                raise ValueError(f"array must not contain infs or NaNs: argument {name!r} of {self.name}")

    # --- compiled body -----------------------------------------------------------------------

    def _run(self, call: Call, dynamic: list[Any]) -> Any:
        static = tuple([v if type(v := call[name]) in _FROZEN else freeze(v) for name in self.static])
        # one `jax.jit` for each precision: shared, its fast path can hand float32 to a float64 program (jax 0.10)
        x64 = call.numpy or jax.config.jax_enable_x64  # type: ignore[attr-defined]
        # with the types: 1, 1.0 and True are equal, and may give results of different types
        key: tuple[Any, ...] = (self.name, static, tuple([type(v) for v in static]), x64)
        options = None
        if self.structured:
            # A `jax.jit` for each structure: JAX's comparison does not tell apart dataclasses with equal fields, only
            # its hash does (jax 0.10 to 0.12). A dict compares all of the hash first, the cache of a jit seven bits.
            key += tuple([_tree_structure(call[name]) for name in self.structured])
        if call.numpy and not call.nested and (self.quick or (self.lapack and not _elementwise(dynamic))):
            options = platform.quick_options()  # JAX takes compiler options at the top level only
            key += (True,)
        if cache.crowded:
            cache.make_room()
        try:
            compiled = _compiled.get_or_make(key, lambda: self._compile(static, options))
        except TypeError as error:
            if "unhashable" not in str(error):
                raise
            raise TypeError(f"{self.name}: an option has a value that cannot be hashed: {static!r}") from None
        return compiled(*dynamic)

    def _compile(self, static: tuple[Any, ...], options: Any) -> Callable[..., Any]:
        platform.ensure_ready()
        body, names, fixed = self.body, self.dynamic, dict(zip(self.static, static, strict=True))

        def run(*values: Any) -> Any:
            return body(**dict(zip(names, values, strict=True)), **fixed)

        run.__name__ = run.__qualname__ = body.__name__
        return jax.jit(run, compiler_options=options)

    def _run_numpy(self, call: Call, dynamic: list[Any]) -> Any:
        call.nested = not trace_state_clean()
        if call.nested:  # a NumPy-world call inside somebody's jit: its numbers are known now
            with double_precision(), jax.ensure_compile_time_eval():
                out = self._run(call, dynamic)
        else:
            with double_precision():
                out = self._run(call, dynamic)
        if type(out).__module__.startswith("jaxlib"):  # one array: the common case, kept short
            return writable([out], dynamic)[0]
        leaves, tree = _tree_flatten(out)
        return _tree_unflatten(tree, writable(leaves, dynamic))

    def _rerun(self, call: Call, **overrides: Any) -> Any:
        for name, value in overrides.items():
            call[name] = (
                self._converted(name, value, True) if name in self.rules and name not in self.callables else value
            )
        return self._run_numpy(call, [call[name] for name in self.dynamic])


def _traced(fun: Any, examples: Callable[[Call], tuple[Any, ...]], call: Call) -> Any:
    """A user callable as a pytree-callable; HostRoute if it cannot be traced."""
    if fun is None:
        return None
    from sci.bridge.tracing import TraceError, to_jax

    try:
        if call.numpy:
            with double_precision():
                return to_jax(fun, *examples(call))
        return to_jax(fun, *examples(call))
    except TraceError as error:
        raise HostRoute(Reason.UNTRACEABLE, str(error)) from None


def _fill(name: str | None, target: np.ndarray, result: Any) -> np.ndarray:
    if np.shape(result) != target.shape:
        raise RuntimeError(f"{name} has shape {target.shape}, the result has shape {np.shape(result)}")
    target[...] = result
    return target


def _resolve(name: str) -> Any:
    """The original's object under a public dotted name, or None where its package is not installed."""
    module, _, attribute = name.rpartition(".")
    if module.partition(".")[0] != "scipy":
        return None  # scikit-image and OpenCV are optional and slow to import: resolved when needed
    return getattr(importlib.import_module(module), attribute)


def implements(
    name: str,
    *,
    static: Iterable[str] = (),
    ignored: Iterable[str] = (),
    callables: Mapping[str, Callable[[Call], tuple[Any, ...]]] | None = None,
    trees: Iterable[str] = (),
    dtypes: Mapping[str, str] | str = "inexact",
    out: str | None = None,
    prepare: Callable[[Call], None] | None = None,
    supports: Callable[[Call], Any] | None = None,
    validate: Callable[[Call], None] | None = None,
    finite: Iterable[str] = (),
    finish: Callable[[Call, Any], Any] | None = None,
    finish_jax: Callable[[Call, Any], Any] | None = None,
    drive: Callable[[Call, Callable[..., Any]], Any] | None = None,
    extras: Mapping[str, Any] | None = None,
    quick: bool = False,
    signature: inspect.Signature | None = None,
    examples: Callable[[], list[Example]] | None = None,
    jit: bool = True,
    vmap: bool = True,
    grad: bool = True,
    note: str = "",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a pure body as our version of a public function of SciPy, scikit-image or OpenCV.

    Parameters
    ----------
    name : str
        Public dotted name of the original.
    static : iterable of str
        Parameters of the body that are compile-time constants.
    ignored : iterable of str
        Parameters of the original without meaning here: accepted and dropped.
    callables : mapping
        User callables among the body's parameters -> ``examples(call)``, example arguments.
    trees : iterable of str
        Parameters that are pytrees of arrays (``args``, tuples of weights) rather than array-likes.
    dtypes : mapping or str
        Rule per parameter: ``inexact`` (integers become float64), ``float`` (as inexact, complex
        goes to the host), ``keep``.
    out : str, optional
        Name of the parameter that takes an output array or dtype.
    prepare, supports, validate : callable, optional
        Steps on the `Call`, in this order; see CONTRIBUTING.md.
    finite : iterable of str
        Arguments that must be finite in the NumPy world.
    finish, finish_jax, drive : callable, optional
        How the body's output becomes the result.
    extras : mapping, optional
        Our keyword-only parameters and their defaults.
    quick : bool
        Whether the NumPy world's programs are compiled the quicker way, whose elementwise loops may be slower
        (`platform.quick_options`): measure both. Those with callables always are, and those of the linear algebra
        modules where neither stacks of matrices nor long vectors come in.
    signature : inspect.Signature, optional
        For originals whose own signature Python cannot read.
    examples : callable, optional
        Returns the example calls that drive the contract tests.
    jit, vmap, grad : bool
        Capabilities, for the coverage table.
    note : str
        For which arguments it goes to the host.

    Returns
    -------
    callable
        A decorator that returns the public function.
    """

    def decorate(body: Callable[..., Any]) -> Callable[..., Any]:
        bridge = Bridge(
            name, body, static=static, ignored=ignored, callables=callables or {}, trees=trees, dtypes=dtypes,
            out=out, prepare=prepare, supports=supports, validate=validate, finite=finite, finish=finish,
            finish_jax=finish_jax, drive=drive, extras=extras or {}, quick=quick, signature=signature,
        )  # fmt: skip

        def function(*args: Any, **kwargs: Any) -> Any:
            return bridge(*args, **kwargs)

        short = name.rpartition(".")[2]
        function.__name__ = function.__qualname__ = short
        function.__module__ = _public_module(name, body.__module__)
        function.__doc__ = _docstring(name, bridge.original, body, note)
        function.__signature__ = bridge.signature  # type: ignore[attr-defined]
        function.__sci__ = bridge  # type: ignore[attr-defined]
        register(Entry(name, function, bridge.original, examples, jit, vmap, grad, note, bridge))
        return function

    return decorate


def _public_module(name: str, module: str) -> str:
    """Where users and pickle find the function: ``scipy.linalg.lu`` -> ``sci.linalg``, else the body's package."""
    if name.startswith("scipy."):
        return "sci" + name.rpartition(".")[0].removeprefix("scipy")
    return ".".join(module.split(".")[:2])


def _docstring(name: str, original: Any, body: Callable[..., Any], note: str) -> str:
    own = inspect.getdoc(body) or ""
    theirs = (inspect.getdoc(original) or "").strip() if original is not None else ""
    summary = next((p.strip() for p in theirs.split("\n\n") if p.strip() and "(" not in p.split(" ")[0]), "")
    head, _, rest = own.partition("\n\n")
    parts = [
        head or " ".join(summary.split()),
        f"The JAX version of `{name}`, with its parameters and results.",
        rest,
    ]
    if note:
        parts.append(f"Notes\n-----\nOn the original library: {note}")
    return "\n\n".join(p for p in parts if p)
