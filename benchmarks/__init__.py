"""Benchmarks: pairs of ours and the original, side by side. See README.md; run ``python -m benchmarks``."""
