"""What ``SCI_ACCELERATE=1`` does at the start of every Python process, child processes included.

Executed by ``scijax_accelerate.pth`` as a file of its own, before `sci` is imported: JAX is loaded only once the
process imports SciPy, scikit-image or OpenCV from code that is not an installed package's.
"""

import builtins
import os
import sys


def _arm():
    plain = builtins.__import__
    roots = ("scipy", "skimage", "cv2")
    libraries = tuple({os.path.realpath(p) + os.sep for p in (sys.prefix, sys.base_prefix)})

    def waiting(name, globals=None, locals=None, fromlist=(), level=0):
        if level or name.partition(".")[0] not in roots or globals is None:
            return plain(name, globals, locals, fromlist, level)
        file = globals.get("__file__")
        if globals.get("__name__", "").partition(".")[0] in roots or (
            file and os.path.realpath(file).startswith(libraries)
        ):
            return plain(name, globals, locals, fromlist, level)
        if builtins.__import__ is not waiting:  # somebody, `python -m sci` perhaps, has put a hook over this one
            return plain(name, globals, locals, fromlist, level)
        builtins.__import__ = plain
        from sci.accelerate import install
        from sci.bridge.policy import suggest_policy

        suggest_policy("adaptive")
        install()
        return builtins.__import__(name, globals, locals, fromlist, level)

    builtins.__import__ = waiting


if __name__ == "sci_startup":  # not on an ordinary import of this module
    _arm()
