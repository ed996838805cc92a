"""Nonlinear least squares."""

from solvers.least_squares.entry import LeastSquaresResult, least_squares
from solvers.least_squares.lm import LM

__all__ = ["LM", "LeastSquaresResult", "least_squares"]
