"""The names of `scipy.optimize.elementwise`: roots and minima natively, the searches for brackets on SciPy."""

from sci.bridge import delegate
from sci.optimize.elementwise.chandrupatla import find_minimum, find_root

__all__ = ["find_minimum", "find_root"]

__getattr__, __dir__ = delegate(__name__, __all__)
