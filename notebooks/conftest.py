"""The tests run the notebooks at reduced sizes."""

import os

os.environ["SCI_NOTEBOOK_SMALL"] = "1"
