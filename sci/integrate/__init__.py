"""The names of `scipy.integrate`, computed by JAX where native."""

from sci.bridge import delegate
from sci.integrate.cumulative import cumulative_simpson, cumulative_trapezoid
from sci.integrate.fixed import fixed_quad, newton_cotes
from sci.integrate.ivp import solve_ivp
from sci.integrate.multiple import dblquad, nquad, tplquad
from sci.integrate.quadpack import quad
from sci.integrate.samples import romb, simpson, trapezoid

__all__ = [
    "cumulative_simpson",
    "cumulative_trapezoid",
    "dblquad",
    "fixed_quad",
    "newton_cotes",
    "nquad",
    "quad",
    "romb",
    "simpson",
    "solve_ivp",
    "tplquad",
    "trapezoid",
]

__getattr__, __dir__ = delegate(__name__, __all__)
