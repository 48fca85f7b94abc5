"""Secrets that all web processes share."""

from hrims import db
from hrims.access import keys
from hrims.config import load
from hrims.db import Connection
from tests.access.accounts import at_once
from tests.support.encryption import KEY

SETTINGS = load({"HRIMS_ENCRYPTION_KEY": KEY})


def test_they_stay_the_same(conn: Connection) -> None:
    assert keys.secret_key(conn, SETTINGS) == keys.secret_key(conn, SETTINGS)
    assert keys.instance_id(conn) == keys.instance_id(conn)
    assert len(keys.secret_key(conn, SETTINGS)) >= 32
    assert keys.instance_id(conn) not in keys.secret_key(conn, SETTINGS)


def test_processes_that_start_at_once_get_the_same(pool: db.Pool) -> None:
    def start(_: int) -> tuple[str, str]:
        with pool.connection() as own_conn:
            return keys.secret_key(own_conn, SETTINGS), keys.instance_id(own_conn)

    assert len(set(at_once(12, start))) == 1
