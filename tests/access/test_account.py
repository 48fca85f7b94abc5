"""Users change their own password: it works, then every refusal."""

import pytest

from hrims import db
from hrims.access import account, devices, passwords, sessions, users
from hrims.access.actor import Actor
from hrims.access.sessions import SignedIn
from hrims.access.sign_in import Visit
from hrims.access.throttle import PAIR, TooManyFailures
from hrims.db import Connection
from hrims.errors import Conflict, InputError, InvalidInput
from tests.access.accounts import PASSWORD, ROOT, SETTINGS, at_once, records

NEW = "a dry monsoon"

ASHA, HERE = Actor("asha", "page", "192.0.2.7"), Visit(SETTINGS, "192.0.2.7")


@pytest.fixture
def session(conn: Connection) -> SignedIn:
    """Return the session of the officer asha, who must change the password."""
    id_ = users.add_user(conn, ROOT, "asha", "officer", PASSWORD, must_change=True)
    found = sessions.find(conn, sessions.begin(conn, id_, None, hours=1))
    assert found
    return found


def is_password(conn: Connection, password: str) -> bool:
    """Return whether it is the password of asha."""
    user = users.find(conn, "asha")
    return user is not None and passwords.matches(password, user.password_hash)


def test_it_works(conn: Connection, pool: db.Pool, session: SignedIn) -> None:
    other = sessions.begin(conn, session.user_id, None, hours=1)
    here, there = (devices.remember(conn, SETTINGS, session.user_id, None) for _ in range(2))
    visit = HERE._replace(device=here)
    token = account.change_password(pool, ASHA, session, visit, PASSWORD, NEW)
    renewed = sessions.find(conn, token)
    assert renewed
    assert renewed.session_id == session.session_id
    assert is_password(conn, NEW)
    assert sessions.find(conn, other) is None
    assert [listed.id for listed in sessions.list_sessions(conn, session.user_id)] == [session.session_id]
    assert devices.find(conn, SETTINGS, session.user_id, here)
    assert devices.find(conn, SETTINGS, session.user_id, there) is None
    assert conn.execute("SELECT must_change_password FROM users").fetchone() == (False,)
    assert records(conn, "user.change_password") == [("asha", "user:asha", {"sessions_ended": 1})]


@pytest.mark.parametrize(
    ("current", "new", "message"),
    [
        ("wrong password", NEW, "current password is wrong"),
        (PASSWORD, PASSWORD, r"is the current password\. Nothing was changed"),
        (PASSWORD, "short", "12 to 256"),
        (PASSWORD, "asha likes tea", "the user name"),
    ],
)
def test_it_is_refused(
    conn: Connection, pool: db.Pool, session: SignedIn, current: str, new: str, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        account.change_password(pool, ASHA, session, HERE, current, new)
    assert is_password(conn, PASSWORD)
    assert records(conn, "user.change_password") == []


def test_a_stolen_session_guesses_no_password(conn: Connection, pool: db.Pool, session: SignedIn) -> None:
    def guess(number: int) -> type[InputError]:
        with pytest.raises(InputError) as refused:
            account.change_password(pool, ASHA, session, HERE, f"wrong password {number}", NEW)
        return refused.type

    assert at_once(PAIR.free + 4, guess).count(InvalidInput) == PAIR.free
    with pytest.raises(TooManyFailures):
        account.confirm_session(pool, ASHA, session, HERE, PASSWORD, 0)


def test_of_two_changes_at_once_one_is_refused(conn: Connection, pool: db.Pool, session: SignedIn) -> None:
    def change(number: int) -> bool:
        try:
            account.change_password(pool, ASHA, session, HERE, PASSWORD, f"{NEW} {number}")
        except (Conflict, InvalidInput):
            return False
        return True

    assert sum(at_once(4, change)) == 1
    assert len(records(conn, "user.change_password")) == 1


def test_a_session_is_confirmed_by_the_password(conn: Connection, pool: db.Pool, session: SignedIn) -> None:
    conn.execute("UPDATE sessions SET confirmed_at = now() - interval '1 hour'")
    account.confirm_session(pool, ASHA, session, HERE, PASSWORD, 0)
    row = conn.execute("SELECT now() - confirmed_at < interval '1 minute' FROM sessions").fetchone()
    assert row == (True,)
    assert records(conn, "session.confirm") == [("asha", "user:asha", {"by": "password"})]
