"""200 seeded scenarios of faults: no person is missing without a report, and none is saved twice.

``python -m benchmarks.scenarios`` runs all, ``python -m benchmarks.scenarios 17 42`` those with these seeds.
"""

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg

from hrims import postgres
from hrims.installation import DEMO_REGISTER
from hrims.institutions import importer
from tests.resilience.scenarios import checks
from tests.resilience.scenarios.runner import VOTES, Played, perform
from tests.resilience.scenarios.scenarios import draw
from tests.support.users import migrate_with_cast

SEEDS = range(200)


def main(seeds: Sequence[int] = SEEDS) -> None:
    """Print the figures, and the errors of each scenario that has any."""
    started_at, played = time.monotonic(), list[Played]()
    for at in range(0, len(seeds), len(VOTES)):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, _database(folder) as dsn:
            now = perform(dsn, Path(folder), [draw(seed) for seed in seeds[at : at + len(VOTES)]])
        for row in now:
            if (found := checks.faults(row)) or len(seeds) < len(SEEDS):
                print(f"  {checks.line(row)} {found or ''}", flush=True)
        played += now
    print(checks.row(played))
    print(f"  {time.monotonic() - started_at:.0f} s")


@contextlib.contextmanager
def _database(folder: str) -> Iterator[str]:
    with postgres.join(Path(folder, "state"), fsync=False) as server:
        migrate_with_cast(server.dsn)
        with psycopg.connect(server.dsn, autocommit=True) as conn:
            importer.seed(conn, DEMO_REGISTER)
        yield server.dsn


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or SEEDS)
