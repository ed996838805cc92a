"""How a scalar iteration ended; the codes are SciPy's."""

RUNNING = 1
CONVERGED = 0
SIGN_ERROR = -1
NOT_CONVERGED = -2
NOT_FINITE = -3
ZERO_SLOPE = -4
BAD_INPUT = -5
BRACKET_LIMIT = -6
