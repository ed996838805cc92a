"""The names of `scipy.integrate`, computed by JAX where native."""

from sci.bridge import delegate
from sci.integrate.ivp import solve_ivp
from sci.integrate.quadpack import quad

__all__ = ["quad", "solve_ivp"]

__getattr__, __dir__ = delegate(__name__, __all__)
