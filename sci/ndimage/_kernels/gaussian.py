"""Sampled Gaussians and their derivatives, on the host or traced (`xp` is `numpy` or `jax.numpy`)."""

import numpy as np
from numpy.polynomial import hermite_e


def gaussian_weights(sigma, order, radius, xp=np):
    """Weights of a correlation with the `order`-th derivative of a Gaussian, ``2 * radius + 1`` of them.

    The samples are normalised to sum 1; derivatives follow from the probabilists' Hermite polynomials,
    ``d^n/dx^n g(x) = (-1/sigma)^n He_n(x/sigma) g(x)``, and are mirrored, as a correlation needs.
    `sigma` is differentiable where `xp` is `jax.numpy`.
    """
    x = xp.arange(-radius, radius + 1)
    density = xp.exp(-0.5 / (sigma * sigma) * x**2)
    density = density / density.sum()
    if order == 0:
        return density
    x = x / sigma
    polynomial = hermite_e.herme2poly([0.0] * order + [1.0])  # ascending powers
    value = polynomial[-1]
    for coefficient in polynomial[-2::-1]:
        value = value * x + coefficient
    # the mirror image contributes (-1)^order, the derivative another: they cancel
    return value * density / sigma**order
