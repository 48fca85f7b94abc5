"""WAL of a run without changes: at most 2.5 MB for 10,000 people, and no employee is written.

The server has its own defaults: fsync, full page writes and data checksums on, WAL compressed. With data
checksums, the first reader of new rows writes their pages to the WAL once. Three runs are therefore measured
separately: after a checkpoint on rows that were never read, once more, and after another checkpoint.
"""

import functools

from benchmarks.run_environment import RunDatabase, run_environment

VOTE, PEOPLE, PAGE = "001", 10_000, 100
MOST = 2.5

WRITTEN = "SELECT count(*) FROM employees WHERE xmin::text::bigint >= {}"
"""Counts the employees whose rows were written by this transaction or a later one."""


def main() -> None:
    """Print the megabytes of three runs over unchanged people."""
    with run_environment({VOTE: PEOPLE}) as on, on.database() as base, base.worker():
        base.run(VOTE, PAGE)
        written = [
            _again(base, "after a checkpoint, rows never read before", checkpoint=True),
            _again(base, "again", checkpoint=False),
            _again(base, "again, after a checkpoint", checkpoint=True),
        ]
    verdict = "holds" if max(written) <= MOST else "DOES NOT HOLD"
    print(f"  no employee rewritten; at most {MOST} MB: {verdict}")


def _again(base: RunDatabase, name: str, *, checkpoint: bool) -> float:
    if checkpoint:
        base.conn.execute("CHECKPOINT")
    sync = functools.partial(_one, base)
    before, start = sync("SELECT pg_current_xact_id()"), sync("SELECT pg_current_wal_insert_lsn()")
    base.run(VOTE, PAGE)
    megabytes = float(sync(f"SELECT pg_current_wal_insert_lsn() - '{start}'::pg_lsn")) / 1e6
    assert sync(WRITTEN.format(before)) == "0", "an employee was written again"
    print(f"    {name:44} {megabytes:5.2f} MB", flush=True)
    return megabytes


def _one(base: RunDatabase, query: str) -> str:
    row = base.conn.execute(query.encode()).fetchone()
    assert row
    return str(row[0])


if __name__ == "__main__":
    main()
