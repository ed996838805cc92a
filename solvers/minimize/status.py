"""Termination codes of the minimisers (SciPy's numbers; -1 while running or paused)."""

__all__ = ["EVALUATIONS", "ITERATIONS", "MAX_ITERATIONS", "NOT_FINITE", "PRECISION_LOSS", "RUNNING", "SUCCESS"]

RUNNING = -1
SUCCESS = 0
MAX_ITERATIONS = 1
PRECISION_LOSS = 2
NOT_FINITE = 3

#: Of the methods without derivatives, Nelder-Mead and Powell.
EVALUATIONS, ITERATIONS = 1, 2
