"""What the bytecode of user functions says: exception handlers, outside writes, names in use."""

from __future__ import annotations

import dis
import functools
import sys
import types

from .errors import _HERE, of_library


@functools.lru_cache(2048)
def _has_handler(code):
    names = {i.opname for i in dis.get_instructions(code)}
    if "WITH_EXCEPT_START" in names:  # a context manager may swallow exceptions; np.errstate does not
        return "CHECK_EXC_MATCH" in names or "errstate" not in code.co_names
    return "CHECK_EXC_MATCH" in names or "PUSH_EXC_INFO" in names


def handles_exceptions():
    """Whether any user function on the stack has an ``except`` clause."""
    frame, seen = sys._getframe(1), False
    while frame is not None:
        code = frame.f_code
        name = frame.f_globals.get("__name__") or ""
        if code.co_filename.startswith(_HERE):
            if seen and code.co_name == "_run":  # the start of the trace
                return False
        elif not of_library(name):
            seen = True
            if _has_handler(code):
                return True
        frame = frame.f_back
    return False


@functools.lru_cache(2048)
def names_in(code):
    """All global and attribute names that a code object and the functions inside it use."""
    names = dict.fromkeys(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names.update(dict.fromkeys(names_in(constant)))
    return tuple(names)


@functools.lru_cache(2048)
def global_names(code):
    """Names that a code object and the functions inside it read from globals or builtins."""
    names = {}
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
            names[instruction.argval] = None
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names.update(dict.fromkeys(global_names(constant)))
    return tuple(names)


@functools.lru_cache(2048)
def outside_writes(code, enclosing=frozenset()):
    """(line, name) of writes to globals and to variables of functions outside ``code``."""
    found, line = [], code.co_firstlineno
    inside = enclosing | set(code.co_cellvars)
    for instruction in dis.get_instructions(code):
        line = getattr(instruction, "starts_line", None) or line
        if line is True:
            line = instruction.line_number
        name = instruction.argval
        if instruction.opname in ("STORE_GLOBAL", "DELETE_GLOBAL") or (
            instruction.opname in ("STORE_DEREF", "DELETE_DEREF") and name not in inside
        ):
            found.append((line, name))
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found.extend(outside_writes(constant, inside))
    return tuple(found)
