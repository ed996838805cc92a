"""The names of `scipy.io.arff`; none is native yet, all run on SciPy."""

from sci.bridge import delegate

__getattr__, __dir__ = delegate(__name__)
