"""The one exception of a failed trace, its reasons, and where in the user's code it happened."""

from __future__ import annotations

import contextlib
import enum
import os
import sys
import threading
import warnings

import numpy as np

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_LIBRARIES = ("numpy", "jax", "jaxlib", "scipy")


def of_library(module, roots=_LIBRARIES):
    """Whether a module name is one of these packages'; a library's tests are written as users write."""
    parts = module.split(".")
    return parts[0] in roots and "tests" not in parts and parts[-1] != "_tstutils"


_warning_lock = threading.RLock()


@contextlib.contextmanager
def quiet():
    """Warnings of code that runs for the tracer only are nobody's business."""
    with _warning_lock, warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


class TraceReason(enum.Enum):
    """Why a function could not become a JAX function; the value is the sentence shown to users."""

    RANDOM = "it draws random numbers, so it is not a function of its arguments"
    EFFECT = "it has an effect that a compiled function cannot repeat (I/O, time, printing, warnings)"
    OUTSIDE_WRITE = "it writes to state that outlives the call"
    ARGUMENT_WRITE = "it writes into its own argument"
    LOOP = "a loop runs until a computed value says stop, without a bound known when tracing"
    BRANCHES = "its branches on computed values make more paths than the bound allows"
    SIZE = "it unrolls into more operations than is sensible to compile"
    RAISES = "a path through it raises an exception, which a compiled function cannot do"
    STRUCTURE = "its branches return results of different structure"
    RETURN = "it returns something that is not made of numbers and arrays"
    INDEX = "a computed value is used as an index, a size or a loop count"
    SHAPE = "the shape of a result depends on computed values"
    CONVERSION = "a computed value was handed to code that needs its number now"
    STRING = "a computed value is turned into text"
    HASH = "a computed value is used as a dictionary key or set member"
    NUMPY_FUNCTION = "it uses a NumPy function that has no traced version"
    LIBRARY = "it uses a library function or object that has no traced version"
    UNKNOWN_C = "it calls compiled code that cannot be looked into"
    UNKNOWN_OBJECT = "it uses a captured object that cannot be looked into"
    UNSUPPORTED = "it uses a feature that the tracer does not have"
    DTYPE = "it uses a data type that JAX does not have"
    IMPURE = "calling it twice gives two different results"
    VERIFICATION = "the traced function does not agree with the original"


class TraceError(Exception):
    """A callable cannot be turned into a JAX function.

    Attributes
    ----------
    reason : TraceReason
    file : str or None
        Source file of the offending line.
    line : int or None
    function : str or None
    detail, hint : str
    """

    def __init__(self, reason, detail="", *, file=None, line=None, function=None, hint=""):
        self.reason, self.detail, self.hint = reason, detail, hint
        self.file, self.line, self.function = file, line, function
        super().__init__(self._message())

    def _message(self):
        where = f"{self.file}:{self.line}" if self.file else "unknown place"
        text = f"cannot trace {self.function or 'function'} ({where}): {self.reason.value}"
        text += f": {self.detail}" if self.detail else ""
        return text + (f" [hint: {self.hint}]" if self.hint else "")

    def __reduce__(self):
        return _rebuild, (self.reason, self.detail, self.file, self.line, self.function, self.hint)

    def copy(self):
        """A fresh exception of the same content, for raising a remembered failure again."""
        return _rebuild(self.reason, self.detail, self.file, self.line, self.function, self.hint)


def _rebuild(reason, detail, file, line, function, hint):
    return TraceError(reason, detail, file=file, line=line, function=function, hint=hint)


def user_frame(depth=1):
    """Code object and line of the innermost frame that belongs to the user's code."""
    frame = sys._getframe(depth)
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(_HERE):
            name = frame.f_globals.get("__name__") or ""
            if not of_library(name):
                return code, frame.f_lineno
        elif "trace_place" in code.co_varnames:  # the start of the trace: beyond is the caller of to_jax
            return frame.f_locals["trace_place"]
        frame = frame.f_back
    return None, None


def error_at(place, reason, detail="", hint=""):
    """A TraceError at ``place``, a pair (code, line) such as `user_frame` returns."""
    code, line = place
    return TraceError(
        reason,
        detail,
        file=getattr(code, "co_filename", None),
        line=line,
        function=getattr(code, "co_qualname", None) or getattr(code, "co_name", None),
        hint=hint,
    )
