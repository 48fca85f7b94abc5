"""Browsers' sign-ins: begun, found, ended; what is kept of them."""

import pytest

from hrims.access import sessions, users
from hrims.access.actor import Actor
from hrims.access.sessions import SignedIn
from hrims.db import Connection
from hrims.errors import Conflict, NotFound
from tests.access.accounts import PASSWORD, ROOT, records


@pytest.fixture
def asha(conn: Connection) -> int:
    """Return the id of the officer asha."""
    return users.add_user(conn, ROOT, "asha", "officer", PASSWORD)


def test_it_works(conn: Connection, asha: int) -> None:
    token = sessions.begin(conn, asha, "192.0.2.7", hours=1)
    found = sessions.find(conn, token)
    assert found
    assert found == SignedIn(asha, "asha", "officer", None, 1, False, found.confirmed_ago, False)
    assert 0 <= found.confirmed_ago < 60
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


def test_it_ends_after_its_idle_limit(conn: Connection, asha: int) -> None:
    token = sessions.begin(conn, asha, None, hours=12, idle_minutes=30)
    idle(conn, "29 minutes")
    assert sessions.find(conn, token)
    idle(conn, "1 minute")
    assert sessions.find(conn, token) is None
    assert sessions.list_sessions(conn, asha) == []


def idle(conn: Connection, time: str) -> None:
    """Let time pass in which the user does nothing."""
    conn.execute("UPDATE sessions SET last_seen_at = last_seen_at - %s::interval", (time,))


def test_a_session_in_use_is_written_once_a_minute(conn: Connection, asha: int) -> None:
    token = sessions.begin(conn, asha, "192.0.2.7", hours=12, idle_minutes=30)
    idle(conn, "59 seconds")
    found = sessions.find(conn, token)
    assert found
    assert not found.is_due
    idle(conn, "1 second")
    found = sessions.find(conn, token)
    assert found
    assert found.is_due
    sessions.touch(conn, found.session_id, "192.0.2.8")
    [listed] = sessions.list_sessions(conn, asha)
    assert listed.address == "192.0.2.8"
    found = sessions.find(conn, token)
    assert found
    assert not found.is_due


def test_a_database_that_cannot_be_written_still_knows_sessions(conn: Connection, asha: int) -> None:
    token = sessions.begin(conn, asha, None, hours=1)
    conn.execute("SET default_transaction_read_only = on")
    found = sessions.find(conn, token)
    assert found
    sessions.touch(conn, found.session_id, None)


def test_users_end_their_own_sessions_only(conn: Connection, asha: int) -> None:
    juma = users.add_user(conn, ROOT, "juma", "officer", PASSWORD)
    first, second, third = (sessions.begin(conn, asha, None, hours=1) for _ in range(3))
    his = sessions.begin(conn, juma, None, hours=1)
    found = [sessions.find(conn, token) for token in (first, second, third, his)]
    one, two, _, other = (session for session in found if session)
    actor = Actor("asha", "page")
    with pytest.raises(NotFound):
        sessions.end_one(conn, actor, two, other.session_id)
    with pytest.raises(Conflict, match="Sign out to end it"):
        sessions.end_one(conn, actor, two, two.session_id)
    sessions.end_one(conn, actor, two, one.session_id)
    assert sessions.end_others(conn, actor, two) == 1
    are_valid = [bool(sessions.find(conn, token)) for token in (first, second, third, his)]
    assert are_valid == [False, True, False, True]
    assert records(conn, "session.end") == [("asha", "user:asha", {"sessions_ended": 1})]
    assert records(conn, "session.end_others") == [("asha", "user:asha", {"sessions_ended": 1})]


def test_a_long_name_of_a_browser_is_cut(conn: Connection, asha: int) -> None:
    sessions.begin(conn, asha, None, hours=1, user_agent="x" * 5000)
    [listed] = sessions.list_sessions(conn, asha)
    assert listed.user_agent == "x" * 300
