"""Runs the command line as ``python -m robustprune``."""

import sys

from robustprune.cli import main

if __name__ == "__main__":
    sys.exit(main())
