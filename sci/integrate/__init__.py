"""The names of `scipy.integrate`, computed by JAX where native."""

from sci.bridge import delegate
from sci.integrate.bvp import solve_bvp
from sci.integrate.cubature import cubature
from sci.integrate.cumulative import cumulative_simpson, cumulative_trapezoid
from sci.integrate.fixed import fixed_quad, newton_cotes
from sci.integrate.ivp import solve_ivp
from sci.integrate.multiple import dblquad, nquad, tplquad
from sci.integrate.nsum import nsum
from sci.integrate.ode_class import complex_ode, ode
from sci.integrate.ode_solvers import BDF, DOP853, LSODA, RK23, RK45, Radau
from sci.integrate.odeint import odeint
from sci.integrate.qmc_quad import qmc_quad
from sci.integrate.quad_vec import quad_vec
from sci.integrate.quadpack import quad
from sci.integrate.samples import romb, simpson, trapezoid
from sci.integrate.tanhsinh import tanhsinh

__all__ = [
    "BDF",
    "DOP853",
    "LSODA",
    "RK23",
    "RK45",
    "Radau",
    "complex_ode",
    "cubature",
    "cumulative_simpson",
    "cumulative_trapezoid",
    "dblquad",
    "fixed_quad",
    "newton_cotes",
    "nquad",
    "nsum",
    "ode",
    "odeint",
    "qmc_quad",
    "quad",
    "quad_vec",
    "romb",
    "simpson",
    "solve_bvp",
    "solve_ivp",
    "tanhsinh",
    "tplquad",
    "trapezoid",
]

__getattr__, __dir__ = delegate(__name__, __all__)
