"""The register as a file: what is added, what is changed, what is left, and what the record keeps."""

import asyncio
from pathlib import Path

import psycopg
import pytest

from hrims.db import Connection
from hrims.errors import InvalidInput
from hrims.installation import DEMO_REGISTER
from hrims.institutions import importer
from hrims.institutions.store import Change
from tests.database.runs import institution, wait_until_blocked
from tests.support.users import ASHA


def imported(conn: Connection, folder: Path, *lines: str) -> list[Change]:
    """Import a file of these lines."""
    file = folder / "register.csv"
    file.write_text("\n".join(["name,vote_code,tin", *lines]), encoding="utf-8")
    return importer.import_rows(conn, ASHA, importer.read(file))


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


def refused(conn: Connection, folder: Path, *lines: str) -> list[str]:
    """Return the problems of an import of these lines, without the file name. Assert that nothing changed."""
    before = conn.execute("SELECT * FROM institutions ORDER BY id").fetchall()
    file = folder / "register.csv"
    file.write_text("\n".join(["name,vote_code,tin", *lines]), encoding="utf-8")
    with pytest.raises(InvalidInput) as refusal:
        importer.import_file(conn, ASHA, file)
    assert conn.execute("SELECT * FROM institutions ORDER BY id").fetchall() == before
    *problems, last = str(refusal.value).splitlines()
    assert last == "Nothing was imported."
    return [line.removeprefix("register.csv, ") for line in problems]


def starts(problems: list[str], *beginnings: str) -> bool:
    """Return whether these lines and no others were told."""
    return len(problems) == len(beginnings) and all(map(str.startswith, problems, beginnings))


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ("Wizara A", "WIZARA  A."),
        ("Kituo cha Ng'ambo", "Kituo cha Ng\u02bcambo"),
        ("Zo\u00e9", "ZOE\u0301"),
        ("A_B", "A B"),
        ("Wizara\u00b2 A", "WIZARA\u00b2  A"),
        ("\u0130stanbul", "\u0130STANBUL"),
    ],
)
def test_duplicate_names_are_found_as_the_database_finds_them(
    conn: Connection, tmp_path: Path, first: str, other: str
) -> None:
    assert starts(
        refused(conn, tmp_path, f"{first},8101,", f"{other},8102,"), "line 3: line 2 has the same name."
    )


@pytest.mark.parametrize(
    ("lines", "problems"),
    [
        (["A,8101,", "B,8101,"], ["line 3: line 2 has the same vote code."]),
        (["A,,987654321", "", "B,,987654321"], ["line 4: line 2 has the same TIN."]),
        (["A,8101,", "...,8102,"], ["line 3: a name has letters or digits."]),
        (["A,001,"], ["line 2: the vote code 001 is that of WIZARA YA AFYA on the register."]),
        (["A,,156255890"], ["line 2: the TIN 156255890 is that of WIZARA YA AFYA on the register."]),
        (["A,1,"], ["line 2: the vote code 1 differs from 001, that of WIZARA YA AFYA on the register"]),
        (["A,00001,"], ["line 2: the vote code 00001 differs from 001, that of WIZARA YA AFYA"]),
        (["Wizara ya Afya,01,"], ["line 2: the vote code 01 differs from 001"]),
        (["A,037,", "B,37,"], ["line 3: the vote code 37 differs from 037 on line 2 only in leading zeros"]),
        (["A,37,", "B,037,"], ["line 2: the vote code 37 differs from 037 on line 3 only in leading zeros"]),
        (
            ["A,x,", "B,1,", "C,8101,", "C.,8101,"],
            ["line 2: a vote code is", "line 3: the vote code 1", "line 5: ", "line 5: "],
        ),
    ],
)
def test_a_conflict_is_refused_by_line(
    conn: Connection, tmp_path: Path, lines: list[str], problems: list[str]
) -> None:
    institution(conn)
    found = refused(conn, tmp_path, *lines)
    assert starts(found, *problems), found


