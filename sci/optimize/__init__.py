"""The names of `scipy.optimize`, computed by JAX where native."""

from sci.bridge import delegate
from sci.optimize.assignment import linear_sum_assignment
from sci.optimize.basinhopping import basinhopping
from sci.optimize.brute import brute
from sci.optimize.curves import curve_fit
from sci.optimize.differences import approx_fprime, check_grad
from sci.optimize.differential_evolution import differential_evolution
from sci.optimize.direct import direct
from sci.optimize.dual_annealing import dual_annealing
from sci.optimize.fixed import fixed_point
from sci.optimize.fmin import (
    fmin,
    fmin_bfgs,
    fmin_cg,
    fmin_cobyla,
    fmin_l_bfgs_b,
    fmin_ncg,
    fmin_powell,
    fmin_slsqp,
    fmin_tnc,
)
from sci.optimize.isotonic import isotonic_regression
from sci.optimize.leastsq import leastsq
from sci.optimize.line_search import line_search
from sci.optimize.linear_least_squares import lsq_linear, nnls
from sci.optimize.linprog import linprog
from sci.optimize.lsq import least_squares
from sci.optimize.minimizers import minimize
from sci.optimize.newton import newton
from sci.optimize.quadratic_assignment import quadratic_assignment
from sci.optimize.quasi_newton import (
    anderson,
    broyden1,
    broyden2,
    diagbroyden,
    excitingmixing,
    linearmixing,
    newton_krylov,
)
from sci.optimize.root_scalar import root_scalar
from sci.optimize.roots import fsolve, root
from sci.optimize.rosenbrock import rosen, rosen_der, rosen_hess, rosen_hess_prod
from sci.optimize.scalar import bisect, brenth, brentq, ridder, toms748
from sci.optimize.scalar_minimum import bracket, brent, fminbound, golden, minimize_scalar
from sci.optimize.shgo import shgo

__all__ = [
    "anderson",
    "approx_fprime",
    "basinhopping",
    "bisect",
    "bracket",
    "brent",
    "brenth",
    "brentq",
    "broyden1",
    "broyden2",
    "brute",
    "check_grad",
    "curve_fit",
    "diagbroyden",
    "differential_evolution",
    "direct",
    "dual_annealing",
    "excitingmixing",
    "fixed_point",
    "fmin",
    "fmin_bfgs",
    "fmin_cg",
    "fmin_cobyla",
    "fmin_l_bfgs_b",
    "fmin_ncg",
    "fmin_powell",
    "fmin_slsqp",
    "fmin_tnc",
    "fminbound",
    "fsolve",
    "golden",
    "isotonic_regression",
    "least_squares",
    "leastsq",
    "line_search",
    "linear_sum_assignment",
    "linearmixing",
    "linprog",
    "lsq_linear",
    "minimize",
    "minimize_scalar",
    "newton",
    "newton_krylov",
    "nnls",
    "quadratic_assignment",
    "ridder",
    "root",
    "root_scalar",
    "rosen",
    "rosen_der",
    "rosen_hess",
    "rosen_hess_prod",
    "shgo",
    "toms748",
]

__getattr__, __dir__ = delegate(__name__, __all__)
