"""The zero-change mode: user code sees our functions under SciPy's names.

An import hook hands user modules views of SciPy (scikit-image, OpenCV) in which the registered functions are ours,
and the names that user modules already hold are exchanged. SciPy itself and installed packages keep the originals.
"""

from sci.accelerate.imports import accelerated, install, uninstall
from sci.accelerate.profile import Profile
from sci.accelerate.redirect import observe
from sci.accelerate.runner import run_command, run_module, run_script
from sci.accelerate.verify import Verifier

__all__ = [
    "Profile",
    "Verifier",
    "accelerated",
    "install",
    "observe",
    "run_command",
    "run_module",
    "run_script",
    "uninstall",
]
