"""Cost of the audit trail: a run is enqueued at most 2 ms slower at the median than without it.

Interleaved: each institution's run is enqueued once with its audit record and once without, in a changing
order, with fsync on and a sequencer beside it. Then 20 writers share one chain, and a long chain is verified:
``python -m benchmarks.audit [RECORDS]``.
"""

import contextlib
import resource
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from unittest import mock

import psycopg

from benchmarks.run_environment import run_environment
from hrims.access.audit import record
from hrims.audit import sequencer
from hrims.audit.verification import verify
from hrims.db import Connection
from hrims.jobs import enqueue
from tests.support.users import ASHA

TIMES = 1000
LIMIT_MS = 2.0
WRITERS, EACH = 20, 100
RECORDS = 1_000_000


def main() -> None:
    """Print the cost of enqueueing, of concurrent writers, and of verification."""
    records = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else RECORDS
    with run_environment({}) as on:
        with on.database() as base, sequencing(base.dsn):
            _enqueue(base.conn)
        with on.database() as base:
            _write_concurrently(base.conn, base.dsn)
        with on.database() as base:
            _verify(base.conn, records)


def _enqueue(conn: Connection) -> None:
    institutions = conn.execute(
        "SELECT id, vote_code FROM institutions WHERE vote_code IS NOT NULL ORDER BY id"
    ).fetchall()
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for number in range(TIMES):
        id_, vote_code = institutions[number % len(institutions)]
        for is_audited in (True, False) if number % 2 else (False, True):
            request = partial(
                enqueue.enqueue_run,
                conn,
                ASHA,
                institution_id=id_,
                identifier_type="votecode",
                identifier=vote_code,
            )
            with contextlib.nullcontext() if is_audited else mock.patch.object(enqueue, "record"):
                seconds[is_audited].append(_timed(request))
            conn.execute("UPDATE runs SET state = 'cancelled', finished_at = now() WHERE state = 'waiting'")
    with_audit, without = (statistics.median(seconds[key]) * 1000 for key in (True, False))
    cost = with_audit - without
    print(f"  enqueueing a run: {with_audit:.2f} ms with audit, {without:.2f} ms without, median of {TIMES}")
    print(
        f"  ratio {with_audit / without:.2f}, difference {cost:.2f} ms; at most {LIMIT_MS:.0f} ms: "
        f"{'holds' if cost <= LIMIT_MS else 'DOES NOT HOLD'}"
    )


def _write_concurrently(conn: Connection, dsn: str) -> None:
    alone = _timed(lambda: _write(dsn, EACH))
    with sequencing(dsn), ThreadPoolExecutor(WRITERS) as threads:
        together = _timed(lambda: list(threads.map(lambda _: _write(dsn, EACH), range(WRITERS))))
    sequencer.chain_all(conn)
    result = verify(conn, [])
    rate = WRITERS * EACH / together
    print(
        f"  {WRITERS} writers: {rate:.0f} transactions/s, {rate / (EACH / alone):.1f} × one alone;"
        f" one chain of {result.head.sequence} records, {result.finding or 'intact'}"
    )


def _verify(conn: Connection, records: int) -> None:
    written = _timed(lambda: conn.execute(FILL, (records,)))
    chained = _timed(lambda: sequencer.chain_all(conn))
    conn.execute("VACUUM ANALYZE audit_log, audit_chain, audit_pending")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = _timed(lambda: verify(conn, []))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"  {records} records: written in {written:.0f} s, chained in {chained:.0f} s, verified in"
        f" {seconds:.0f} s with {grown:.0f} MB"
    )


FILL = """
SELECT count(audit_insert(
    'asha', 'page', 'run.ask', 'run:' || n, '{"kind": "sync", "page_size": 100}', user_id => 3,
    role => 'officer', address => '192.0.2.7', user_agent => 'Mozilla/5.0 (X11; Linux x86_64)',
    request_id => md5(n::text), run_id => n, institution_id => 3))
FROM generate_series(1, %s) n
"""


def _write(dsn: str, count: int) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        for _ in range(count):
            with conn.transaction():
                record(conn, ASHA, "queue.pause", "queue")


@contextlib.contextmanager
def sequencing(dsn: str) -> Iterator[None]:
    """Chain records as a worker does, in a thread."""
    ended = threading.Event()

    def chain() -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            while not ended.wait(sequencer.PERIOD_SECONDS):
                sequencer.chain_all(conn)

    thread = threading.Thread(target=chain)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _timed(work: Callable[[], Any]) -> float:
    started_at = time.perf_counter()
    work()
    return time.perf_counter() - started_at


if __name__ == "__main__":
    main()
