"""Give SciPy's test files our functions, and leave SciPy itself alone.

While a test file imports, it is handed a *proxy* of each public SciPy module: a copy of its
namespace in which the swapped names are ours. The library's own code, its private names and our
calls into the original still see the real modules, so nothing recurses and nothing is edited.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys
import types
from collections.abc import Iterable
from typing import Any

from scipy._lib import _array_api
from scipy._lib._public_api import PUBLIC_MODULES

__all__ = ["Swap", "ours"]

PUBLIC = {"scipy", *(m for m in PUBLIC_MODULES if "cython" not in m)}


def ours(name: str) -> Any:
    """Our object for a public dotted name of SciPy: from the registry, else what `sci` has under it."""
    from sci.bridge import lookup

    entry = lookup(name)
    if entry is not None:
        return entry.function
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module("sci" + module.removeprefix("scipy")), attribute)


def copy_capabilities(original: Any, replacement: Any) -> None:
    """SciPy's array-API tests look functions up in a table, by identity: enter ours beside the original."""
    table = getattr(_array_api, "xp_capabilities_table", {})
    try:
        if original in table:
            table.setdefault(replacement, dict(table[original]))
    except TypeError:
        pass  # unhashable: not in the table either


class Proxy(types.ModuleType):
    """A module's namespace with some names replaced."""

    def __init__(self, real: types.ModuleType, swap: Swap) -> None:
        super().__init__(real.__name__)
        own = self.__dict__
        own.update(real.__dict__)
        own["__real__"], own["__swap__"], own["__replaced__"] = real, swap, set()

    def __getattr__(self, name: str) -> Any:  # lazily loaded submodules
        real = self.__dict__["__real__"]
        value = getattr(real, name)
        full = f"{real.__name__}.{name}"
        return self.__dict__["__swap__"].proxy(full) if full in PUBLIC and full in sys.modules else value

    def __setattr__(self, name: str, value: Any) -> None:
        # a test that patches a module means the real one; names that we replaced exist only here
        super().__setattr__(name, value)
        if name not in self.__dict__["__replaced__"]:
            setattr(self.__dict__["__real__"], name, value)


class Swap:
    """The import hook.

    Parameters
    ----------
    names : iterable of str
        Public dotted names that test files get from us.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = set(names)
        self.replaced: set[str] = set()
        self._proxies: dict[str, Proxy] = {}
        self._import = builtins.__import__

    def install(self) -> None:
        builtins.__import__ = self._hooked_import

    def remove(self) -> None:
        builtins.__import__ = self._import

    def proxy(self, module: str) -> Proxy:
        """The proxy of a public module, made once."""
        if module in self._proxies:
            return self._proxies[module]
        real = importlib.import_module(module)
        proxy = self._proxies[module] = Proxy(real, self)
        namespace = proxy.__dict__
        for full in sorted(self.names):
            parent, _, name = full.rpartition(".")
            if parent != module:
                continue
            original, replacement = getattr(real, name), ours(full)
            copy_capabilities(original, replacement)
            namespace[name] = replacement
            namespace["__replaced__"].add(name)
            self.replaced.add(full)
        for full in PUBLIC:  # scipy.linalg inside scipy, distance inside spatial
            parent, _, child = full.rpartition(".")
            if parent == module and (child in real.__dict__ or full in sys.modules):
                namespace[child] = self.proxy(full)
        return proxy

    def _hooked_import(
        self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        module = self._import(name, globals, locals, fromlist, level)
        if not _is_test_module(globals):
            return module
        if level:
            package = globals.get("__package__") or globals["__name__"].rpartition(".")[0]
            name = importlib.util.resolve_name("." * level + name, package)
        if fromlist:
            return self.proxy(name) if name in PUBLIC else module
        # `import scipy.a.b` binds the top package
        return self.proxy("scipy") if name.partition(".")[0] == "scipy" else module


def _is_test_module(namespace: Any) -> bool:
    name = (namespace or {}).get("__name__") or ""
    return name.startswith("scipy.") and ".tests." in name
