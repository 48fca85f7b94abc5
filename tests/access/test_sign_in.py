"""A person's sign-in, below the web: what must hold while others act at the same time."""

import argon2
import pytest

from hrims import db
from hrims.access import passwords, sessions, sign_in, users
from hrims.access.throttle import MAX_PER_NAME, TooManyFailures
from hrims.db import Connection
from hrims.errors import NotSignedIn
from tests.access.accounts import PASSWORD, ROOT, at_once, records


def attempt(pool: db.Pool, password: str = PASSWORD, name: str = "asha") -> str:
    """Sign in from an invented address and return the token."""
    return sign_in.sign_in(pool, name, password, address="192.0.2.7", hours=1)


@pytest.fixture
def asha(conn: Connection) -> int:
    """Return the id of the officer asha."""
    return users.add_user(conn, ROOT, "asha", "officer", PASSWORD)


def test_it_works(conn: Connection, pool: db.Pool, asha: int) -> None:
    found = sessions.find(conn, attempt(pool))
    assert found
    assert found.user_id == asha
    assert conn.execute("SELECT host(address) FROM sessions").fetchone() == ("192.0.2.7",)


def test_the_session_before_ends(conn: Connection, pool: db.Pool, asha: int) -> None:
    before = attempt(pool)
    sign_in.sign_in(pool, "asha", PASSWORD, address=None, hours=1, old_token=before)
    assert sessions.find(conn, before) is None


def test_wrong_passwords_at_the_same_time_all_count(conn: Connection, pool: db.Pool, asha: int) -> None:
    def guess(number: int) -> type[Exception]:
        with pytest.raises((NotSignedIn, TooManyFailures)) as refused:
            attempt(pool, f"wrong password {number}")
        return refused.type

    assert at_once(MAX_PER_NAME + 4, guess).count(NotSignedIn) == MAX_PER_NAME
    assert len(records(conn, "session.sign_in_failed")) == MAX_PER_NAME


def test_right_passwords_at_the_same_time_all_pass(pool: db.Pool, asha: int) -> None:
    assert len(set(at_once(8, lambda _: attempt(pool)))) == 8


def test_an_unknown_name_costs_as_much_as_a_known_one(
    pool: db.Pool, asha: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    verify = argon2.PasswordHasher.verify

    def noted(hasher: argon2.PasswordHasher, kept: str, password: bytes) -> object:
        compared.append(argon2.extract_parameters(kept))
        return verify(hasher, kept, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", noted)
    for name in ("asha", "unknown", "no name at all!"):
        with pytest.raises(NotSignedIn):
            attempt(pool, "wrong password", name)
    assert len(compared) == 3
    assert len(set(map(str, compared))) == 1


def test_a_sign_in_fails_if_the_password_changes_meanwhile(
    conn: Connection, pool: db.Pool, asha: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    matches = passwords.matches

    def meanwhile(password: str, kept: str | None) -> bool:
        right = matches(password, kept)
        users.set_password(conn, ROOT, "asha", "a dry monsoon")
        return right

    monkeypatch.setattr(passwords, "matches", meanwhile)
    with pytest.raises(NotSignedIn):
        attempt(pool)
    assert conn.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
