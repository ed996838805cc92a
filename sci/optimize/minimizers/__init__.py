"""`minimize`: methods, options, results."""

from sci.optimize.minimizers.entry import minimize

__all__ = ["minimize"]
