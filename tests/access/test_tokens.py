"""Machines' sign-ins: made, found, revoked; then every refusal."""

import psycopg
import pytest

from hrims import db
from hrims.access import tokens, users
from hrims.access.actor import Actor
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotFound, Unprocessable
from tests.access.accounts import ROOT, at_once, records
from tests.support.users import actor_of


@pytest.fixture
def asha(conn: Connection) -> Actor:
    """Return an officer."""
    return actor_of(conn, "asha")


def test_it_works(conn: Connection, asha: Actor) -> None:
    token = tokens.add_token(conn, asha, " Nightly job ")
    assert token.startswith("hrims_")
    assert len(token) >= len("hrims_") + 43
    found = tokens.find_token(conn, token)
    assert found
    assert (found.name, found.number, found.token_scope) == ("token:Nightly job", "token:1", "sync")
    assert (found.user_id, found.role, found.via) == (asha.user_id, "officer", "api")
    [(actor, subject, details)] = records(conn, "token.add")
    assert actor == "asha"
    assert str(subject).startswith("token:")
    assert details == {"name": "Nightly job", "scope": "sync", "user": "asha"}


def test_the_database_holds_no_token(conn: Connection, asha: Actor) -> None:
    token = tokens.add_token(conn, asha, "nightly")
    stored = conn.execute("SELECT string_agg(t::text, '') FROM tokens t").fetchone()
    rows = conn.execute("SELECT string_agg(a::text, '') FROM audit_log a").fetchone()
    assert stored
    assert rows
    assert token.removeprefix("hrims_") not in stored[0] + rows[0]


@pytest.mark.parametrize("by", ["nightly", "1", " 1 "])
def test_a_revoked_one_is_not_let_in(conn: Connection, asha: Actor, by: str) -> None:
    token = tokens.add_token(conn, asha, "nightly")
    other = tokens.add_token(conn, asha, "payroll")
    assert tokens.revoke(conn, ROOT, by).name == "nightly"
    assert tokens.find_token(conn, token) is None
    assert tokens.find_token(conn, other)
    assert records(conn, "token.revoke") == [("root", "token:1", {"name": "nightly"})]
    with pytest.raises(Conflict, match="was revoked before"):
        tokens.revoke(conn, ROOT, "1")
    with pytest.raises(NotFound, match="no token of this name"):
        tokens.revoke(conn, ROOT, "nightly")
    assert len(records(conn, "token.revoke")) == 1


@pytest.mark.parametrize("by", ["", "3", "0", "9" * 30, "other", "a\nb", "\0"])
def test_an_unknown_token_is_not_revoked(conn: Connection, asha: Actor, by: str) -> None:
    token = tokens.add_token(conn, asha, "nightly")
    with pytest.raises(NotFound, match="Nothing was changed"):
        tokens.revoke(conn, ROOT, by)
    assert tokens.find_token(conn, token)


def test_a_second_of_one_name_is_refused_until_the_first_is_revoked(conn: Connection, asha: Actor) -> None:
    first = tokens.add_token(conn, asha, "nightly")
    with pytest.raises(Conflict, match=r"already, of asha\. No token was made.* hrims token revoke 1\.$"):
        tokens.add_token(conn, asha._replace(via="cli"), "nightly")
    assert tokens.find_token(conn, first)
    assert len(records(conn, "token.add")) == len(tokens.list_tokens(conn)) == 1
    conn.execute("UPDATE tokens SET expires_at = now()")
    with pytest.raises(Conflict, match="of asha, which has ended"):
        tokens.add_token(conn, asha, "nightly")
    tokens.revoke(conn, ROOT, "nightly")
    second = tokens.add_token(conn, asha, "nightly")
    assert tokens.find_token(conn, first) is None
    found = tokens.find_token(conn, second)
    assert found
    assert found.number == "token:4"


