"""``python -m sci``: see `sci.cli.main`."""

import sys

from sci.cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
