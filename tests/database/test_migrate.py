"""Migrations: once, together, and what is refused."""

import threading
from importlib import resources
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from hrims.config import PROJECT
from hrims.errors import DatabaseUnusable
from hrims.migrate import FOLDER, migrate, pending, wanted


def test_it_works_and_a_second_time_does_nothing(empty: str) -> None:
    assert migrate(empty) == [file.name for file in wanted()]
    assert migrate(empty) == []


def test_two_machines_at_the_same_time_apply_each_file_once(empty: str) -> None:
    applied: list[list[str]] = []
    together = [threading.Thread(target=lambda: applied.append(migrate(empty))) for _ in range(4)]
    for one in together:
        one.start()
    for one in together:
        one.join()
    assert sorted(name for names in applied for name in names) == sorted(file.name for file in wanted())


def test_what_procrastinate_ships_is_what_we_apply() -> None:
    shipped = {
        f"procrastinate/{file.name}"
        for file in resources.files("procrastinate.sql.migrations").iterdir()
        if file.name.endswith(".sql")
    }
    assert {m.name for m in wanted() if m.name.startswith("procrastinate/")} == shipped


def _functions(dsn: str) -> list[tuple[str, str]]:
    with psycopg.connect(dsn) as conn:
        return conn.execute(
            "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE proname LIKE 'procrastinate%'"
        ).fetchall()


def test_procrastinates_migrations_lead_to_its_own_schema(empty: str, dsn: str) -> None:
    schema = resources.files("procrastinate.sql").joinpath("schema.sql").read_text()
    with psycopg.connect(empty, autocommit=True) as conn:
        conn.execute(schema.encode())
    there, here = dict(_functions(empty)), dict(_functions(dsn))
    assert there
    assert {name: here.get(name) for name in there} == there


def test_a_file_that_was_changed_is_refused(dsn: str, tmp_path: Path) -> None:
    for file in FOLDER.iterdir():
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "0002_register.sql").write_text("-- quite another file\n")
    with pytest.raises(DatabaseUnusable, match=r"0002_register\.sql was changed"):
        migrate(dsn, tmp_path)


def test_a_database_newer_than_the_code_is_refused(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("INSERT INTO schema_migrations (name, sha256) VALUES ('9999_later.sql', 'x')")
        with pytest.raises(DatabaseUnusable, match=r"newer than this code: it holds 9999_later\.sql"):
            migrate(dsn)
        with pytest.raises(DatabaseUnusable, match="newer than this code"):
            pending(conn)


def test_a_file_that_fails_is_undone_and_named(empty: str, tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (id int);")
    (tmp_path / "0002_second.sql").write_text("CREATE TABLE second (id int); SELECT 1/0;")
    with pytest.raises(DatabaseUnusable, match=r"0002_second\.sql failed and was undone.*division by zero"):
        migrate(empty, tmp_path)
    with psycopg.connect(empty) as conn:
        kept = conn.execute(
            "SELECT to_regclass('first') IS NOT NULL, to_regclass('second') IS NULL"
        ).fetchone()
        assert kept == (True, True)
        assert pending(conn, tmp_path) == ["0002_second.sql"]


def test_a_server_that_refuses_the_extension_is_told_of_in_words(server_dsn: str, empty: str) -> None:
    """A plain role, on a database that is another's: nothing of the migration is kept."""
    name = psycopg.conninfo.conninfo_to_dict(empty)["dbname"]
    with psycopg.connect(empty, autocommit=True) as conn:
        conn.execute(f'CREATE ROLE "{name}"'.encode())
        conn.execute(f'GRANT ALL ON SCHEMA public TO "{name}"'.encode())
    try:
        with pytest.raises(DatabaseUnusable, match=r"0008_workplaces\.sql failed.*pg_trgm.*CREATE EXTENSION"):
            migrate(make_conninfo(empty, options=f"-crole={name}"))
        with psycopg.connect(empty) as conn:
            assert pending(conn)[0] == "0008_workplaces.sql"
    finally:
        with psycopg.connect(empty, autocommit=True) as conn:
            conn.execute(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"'.encode())


def test_the_files_number_without_gaps() -> None:
    numbers = sorted(int(file.name[:4]) for file in (PROJECT / "migrations").iterdir())
    assert numbers == list(range(1, len(numbers) + 1))
