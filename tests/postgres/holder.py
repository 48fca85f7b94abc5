"""A process that uses the server until its input ends: the real thing that tests kill.

Takes one JSON object: `state`, and what `join()` takes. Prints one: `dsn`, or `error`.
"""

import json
import sys
from pathlib import Path

from hrims.errors import DatabaseUnusable
from hrims.postgres import binaries, join


def main() -> None:
    """Joins, tells, waits, leaves."""
    wish = json.loads(sys.argv[1])
    if "wheels" in wish:
        binaries.WHEELS = tuple(wish["wheels"])
    if "debian" in wish:
        binaries.DEBIAN = Path(wish["debian"])
    try:
        server = join(Path(wish["state"]), fsync=wish["fsync"], settings=wish["settings"])
    except DatabaseUnusable as error:
        _say(error=str(error))
        return
    with server:
        _say(dsn=server.dsn)
        sys.stdin.read()


def _say(**words: str) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