def test_a_code_may_gain_its_zeros_and_one_that_stays_is_let_be(conn: Connection, tmp_path: Path) -> None:
    institution(conn, "TUME", "37", "129673100")
    institution(conn, "BODI", "004", "129673101")
    institution(conn, "SHULE", "4", "129673102")
    [change] = imported(conn, tmp_path, "TUME,037,", "BODI,004,", "SHULE,4,")
    assert change.after == ("TUME", "037", "129673100")


def test_institutions_swap_their_numbers_in_one_file(conn: Connection, tmp_path: Path) -> None:
    institution(conn)
    institution(conn, "TUME", "037", "129673100")
    institution(conn, "BODI", "038", "129673101")
    lines = ("TUME,001,129673101", "WIZARA YA AFYA,038,129673100", "BODI,037,156255890")
    changes = imported(conn, tmp_path, *lines)
    assert changes[0].before == ("TUME", "037", "129673100")
    assert conn.execute("SELECT name, vote_code, tin FROM institutions ORDER BY name").fetchall() == [
        ("BODI", "037", "156255890"),
        ("TUME", "001", "129673101"),
        ("WIZARA YA AFYA", "038", "129673100"),
    ]


def test_a_number_that_its_institution_keeps_is_taken(conn: Connection, tmp_path: Path) -> None:
    institution(conn)
    institution(conn, "TUME", "037", "129673100")
    problems = refused(conn, tmp_path, "TUME,001,", "WIZARA YA AFYA,,")
    assert problems == ["line 2: the vote code 001 is that of WIZARA YA AFYA on the register."]


def test_a_file_may_be_read_again(conn: Connection, tmp_path: Path) -> None:
    demo = DEMO_REGISTER
    assert len(importer.import_file(conn, ASHA, demo).written) == 40
    assert importer.import_file(conn, ASHA, demo) == (40, [])


def test_only_what_changes_is_locked(conn: Connection, dsn: str) -> None:
    """Each page that is saved takes a key share of its institution, by a foreign key."""
    institution(conn)
    institution(conn, "Tume", "037", "129673100")
    institution(conn, "BODI", "038", "129673101")
    rows = [
        ("WIZARA YA AFYA", "001", None),
        ("TUME", None, None),
        ("BODI", "039", None),
        ("SHULE", "4", None),
    ]

    def unlocked(lock: str) -> list[str]:
        found = f"SELECT name FROM institutions ORDER BY name FOR {lock} SKIP LOCKED"
        return [name for (name,) in conn.execute(found.encode())]

    with psycopg.connect(dsn) as other, other.transaction():
        assert len(importer.import_rows(other, ASHA, rows)) == 3
        assert unlocked("UPDATE") == ["WIZARA YA AFYA"]
        # Another vote code is another key, so the pages of this institution do wait.
        assert unlocked("KEY SHARE") == ["Tume", "WIZARA YA AFYA"]


async def test_of_two_imports_at_once_the_second_sees_what_the_first_wrote(
    conn: Connection, dsn: str
) -> None:
    institution(conn)

    def second() -> list[Change]:
        with psycopg.connect(dsn, autocommit=True) as own_conn:
            return importer.import_rows(
                own_conn, ASHA, [("WIZARA YA AFYA", None, "129673100"), ("TUME", None, "129673101")]
            )

    with psycopg.connect(dsn) as first, first.transaction():
        importer.import_rows(first, ASHA, [("WIZARA YA AFYA", "002", None), ("TUME", "037", None)])
        importing = asyncio.create_task(asyncio.to_thread(second))
        await wait_until_blocked(conn)
    assert await importing == [
        Change(("WIZARA YA AFYA", "002", "156255890"), ("WIZARA YA AFYA", "002", "129673100")),
        Change(("TUME", "037", None), ("TUME", "037", "129673101")),
    ]
