"""The names of `scipy.optimize.elementwise`."""

from sci.bridge import delegate
from sci.optimize.elementwise.brackets import bracket_minimum, bracket_root
from sci.optimize.elementwise.chandrupatla import find_minimum, find_root

__all__ = ["bracket_minimum", "bracket_root", "find_minimum", "find_root"]

__getattr__, __dir__ = delegate(__name__, __all__)
