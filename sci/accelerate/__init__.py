"""The zero-change mode: user code sees our functions under SciPy's names.

Its simplest form: an import hook that hands user modules a view of SciPy (scikit-image, OpenCV)
in which the registered functions are ours. SciPy itself and installed packages keep the originals.
"""

from sci.accelerate.imports import accelerated, install, uninstall
from sci.accelerate.profile import Profile
from sci.accelerate.runner import run_module, run_script

__all__ = ["Profile", "accelerated", "install", "run_module", "run_script", "uninstall"]