def test_of_two_that_are_made_at_once_one_is_refused(conn: Connection, asha: Actor, pool: db.Pool) -> None:
    def add(_: int) -> bool:
        with pool.connection() as own_conn:
            try:
                tokens.add_token(own_conn, asha, "nightly")
            except Conflict:
                return False
            return True

    assert sum(at_once(8, add)) == 1
    assert len(tokens.list_tokens(conn)) == 1


def test_one_that_has_expired_is_not_let_in(conn: Connection, asha: Actor) -> None:
    token = tokens.add_token(conn, asha, "nightly", days=30)
    [listed] = tokens.list_tokens(conn)
    assert listed.expires_at
    assert (listed.expires_at - listed.created_at).days == 30
    assert tokens.find_token(conn, token)
    conn.execute("UPDATE tokens SET expires_at = now()")
    assert tokens.find_token(conn, token) is None
    assert not tokens.list_tokens(conn)[0].is_valid


@pytest.mark.parametrize("days", [0, -1, 3651, 10**9])
def test_a_wrong_number_of_days_is_refused(conn: Connection, asha: Actor, days: int) -> None:
    with pytest.raises(InvalidInput, match=r"1 to 3650 days\. No token was made"):
        tokens.add_token(conn, asha, "nightly", days=days)


def test_it_is_written_down_when_a_token_was_used(conn: Connection, asha: Actor) -> None:
    token = tokens.add_token(conn, asha, "nightly")
    assert tokens.list_tokens(conn)[0].last_used_at is None
    tokens.find_token(conn, token)
    used = tokens.list_tokens(conn)[0].last_used_at
    assert used
    tokens.find_token(conn, token)
    assert tokens.list_tokens(conn)[0].last_used_at == used
    conn.execute("UPDATE tokens SET last_used_at = now() - interval '2 minutes'")
    tokens.find_token(conn, token)
    later = tokens.list_tokens(conn)[0].last_used_at
    assert later
    assert later >= used


def test_a_database_that_cannot_be_written_lets_machines_in(conn: Connection, asha: Actor) -> None:
    token = tokens.add_token(conn, asha, "nightly")
    conn.execute("SET default_transaction_read_only = on")
    assert tokens.find_token(conn, token)
    assert tokens.list_tokens(conn)[0].last_used_at is None


def test_requests_at_once_do_not_wait_for_one_another(conn: Connection, asha: Actor, dsn: str) -> None:
    token = tokens.add_token(conn, asha, "nightly")
    with psycopg.connect(dsn) as other:
        assert tokens.find_token(other, token)
        conn.execute("SET lock_timeout = '2s'")
        assert tokens.find_token(conn, token)


def test_one_of_a_user_who_may_not_sign_in_is_refused(conn: Connection, asha: Actor) -> None:
    users.disable(conn, ROOT, "asha")
    for owner in ("asha", "unheard", "", "a b"):
        with pytest.raises(Unprocessable, match="No token was made"):
            tokens.add_token(conn, ROOT, "nightly", user=owner)
    with pytest.raises(Unprocessable, match="No token was made"):
        tokens.add_token(conn, asha, "nightly")
    assert tokens.list_tokens(conn) == []


@pytest.mark.parametrize("name", ["", " ", "-x", "a:b", "a\nb", "x" * 65])
def test_a_wrong_name_is_refused(conn: Connection, asha: Actor, name: str) -> None:
    with pytest.raises(InvalidInput, match="No token was made"):
        tokens.add_token(conn, asha, name)


def test_a_wrong_scope_is_refused(conn: Connection, asha: Actor) -> None:
    with pytest.raises(InvalidInput, match="No token was made"):
        tokens.add_token(conn, asha, "nightly", "king")


@pytest.mark.parametrize("token", ["", "hrims_", "hrims_" + "x" * 43, "\0", "\udc80"])
def test_an_invalid_token_is_refused(conn: Connection, asha: Actor, token: str) -> None:
    tokens.add_token(conn, asha, "nightly")
    assert tokens.find_token(conn, token) is None
