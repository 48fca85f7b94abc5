"""A stand-in HRIMS: its own process, real HTTP, to the contract, and failing on demand.

In comes a register of institutions and a seed; out goes a country of invented people, the same
every time. Behaviour is changed while it runs through ``/_control``. Shares no code with the rest.
"""

import os
import sys

from hrims.simulator.behaviour import Refused
from hrims.simulator.options import Options, parse
from hrims.simulator.server import serve

__all__ = ["Options", "main", "serve"]


def main(argv: list[str]) -> None:
    """Serves until SIGTERM or SIGINT and ends the process with 0; arguments as ``--help`` tells.
    Exits 1 in words when it cannot start."""
    options = parse(argv)
    try:
        serve(options)
    except OSError as reason:
        sys.exit(f"The simulator cannot use port {options.port}: {reason.strerror}. Give another.")
    except Refused as reason:
        sys.exit(f"The simulator cannot behave so: {reason}.")
    os._exit(0)  # tidying up tens of thousands of invented people takes a second and helps nobody
