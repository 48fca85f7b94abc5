"""Requests that were not decided in time: the cleaner ends them, and deletes the credentials in them."""

import pytest

from hrims.approvals import actions, store
from hrims.approvals.rules import RULES
from hrims.batches import actions as batches
from hrims.config import load
from hrims.connection.actions import ConnectionChange
from hrims.db import AsyncPool, Connection
from hrims.jobs.cleaner import task as cleaner
from hrims.worker import DELETIONS
from tests.database.runs import institution
from tests.support.users import ASHA, BINTI, OMAR, actor_of

ENCRYPTED = "gAAAAABinvented"

CHANGE = ConnectionChange(
    of_version=0,
    address="https://hrims.example.go.tz/api",
    connect_timeout=None,
    read_timeout=None,
    request_timeout=None,
    max_in_flight=None,
    credentials={"token": ENCRYPTED},
)


@pytest.fixture
def request_id(conn: Connection) -> int:
    """Return the request for another connection, which holds encrypted credentials."""
    actor_of(conn, "zuhura", "administrator")
    id_ = actions.change_connection(conn, BINTI, CHANGE).approval_id
    assert id_
    assert ENCRYPTED in stored(conn)
    return id_


def stored(conn: Connection) -> str:
    """Return everything that the table of approvals holds."""
    return str(conn.execute("SELECT a::text FROM approvals a").fetchall())


def age(conn: Connection, days: float) -> None:
    """Make all requests this old."""
    conn.execute("UPDATE approvals SET requested_at = now() - %s * interval '1 day'", (days,))


def states(conn: Connection) -> list[tuple[object, ...]]:
    """Return the state of every request."""
    return conn.execute("SELECT state FROM approvals ORDER BY id").fetchall()


@pytest.mark.usefixtures("request_id")
async def test_an_expired_request_keeps_no_credentials(conn: Connection, pool: AsyncPool) -> None:
    age(conn, store.DAYS)
    institution(conn)
    actions.cancel_batch(conn, OMAR, batches.enqueue_batch(conn, ASHA, "all").batch_id)
    await cleaner.delete_expired(DELETIONS, pool, load({}))
    assert ENCRYPTED not in stored(conn)
    assert states(conn) == [("expired",), ("waiting",)]
    [found, *_] = store.list_recent(conn, BINTI.scope, [*RULES])
    assert (found.state, found.details["effect"] != {}) == ("expired", True)


@pytest.mark.usefixtures("request_id")
async def test_one_that_can_still_be_decided_keeps_them(conn: Connection, pool: AsyncPool) -> None:
    age(conn, store.DAYS - 0.1)
    await cleaner.delete_expired(DELETIONS, pool, load({}))
    assert ENCRYPTED in stored(conn)
    assert states(conn) == [("waiting",)]
