"""The names of `scipy.optimize`, computed by JAX where native."""

from sci.bridge import delegate
from sci.optimize.curves import curve_fit
from sci.optimize.lsq import least_squares, leastsq
from sci.optimize.minimizers import minimize
from sci.optimize.roots import fsolve, root
from sci.optimize.rosenbrock import rosen, rosen_der, rosen_hess, rosen_hess_prod

__all__ = [
    "curve_fit",
    "fsolve",
    "least_squares",
    "leastsq",
    "minimize",
    "root",
    "rosen",
    "rosen_der",
    "rosen_hess",
    "rosen_hess_prod",
]

__getattr__, __dir__ = delegate(__name__, __all__)
