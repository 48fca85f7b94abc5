"""Without a second administrator an operator makes one, on the command line and without a named user."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from hrims.access import users
from hrims.cli import main
from hrims.db import Connection, Pool
from tests.access.accounts import PASSWORD, ROOT, at_once
from tests.support.command_line import call_refused, keep_logging
from tests.support.users import actor_of

WAY_OUT = "hrims user set-role NAME administrator"


@pytest.fixture(autouse=True)
def environment(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run commands on this test's database. The login name is that of a viewer."""
    monkeypatch.setenv("DATABASE_URL", dsn)
    monkeypatch.setenv("HRIMS_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("LOGNAME", "vito")
    with keep_logging():
        yield


@pytest.fixture
def lone(conn: Connection) -> None:
    """Provide the administrator binti and aziza, who was one, and the viewer vito."""
    actor_of(conn, "binti", "administrator")
    actor_of(conn, "aziza", "administrator")
    actor_of(conn, "vito", "viewer")
    users.set_role(conn, ROOT, "aziza", "viewer")


def call(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Call a command that must succeed. Return its output."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    printed = capsys.readouterr()
    assert ended.value.code == 0, printed.err
    return printed.out


def administrators(conn: Connection) -> set[str]:
    """Return the names of the users who have the role."""
    return {item.name for item in users.list_users(conn) if item.role == "administrator"}


@pytest.mark.usefixtures("lone")
def test_it_works(conn: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    assert "aziza has the role administrator" in call(capsys, "user", "set-role", "aziza", "administrator")
    assert administrators(conn) == {"aziza", "binti"}
    assert conn.execute("SELECT FROM approvals").fetchall() == []
    rows = conn.execute(
        "SELECT actor, via, user_agent, details ->> 'approval' FROM audit_log"
        " WHERE action = 'user.set_role' AND details ? 'approval'"
    ).fetchall()
    [(actor, via, user_agent, approval)] = rows
    assert (actor, via, user_agent.partition(", ")[2]) == ("hrims", "system", "login vito")
    assert approval == "none: fewer than two administrators were enabled"


@pytest.mark.usefixtures("lone")
def test_a_named_user_gets_the_way_out_and_no_role(
    conn: Connection, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = call(capsys, "--as", "binti", "user", "set-role", "aziza", "administrator")
    assert "approval 1 waits." in printed
    assert WAY_OUT in printed
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    words = ("--as", "binti", "user", "add", "zuhura", "--role", "administrator", "--password-stdin")
    assert WAY_OUT in call_refused(words, capsys)
    assert administrators(conn) == {"binti"}


@pytest.mark.usefixtures("lone")
def test_an_operator_adds_an_administrator(
    conn: Connection, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    call(capsys, "user", "add", "zuhura", "--role", "administrator", "--password-stdin")
    assert administrators(conn) == {"binti", "zuhura"}


def test_with_two_administrators_a_command_waits_too(
    conn: Connection, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("binti", "aziza"):
        actor_of(conn, name, "administrator")
    actor_of(conn, "omar", "officer")
    monkeypatch.setenv("LOGNAME", "aziza")
    printed = call(capsys, "user", "set-role", "omar", "administrator")
    assert "approval 1 waits." in printed
    assert WAY_OUT not in printed
    assert administrators(conn) == {"aziza", "binti"}


@pytest.mark.usefixtures("lone")
def test_of_many_operators_at_once_one_makes_an_administrator(conn: Connection, pool: Pool) -> None:
    def make(number: int) -> bool:
        with pool.connection() as own_conn:
            alone = users.has_no_second_administrator(own_conn, ROOT)
            if alone:
                users.add_user(own_conn, ROOT, f"admin{number}", "administrator", PASSWORD)
            return alone

    assert sorted(at_once(4, make)) == [False, False, False, True]
    assert len(administrators(conn)) == 2
