"""A simulated HRIMS: a separate process with real HTTP that follows the contract and fails on demand.

Input: a register of institutions and a seed. Output: a population of invented people, the same every time.
``/_control`` changes its behaviour while it runs. It shares no code with the other packages.
"""

import os
import sys

from hrims.simulator.behaviour import InvalidControl
from hrims.simulator.options import Options, parse
from hrims.simulator.server import serve

__all__ = ["Options", "main", "serve"]


def main(argv: list[str]) -> None:
    """Serve until SIGTERM or SIGINT, then end the process with exit code 0.

    ``--help`` lists the arguments. If the simulator cannot start, print a message and exit with code 1.
    """
    options = parse(argv)
    try:
        serve(options)
    except OSError as reason:
        sys.exit(f"The simulator cannot use port {options.port}: {reason.strerror}. Give another.")
    except InvalidControl as reason:
        sys.exit(f"The simulator cannot behave so: {reason}.")
    os._exit(0)  # freeing tens of thousands of invented people would take a second and has no use
