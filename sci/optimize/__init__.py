"""The names of `scipy.optimize`, computed by JAX where native."""

from sci.bridge import delegate
from sci.optimize.curves import curve_fit
from sci.optimize.fixed import fixed_point
from sci.optimize.leastsq import leastsq
from sci.optimize.lsq import least_squares
from sci.optimize.minimizers import minimize
from sci.optimize.newton import newton
from sci.optimize.root_scalar import root_scalar
from sci.optimize.roots import fsolve, root
from sci.optimize.rosenbrock import rosen, rosen_der, rosen_hess, rosen_hess_prod
from sci.optimize.scalar import bisect, brenth, brentq, ridder, toms748
from sci.optimize.scalar_minimum import bracket, brent, fminbound, golden, minimize_scalar

__all__ = [
    "bisect",
    "bracket",
    "brent",
    "brenth",
    "brentq",
    "curve_fit",
    "fixed_point",
    "fminbound",
    "fsolve",
    "golden",
    "least_squares",
    "leastsq",
    "minimize",
    "minimize_scalar",
    "newton",
    "ridder",
    "root",
    "root_scalar",
    "rosen",
    "rosen_der",
    "rosen_hess",
    "rosen_hess_prod",
    "toms748",
]

__getattr__, __dir__ = delegate(__name__, __all__)
