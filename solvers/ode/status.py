"""Status codes of an integration."""

#: The end of the interval was reached.
SUCCESS = 0
#: A terminal event ended the integration.
EVENT = 1
#: The step fell below ten spacings of the time variable, or the right-hand side is not finite.
STEP_TOO_SMALL = -1
#: ``max_steps`` attempts were made before the end of the interval.
MAX_STEPS = -2
#: ``size`` steps were recorded before the end of the interval.
FULL = -3
#: A symplectic method was given a right-hand side that is not that of a separable Hamiltonian.
NOT_SEPARABLE = -4
#: The initial state does not satisfy the algebraic equations of a system with a singular mass matrix, or its index
#: is above 1.
INCONSISTENT = -5

MESSAGES = {
    SUCCESS: "The solver successfully reached the end of the integration interval.",
    EVENT: "A termination event occurred.",
    STEP_TOO_SMALL: "Required step size is less than spacing between numbers.",
    MAX_STEPS: "The maximum number of steps was reached before the end of the integration interval.",
    FULL: "The capacity for recorded steps (`size`) was reached before the end of the integration interval.",
    NOT_SEPARABLE: "The right-hand side is not that of a separable Hamiltonian: positions, then momenta, as halves.",
    INCONSISTENT: "The initial state does not satisfy the algebraic equations (see `solvers.ode.consistent`), or these "
    "do not determine it.",
}
