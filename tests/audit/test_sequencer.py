"""The sequencer chains what has committed: with concurrent writers, rollbacks, late commits and kills."""

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random

import psycopg
import pytest
from psycopg.rows import scalar_row

from hrims.audit import sequencer, store
from hrims.audit.verification import verify
from tests.audit import trail

WRITERS, EACH = 20, 40


def ids(conn: psycopg.Connection) -> list[int]:
    """Return the ids of the records in the order of the chain."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute("SELECT record_id FROM audit_chain ORDER BY sequence").fetchall()


def test_it_chains_records_in_their_order(conn: psycopg.Connection) -> None:
    trail.write(conn, Random(1), 3)
    sequencer.chain_all(conn)
    trail.write(conn, Random(2), 2)
    sequencer.chain_all(conn)
    assert ids(conn) == [1, 2, 3, 4, 5]
    result = verify(conn, [])
    assert (result.finding, result.pending, result.head) == (None, 0, trail.head(conn))


def test_it_chains_more_records_than_a_batch(
    conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer, "BATCH_SIZE", 2)
    trail.write(conn, Random(1), 5)
    sequencer.chain_all(conn)
    assert ids(conn) == [1, 2, 3, 4, 5]


def test_20_concurrent_writers_share_one_chain(conn: psycopg.Connection, dsn: str) -> None:
    """Some transactions roll back, some take long; three sequencers run all the time."""
    ended = threading.Event()

    def write(number: int) -> int:
        rng, kept = Random(number), 0
        with psycopg.connect(dsn) as own:
            for _ in range(EACH):
                trail.write(own, rng, rng.randint(1, 3))
                if rng.random() < 0.2:
                    own.rollback()
                else:
                    own.commit()
                    kept += 1
        return kept

    def chain() -> None:
        with psycopg.connect(dsn, autocommit=True) as own:
            while not ended.is_set():
                sequencer.chain_all(own)

    with ThreadPoolExecutor(WRITERS + 3) as threads:
        sequencers = [threads.submit(chain) for _ in range(3)]
        assert sum(threads.map(write, range(WRITERS))) > WRITERS * EACH / 2
        ended.set()
        for future in sequencers:
            future.result()
    sequencer.chain_all(conn)
    result = verify(conn, [])
    written = conn.execute("SELECT count(*) FROM audit_log").fetchone()
    assert result.finding is None
    assert (result.head.sequence,) == written
    assert result.pending == 0


def test_a_long_transaction_holds_up_neither_writers_nor_the_chain(
    conn: psycopg.Connection, dsn: str
) -> None:
    conn.execute("SET lock_timeout = '1s'")
    with psycopg.connect(dsn) as slow:
        trail.write(slow, Random(1), 1)
        trail.write(conn, Random(2), 1)
        sequencer.chain_all(conn)
        assert ids(conn) == [2]
        slow.commit()
    sequencer.chain_all(conn)
    assert ids(conn) == [2, 1]
    assert verify(conn, []).finding is None


def test_a_rolled_back_record_leaves_nothing_behind(conn: psycopg.Connection) -> None:
    with conn.transaction(force_rollback=True):
        trail.write(conn, Random(1), 1)
    trail.write(conn, Random(1), 1)
    sequencer.chain_all(conn)
    assert ids(conn) == [2]
    result = verify(conn, [])
    assert (result.finding, result.head.sequence) == (None, 1)


def test_a_second_sequencer_does_not_wait(conn: psycopg.Connection, dsn: str) -> None:
    trail.write(conn, Random(1), 2)
    with psycopg.connect(dsn) as first:
        assert store.chain_records(first, 1) == 1
        assert store.chain_records(conn, 1) == 0


CHILD = """
import sys, psycopg
from hrims.audit import store
conn = psycopg.connect(sys.argv[1])
store.chain_records(conn, 300)
print("chained", flush=True)
sys.stdin.read()
"""


def test_a_kill_in_the_middle_of_sequencing_breaks_nothing(conn: psycopg.Connection, dsn: str) -> None:
    """Each child is killed with 300 records chained and not committed."""
    trail.write(conn, Random(1), 700)
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, dsn], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
        )
        assert child.stdout
        assert child.stdout.readline() == "chained\n"
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert ids(conn) == []
    # The server notices the lost client at once, but another session may have to wait for its rollback.
    while store.chain_records(conn, 400) == 0:
        continue
    assert ids(conn) == list(range(1, 401))
    sequencer.chain_all(conn)
    result = verify(conn, [])
    assert (result.finding, result.head.sequence, result.pending) == (None, 700, 0)


def test_a_terminated_session_chains_nothing(
    conn: psycopg.Connection, owner: psycopg.Connection, dsn: str
) -> None:
    trail.write(conn, Random(1), 50_000 // 100)
    with psycopg.connect(dsn) as victim:
        store.chain_records(victim, 200)
        owner.execute("SELECT pg_terminate_backend(%s, 5000)", (victim.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError):
            victim.commit()
    assert ids(conn) == []
    sequencer.chain_all(conn)
    assert verify(conn, []).finding is None


def test_only_the_owner_may_call_what_writes(conn: psycopg.Connection) -> None:
    rows = conn.execute(
        "SELECT p.proname FROM pg_proc p"
        " WHERE p.prosecdef AND has_function_privilege('public', p.oid, 'EXECUTE') ORDER BY 1"
    ).fetchall()
    assert rows == [("earliest_start",), ("starts_per_minute",)], "these only read"
