"""Names that are not native yet come from scikit-image or OpenCV, loaded when first asked for."""

import importlib
import sys
import types

from sci.bridge.host import host_function

__all__ = ["delegate_optional"]


def delegate_optional(module, theirs, native, install):
    """Module-level ``__getattr__`` and ``__dir__`` that complete `module` from an optional package.

    Parameters
    ----------
    module : str
        Our module's ``__name__``.
    theirs : str
        The original module, as ``skimage.filters``.
    native : sequence of str
        What `module` defines itself.
    install : str
        What to install where the original is missing, for the error.
    """

    def __getattr__(name):
        if name.startswith("_"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        try:
            original = importlib.import_module(theirs)
        except ImportError:
            raise AttributeError(
                f"module {module!r} has no attribute {name!r}: it is not native yet, and {theirs} is not "
                f"installed to compute it (pip install {install})"
            ) from None
        try:
            value = getattr(original, name)
        except AttributeError:
            raise AttributeError(f"module {module!r} has no attribute {name!r} (nor has {theirs})") from None
        if isinstance(value, (types.FunctionType, types.BuiltinFunctionType)):
            value = host_function(f"{theirs}.{name}", value, module)
        setattr(sys.modules[module], name, value)
        return value

    def __dir__():
        names = set(native)
        if theirs in sys.modules:  # listing names must not load the original
            names |= {n for n in dir(sys.modules[theirs]) if not n.startswith("_")}
        return sorted({*vars(sys.modules[module]), *names})

    return __getattr__, __dir__
