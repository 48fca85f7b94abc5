"""The reporting role reads the views alone: the rows of its institutions, with personal columns masked."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from hrims.db_roles.names import reporting_role
from hrims.db_roles.reporting import DATES, MASKED, ROWS
from hrims.employees.fields import CLASSES, COLUMNS, SQL_TYPES, Classification
from hrims.migrate import migrate
from tests.database.sample_history import HEALTH, WATER, SampleHistory
from tests.support.databases import clone

Row = dict[str, Any]

SECRET = [name for name in MASKED if name not in {"region", "country_of_birth"}]
"""Masked columns whose values in the tests stand nowhere else."""

DRIFT = """UPDATE run_drift SET changes = '[{"kind": "new", "field": "nickname"}]' WHERE run_id IN (5, 7)"""


@pytest.fixture(scope="module")
def history(server_dsn: str, template_database: str) -> Iterator[psycopg.Connection]:
    """Provide the owner's connection to a database with the whole sample history."""

    async def tell(dsn: str) -> None:
        async with AsyncConnectionPool(dsn, min_size=1, max_size=6, open=False) as pool:
            with psycopg.connect(dsn, autocommit=True) as conn:
                await SampleHistory(conn, pool).build()

    with clone(server_dsn, template_database) as dsn:
        asyncio.run(tell(dsn))
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(DRIFT.encode())
            yield conn


@contextmanager
def as_role(conn: psycopg.Connection, role: str) -> Iterator[None]:
    """Use the rights of a role during the block."""
    conn.execute(f"SET ROLE {role}".encode())
    try:
        yield
    finally:
        conn.execute("RESET ROLE")


class Reader:
    """An analyst: a role that is a member of the reporting role, with institutions."""

    def __init__(self, conn: psycopg.Connection, group: str) -> None:
        self.conn, self.role = conn, f"analyst_{uuid.uuid4().hex[:8]}"
        conn.execute(f'CREATE ROLE {self.role} IN ROLE "{group}"'.encode())

    def may_read(self, *institutions: str | None) -> None:
        """Give the reader these institutions; None gives all."""
        for name in institutions:
            self.conn.execute(
                "INSERT INTO reporting_scopes VALUES (%s, (SELECT id FROM institutions WHERE name = %s))",
                (self.role, name),
            )

    def read(self, query: str) -> list[Row]:
        """Return the rows of a query that the reader executes."""
        with as_role(self.conn, self.role), self.conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query.encode()).fetchall()

    def drop(self) -> None:
        """Remove the reader."""
        self.conn.execute("DELETE FROM reporting_scopes WHERE role = %s", (self.role,))
        self.conn.execute(f"DROP OWNED BY {self.role}; DROP ROLE {self.role}".encode())


@pytest.fixture
def reader(history: psycopg.Connection, template_database: str) -> Iterator[Reader]:
    made = Reader(history, reporting_role(template_database))
    yield made
    made.drop()


def everything(conn: psycopg.Connection, view: str, where: str = "true") -> list[Row]:
    """Return the rows of an original view."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(f"SELECT * FROM {view} WHERE {where}".encode()).fetchall()


@pytest.mark.parametrize("view", ROWS)
def test_a_view_has_the_columns_of_its_original(history: psycopg.Connection, view: str) -> None:
    columns = (
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attnum > 0 AND attrelid = "
    )
    own = history.execute(f"{columns} 'reporting.{view}'::regclass ORDER BY attnum".encode()).fetchall()
    assert own == history.execute(f"{columns} '{view}'::regclass ORDER BY attnum".encode()).fetchall()


@pytest.mark.parametrize("view", ROWS)
def test_without_institutions_a_reader_sees_nothing(reader: Reader, view: str) -> None:
    assert reader.read(f"SELECT * FROM reporting.{view}") == []


@pytest.mark.parametrize("view", ROWS)
def test_a_reader_of_all_institutions_sees_every_row(reader: Reader, view: str) -> None:
    reader.may_read(None)
    assert everything(reader.conn, view)
    assert len(reader.read(f"SELECT * FROM reporting.{view}")) == len(everything(reader.conn, view))


@pytest.mark.parametrize(
    "view", ["runs_v", "queue_v", "workplaces_v", "rejects_v", "drift_v", "jobs_v", "changes_v"]
)
def test_a_reader_sees_the_rows_of_its_institutions(reader: Reader, view: str) -> None:
    reader.may_read(WATER)
    seen = reader.read(f"SELECT * FROM reporting.{view}")
    where = f"institution = '{WATER}'" if view != "changes_v" else f"employee_id IN ({OF_WATER})"
    assert len(seen) == len(everything(reader.conn, view, where))
    reader.may_read(HEALTH)
    assert len(reader.read(f"SELECT * FROM reporting.{view}")) > len(seen)


OF_WATER = f"""
SELECT e.id FROM employees e WHERE institution_id = (SELECT id FROM institutions WHERE name = '{WATER}')
   OR EXISTS (SELECT FROM listings l JOIN institutions i ON i.id = l.institution_id
              WHERE l.employee_id = e.id AND l.ended_at IS NULL AND i.name = '{WATER}')
