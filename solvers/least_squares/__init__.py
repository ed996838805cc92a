"""Nonlinear least squares."""

from solvers.least_squares.dogbox import Dogbox
from solvers.least_squares.entry import LeastSquaresResult, least_squares
from solvers.least_squares.lm import LM
from solvers.least_squares.loss import LOSSES, Loss
from solvers.least_squares.trf import TRF

__all__ = [
    "Dogbox",
    "LM",
    "LOSSES",
    "LeastSquaresResult",
    "Loss",
    "TRF",
    "least_squares",
]
