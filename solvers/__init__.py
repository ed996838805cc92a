"""Pure JAX engines: pytrees in, pytrees out. Knows nothing of NumPy callables or SciPy."""
