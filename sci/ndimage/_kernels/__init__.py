"""Pure JAX image kernels shared by ``sci.ndimage`` and ``image`` (arrays in, arrays out)."""
