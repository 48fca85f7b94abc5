"""The feed of the streams: no change is lost while its connection to Postgres is replaced."""

import threading
from collections.abc import Iterator

import psycopg
import pytest

from hrims.db import Connection
from hrims.web.core.run_events import APPLICATION_NAME, RunEvents
from tests.support.databases import as_owner
from tests.web.runs import enqueue_run_of, institution

TIMEOUT = 20.0
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = %s AND datname = current_database()
"""


@pytest.fixture
def busy(dsn: str) -> Iterator[None]:
    """Provide other runs that change all the time."""
    done = threading.Event()

    def change() -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            while not done.wait(0.05):
                conn.execute("NOTIFY hrims_run, '0'")

    thread = threading.Thread(target=change)
    thread.start()
    yield
    done.set()
    thread.join()


@pytest.mark.usefixtures("busy")
def test_a_change_during_a_reconnect_reaches_its_stream(conn: Connection, dsn: str) -> None:
    """Other runs change all the time, so the feed never reads the watched runs for want of notifications."""
    run_id, connections = enqueue_run_of(conn, institution(conn)), 0

    def change_before_reconnect() -> str:
        nonlocal connections
        connections += 1
        if connections > 1:
            conn.execute("UPDATE run_progress SET saved = 9")
        return dsn

    subscriber = RunEvents(change_before_reconnect, limit=1).subscribe(run_id)
    update = subscriber.wait(TIMEOUT)
    assert update
    assert update.run.saved == 0
    with as_owner(conn):
        conn.execute(CUT, (APPLICATION_NAME,))
    update = subscriber.wait(TIMEOUT)
    assert update
    assert update.run.saved == 9
