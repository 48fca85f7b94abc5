"""Runs the simulator with ``python -m hrims.simulator``, the same as ``hrims simulate``."""

import sys

from hrims.simulator import main

main(sys.argv[1:])
