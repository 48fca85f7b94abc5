"""The before and after halves of an upgrade."""

import re
from pathlib import Path

import psycopg
import pytest

from hrims.errors import DatabaseUnusable
from hrims.installation import MIGRATIONS
from hrims.migrate import migrate, read_ledger, read_state
from hrims.schema import SchemaCheck, SchemaMismatch, load_migrations

FILE_NAME = re.compile(r"\d{4}_([a-z0-9_]+(\.after)?\.sql|procrastinate_[0-9.]+(\.after)?\.list)")


def write(folder: Path, *names: str) -> None:
    """Write a migration under each name; each makes a table."""
    for name in names:
        (folder / name).write_text(f"CREATE TABLE t{name[:4]} (id int);")


def test_before_leaves_what_needs_the_older_version_gone(empty: str, tmp_path: Path) -> None:
    write(tmp_path, "0001_first.sql")
    migrate(empty, tmp_path)
    write(tmp_path, "0002_add.sql", "0003_drop.after.sql", "0004_drop.after.sql")
    assert migrate(empty, tmp_path, before_only=True) == ["0002_add.sql"]
    with psycopg.connect(empty) as conn:
        state = read_state(conn, load_migrations(tmp_path))
    assert (state.missing_before, state.missing_after) == ([], ["0003_drop.after.sql", "0004_drop.after.sql"])
    assert migrate(empty, tmp_path, before_only=True) == []
    assert migrate(empty, tmp_path) == ["0003_drop.after.sql", "0004_drop.after.sql"]


def test_before_gives_a_new_database_both_halves(empty: str, tmp_path: Path) -> None:
    names = ["0001_first.sql", "0002_drop.after.sql", "0003_add.sql"]
    write(tmp_path, *names)
    assert migrate(empty, tmp_path, before_only=True) == names


def test_before_is_refused_while_the_after_half_of_an_earlier_upgrade_is_missing(
    empty: str, tmp_path: Path
) -> None:
    write(tmp_path, "0001_first.sql")
    migrate(empty, tmp_path)
    write(tmp_path, "0002_add.sql", "0003_drop.after.sql", "0004_add.sql")
    with pytest.raises(
        DatabaseUnusable,
        match=r"0003_drop\.after\.sql is missing, and must be applied before 0004_add\.sql\. Nothing was cha",
    ):
        migrate(empty, tmp_path, before_only=True)
    with psycopg.connect(empty) as conn:
        assert read_state(conn, load_migrations(tmp_path)).missing_before == ["0002_add.sql", "0004_add.sql"]
    assert len(migrate(empty, tmp_path)) == 3


def test_code_starts_without_the_after_half_and_not_without_the_before_half(
    empty: str, tmp_path: Path
) -> None:
    write(tmp_path, "0001_first.sql")
    migrate(empty, tmp_path)
    write(tmp_path, "0002_add.sql", "0003_drop.after.sql")
    process = SchemaCheck(load_migrations(tmp_path))
    with psycopg.connect(empty, autocommit=True) as conn:
        with pytest.raises(
            SchemaMismatch,
            match=r"lacks 0002_add\.sql.*Nothing was changed\. Run `hrims migrate`.* --before\.$",
        ):
            process.check(read_ledger(conn))
        migrate(empty, tmp_path, before_only=True)
        assert process.check(read_ledger(conn)) == ""


def test_code_that_runs_continues_on_a_newer_database_and_code_that_starts_refuses(
    empty: str, tmp_path: Path
) -> None:
    write(tmp_path, "0001_first.sql")
    migrate(empty, tmp_path)
    running, starting = (SchemaCheck(load_migrations(tmp_path)) for _ in range(2))
    write(tmp_path, "0002_add.sql", "0003_drop.after.sql")
    with psycopg.connect(empty, autocommit=True) as conn:
        assert running.check(read_ledger(conn)) == ""
        migrate(empty, tmp_path)
        assert running.check(read_ledger(conn)) == (
            "The database is newer than this process: it holds 0003_drop.after.sql. The process continues. "
            "Restart it with the newer version of HRIMS Sync."
        )
        with pytest.raises(SchemaMismatch, match=r"newer than this code: it holds 0003_drop\.after\.sql"):
            starting.check(read_ledger(conn))
        conn.execute("DELETE FROM schema_migrations WHERE name = '0001_first.sql'")
        with pytest.raises(SchemaMismatch, match=r"lacks 0001_first\.sql"):
            running.check(read_ledger(conn))


def test_a_list_of_procrastinates_files_belongs_to_one_half(tmp_path: Path) -> None:
    (tmp_path / "0001_procrastinate_4.0.list").write_text("00.00.00_01_initial.sql\n")
    (tmp_path / "0002_procrastinate_4.0.after.list").write_text("00.05.00_01_drop_started_at_column.sql\n")
    assert [(file.name, file.is_after) for file in load_migrations(tmp_path)] == [
        ("procrastinate/00.00.00_01_initial.sql", False),
        ("procrastinate/00.05.00_01_drop_started_at_column.sql", True),
    ]


def test_the_names_of_the_files_say_order_and_half() -> None:
    """Procrastinate marks its halves ``_pre_`` and ``_post_``. The first list has both: it is the first."""
    files = [file for file in MIGRATIONS.iterdir() if file.suffix in {".sql", ".list"}]
    assert [name for file in files if not FILE_NAME.fullmatch(name := file.name)] == []
    numbers = sorted(int(file.name[:4]) for file in files)
    assert numbers == list(range(1, len(numbers) + 1))
    for file in files:
        if file.suffix == ".list" and file.name != "0001_procrastinate_3.10.list":
            wrong = "_pre_" if file.name.endswith(".after.list") else "_post_"
            assert wrong not in file.read_text(), file.name
