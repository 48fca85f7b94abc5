"""Two administrators change the same user at the same time: the second sees what the first has done."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from hrims import db
from hrims.access import users
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput
from tests.access.accounts import PASSWORD, ROOT
from tests.database.runs import institution, wait_until_blocked


@pytest.fixture(autouse=True)
def asha(conn: Connection) -> None:
    """Add an officer, beside the administrator binti."""
    users.add_user(conn, ROOT, "binti", "administrator", PASSWORD)
    users.add_user(conn, ROOT, "asha", "officer", PASSWORD)


def meanwhile(
    conn: Connection, dsn: str, pool: db.Pool, role: str, action: Callable[[Connection], None]
) -> None:
    """Start an action while another transaction, which commits afterwards, gives asha another role."""

    def act() -> None:
        with pool.connection() as own_conn:
            action(own_conn)

    with psycopg.connect(dsn) as other, ThreadPoolExecutor(1) as threads:
        with other.transaction():
            users.set_role(other, ROOT, "asha", role)
            started = threads.submit(act)
            asyncio.run(wait_until_blocked(conn))
        started.result()


def test_the_institutions_of_one_who_became_an_auditor(conn: Connection, dsn: str, pool: db.Pool) -> None:
    place = institution(conn)
    with pytest.raises(InvalidInput, match="The role auditor has all institutions"):
        meanwhile(conn, dsn, pool, "auditor", lambda own: users.set_institutions(own, ROOT, "asha", [place]))


def test_the_record_has_the_role_that_was_replaced(conn: Connection, dsn: str, pool: db.Pool) -> None:
    meanwhile(conn, dsn, pool, "supervisor", lambda own: users.set_role(own, ROOT, "asha", "viewer"))
    rows = conn.execute("SELECT before, after FROM audit_log WHERE action = 'user.set_role' ORDER BY id")
    assert rows.fetchall() == [("officer", "supervisor"), ("supervisor", "viewer")]


def test_the_same_role_twice(conn: Connection, dsn: str, pool: db.Pool) -> None:
    with pytest.raises(Conflict, match="asha is viewer already"):
        meanwhile(conn, dsn, pool, "viewer", lambda own: users.set_role(own, ROOT, "asha", "viewer"))
