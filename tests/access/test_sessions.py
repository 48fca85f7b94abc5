"""Browsers' sign-ins: begun, found, ended; what is kept of them."""

import pytest

from hrims.access import sessions, users
from hrims.access.sessions import SignedIn
from hrims.db import Connection
from tests.access.accounts import PASSWORD, ROOT


@pytest.fixture
def asha(conn: Connection) -> int:
    """Return the id of the officer asha."""
    return users.add_user(conn, ROOT, "asha", "officer", PASSWORD)


def test_it_works(conn: Connection, asha: int) -> None:
    token = sessions.begin(conn, asha, "192.0.2.7", hours=1)
    assert sessions.find(conn, token) == SignedIn(asha, "asha", "officer", None)
    assert sessions.end(conn, token) == "asha"
    assert sessions.find(conn, token) is None
    assert sessions.end(conn, token) is None


def test_every_sign_in_has_a_token_of_its_own(conn: Connection, asha: int) -> None:
    first, second = (sessions.begin(conn, asha, None, hours=1) for _ in range(2))
    assert first != second
    sessions.end(conn, first)
    assert sessions.find(conn, second)


def test_the_database_holds_no_token(conn: Connection, asha: int) -> None:
    token = sessions.begin(conn, asha, None, hours=1)
    stored = conn.execute("SELECT sessions::text, encode(token_hash, 'escape') FROM sessions").fetchone()
    assert stored
    assert token not in "".join(stored)


def test_it_ends_after_its_hours(conn: Connection, asha: int) -> None:
    token = sessions.begin(conn, asha, None, hours=2)
    conn.execute("UPDATE sessions SET expires_at = expires_at - interval '119 minutes'")
    assert sessions.find(conn, token)
    conn.execute("UPDATE sessions SET expires_at = expires_at - interval '1 minute'")
    assert sessions.find(conn, token) is None


def test_ended_ones_are_cleared_away_by_the_next(conn: Connection, asha: int) -> None:
    sessions.begin(conn, asha, None, hours=1)
    conn.execute("UPDATE sessions SET expires_at = now()")
    token = sessions.begin(conn, asha, None, hours=1)
    assert conn.execute("SELECT count(*) FROM sessions").fetchone() == (1,)
    assert sessions.find(conn, token)


def test_a_disabled_user_is_out_at_once(conn: Connection, asha: int) -> None:
    token = sessions.begin(conn, asha, None, hours=1)
    conn.execute("UPDATE users SET disabled_at = now()")
    assert sessions.find(conn, token) is None


@pytest.mark.parametrize("token", ["", "x", "\0", "é", "\udc80", "x" * 10000])
def test_an_invalid_token_is_refused(conn: Connection, asha: int, token: str) -> None:
    sessions.begin(conn, asha, None, hours=1)
    assert sessions.find(conn, token) is None
    assert sessions.end(conn, token) is None
