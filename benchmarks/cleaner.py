"""Cost of the cleaner with a million past runs: ``python -m benchmarks.cleaner [RUNS]``.

SQL creates runs, jobs, events and pages. Then every statement of the cleaner runs as in the worker, until a
thousand batches are deleted. Prints the slowest statement of each kind, beside one count of the runs, which
reads all of them.
"""

import sys
import time
from pathlib import Path

import psycopg

from benchmarks.run_environment import RunEnvironment, run_environment
from hrims.db import Connection
from hrims.jobs.cleaner import store
from hrims.jobs.cleaner import task as cleaner

RUNS = 1_000_000
BATCHES = 1_000
LIMIT_MS = 200.0

PAST = Path(__file__).with_name("past.sql").read_text(encoding="utf-8")


def main() -> None:
    """Print the slowest statement of each kind, in milliseconds."""
    runs = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else RUNS
    with run_environment({}) as here:
        _measure(here, runs)


def _measure(here: RunEnvironment, runs: int) -> None:
    with here.database() as base, psycopg.connect(base.dsn, autocommit=True) as conn:
        for part in PAST.split(";\n"):
            conn.execute(part.encode(), {"runs": runs} if "%(runs)s" in part else None)
        conn.execute("ANALYZE")
        started_at = time.perf_counter()
        conn.execute("SELECT count(*) FROM runs WHERE finished_at IS NOT NULL")
        reading = (time.perf_counter() - started_at) * 1000
        slowest = {"jobs": 0.0, "find": 0.0, "delete": 0.0}
        batches = 0
        while batches < BATCHES and _one_batch(conn, slowest):
            batches += 1
    worst = max(slowest.values())
    verdict = "holds" if worst <= LIMIT_MS else "DOES NOT HOLD"
    each = ", ".join(f"{name} {took:.1f} ms" for name, took in slowest.items())
    print(f"  {runs:,} past runs, {batches:,} batches; slowest statements: {each}")
    print(f"  under {LIMIT_MS:.0f} ms: {verdict}")
    print(f"  beside: counting the runs once reads them all in {reading:.0f} ms")


def _one_batch(conn: Connection, slowest: dict[str, float]) -> bool:
    """Delete a batch of jobs and the details of one run, as ``delete_expired`` does.

    Return False if there is nothing left to delete.
    """

    def timed(kind: str, statement: str, **given: int) -> psycopg.Cursor[tuple[object, ...]]:
        started_at = time.perf_counter()
        done = conn.execute(store.SQL[statement], given)
        slowest[kind] = max(slowest[kind], (time.perf_counter() - started_at) * 1000)
        return done

    gone = timed("jobs", "delete_ended_jobs", batch_size=cleaner.JOB_BATCH, hours=24).rowcount
    gone += timed("jobs", "delete_failed_jobs", batch_size=cleaner.JOB_BATCH, days=7).rowcount
    with conn.transaction():
        found = timed("find", "mark_expired_run", days=90).rowcount
        if found:
            [(marked,)] = timed("find", "find_marked").fetchall()
            run = int(str(marked))
            timed("delete", "delete_pages", run=run, batch_size=cleaner.PAGE_BATCH)
            timed("delete", "erase_attempt_logs", run=run)
            timed("delete", "unmark_run", run=run)
    return bool(gone or found)


if __name__ == "__main__":
    main()
