"""The tables of functions are plain modules beside the tests."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
