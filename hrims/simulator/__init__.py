"""A stand-in HRIMS: its own process, real HTTP, to the contract, and failing on demand.

In comes a register of institutions and a seed; out goes a country of invented people, the same
every time. Behaviour is changed while it runs through ``/_control``. Shares no code with the rest.
"""

import os

from hrims.simulator.options import Options, parse
from hrims.simulator.server import serve

__all__ = ["Options", "main", "serve"]


def main(argv: list[str]) -> None:
    """Serves until SIGTERM or SIGINT; arguments as ``python -m hrims.simulator --help`` tells."""
    serve(parse(argv))
    os._exit(0)  # a second of tidying up of people who are invented anyway helps nobody
