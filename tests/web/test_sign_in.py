"""Signing in and out: it works, then every refusal."""

from hrims.db import Connection
from tests.web.conftest import PASSWORD, Browser, add_user


def records(conn: Connection, action: str) -> list[tuple[object, ...]]:
    """Actor, way, address and subject of the records of an action."""
    return conn.execute(
        "SELECT actor, via, host(address), subject FROM audit_log WHERE action = %s ORDER BY id", (action,)
    ).fetchall()


def test_it_works(client: Browser, conn: Connection) -> None:
    add_user(conn, "asha", "officer")
    answer = client.press("/sign-in", name=" Asha ", password=PASSWORD, next="/dashboard/admin/fetch-data")
    assert answer.status_code == 303
    assert answer.location == "/dashboard/admin/fetch-data"
    assert client.get(answer.location).status_code == 200
    assert records(conn, "session.sign_in") == [("asha", "page", "127.0.0.1", "user:asha")]
