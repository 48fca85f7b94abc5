"""Secrets that all web processes share."""

from hrims import db
from hrims.access import keys
from hrims.db import Connection
from tests.access.accounts import at_once


def test_they_stay_the_same(conn: Connection) -> None:
    assert keys.secret_key(conn) == keys.secret_key(conn)
    assert keys.instance_id(conn) == keys.instance_id(conn)
    assert len(keys.secret_key(conn)) >= 32
    assert keys.instance_id(conn) not in keys.secret_key(conn)


def test_processes_that_start_at_once_get_the_same(pool: db.Pool) -> None:
    def start(_: int) -> tuple[str, str]:
        with pool.connection() as own_conn:
            return keys.secret_key(own_conn), keys.instance_id(own_conn)

    assert len(set(at_once(12, start))) == 1
