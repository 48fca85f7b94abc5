"""A process that uses the server until its input ends: the real thing that tests kill.

Takes one JSON object: `state`, and what `join()` takes. Prints one: `dsn`, or `error`.
"""

import json
import sys
from pathlib import Path

from hrims.errors import DatabaseUnusable
from hrims.postgres import binaries, join


def main() -> None:
    """Join, tells, waits, leaves."""
    options = json.loads(sys.argv[1])
    if "wheels" in options:
        binaries.WHEELS = tuple(options["wheels"])
    if "debian" in options:
        binaries.DEBIAN = Path(options["debian"])
    try:
        server = join(Path(options["state"]), fsync=options["fsync"], settings=options["settings"])
    except DatabaseUnusable as error:
        _say(error=str(error))
        return
    with server:
        _say(dsn=server.dsn)
        sys.stdin.read()


def _say(**fields: str) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
