"""The command line, ``python -m sci``."""

from sci.cli.main import main

__all__ = ["main"]
