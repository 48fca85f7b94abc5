"""Migrations: once, together, beside sessions that hold locks, and what is refused."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus

from hrims.db import Connection
from hrims.errors import DatabaseUnusable
from hrims.installation import MIGRATIONS
from hrims.lock_waits import LockLimits
from hrims.log import Event
from hrims.migrate import LOCK, OTHER_WORKS, migrate, read_state
from hrims.schema import load_migrations

QUICK = LockLimits(timeout=0.5, pause=0.1, total=60)
"""Limits that let a test see several attempts; none waits for the total."""


WAITS = """
SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
WHERE datname = current_database() AND NOT granted AND locktype = %s AND now() - waitstart > %s::interval
"""


@pytest.fixture
def thread() -> Iterator[Executor]:
    """Run functions beside the test. Wait for them last, after the connections of the test are closed."""
    with ThreadPoolExecutor(2) as executor:
        yield executor


def wait_until(reached: Callable[[], object]) -> None:
    """Wait for a signal."""
    end = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < end, "waited 60 s in vain"
        time.sleep(0.02)


def waits(observer: Connection, lock: str, longer_than: str = "0") -> bool:
    """Return whether a session of this database waits for such a lock."""
    row = observer.execute(WAITS, (lock, longer_than)).fetchone()
    return row != (0,)


def missing(conn: Connection, folder: Path = MIGRATIONS) -> list[str]:
    """Return the names of the files that the database lacks."""
    return [file.name for file in read_state(conn, load_migrations(folder)).missing]


def two_files(dsn: str, folder: Path, second: str) -> None:
    """Provide a database with the first file, and a folder with a second one that is not applied."""
    (folder / "0001_first.sql").write_text("CREATE TABLE first (id int); CREATE TABLE other (id int);")
    assert migrate(dsn, folder) == ["0001_first.sql"]
    (folder / "0002_second.sql").write_text(second)


def test_it_works_and_a_second_time_does_nothing(empty: str) -> None:
    assert migrate(empty) == [file.name for file in load_migrations()]
    assert migrate(empty) == []


def test_two_machines_at_the_same_time_apply_each_file_once(empty: str) -> None:
    applied: list[list[str]] = []
    together = [threading.Thread(target=lambda: applied.append(migrate(empty))) for _ in range(4)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    assert sorted(name for names in applied for name in names) == sorted(
        file.name for file in load_migrations()
    )


def test_an_open_transaction_of_an_analyst_continues_and_delays_only_the_migration(
    thread: Executor, empty: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    two_files(empty, tmp_path, "ALTER TABLE first ADD COLUMN name text;")
    lines: list[str] = []
    with (
        psycopg.connect(empty, application_name="notebook") as analyst,
        # Without a lock timeout of the migration, this session would hang behind it and fail here.
        psycopg.connect(empty, autocommit=True, options="-c statement_timeout=30s") as product,
    ):
        analyst.execute("SELECT id FROM first WHERE 'private text of the query' <> ''")
        migrating = thread.submit(migrate, empty, tmp_path, report=lines.append, limits=QUICK)
        wait_until(lambda: migrating.done() or waits(product, "relation"))
        connection_info = analyst.info
        holder = (
            f"process {connection_info.backend_pid} (notebook, user {connection_info.user}, "
            "idle in transaction, transaction open"
        )

        def is_named_while_others_work() -> bool:
            product.execute("INSERT INTO first VALUES (1)")
            product.execute("SELECT * FROM first")
            return any(holder in line for line in lines)

        wait_until(lambda: migrating.done() or is_named_while_others_work())
        assert not migrating.done()
        assert connection_info.transaction_status == TransactionStatus.INTRANS
        analyst.execute("SELECT id FROM first")
        analyst.commit()
        assert migrating.result(60) == ["0002_second.sql"]
        assert product.execute("SELECT name FROM first").fetchone() == (None,)
    assert all(line.startswith("0002_second.sql waits for a lock, held by ") for line in lines)
    logged = [record.msg for record in caplog.records if record.name == "hrims.lock_waits"]
    events = [(event.name, event.fields) for event in logged if isinstance(event, Event)]
    assert events == [
        ("migration_waiting", {"migration": "0002_second.sql", "message": line}) for line in lines
    ]
    assert "private" not in caplog.text


def test_a_migration_without_its_lock_fails_with_a_message_and_ends_no_session(
    empty: str, tmp_path: Path
) -> None:
    two_files(empty, tmp_path, "CREATE TABLE third (id int); ALTER TABLE first ADD COLUMN name text;")
    with psycopg.connect(empty, application_name="notebook") as analyst:
        analyst.execute("SELECT id FROM first")
        pid = analyst.info.backend_pid
        with pytest.raises(
            DatabaseUnusable,
            match=rf"0002_second\.sql was undone: it waited 1 s for a lock, held by process {pid} "
            r"\(notebook, user \w+, idle in transaction, transaction open for \d+ s\)\. "
            rf"All earlier migrations are kept\. End .*pg_terminate_backend\({pid}\)\. Then run `hrims migr",
        ):
            migrate(empty, tmp_path, limits=LockLimits(timeout=0.5, pause=0.1, total=1))
        stored = analyst.execute(
            "SELECT to_regclass('first') IS NULL, to_regclass('third') IS NULL"
        ).fetchone()
        assert stored == (False, True)
        assert missing(analyst, tmp_path) == ["0002_second.sql"]


def test_a_migration_that_loses_a_deadlock_is_tried_again(
    thread: Executor, empty: str, tmp_path: Path
) -> None:
    two_files(
        empty, tmp_path, "LOCK TABLE first; SELECT pg_advisory_xact_lock(7); ALTER TABLE other ADD n int;"
    )
    lines: list[str] = []
    # Only the migration looks for deadlocks, so that it is the one that loses.
    quick, patient = (make_conninfo(empty, options=f"-c deadlock_timeout={t}") for t in ("10ms", "1h"))
    limits = LockLimits(timeout=60, pause=0.01, total=60)
    with (
        psycopg.connect(empty, autocommit=True) as observer,
        psycopg.connect(patient) as holder,
        psycopg.connect(patient) as keeper,
    ):
        keeper.execute("SELECT pg_advisory_xact_lock(7)")
        migrating = thread.submit(migrate, quick, tmp_path, report=lines.append, limits=limits)
        wait_until(lambda: migrating.done() or waits(observer, "advisory"))
        holder.execute("LOCK TABLE other")
        blocked = thread.submit(holder.execute, b"LOCK TABLE first")
        wait_until(lambda: waits(observer, "relation"))
        keeper.close()
        blocked.result(60)
        wait_until(lambda: migrating.done() or lines)
        holder.rollback()
        assert migrating.result(60) == ["0002_second.sql"]


def test_it_waits_for_another_migration_longer_than_for_a_lock(
    thread: Executor, empty: str, tmp_path: Path
) -> None:
    """Neither its own lock timeout nor the limits of the role end the wait."""
    two_files(empty, tmp_path, "CREATE TABLE second (id int);")
    lines: list[str] = []
    limited = make_conninfo(empty, options="-c lock_timeout=100ms -c statement_timeout=100ms")
    with psycopg.connect(empty) as other, psycopg.connect(empty, autocommit=True) as observer:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        limits = LockLimits(timeout=0.1, pause=0.01, total=0.1)
        migrating = thread.submit(migrate, limited, tmp_path, report=lines.append, limits=limits)
        wait_until(lambda: migrating.done() or waits(observer, "advisory", "0.5 s"))
        assert not migrating.done()
        other.commit()
        assert migrating.result(60) == ["0002_second.sql"]
    assert lines == [OTHER_WORKS]


def test_what_procrastinate_ships_is_what_we_apply() -> None:
    shipped = {
        f"procrastinate/{file.name}"
        for file in resources.files("procrastinate.sql.migrations").iterdir()
        if file.name.endswith(".sql")
    }
    assert {m.name for m in load_migrations() if m.name.startswith("procrastinate/")} == shipped


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
    for file in MIGRATIONS.iterdir():
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "0002_institutions.sql").write_text("-- quite another file\n")
    with pytest.raises(DatabaseUnusable, match=r"0002_institutions\.sql was changed"):
        migrate(dsn, tmp_path)


def test_a_database_newer_than_the_code_is_refused(owner_dsn: str) -> None:
    with psycopg.connect(owner_dsn, autocommit=True) as conn:
        conn.execute("INSERT INTO schema_migrations (name, sha256) VALUES ('9999_later.sql', 'x')")
        with pytest.raises(DatabaseUnusable, match=r"newer than this code: it holds 9999_later\.sql"):
            migrate(owner_dsn)
        assert read_state(conn).unknown == ["9999_later.sql"]


def test_a_file_that_fails_is_undone_and_named(empty: str, tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (id int);")
    (tmp_path / "0002_second.sql").write_text("CREATE TABLE second (id int); SELECT 1/0;")
    with pytest.raises(DatabaseUnusable, match=r"0002_second\.sql failed and was undone.*division by zero"):
        migrate(empty, tmp_path)
    with psycopg.connect(empty) as conn:
        stored = conn.execute(
            "SELECT to_regclass('first') IS NOT NULL, to_regclass('second') IS NULL"
        ).fetchone()
        assert stored == (True, True)
        assert missing(conn, tmp_path) == ["0002_second.sql"]


def test_a_server_without_the_extension_is_reported(server_dsn: str, empty: str) -> None:
    """A plain role, on a database that is another's: nothing of the migration is kept."""
    name = psycopg.conninfo.conninfo_to_dict(empty)["dbname"]
    with psycopg.connect(empty, autocommit=True) as conn:
        conn.execute(f'CREATE ROLE "{name}" LOGIN'.encode())
        conn.execute(f'GRANT ALL ON SCHEMA public TO "{name}"'.encode())
    try:
        with pytest.raises(
            DatabaseUnusable, match=r"0002_institutions\.sql failed.*pg_trgm.*CREATE EXTENSION"
        ):
            migrate(make_conninfo(empty, user=name))
        with psycopg.connect(empty) as conn:
            assert missing(conn)[0] == "0002_institutions.sql"
    finally:
        with psycopg.connect(empty, autocommit=True) as conn:
            conn.execute(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"'.encode())


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_of_another_encoding_is_refused(server_dsn: str, dsn: str, encoding: str) -> None:
    name = f"{psycopg.conninfo.conninfo_to_dict(dsn)['dbname']}_{encoding.lower()}"
    made = f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
    with psycopg.connect(server_dsn, autocommit=True) as conn:
        conn.execute(made.encode())
        try:
            with pytest.raises(DatabaseUnusable, match=f"has the encoding {encoding}.*needs UTF8"):
                migrate(make_conninfo(server_dsn, dbname=name))
        finally:
            conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
