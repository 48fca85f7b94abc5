"""200 seeded scenarios of faults: nobody missing in silence, nobody there twice.

``python -m benchmarks.scenarios`` plays all, ``python -m benchmarks.scenarios 17 42`` those of these seeds.
"""

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg

from benchmarks.stage import REGISTER
from hrims import postgres
from hrims.migrate import migrate
from hrims.register import table
from tests.scenarios import judge
from tests.scenarios.cast import draw
from tests.scenarios.theatre import VOTES, Played, perform

SEEDS = range(200)


def main(seeds: Sequence[int] = SEEDS) -> None:
    """Prints the figures, and what was wrong with any scenario."""
    began, played = time.monotonic(), list[Played]()
    for at in range(0, len(seeds), len(VOTES)):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, _database(folder) as dsn:
            now = perform(dsn, Path(folder), [draw(seed) for seed in seeds[at : at + len(VOTES)]])
        for one in now:
            if (found := judge.faults(one)) or len(seeds) < len(SEEDS):
                print(f"  {judge.line(one)} {found or ''}", flush=True)
        played += now
    print(judge.row(played))
    print(f"  {time.monotonic() - began:.0f} s")


@contextlib.contextmanager
def _database(folder: str) -> Iterator[str]:
    with postgres.join(Path(folder, "state"), fsync=False) as server:
        migrate(server.dsn)
        with psycopg.connect(server.dsn, autocommit=True) as conn:
            table.seed(conn, REGISTER)
        yield server.dsn


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or SEEDS)
