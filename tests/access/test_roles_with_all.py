"""A user who leaves a role that has all institutions has none until some are given."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hrims.access import users
from hrims.cli import main
from hrims.db import Connection
from hrims.errors import InvalidInput
from tests.access.accounts import PASSWORD, ROOT, records
from tests.database.runs import institution
from tests.support.command_line import keep_logging


@pytest.fixture(autouse=True)
def auditor(conn: Connection) -> int:
    """Provide two institutions and the auditor kassim, who was a viewer of the first. Return the id."""
    first = institution(conn)
    institution(conn, "WIZARA B", "002", "200000000")
    users.add_user(conn, ROOT, "binti", "administrator", PASSWORD)
    id_ = users.add_user(conn, ROOT, "kassim", "viewer", PASSWORD, [first])
    users.set_role(conn, ROOT, "kassim", "auditor")
    return id_


def scope(conn: Connection, id_: int) -> list[int] | None:
    """Return the institutions of a user."""
    user = users.find_view(conn, id_)
    assert user
    return user.institution_ids


def test_it_works(conn: Connection, auditor: int) -> None:
    assert scope(conn, auditor) is None
    users.set_role(conn, ROOT, "kassim", "officer")
    assert scope(conn, auditor) == []
    assert records(conn, "user.set_role")[-1] == ("root", "user:kassim", {"institutions": []})
    users.set_institutions(conn, ROOT, "kassim", [2])
    users.set_role(conn, ROOT, "kassim", "supervisor")
    assert scope(conn, auditor) == [2], "a role that can be limited keeps the limit"


@pytest.mark.parametrize(("given", "expected"), [([1], [1]), ("all", None)])
def test_what_is_given_counts(conn: Connection, auditor: int, given: object, expected: object) -> None:
    users.set_role(conn, ROOT, "kassim", "officer", institutions=given)  # type: ignore[arg-type]
    assert scope(conn, auditor) == expected


def test_a_role_with_all_takes_no_list(conn: Connection, auditor: int) -> None:
    users.set_role(conn, ROOT, "kassim", "officer")
    with pytest.raises(InvalidInput, match="The role auditor has all institutions"):
        users.set_role(conn, ROOT, "kassim", "auditor", institutions=[1])
    assert scope(conn, auditor) == []


@pytest.mark.parametrize("role", ["viewer", "officer", "supervisor"])
def test_the_database_keeps_it_too(conn: Connection, auditor: int, role: str) -> None:
    conn.execute("UPDATE users SET role = %s WHERE id = %s", (role, auditor))
    assert scope(conn, auditor) == []


@pytest.fixture
def command(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run commands on this test's database."""
    monkeypatch.setenv("DATABASE_URL", dsn)
    monkeypatch.setenv("HRIMS_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("LOGNAME", "binti")
    with keep_logging():
        yield


@pytest.mark.usefixtures("command")
@pytest.mark.parametrize(
    ("options", "printed"),
    [
        (
            (),
            "kassim has the role officer, for no institution. Give some: hrims user set-institutions kassim",
        ),
        (("--institution", "002"), "kassim has the role officer, for 1 institution.\n"),
        (("--all",), "kassim has the role officer, for all institutions.\n"),
    ],
)
def test_the_command_says_what_the_user_has(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], printed: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(("user", "set-role", "kassim", "officer", *options))
    assert ended.value.code == 0
    assert printed in capsys.readouterr().out
