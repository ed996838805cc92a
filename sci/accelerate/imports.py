"""The import hook and the module views it hands to user code."""

from __future__ import annotations

import builtins
import contextlib
import importlib
import os
import site
import sysconfig
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sci.bridge.registry import REGISTRY, ROOTS, load_module, our_module

__all__ = ["View", "accelerated", "install", "uninstall", "view_of"]

_lock = threading.RLock()
_views: dict[str, View] = {}
_original_import: Callable[..., Any] | None = None
_wrap: Callable[[str, Callable[..., Any]], Callable[..., Any]] | None = None
_loaded: set[str | None] = set()


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
        if name.startswith("__") and name.endswith("__") and name != "__all__":
            return super().__getattribute__(name)
        return _seen(vars(self)["__sci_original__"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(vars(self)["__sci_original__"], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(vars(self)["__sci_original__"], name)

    def __dir__(self) -> list[str]:
        return dir(vars(self)["__sci_original__"])

    def __reduce__(self) -> Any:
        return importlib.import_module, (self.__name__,)


def _seen(module: types.ModuleType, name: str) -> Any:
    """What user code sees under ``module.name``."""
    value = getattr(module, name)
    if isinstance(value, types.ModuleType):
        return view_of(value) if value.__name__.partition(".")[0] == module.__name__.partition(".")[0] else value
    full = f"{module.__name__}.{name}"
    entry = REGISTRY.get(full)
    # a name that someone has patched (a test's monkeypatch, a plugin) is no longer the original's
    if entry is None or (entry.original is not None and entry.original is not value):
        return value
    return _wrap(full, entry.function) if _wrap is not None else entry.function


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
_OURS = ("sci", "solvers", "image", *ROOTS)


def _is_user(module_globals: Mapping[str, Any] | None) -> bool:
    if module_globals is None:
        return False
    name = str(module_globals.get("__name__") or "")
    if name.partition(".")[0] in _OURS:
        return False
    file = module_globals.get("__file__")
    if not file:
        return True  # a notebook cell, `python -c`, exec
    return not os.path.realpath(str(file)).startswith(_FOLDERS)


def _import(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
    assert _original_import is not None
    module = _original_import(name, globals, locals, fromlist, level)
    if level or name.partition(".")[0] not in ROOTS or not _is_user(globals):
        return module
    return view_of(module)


def install(wrap: Callable[[str, Callable[..., Any]], Callable[..., Any]] | None = None) -> None:
    """Redirect the imports of user code from now on.

    Parameters
    ----------
    wrap : callable, optional
        ``wrap(name, function)`` is what user code sees of each of our functions (the profile).
    """
    global _original_import, _wrap
    with _lock:
        _wrap = wrap
        if _original_import is None:
            _original_import = builtins.__import__
            builtins.__import__ = _import
            # `importlib.import_module` does not pass through the hook; it is left alone


def uninstall() -> None:
    """Restore the plain import. Modules that were imported meanwhile keep what they have."""
    global _original_import, _wrap
    with _lock:
        _wrap = None
        if _original_import is not None:
            builtins.__import__ = _original_import
            _original_import = None


@contextlib.contextmanager
def accelerated(wrap: Callable[[str, Callable[..., Any]], Callable[..., Any]] | None = None) -> Iterator[None]:
    """Redirect the imports of user code inside a ``with`` block."""
    install(wrap)
    try:
        yield
    finally:
        uninstall()
