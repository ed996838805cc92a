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

MESSAGES = {
    SUCCESS: "The solver successfully reached the end of the integration interval.",
    EVENT: "A termination event occurred.",
    STEP_TOO_SMALL: "Required step size is less than spacing between numbers.",
    MAX_STEPS: "The maximum number of steps was reached before the end of the integration interval.",
    FULL: "The capacity for recorded steps (`size`) was reached before the end of the integration interval.",
}
