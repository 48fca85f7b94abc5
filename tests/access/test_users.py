"""Users: added, given another password, the first one; then every refusal."""

import pytest

from hrims import db
from hrims.access import passwords, sessions, users
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotFound
from tests.access.accounts import PASSWORD, ROOT, at_once, records


def test_it_works(conn: Connection) -> None:
    users.add_user(conn, ROOT, " Asha.Makame ", "officer", PASSWORD)
    user = users.find(conn, "ASHA.makame")
    assert user
    assert (user.name, user.role, user.disabled) == ("asha.makame", "officer", False)
    assert passwords.matches(PASSWORD, user.password_hash)
    assert not passwords.matches(PASSWORD + "!", user.password_hash)
    assert records(conn, "user.add") == [("root", "user:asha.makame", {"role": "officer"})]


def test_a_name_is_taken_once(conn: Connection) -> None:
    users.add_user(conn, ROOT, "asha", "officer", PASSWORD)
    with pytest.raises(Conflict, match="There is a user asha already"):
        users.add_user(conn, ROOT, "Asha", "auditor", PASSWORD)
    assert len(records(conn, "user.add")) == 1


@pytest.mark.parametrize("name", ["", " ", "-asha", "asha makame", "a" * 65, "ašha", "as\nha", "a\0b", "a:b"])
def test_a_wrong_name_is_refused(conn: Connection, name: str) -> None:
    with pytest.raises(InvalidInput, match="A name has 1 to 64"):
        users.add_user(conn, ROOT, name, "officer", PASSWORD)
    assert users.find(conn, name) is None


def test_a_wrong_role_is_refused(conn: Connection) -> None:
    with pytest.raises(InvalidInput, match="viewer, officer, supervisor, administrator, auditor"):
        users.add_user(conn, ROOT, "asha", "king", PASSWORD)


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 257])
def test_a_password_too_short_or_too_long_is_refused(conn: Connection, password: str) -> None:
    with pytest.raises(InvalidInput, match="12 to 256 characters"):
        users.add_user(conn, ROOT, "asha", "officer", password)
    assert users.find(conn, "asha") is None


def test_another_password_ends_the_sessions(conn: Connection) -> None:
    id_ = users.add_user(conn, ROOT, "asha", "officer", PASSWORD)
    token = sessions.begin(conn, id_, None, hours=1)
    users.set_password(conn, ROOT, "Asha", "a dry monsoon")
    user = users.find(conn, "asha")
    assert user
    assert passwords.matches("a dry monsoon", user.password_hash)
    assert not passwords.matches(PASSWORD, user.password_hash)
    assert sessions.find(conn, token) is None
    assert records(conn, "user.set_password") == [("root", "user:asha", {"sessions_ended": 1})]


def test_a_password_that_must_be_changed_is_marked(conn: Connection) -> None:
    id_ = users.add_user(conn, ROOT, "asha", "officer", PASSWORD, must_change=True)
    users.set_password(conn, ROOT, "asha", "a dry monsoon", must_change=True)
    found = sessions.find(conn, sessions.begin(conn, id_, None, hours=1))
    assert found
    assert found.must_change_password
    users.set_password(conn, ROOT, "asha", PASSWORD)
    found = sessions.find(conn, sessions.begin(conn, id_, None, hours=1))
    assert found
    assert not found.must_change_password


def test_an_unknown_user_gets_no_password(conn: Connection) -> None:
    with pytest.raises(NotFound, match="no user of this name"):
        users.set_password(conn, ROOT, "unknown", PASSWORD)


def test_the_first_administrator_gets_a_password(conn: Connection) -> None:
    made = users.first_administrator(conn, ROOT, None)
    assert made
    name, password = made
    user = users.find(conn, name)
    assert user
    assert (name, user.role) == ("admin", "administrator")
    assert passwords.matches(password, user.password_hash)
    assert records(conn, "user.add") == [("root", "user:admin", {"role": "administrator"})]


def test_the_first_administrator_takes_the_given_password(conn: Connection) -> None:
    assert users.first_administrator(conn, ROOT, PASSWORD) == ("admin", PASSWORD)


def test_a_first_password_that_is_too_short_is_refused(conn: Connection) -> None:
    with pytest.raises(InvalidInput, match="12 to 256"):
        users.first_administrator(conn, ROOT, "short")
    assert users.find(conn, "admin") is None


def test_there_is_no_first_administrator_if_there_are_users(conn: Connection) -> None:
    users.add_user(conn, ROOT, "asha", "officer", PASSWORD)
    assert users.first_administrator(conn, ROOT, None) is None
    assert users.find(conn, "admin") is None


def test_two_first_starts_make_one_administrator(conn: Connection, pool: db.Pool) -> None:
    def start(_: int) -> tuple[str, str] | None:
        with pool.connection() as own_conn:
            return users.first_administrator(own_conn, ROOT, None)

    made = [password for password in at_once(5, start) if password]
    assert len(made) == 1
    user = users.find(conn, "admin")
    assert user
    assert passwords.matches(made[0][1], user.password_hash)


def test_generated_passwords_are_readable_and_never_the_same() -> None:
    made = {passwords.generate() for _ in range(100)}
    assert len(made) == 100
    assert all(len(password) == 19 and set(password) <= set(passwords.LETTERS + "-") for password in made)


def test_a_password_matches_however_its_letters_were_typed() -> None:
    assert passwords.matches("mti wa pili é", passwords.hash_password("mti wa pili e\u0301", "asha"))
