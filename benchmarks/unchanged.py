"""What a run writes when nothing has changed: at most 2.5 MB of WAL for 10,000 people, and no employee.

The server has its own defaults: fsync, full page writes and data checksums on, WAL compressed. Data
checksums make the first reader of fresh rows write their pages to the WAL once, so three runs are told
apart: after a checkpoint on rows that nobody has read yet, once more, and after another checkpoint.
"""

import functools

from benchmarks.ground import Base, ground

VOTE, PEOPLE, PAGE = "001", 10_000, 100
MOST = 2.5

WRITTEN = "SELECT count(*) FROM employees WHERE xmin::text::bigint >= {}"
"""How many employees' rows were written by this transaction or a later one."""


def main() -> None:
    """Prints the megabytes of three runs over unchanged people."""
    with ground({VOTE: PEOPLE}) as on, on.database() as base, base.worker():
        base.run(VOTE, PAGE)
        written = [
            _again(base, "after a checkpoint, rows never read before", checkpoint=True),
            _again(base, "again", checkpoint=False),
            _again(base, "again, after a checkpoint", checkpoint=True),
        ]
    verdict = "holds" if max(written) <= MOST else "DOES NOT HOLD"
    print(f"  no employee rewritten; at most {MOST} MB: {verdict}")


def _again(base: Base, name: str, *, checkpoint: bool) -> float:
    if checkpoint:
        base.conn.execute("CHECKPOINT")
    one = functools.partial(_one, base)
    before, start = one("SELECT pg_current_xact_id()"), one("SELECT pg_current_wal_insert_lsn()")
    base.run(VOTE, PAGE)
    megabytes = float(one(f"SELECT pg_current_wal_insert_lsn() - '{start}'::pg_lsn")) / 1e6
    assert one(WRITTEN.format(before)) == "0", "an employee was written again"
    print(f"    {name:44} {megabytes:5.2f} MB", flush=True)
    return megabytes


def _one(base: Base, question: str) -> str:
    row = base.conn.execute(question.encode()).fetchone()
    assert row
    return str(row[0])


if __name__ == "__main__":
    main()