"""


def test_a_reader_sees_who_works_at_or_is_listed_by_an_institution(reader: Reader) -> None:
    reader.may_read(WATER)
    [count] = reader.read("SELECT count(*) AS people FROM reporting.employees_v")
    own = everything(reader.conn, "employees", f"id IN ({OF_WATER})")
    assert count["people"] == len(own) < len(everything(reader.conn, "employees"))


def test_a_batch_is_seen_by_readers_of_all_its_institutions(reader: Reader) -> None:
    members = "SELECT DISTINCT i.name FROM batch_members JOIN institutions i ON i.id = institution_id"
    names = [name for (name,) in reader.conn.execute(members.encode()).fetchall()]
    assert len(names) > 1
    reader.may_read(names[0])
    assert reader.read("SELECT * FROM reporting.batches_v") == []
    reader.may_read(*names[1:])
    assert len(reader.read("SELECT * FROM reporting.batches_v")) == 1


def test_the_runs_of_a_worker_are_those_of_the_reader(reader: Reader) -> None:
    reader.may_read(WATER)
    assert [row["job_ids"] for row in reader.read("SELECT job_ids FROM reporting.workers_v")] == [[]]
    reader.may_read(None)
    assert [row["job_ids"] for row in reader.read("SELECT job_ids FROM reporting.workers_v")] == [[11]]


def test_personal_columns_are_masked(reader: Reader) -> None:
    reader.may_read(None)
    reader.conn.execute(
        "UPDATE employees SET phone_number = '0777123456', contact_address = 'Shangani 12',"
        " zssf_number = '77001'"
    )
    secret = {
        str(row[name])
        for row in everything(reader.conn, "employees")
        for name in SECRET
        if row[name] is not None
    }
    assert len(secret) > 30
    for view in ROWS:
        rows = reader.read(f"SELECT v::text AS line FROM reporting.{view} v")
        found = [value for value in secret for row in rows if value in row["line"]]
        assert not found, view


def test_the_masked_columns_are_those_of_the_classes() -> None:
    hidden = {Classification.CONFIDENTIAL, Classification.RESTRICTED}
    assert {*MASKED} == {column for column in COLUMNS if CLASSES[column] in hidden}
    assert set(DATES) == {column for column in MASKED if SQL_TYPES[column] == "date"}


def test_masked_history_shows_that_a_value_changed(reader: Reader) -> None:
    reader.may_read(None)
    reader.conn.execute(
        """INSERT INTO employee_changes (employee_id, run_id, changes)
           VALUES (1, 1, '{"phone_number": ["0777000001", null], "cadre": ["Afisa", "Daktari"]}')"""
    )
    rows = reader.read(
        "SELECT field, old, new FROM reporting.changes_v WHERE employee_id = 1 AND job_id = 1 ORDER BY field"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("cadre", "Afisa", "Daktari"),
        ("phone_number", "•••", None),
    ]


def test_a_function_of_the_reader_sees_no_hidden_row(reader: Reader) -> None:
    """Without a security barrier, PostgreSQL would call a cheap function before the views' own condition."""
    reader.may_read(WATER)
    looked: set[str | None] = set()
    reader.conn.add_notice_handler(lambda notice: looked.add(notice.message_primary))
    with as_role(reader.conn, reader.role):
        reader.conn.execute(
            "CREATE FUNCTION pg_temp.look(id bigint) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
            " $$ BEGIN RAISE NOTICE '%', id; RETURN true; END $$"
        )
    rows = reader.read("SELECT job_id FROM reporting.runs_v WHERE pg_temp.look(job_id)")
    assert looked == {str(row["job_id"]) for row in rows}


def test_a_reader_reads_nothing_else_and_writes_nothing(reader: Reader) -> None:
    reader.may_read(None)
    relations = reader.conn.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'S') AND"
        " (relnamespace = 'public'::regnamespace OR oid = 'reporting.scope'::regclass)"
    ).fetchall()
    assert len(relations) > 40
    for (relation,) in relations:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.read(f"SELECT FROM {relation}")
    for statement in ("CREATE TABLE public.x ()", "CREATE TABLE reporting.x ()"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.read(statement)


def test_a_reader_cannot_widen_its_scope(reader: Reader) -> None:
    reader.may_read(WATER)
    seen = len(reader.read("SELECT FROM reporting.runs_v"))
    for statement in (
        f"INSERT INTO reporting_scopes VALUES ('{reader.role}', NULL)",
        "SELECT * FROM reporting_scopes",
        "SET ROLE postgres",
    ):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue)):
            reader.read(statement)
    assert len(reader.read("SELECT FROM reporting.runs_v")) == seen


def test_a_migration_may_change_what_the_views_show(history: psycopg.Connection, reader: Reader) -> None:
    reader.may_read(WATER)
    before = reader.read("SELECT * FROM reporting.runs_v")
    history.execute("COMMENT ON VIEW reporting.scope IS 'of an earlier release'")
    assert migrate(history.info.dsn) == []
    assert reader.read("SELECT * FROM reporting.runs_v") == before
