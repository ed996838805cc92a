"""The names of `scipy.optimize.elementwise`; none is native yet, all run on SciPy."""

from sci.bridge import delegate

__getattr__, __dir__ = delegate(__name__)
