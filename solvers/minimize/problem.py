"""The objective of a minimisation with its derivatives, as the algorithms see it: functions of the flat vector."""

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from solvers.implicit import close, value_and_gradient

__all__ = ["Functions", "Problem"]


class Problem:
    """Value, gradient, Hessian, constraints and bounds at given parameters. Calling it gives value and gradient.

    Attributes
    ----------
    bounds : (lower, upper) or None
        Two vectors; infinite where there is no bound.
    counts_products : bool
        Whether evaluations of the Hessian are products with it.
    """

    def __init__(self, functions, params):
        self._functions, self._params = functions, params
        self.bounds = params["bounds"]
        self.counts_products = "hessp" in params

    def __call__(self, x):
        return self._functions.value_and_grad(self._params, x)

    def value(self, x):
        """The value alone."""
        return self._functions.value(self._params, x)

    def hess(self, x):
        """The Hessian, symmetric."""
        return self._functions.hess(self._params, x)

    def hessp(self, x, direction):
        """Hessian times `direction`."""
        return self._functions.hessp(self._params, x, direction)

    def linearised(self, x):
        """The map from a direction to Hessian times direction at `x`, with what it needs computed once."""
        return self._functions.linearised(self._params, x)

    def constraints(self, x):
        """Values of the constraints: equalities first, then inequalities (nonnegative where they hold)."""
        return self._functions.constraints(self._params, x)

    def constraints_and_jacobian(self, x):
        """Values (m,) and Jacobian (m, n) of the constraints."""
        return self._functions.constraints_and_jacobian(self._params, x)

    def constraints_hessian(self, x, multipliers):
        """Hessian (n, n) of the constraints' weighted sum."""
        return self._functions.constraints_hessian(self._params, x, multipliers)


class Functions:
    """Pure functions of (params, x), made from the user's; ``params`` holds everything they depend on."""

    def __init__(self, fun, start, unravel, args, jac, hess, hessp, bounds, constraints, constraints_jac=None):
        self.dtype, self._size = start.dtype, start.size
        self._has_value = jac is True
        self._fun, self._jac = fun, jac
        self._unravel = unravel
        pure, consts, _ = close(self._value_of, start, *args)
        self._pure = {"value": pure}
        self.params = {"value": consts, "args": tuple(args), "bounds": bounds}
        if jac is not None:
            self._close("both", self._both_of, start)
        if hess is not None:
            self._close("hess", lambda x, *a: self._matrix(hess(unravel(x), *a)), start)
        if hessp is not None:
            self._close("hessp", lambda x, v, *a: ravel_pytree(hessp(unravel(x), unravel(v), *a))[0], start, start)
        if constraints is not None:
            self._close("constraints", lambda x, *a: jnp.asarray(constraints(unravel(x), *a), start.dtype), start)
        if constraints_jac is not None:
            self._close("normals", lambda x, *a: jnp.asarray(constraints_jac(unravel(x), *a), start.dtype), start)

    def _close(self, name, function, *example):
        self._pure[name], self.params[name], _ = close(function, *example, *self.params["args"])

    def _call(self, name, params, *x):
        return self._pure[name](params[name], *x, *params["args"])

    def value(self, params, x):
        return self._call("value", params, x)

    def value_and_grad(self, params, x):
        if "both" in self._pure:
            return self._call("both", params, x)
        return value_and_gradient(lambda x: self.value(params, x), x)

    def gradient(self, params, x):
        """The exact gradient of the value, whatever the user gave."""
        return value_and_gradient(lambda x: self.value(params, x), x)[1]

    def hessp(self, params, x, direction):
        if "hessp" in self._pure:
            return self._call("hessp", params, x, direction).astype(self.dtype)
        if "hess" in self._pure:
            return self._call("hess", params, x) @ direction
        return jax.jvp(lambda x: self.value_and_grad(params, x)[1], (x,), (direction,))[1]

    def hess(self, params, x):
        if "hess" in self._pure:
            return self._call("hess", params, x)
        if "hessp" in self._pure:
            return jax.vmap(lambda d: self.hessp(params, x, d))(jnp.eye(self._size, dtype=self.dtype))
        return jax.jacfwd(lambda x: self.value_and_grad(params, x)[1])(x)

    def linearised(self, params, x):
        if "hessp" in self._pure:
            return lambda direction: self.hessp(params, x, direction)
        if "hess" in self._pure:
            matrix = self._call("hess", params, x)
            return lambda direction: matrix @ direction
        return jax.linearize(lambda x: self.value_and_grad(params, x)[1], x)[1]

    def constraints(self, params, x):
        return self._call("constraints", params, x)

    def constraints_and_jacobian(self, params, x):
        if "normals" in self._pure:
            return self.constraints(params, x), self._call("normals", params, x)
        return self.constraints_and_exact_jacobian(params, x)

    def constraints_and_exact_jacobian(self, params, x):
        """Values, and the Jacobian of the function itself, whatever the user gave."""
        c = self.constraints(params, x)
        return c, jax.jacfwd(lambda x: self.constraints(params, x))(x)

    def constraints_hessian(self, params, x, multipliers):
        def weighted(x):
            return jnp.sum(multipliers * self.constraints(params, x))

        return jax.jacfwd(lambda x: value_and_gradient(weighted, x)[1])(x)

    def _value_of(self, x, *args):
        out = self._fun(self._unravel(x), *args)
        return self._scalar(out[0] if self._has_value else out)

    def _both_of(self, x, *args):
        if self._has_value:
            f, g = self._fun(self._unravel(x), *args)
        else:
            f, g = self._fun(self._unravel(x), *args), self._jac(self._unravel(x), *args)
        g = ravel_pytree(g)[0].astype(self.dtype)
        if g.size != self._size:
            raise ValueError(f"jac must return a gradient of {self._size} numbers, got {g.size}")
        return self._scalar(f), g

    def _matrix(self, out):
        out = jnp.asarray(out)
        if self._size == 1 and out.size == 1:
            out = out.reshape(1, 1)  # the second derivative of a function of one variable, as a number
        if out.shape != (self._size, self._size):
            raise ValueError(f"hess must return a matrix of shape {(self._size, self._size)}, got {out.shape}")
        return out.astype(self.dtype)

    def _scalar(self, out):
        out = jnp.asarray(out)
        if out.size != 1:
            raise ValueError(f"fun must return a scalar value, got an array of shape {out.shape}")
        if not jnp.issubdtype(out.dtype, jnp.floating) and not jnp.issubdtype(out.dtype, jnp.integer):
            raise TypeError(f"fun must return a real number, got dtype {out.dtype}")
        return out.reshape(()).astype(self.dtype)
