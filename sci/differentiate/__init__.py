"""The names of `scipy.differentiate`: derivatives by JAX."""

from sci.bridge import delegate
from sci.differentiate.derivatives import derivative, hessian, jacobian

__all__ = ["derivative", "hessian", "jacobian"]

__getattr__, __dir__ = delegate(__name__, __all__)
