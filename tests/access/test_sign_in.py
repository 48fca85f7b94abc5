"""A person's sign-in, below the web: what must hold while others act at the same time."""

import re
from datetime import timedelta

import argon2
import msgspec
import pytest

from hrims import db
from hrims.access import devices, passwords, sessions, sign_in, users
from hrims.access.sign_in import SignIn, Visit
from hrims.access.throttle import PAIR, TooManyFailures
from hrims.access.users.store import insert_user
from hrims.db import Connection
from hrims.errors import NotSignedIn
from tests.access.accounts import PASSWORD, ROOT, SETTINGS, at_once, records

LIMITED = msgspec.structs.replace(SETTINGS, session_hours=1.0, session_idle_minutes=30.0)

HERE = Visit(LIMITED, "192.0.2.7", "Mozilla/5.0")


def attempt(pool: db.Pool, password: str = PASSWORD, name: str = "asha") -> str:
    """Sign in from an invented address and return the token of the session."""
    return begin(pool, name, password, HERE).session


def begin(pool: db.Pool, name: str, password: str, visit: Visit) -> SignIn:
    """Sign in without a code and return the tokens."""
    result = sign_in.sign_in(pool, name, password, visit)
    assert isinstance(result, SignIn)
    return result


@pytest.fixture
def asha(conn: Connection) -> int:
    """Return the id of the officer asha."""
    return users.add_user(conn, ROOT, "asha", "officer", PASSWORD)


def test_it_works(conn: Connection, pool: db.Pool, asha: int) -> None:
    found = sessions.find(conn, attempt(pool))
    assert found
    assert found.user_id == asha
    row = conn.execute(
        "SELECT host(address), user_agent, expires_at - created_at, idle_limit FROM sessions"
    ).fetchone()
    assert row == ("192.0.2.7", "Mozilla/5.0", timedelta(hours=1), timedelta(minutes=30))


def test_the_session_before_ends(conn: Connection, pool: db.Pool, asha: int) -> None:
    before = attempt(pool)
    sign_in.sign_in(pool, "asha", PASSWORD, Visit(SETTINGS, None, session=before))
    assert sessions.find(conn, before) is None


def test_wrong_passwords_at_the_same_time_all_count(conn: Connection, pool: db.Pool, asha: int) -> None:
    def guess(number: int) -> type[Exception]:
        with pytest.raises((NotSignedIn, TooManyFailures)) as refused:
            attempt(pool, f"wrong password {number}")
        return refused.type

    assert at_once(PAIR.free + 4, guess).count(NotSignedIn) == PAIR.free
    assert len(records(conn, "session.sign_in_failed")) == PAIR.free


def test_right_passwords_at_the_same_time_all_pass(pool: db.Pool, asha: int) -> None:
    assert len(set(at_once(PAIR.free, lambda _: attempt(pool)))) == PAIR.free


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


def test_a_user_without_a_password_cannot_sign_in(conn: Connection, pool: db.Pool) -> None:
    insert_user(conn, "asha", "officer", None)
    for password in ("", PASSWORD, "None"):
        with pytest.raises(NotSignedIn):
            attempt(pool, password)


def test_the_device_of_a_sign_in_is_known_at_the_next(conn: Connection, pool: db.Pool, asha: int) -> None:
    first = begin(pool, "asha", PASSWORD, HERE)
    assert devices.find(conn, SETTINGS, asha, first.device)
    again = begin(pool, "asha", PASSWORD, HERE._replace(device=first.device))
    assert again.device == first.device
    assert begin(pool, "asha", PASSWORD, HERE).device != first.device


def test_what_was_typed_as_an_unknown_name_is_recorded_as_a_keyed_hash(
    conn: Connection, pool: db.Pool
) -> None:
    for name in ("my secret, 1!", "monsoon", "monsoon"):
        with pytest.raises(NotSignedIn):
            attempt(pool, name=name)
    subjects = [subject for _, subject, _ in records(conn, "session.sign_in_failed")]
    assert all(re.fullmatch(r"unknown:[0-9a-f]{16}", str(subject)) for subject in subjects)
    assert subjects[0] != subjects[1] == subjects[2]
    stored = conn.execute("SELECT string_agg(a::text, '') FROM audit_log a").fetchone()
    assert stored
    assert "secret" not in stored[0]
    assert "monsoon" not in stored[0]
