"""``hrims audit``: what it prints, and its exit codes."""

import csv
from collections.abc import Iterator
from pathlib import Path
from random import Random

import psycopg
import pytest

from hrims.audit import heads
from hrims.audit.chain import FIELDS
from hrims.cli import audit, main
from tests.audit import trail
from tests.support.command_line import keep_logging
from tests.support.databases import as_owner


@pytest.fixture(autouse=True)
def environment(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Run commands on this test's database. Provide the state directory."""
    monkeypatch.setenv("DATABASE_URL", dsn)
    monkeypatch.setenv("HRIMS_STATE_DIR", str(tmp_path))
    with keep_logging():
        yield tmp_path


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(("audit", *words))
    code = ended.value.code
    assert isinstance(code, int)
    return code


def alter(conn: psycopg.Connection, statement: str) -> None:
    with as_owner(conn):
        conn.execute("SET session_replication_role = replica")
        conn.execute(statement.encode())
        conn.execute("SET session_replication_role = origin")


def test_an_empty_trail_is_intact(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify") == 0
    assert capsys.readouterr().out == "Intact: 0 records, and 0 that are not chained yet.\n"


def test_it_chains_and_then_verifies(
    conn: psycopg.Connection, capsys: pytest.CaptureFixture[str], environment: Path
) -> None:
    trail.write(conn, Random(1), 3)
    assert run("verify") == audit.NO_HEADS
    assert "a chain that was written again is not found" in capsys.readouterr().out
    head = trail.head(conn)
    heads.append(environment / "audit-heads.jsonl", conn.info.dbname, head)
    assert run("verify") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "Intact: 3 records, and 0 that are not chained yet.",
        f"Head: 3 {head.hash.hex()}",
        "Compared with 1 heads from outside the database.",
    ]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE audit_log SET actor = 'x' WHERE id = 2", "Record 2 of the chain with id 2 was altered."),
        ("DELETE FROM audit_log WHERE id = 2", "Record 2 of the chain with id 2 was removed."),
        ("DELETE FROM audit_chain WHERE sequence = 2", "Record 2 of the chain was removed."),
        ("DELETE FROM audit_chain WHERE sequence = 5", "A record outside the chain, id 5, was inserted."),
    ],
)
def test_it_names_the_record(
    conn: psycopg.Connection, capsys: pytest.CaptureFixture[str], statement: str, message: str
) -> None:
    trail.chained(conn, Random(1), 5)
    alter(conn, statement)
    assert run("verify") == audit.FOUND
    assert capsys.readouterr().out.splitlines()[0] == f"NOT INTACT: {message}"


def test_it_says_how_many_lines_of_a_file_are_no_heads(
    conn: psycopg.Connection, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, *_, last = trail.chained(conn, Random(1), 6)
    file = tmp_path / "heads"
    file.write_text('{"time": "2026-12-0\n[]\n\n', encoding="utf-8")
    heads.append(file, "another", last)
    heads.append(file, conn.info.dbname, last)
    assert run("verify", "--heads", str(file)) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-2:] == [
        "Compared with 1 heads from outside the database.",
        f"Lines of {file} that are no heads and were not compared: 2.",
    ]


def test_it_compares_heads_of_other_hosts(
    conn: psycopg.Connection, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    first, second, last = trail.chained(conn, Random(1), 6)
    for name, head in (("a", first), ("b", last)):
        heads.append(tmp_path / name, conn.info.dbname, head)
    files = ("--heads", str(tmp_path / "a"), "--heads", str(tmp_path / "b"))
    assert run("verify", *files) == 0
    alter(conn, "DELETE FROM audit_chain WHERE sequence > 4; DELETE FROM audit_log WHERE id > 4")
    assert second.sequence == 4
    assert run("verify", *files) == audit.FOUND
    assert "NOT INTACT: Record 5 of the chain was removed." in capsys.readouterr().out


def test_a_file_that_is_missing_is_an_error(
    conn: psycopg.Connection, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    trail.chained(conn, Random(1), 3)
    assert run("verify", "--heads", str(tmp_path / "missing")) == 1
    assert "missing" in capsys.readouterr().err


def test_the_export_has_every_record_and_itself(
    conn: psycopg.Connection, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    trail.write(conn, Random(1), 20)
    file = tmp_path / "trail.csv"
    assert run("export", str(file)) == 0
    with file.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["sequence"] for row in rows] == [str(number) for number in range(1, 22)]
    assert rows[-1]["action"] == "audit.export"
    assert list(rows[0]) == ["sequence", *FIELDS, "digest", "hash"]
    assert capsys.readouterr().err == "21 records.\n"


def test_the_export_is_its_owners_and_overwrites_nothing(
    conn: psycopg.Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "trail.csv"
    run("export", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    first = file.read_bytes()
    assert run("export", str(file)) == 1
    assert "exists already. Nothing was written." in capsys.readouterr().err
    assert file.read_bytes() == first


def test_no_cell_of_the_export_is_a_formula(conn: psycopg.Connection, tmp_path: Path) -> None:
    trail.write(conn, Random(1), 30)
    file = tmp_path / "trail.csv"
    run("export", str(file))
    with file.open(newline="", encoding="utf-8") as lines:
        cells = [cell for row in csv.reader(lines) for cell in row]
    assert "'=1+1" in cells
    assert "' =2+2" in cells
    assert "''quoted" in cells
    assert not any(cell.startswith(("=", "+", "-", "@", ";", "＝")) for cell in cells)
