"""Commands check the permission of the user they act as.

One that only reads acts as the system unless a user is named.
"""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hrims.access import tokens, users
from hrims.cli import main
from hrims.errors import NotAllowed
from tests.access.accounts import ROOT
from tests.database.runs import institution
from tests.support.command_line import call_refused, keep_logging
from tests.support.users import actor_of

REFUSED = "which does not allow this. Nothing was changed."

READS = {
    ("user", "list"): "administrator",
    ("trace", "unknown"): "auditor",
    ("audit", "verify"): "auditor",
}
"""Commands that only read, and a role that may call them."""


@pytest.fixture(autouse=True)
def environment(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run commands on this test's database, as the login name of a user."""
    monkeypatch.setenv("DATABASE_URL", dsn)
    monkeypatch.setenv("HRIMS_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("LOGNAME", "vito")
    with keep_logging():
        yield


def call(*words: str) -> int:
    """Call a command. Return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_a_role_without_tokens_gets_none(
    conn: psycopg.Connection, capsys: pytest.CaptureFixture[str], role: str
) -> None:
    vito = actor_of(conn, "vito", role)
    with pytest.raises(NotAllowed, match=r"Your role does not allow tokens of your own\. No token was made"):
        tokens.add_token(conn, vito, "own", "read")
    assert REFUSED in call_refused(("--as", "vito", "token", "add", "own"), capsys)
    assert tokens.list_tokens(conn) == []


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_a_role_without_tokens_revokes_those_that_it_was_given(
    conn: psycopg.Connection, capsys: pytest.CaptureFixture[str], role: str
) -> None:
    actor_of(conn, "vito", role)
    for name, owner in (("given", "vito"), ("other", actor_of(conn, "oda").name)):
        tokens.add_token(conn, ROOT, name, "read", user=owner)
    assert call("--as", "vito", "token", "revoke", "given") == 0
    capsys.readouterr()
    assert "no token of this name" in call_refused(("--as", "vito", "token", "revoke", "other"), capsys)
    assert [found.revoked_at is None for found in tokens.list_tokens(conn)] == [False, True]


def test_an_officer_adds_an_own_token_and_none_of_another(
    conn: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    actor_of(conn, "oda", "officer")
    actor_of(conn, "vito", "viewer")
    assert call("--as", "oda", "token", "add", "own") == 0
    capsys.readouterr()
    refused = call_refused(("--as", "oda", "token", "add", "other", "--user", "vito"), capsys)
    assert "Only administrators add tokens of other users" in refused
    assert [found.name for found in tokens.list_tokens(conn)] == ["own"]


def test_a_named_user_lists_only_own_tokens(
    conn: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, role in (("oda", "officer"), ("binti", "administrator")):
        tokens.add_token(conn, actor_of(conn, name, role), f"of.{name}")
    for words, shown in (
        (("--as", "oda"), (True, False)), (("--as", "binti"), (True, True)), ((), (True, True)),
    ):  # fmt: skip
        assert call(*words, "token", "list") == 0
        printed = capsys.readouterr().out
        assert ("of.oda" in printed, "of.binti" in printed) == shown


@pytest.mark.parametrize(("words", "role"), READS.items())
def test_a_named_user_needs_the_permission_to_read(
    conn: psycopg.Connection, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], role: str
) -> None:
    actor_of(conn, "vito", "officer")
    assert REFUSED in call_refused(("--as", "vito", *words), capsys)
    actor_of(conn, "aziza", role)
    call("--as", "aziza", *words)
    assert REFUSED not in capsys.readouterr().err


@pytest.mark.parametrize("words", [("token", "list"), *READS])
def test_the_operator_reads_before_there_is_a_user_and_whatever_the_login_name_is(
    conn: psycopg.Connection, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert users.has_no_users(conn)
    code = call(*words)
    assert code == (1 if "trace" in words else 0), capsys.readouterr().err
    actor_of(conn, "vito", "viewer")
    call(*words)
    assert REFUSED not in capsys.readouterr().err


def test_a_named_user_who_is_unknown_or_disabled_reads_nothing(
    conn: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    actor_of(conn, "binti", "administrator")
    actor_of(conn, "vito", "auditor")
    users.disable(conn, ROOT, "vito")
    for name in ("vito", "unknown"):
        assert "no user of this name" in call_refused(("--as", name, "audit", "verify"), capsys)


def test_a_sync_outside_the_scope_names_the_number_that_was_given(
    conn: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    own = institution(conn)
    institution(conn, "WIZARA B", "002", "200000000")
    actor_of(conn, "neema", "officer", [own])
    for code in ("002", "02", "999"):
        refused = call_refused(("--as", "neema", "sync", "--vote", code), capsys)
        assert refused.endswith(
            f"None of the user's institutions has the vote code {code}. Nothing was queued.\n"
        )
