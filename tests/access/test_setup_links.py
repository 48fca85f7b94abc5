"""Links with which users choose their password: made, used once; then every refusal."""

from collections.abc import Callable

import pytest

from hrims import db
from hrims.access import account, passwords, sessions, setup_links, users
from hrims.access.sign_in import Visit
from hrims.access.users.store import insert_user
from hrims.db import Connection
from hrims.errors import InvalidInput, NotFound
from tests.access.accounts import PASSWORD, ROOT, SETTINGS, at_once, records

HERE = Visit(SETTINGS, "192.0.2.7")


@pytest.fixture
def asha(conn: Connection) -> int:
    """Return the id of the officer asha, who has no password yet."""
    id_ = insert_user(conn, "asha", "officer", None, must_change=True)
    assert id_
    return id_


def test_it_works(conn: Connection, asha: int) -> None:
    token = setup_links.create_setup_link(conn, ROOT, asha)
    assert setup_links.find_name(conn, token) == "asha"
    session = sessions.begin(conn, asha, None, hours=1)
    assert setup_links.use(conn, token, PASSWORD, HERE) == "asha"
    user = users.find(conn, "asha")
    assert user
    assert passwords.matches(PASSWORD, user.password_hash)
    assert sessions.find(conn, session) is None
    found = sessions.find(conn, sessions.begin(conn, asha, None, hours=1))
    assert found
    assert not found.must_change_password
    assert records(conn, "user.create_setup_link") == [("root", "user:asha", {"hours": 72})]
    assert records(conn, "user.set_up") == [("asha", "user:asha", {"sessions_ended": 1})]


def test_a_link_works_once(conn: Connection, asha: int) -> None:
    token = setup_links.create_setup_link(conn, ROOT, asha)
    setup_links.use(conn, token, PASSWORD, HERE)
    with pytest.raises(NotFound, match=r"was used, or has expired\. Nothing was changed"):
        setup_links.use(conn, token, "a dry monsoon", HERE)
    with pytest.raises(NotFound):
        setup_links.find_name(conn, token)
    user = users.find(conn, "asha")
    assert user
    assert passwords.matches(PASSWORD, user.password_hash)


def test_of_two_who_use_it_at_once_one_is_refused(conn: Connection, pool: db.Pool, asha: int) -> None:
    token = setup_links.create_setup_link(conn, ROOT, asha)

    def use(number: int) -> bool:
        with pool.connection() as own_conn:
            try:
                setup_links.use(own_conn, token, f"a wet monsoon {number}", HERE)
            except NotFound:
                return False
            return True

    assert sum(at_once(8, use)) == 1
    assert len(records(conn, "user.set_up")) == 1


def test_a_link_expires(conn: Connection, asha: int) -> None:
    token = setup_links.create_setup_link(conn, ROOT, asha)
    conn.execute("UPDATE setup_links SET expires_at = expires_at - interval '72 hours'")
    with pytest.raises(NotFound):
        setup_links.use(conn, token, PASSWORD, HERE)


def test_a_newer_link_ends_the_older_one(conn: Connection, asha: int) -> None:
    older, newer = (setup_links.create_setup_link(conn, ROOT, asha) for _ in range(2))
    with pytest.raises(NotFound):
        setup_links.find_name(conn, older)
    assert setup_links.find_name(conn, newer)


def test_a_weak_password_is_refused_and_the_link_still_works(conn: Connection, asha: int) -> None:
    token = setup_links.create_setup_link(conn, ROOT, asha)
    with pytest.raises(InvalidInput, match="must not contain the user name"):
        setup_links.use(conn, token, "asha likes tea", HERE)
    setup_links.use(conn, token, PASSWORD, HERE)


def test_a_disabled_user_has_no_link(conn: Connection, asha: int) -> None:
    token = setup_links.create_setup_link(conn, ROOT, asha)
    users.disable(conn, ROOT, "asha")
    with pytest.raises(NotFound):
        setup_links.use(conn, token, PASSWORD, HERE)
    for user_id in (asha, 999):
        with pytest.raises(NotFound, match="No link was made"):
            setup_links.create_setup_link(conn, ROOT, user_id)


def test_the_database_holds_no_token(conn: Connection, asha: int) -> None:
    token = setup_links.create_setup_link(conn, ROOT, asha)
    stored = conn.execute(
        "SELECT (SELECT string_agg(l::text, '') FROM setup_links l),"
        " (SELECT string_agg(a::text, '') FROM audit_log a)"
    ).fetchone()
    assert stored
    assert token not in "".join(stored)


@pytest.mark.parametrize("token", ["", "x", "\0", "\udc80", "x" * 10_000])
def test_an_invalid_token_is_refused(conn: Connection, asha: int, token: str) -> None:
    setup_links.create_setup_link(conn, ROOT, asha)
    with pytest.raises(NotFound):
        setup_links.use(conn, token, PASSWORD, HERE)


def change_by_an_administrator(conn: Connection, _pool: db.Pool, _user_id: int) -> None:
    users.set_password(conn, ROOT, "asha", "a dry monsoon 88z")


def change_by_the_user(conn: Connection, pool: db.Pool, user_id: int) -> None:
    session = sessions.find(conn, sessions.begin(conn, user_id, None, hours=1))
    assert session
    account.change_password(pool, ROOT, session, Visit(SETTINGS, None), PASSWORD, "a dry monsoon 88z")


def disable_and_enable(conn: Connection, _pool: db.Pool, _user_id: int) -> None:
    users.disable(conn, ROOT, "asha")
    users.enable(conn, ROOT, "asha")


@pytest.mark.parametrize("event", [change_by_an_administrator, change_by_the_user, disable_and_enable])
def test_a_link_ends_with_the_password_and_with_the_user(
    conn: Connection, pool: db.Pool, event: Callable[[Connection, db.Pool, int], None]
) -> None:
    user_id = users.add_user(conn, ROOT, "asha", "officer", PASSWORD)
    token = setup_links.create_setup_link(conn, ROOT, user_id)
    event(conn, pool, user_id)
    with pytest.raises(NotFound):
        setup_links.find_name(conn, token)
    assert conn.execute("SELECT count(*) FROM setup_links").fetchone() == (0,)
