"""The register as a file: what is added, what is changed, what is left, and what the record keeps."""

from pathlib import Path

from hrims.db import Connection
from hrims.register import table
from hrims.register.store import Change
from tests.database.runs import ASHA, institution


def imported(conn: Connection, folder: Path, *lines: str) -> list[Change]:
    """Imports a file of these lines."""
    file = folder / "register.csv"
    file.write_text("\n".join(["name,vote_code,tin", *lines]), encoding="utf-8")
    return table.import_rows(conn, ASHA, table.read(file))


def test_an_empty_number_leaves_the_one_that_is_there(conn: Connection, tmp_path: Path) -> None:
    institution(conn)
    assert imported(conn, tmp_path, "WIZARA YA AFYA,,") == []
    [change] = imported(conn, tmp_path, "WIZARA YA AFYA,099,")
    before, after = ("WIZARA YA AFYA", "001", "156255890"), ("WIZARA YA AFYA", "099", "156255890")
    assert (change.before, change.after) == (before, after)
    assert conn.execute("SELECT name, vote_code, tin FROM institutions").fetchall() == [after]


def test_the_audit_record_keeps_what_was_and_what_is(conn: Connection, tmp_path: Path) -> None:
    institution(conn)
    imported(conn, tmp_path, "Wizara ya Afya,001,156255890", "TUME,037,")
    details = conn.execute("SELECT details FROM audit_log WHERE action = 'institutions.import'").fetchone()
    assert details == (
        {
            "rows": 2,
            "written": [
                {
                    "before": ["WIZARA YA AFYA", "001", "156255890"],
                    "after": ["Wizara ya Afya", "001", "156255890"],
                },
                {"before": None, "after": ["TUME", "037", None]},
            ],
        },
    )
