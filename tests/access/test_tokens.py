"""Machines' sign-ins: made, found, revoked; then every refusal."""

import pytest

from hrims.access import tokens
from hrims.access.tokens import Token
from hrims.db import Connection
from hrims.errors import InvalidInput
from tests.access.cast import ROOT, records


def test_it_works(conn: Connection) -> None:
    token = tokens.add_token(conn, ROOT, " Nightly job ")
    assert token.startswith("hrims_")
    assert len(token) >= len("hrims_") + 43
    assert tokens.find(conn, token) == Token("Nightly job", "administrator")
    [(actor, subject, details)] = records(conn, "token.add")
    assert actor == "root"
    assert str(subject).startswith("token:")
    assert details == {"name": "Nightly job", "role": "administrator"}


def test_the_database_holds_no_token(conn: Connection) -> None:
    token = tokens.add_token(conn, ROOT, "nightly")
    kept = conn.execute("SELECT string_agg(t::text, '') FROM tokens t").fetchone()
    told = conn.execute("SELECT string_agg(a::text, '') FROM audit_log a").fetchone()
    assert kept
    assert told
    assert token.removeprefix("hrims_") not in kept[0] + told[0]


def test_a_revoked_one_signs_nobody_in(conn: Connection) -> None:
    token = tokens.add_token(conn, ROOT, "nightly")
    conn.execute("UPDATE tokens SET revoked_at = now()")
    assert tokens.find(conn, token) is None


def test_two_of_one_name_are_two(conn: Connection) -> None:
    first, second = (tokens.add_token(conn, ROOT, "nightly") for _ in range(2))
    assert first != second
    assert tokens.find(conn, first) == tokens.find(conn, second)


@pytest.mark.parametrize("name", ["", " ", "-x", "a:b", "a\nb", "x" * 65])
def test_a_wrong_name_is_refused(conn: Connection, name: str) -> None:
    with pytest.raises(InvalidInput, match="No token was made"):
        tokens.add_token(conn, ROOT, name)


def test_a_wrong_role_is_refused(conn: Connection) -> None:
    with pytest.raises(InvalidInput, match="No token was made"):
        tokens.add_token(conn, ROOT, "nightly", "king")


@pytest.mark.parametrize("token", ["", "hrims_", "hrims_" + "x" * 43, "\0", "\udc80"])
def test_what_is_no_token_signs_nobody_in(conn: Connection, token: str) -> None:
    tokens.add_token(conn, ROOT, "nightly")
    assert tokens.find(conn, token) is None
