"""The registry: what each public function of the original is here.

It is the spine of the library: the coverage table, the redirect map of the zero-change mode,
the API documentation and the contract tests are all read from it.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Entry", "Example", "REGISTRY", "entry_of", "jax_for", "load_all", "lookup", "register"]


@dataclass(frozen=True)
class Example:
    """One call of a function, from which every contract test of it is made.

    Attributes
    ----------
    args, kwargs : tuple, dict
        The call, as a SciPy user writes it (NumPy arrays, lists, plain callables).
    grad : tuple of str
        Parameters with respect to which the result is differentiable at this point.
    vmap : tuple of str
        Parameters that may carry a leading batch axis under `jax.vmap`.
    jit : bool
        Whether this call may run under `jax.jit` (its arrays traced).
    output : callable, optional
        Picks what is compared from a result; the result itself by default.
    check : callable, optional
        ``check(result, original_result)`` asserts agreement, for results that are unique
        only up to a sign or an order. By default all arrays are compared.
    rtol, atol : float
        Tolerances of the comparison in float64.
    oracle : bool
        Whether the original is called on the same arguments as the oracle.
    grad_rtol : float
        Tolerance of the gradients against finite differences.
    float32 : bool
        Whether single precision input gives single precision output in the JAX world.
    warns : bool
        Whether the call warns by design.
    skip_odd : tuple of str
        Odd inputs (a dtype: ``float32``) that are not held against the original, with a comment that says why.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    grad: tuple[str, ...] = ()
    vmap: tuple[str, ...] = ()
    jit: bool = True
    output: Callable[[Any], Any] | None = None
    check: Callable[[Any, Any], None] | None = None
    rtol: float = 1e-10
    atol: float = 1e-12
    oracle: bool = True
    grad_rtol: float = 1e-5
    float32: bool = True
    warns: bool = False
    skip_odd: tuple[str, ...] = ()


@dataclass
class Entry:
    """A registered function: its names, its body and the facts declared of it."""

    name: str
    function: Callable[..., Any]
    original: Callable[..., Any] | None
    examples: Callable[[], list[Example]] | None
    jit: bool
    vmap: bool
    grad: bool
    note: str
    facts: Any = None

    @property
    def module(self) -> str:
        return self.name.rpartition(".")[0]


REGISTRY: dict[str, Entry] = {}
_by_original: dict[int, Entry] = {}
_lock = threading.Lock()

#: Our package for each original's top package.
ROOTS = {"scipy": "sci", "skimage": "image", "cv2": "image.cv2"}


def register(entry: Entry) -> None:
    """Enter a function. A name can be registered once (again only by a reload of its module)."""
    with _lock:
        old = REGISTRY.get(entry.name)
        if old is not None and old.function.__module__ != entry.function.__module__:
            raise ValueError(f"{entry.name} is registered twice: {old.function!r} and {entry.function!r}")
        REGISTRY[entry.name] = entry
        if entry.original is not None:
            _by_original[id(entry.original)] = entry


def lookup(name: str) -> Entry | None:
    """The entry of a public dotted name of the original, or None. Imports our module for it."""
    if name not in REGISTRY:
        _import_for(name)
    return REGISTRY.get(name)


def our_module(original_module: str) -> str | None:
    """``scipy.linalg`` -> ``sci.linalg``; None for a package we do not mirror."""
    root, _, rest = original_module.partition(".")
    ours = ROOTS.get(root)
    return None if ours is None else f"{ours}.{rest}" if rest else ours


def _import_for(name: str) -> None:
    parts = name.split(".")[:-1]
    # private parts (scipy.linalg._basic) are no modules of ours
    public = [p for i, p in enumerate(parts) if not any(q.startswith("_") for q in parts[: i + 1])]
    load_module(our_module(".".join(public)))


def load_module(ours: str | None) -> None:
    """Import one of our modules, which fills the registry; nothing where we have no such module.

    A module that fails on something it imports itself fails here too: silence would look like
    "not native".
    """
    if ours is None:
        return
    try:
        importlib.import_module(ours)
    except ModuleNotFoundError as error:
        if error.name is None or not (ours == error.name or ours.startswith(error.name + ".")):
            raise


def entry_of(original: Any) -> Entry | None:
    """The entry of an original's function object, or None. Imports our module for it."""
    entry = _by_original.get(id(original))
    if entry is None:
        module = getattr(original, "__module__", None) or ""
        if not module and type(original).__name__ == "ufunc":
            module = "scipy.special"
        if isinstance(module, str) and module.partition(".")[0] in ROOTS:
            _import_for(f"{module}.x")
            entry = _by_original.get(id(original))
    return entry if entry is not None and entry.original is original else None


def jax_for(original: Any) -> Callable[..., Any] | None:
    """Our function for an original's function object, or None if there is none.

    The result computes in the JAX world when given JAX arrays. Used by the tracer for SciPy
    calls inside user callables.
    """
    entry = entry_of(original)
    return None if entry is None else entry.function


def load_all() -> dict[str, Entry]:
    """Import every module of ours that registers functions, and return the whole registry."""
    import pkgutil

    for top in ("sci", "image"):
        package = importlib.import_module(top)
        for info in pkgutil.walk_packages(package.__path__, top + "."):
            private = any(part.startswith("_") for part in info.name.split("."))
            if not private and not info.name.startswith(("sci.accelerate", "sci.bridge", "sci.cli")):
                importlib.import_module(info.name)
    return REGISTRY
