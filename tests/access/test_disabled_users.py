"""Users are disabled and enabled; one administrator stays, whatever is done at the same time."""

import psycopg
import pytest

from hrims import db
from hrims.access import sessions, tokens, users
from hrims.access.sign_in import Visit, sign_in
from hrims.db import Connection
from hrims.errors import Conflict, NotFound
from tests.access.accounts import PASSWORD, ROOT, SETTINGS, at_once, records
from tests.support.users import add_user


@pytest.fixture
def asha(conn: Connection) -> int:
    """Return an officer, beside the administrator binti."""
    users.add_user(conn, ROOT, "binti", "administrator", PASSWORD)
    return users.add_user(conn, ROOT, "asha", "officer", PASSWORD)


def test_it_works(conn: Connection, asha: int) -> None:
    session = sessions.begin(conn, asha, None, hours=1)
    hers = tokens.add_token(conn, ROOT, "nightly", user="Asha")
    other = tokens.add_token(conn, ROOT, "payroll", user="binti")
    assert users.disable(conn, ROOT, " ASHA ") == (1, 1)
    assert sessions.find(conn, session) is None
    assert tokens.find_token(conn, hers) is None
    assert tokens.find_token(conn, other)
    ended = {"sessions_ended": 1, "tokens_revoked": 1}
    assert records(conn, "user.disable") == [("root", "user:asha", ended)]
    users.enable(conn, ROOT, "asha")
    user = users.find(conn, "asha")
    assert user
    assert not user.disabled
    assert (sessions.find(conn, session), tokens.find_token(conn, hers)) == (None, None)
    assert records(conn, "user.enable") == [("root", "user:asha", {})]


def test_a_change_without_effect_is_refused_and_not_recorded(conn: Connection, asha: int) -> None:
    with pytest.raises(Conflict, match="asha is enabled already"):
        users.enable(conn, ROOT, "asha")
    users.disable(conn, ROOT, "asha")
    with pytest.raises(Conflict, match="asha is disabled already"):
        users.disable(conn, ROOT, "asha")
    assert (len(records(conn, "user.disable")), records(conn, "user.enable")) == (1, [])


def test_an_unknown_user_is_neither_disabled_nor_enabled(conn: Connection) -> None:
    for action in (users.disable, users.enable):
        with pytest.raises(NotFound, match="no user of this name"):
            action(conn, ROOT, "juma")


def test_the_last_administrator_stays(conn: Connection, asha: int) -> None:
    token = tokens.add_token(conn, ROOT, "nightly", user="binti")
    with pytest.raises(
        Conflict, match=r"binti is the last administrator who may sign in\. Nothing was changed"
    ):
        users.disable(conn, ROOT, "binti")
    assert tokens.find_token(conn, token)
    assert records(conn, "user.disable") == []
    users.add_user(conn, ROOT, "juma", "administrator", PASSWORD)
    users.disable(conn, ROOT, "juma")
    with pytest.raises(Conflict, match="last administrator"):
        users.disable(conn, ROOT, "binti")
    users.enable(conn, ROOT, "juma")
    users.disable(conn, ROOT, "binti")


@pytest.mark.parametrize(
    "statement",
    ["UPDATE users SET disabled_at = now()", "UPDATE users SET role = 'officer'", "DELETE FROM users"],
)
def test_the_database_keeps_it_too(conn: Connection, asha: int, statement: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="last enabled administrator"):
        conn.execute(statement.encode())
    assert len(users.list_users(conn)) == 2


def test_administrators_who_disable_one_another_at_once_leave_one(conn: Connection, pool: db.Pool) -> None:
    names = [f"admin{number}" for number in range(6)]
    for name in names:
        add_user(conn, name, "administrator")

    def disable(number: int) -> bool:
        with pool.connection() as own_conn:
            try:
                users.disable(own_conn, ROOT, names[number])
            except Conflict:
                return False
            return True

    assert sum(at_once(len(names), disable)) == len(names) - 1
    assert len([user for user in users.list_users(conn) if user.disabled_at is None]) == 1
    assert len(records(conn, "user.disable")) == len(names) - 1


def test_a_token_that_is_made_meanwhile_ends_too(conn: Connection, dsn: str, asha: int) -> None:
    with psycopg.connect(dsn) as other, other.transaction():
        token = tokens.add_token(other, ROOT, "nightly", user="asha")
        conn.execute("SET lock_timeout = '0.3s'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            users.disable(conn, ROOT, "asha")
    users.disable(conn, ROOT, "asha")
    assert tokens.find_token(conn, token) is None


def test_the_list_shows_the_last_sign_in(conn: Connection, pool: db.Pool, asha: int) -> None:
    sign_in(pool, "asha", PASSWORD, Visit(SETTINGS, None))
    users.disable(conn, ROOT, "asha")
    hers, his = users.list_users(conn)
    assert (hers.name, hers.role, bool(hers.signed_in_at), bool(hers.disabled_at)) == (
        "asha",
        "officer",
        True,
        True,
    )
    assert (his.name, his.signed_in_at, his.disabled_at) == ("binti", None, None)
