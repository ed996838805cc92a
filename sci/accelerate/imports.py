"""The import hook, the module views it hands to user code, and the names that user modules already hold."""

from __future__ import annotations

import builtins
import contextlib
import importlib
import os
import site
import sys
import sysconfig
import threading
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sci.accelerate.redirect import redirected
from sci.bridge.reasons import silence
from sci.bridge.registry import REGISTRY, ROOTS, entry_of, load_module, our_module

__all__ = ["View", "accelerated", "install", "is_user", "uninstall", "view_of"]

_lock = threading.RLock()
_views: dict[str, View] = {}
_original_import: Callable[..., Any] | None = None
_loaded: set[str | None] = set()
_included: frozenset[str] = frozenset()
_tests = False


class View(types.ModuleType):
    """A module of the original as user code sees it: registered functions are ours.

    Everything else, attributes set on it included, is the original module's.
    """

    def __init__(self, original: types.ModuleType) -> None:
        super().__init__(original.__name__, original.__doc__)
        # set on the instance: attribute access below must not come back here
        vars(self).update(
            __sci_original__=original, __spec__=original.__spec__, __loader__=getattr(original, "__loader__", None),
            __package__=original.__package__, __file__=getattr(original, "__file__", None),
        )  # fmt: skip
        if hasattr(original, "__path__"):
            vars(self)["__path__"] = original.__path__

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__") and name not in ("__all__", "__version__"):
            try:
                return super().__getattribute__(name)
            except AttributeError:  # `scipy.__config__`, `__numpy_version__`
                return getattr(vars(self)["__sci_original__"], name)
        return _seen(vars(self)["__sci_original__"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(vars(self)["__sci_original__"], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(vars(self)["__sci_original__"], name)

    def __dir__(self) -> list[str]:
        return dir(vars(self)["__sci_original__"])

    def __repr__(self) -> str:
        return repr(vars(self)["__sci_original__"])

    def __reduce__(self) -> Any:
        return importlib.import_module, (self.__name__,)


def _seen(module: types.ModuleType, name: str) -> Any:
    """What user code sees under ``module.name``."""
    value = getattr(module, name)
    if isinstance(value, types.ModuleType):
        return view_of(value) if value.__name__.partition(".")[0] == module.__name__.partition(".")[0] else value
    entry = REGISTRY.get(f"{module.__name__}.{name}")
    # a name that someone has patched (a test's monkeypatch, a plugin) is no longer the original's
    if entry is None or (entry.original is not None and entry.original is not value):
        return value
    return redirected(entry, value)


def view_of(module: types.ModuleType) -> types.ModuleType:
    """The view of an original module; loads our module for it, which fills the registry."""
    name = module.__name__
    if any(part.startswith("_") for part in name.split(".")):
        return module
    with _lock:
        view = _views.get(name)
        if view is None or vars(view)["__sci_original__"] is not module:
            _load(name)
            view = _views[name] = View(module)
        return view


def _load(name: str) -> None:
    ours = our_module(name)
    if ours not in _loaded and ours != "sci":
        _loaded.add(ours)
        load_module(ours)


def _installed_folders() -> tuple[str, ...]:
    """Where installed packages and the standard library live: their imports are left alone."""
    paths = sysconfig.get_paths()
    folders = {paths[k] for k in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {*site.getsitepackages(), site.getusersitepackages()}
    folders.add(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep + "sci")
    return tuple(os.path.realpath(f) + os.sep for f in folders)


_FOLDERS = _installed_folders()
_OURS = ("sci", "solvers", "image")
_known: dict[str, bool] = {}  # by file: decided once, an import inside a loop must stay cheap


def is_user(module_globals: Mapping[str, Any] | None) -> bool:
    """Whether the module with these globals is user code: not ours, not installed, or named by `include`."""
    if module_globals is None:
        return False
    name = str(module_globals.get("__name__") or "")
    root = name.partition(".")[0]
    if root in _included or (_tests and root in ROOTS and "tests" in name.split(".")):
        return True
    if root in _OURS or root in ROOTS:
        return False
    file = module_globals.get("__file__")
    if not file:
        return True  # a notebook cell, `python -c`, exec
    user = _known.get(file)
    if user is None:
        user = _known[file] = not os.path.realpath(str(file)).startswith(_FOLDERS)
    return user


def _import(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
    assert _original_import is not None
    module = _original_import(name, globals, locals, fromlist, level)
    if level or name.partition(".")[0] not in ROOTS or not is_user(globals):
        return module
    return view_of(module)


# --- what was imported before ------------------------------------------------------------------


def _user_modules() -> list[types.ModuleType]:
    # without a file and not `__main__`: the standard library's built-in modules
    return [
        module
        for name, module in list(sys.modules.items())
        if type(module) is types.ModuleType
        and (getattr(module, "__file__", None) or name == "__main__")
        and is_user(vars(module))
    ]


def _rebind(inward: bool) -> None:
    """Exchange originals for redirected functions and views in the globals of user modules, or back.

    Only names that hold exactly the object that a plain import gives; what user code has stored elsewhere
    (in containers, as default arguments) stays what it is.
    """
    exchanged = _stand_in if inward else _original_of
    for module in _user_modules():
        for key, value in list(vars(module).items()):
            other = exchanged(value)
            if other is not value:
                vars(module)[key] = other


def _stand_in(value: Any) -> Any:
    if type(value) is types.ModuleType:
        name = value.__name__
        return view_of(value) if name.partition(".")[0] in ROOTS and sys.modules.get(name) is value else value
    entry = entry_of(value) if callable(value) else None
    return value if entry is None else redirected(entry, value)


def _original_of(value: Any) -> Any:
    if type(value) is View:
        return vars(value)["__sci_original__"]
    return getattr(value, "__sci_redirects__", value)


# --- on and off --------------------------------------------------------------------------------


def install(include: Iterable[str] = (), tests: bool = False) -> None:
    """Redirect SciPy's functions (scikit-image's, OpenCV's) in user code, whether imported before or from now on.

    Parameters
    ----------
    include : iterable of str
        Installed packages that count as user code (top-level names). SciPy itself, NumPy and all other
        installed packages keep the originals.
    tests : bool
        Whether the test modules that SciPy ships count as user code.

    See Also
    --------
    uninstall : undo it.

    Notes
    -----
    Calls follow the policy in force (`sci.set_policy`); ``python -m sci`` and ``%load_ext sci`` choose ``adaptive``.
    Redirected are names in the globals of user modules; a function that user code stored before in a container or as
    a default argument stays the original. ``importlib.import_module`` returns the original module.

    Examples
    --------
    >>> import sci
    >>> sci.install()
    >>> from scipy import linalg
    >>> linalg.det.__module__
    'sci.accelerate.redirect'
    >>> sci.uninstall()
    """
    global _original_import, _included, _tests
    if isinstance(include, str):
        raise TypeError(f"install: include is the string {include!r}; allowed is a list of package names")
    with _lock:
        _included, _tests = frozenset(include), tests
        _known.clear()
        silence(True)
        if _original_import is None:
            _original_import = builtins.__import__
            builtins.__import__ = _import
            # `importlib.import_module` does not pass through the hook; it is left alone
        _rebind(True)


def uninstall() -> None:
    """Restore the plain import, and the originals in the globals of user modules."""
    global _original_import
    with _lock:
        silence(False)
        if _original_import is not None:
            builtins.__import__ = _original_import
            _original_import = None
            _rebind(False)


@contextlib.contextmanager
def accelerated(include: Iterable[str] = ()) -> Iterator[None]:
    """Redirect the imports of user code inside a ``with`` block."""
    install(include)
    try:
        yield
    finally:
        uninstall()
