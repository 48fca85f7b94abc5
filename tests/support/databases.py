"""Databases for tests. Input: the DSN of a server. Output: databases on it, created, cloned and dropped."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from hrims.db_roles.names import application_role, reporting_role

_administrators: dict[str, psycopg.Connection] = {}


@contextmanager
def clone(server_dsn: str, template: str) -> Iterator[str]:
    """Provide the DSN of a copy of the template, dropped at the end."""
    name = f"test_{uuid.uuid4().hex[:16]}"
    create(server_dsn, name, template)
    try:
        yield make_conninfo(server_dsn, dbname=name)
    finally:
        drop(server_dsn, name)


def create(server_dsn: str, name: str, template: str = "template0") -> None:
    """Create a database from the template."""
    _execute(
        server_dsn,
        # Copied as files, not written to the WAL page by page: six times as fast.
        sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
            sql.Identifier(name), sql.Identifier(template)
        ),
    )


def as_application(dsn: str, template: str) -> str:
    """Return the DSN of a clone of the template with the rights of the template's application role."""
    return make_conninfo(dsn, options=f"-c role={application_role(template)}")


@contextmanager
def as_owner(conn: psycopg.Connection) -> Iterator[None]:
    """Give a connection with the rights of a worker those of the owner during the block."""
    conn.execute("SET ROLE NONE")
    try:
        yield
    finally:
        conn.execute("RESET ROLE")


def execute_as_owner(
    conn: psycopg.Connection, statement: str | bytes, params: Sequence[object] | None = None
) -> None:
    """Execute a statement on a test's connection that no process of the product may execute."""
    with as_owner(conn):
        conn.execute(statement.encode() if isinstance(statement, str) else statement, params)


def drop(server_dsn: str, name: str) -> None:
    """Drop a database and its roles, if they exist, and end its sessions."""
    _execute(server_dsn, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    for role in (application_role(name), reporting_role(name)):
        _execute(server_dsn, sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


def _execute(server_dsn: str, statement: sql.Composed) -> None:
    with administration(server_dsn) as connection:
        connection.execute(statement)


@contextmanager
def administration(server_dsn: str) -> Iterator[psycopg.Connection]:
    """Provide an autocommit connection to the server's own database. All tests of the process share it."""
    connection = _administrators.pop(server_dsn, None)
    if connection is None or not _is_usable(connection):
        connection = psycopg.connect(server_dsn, autocommit=True)
    try:
        yield connection
    finally:
        if connection.closed or server_dsn in _administrators:
            connection.close()
        else:
            _administrators[server_dsn] = connection


def _is_usable(connection: psycopg.Connection) -> bool:
    try:
        connection.execute("SELECT")
    except psycopg.OperationalError:
        connection.close()
        return False
    return True


def close_administrations() -> None:
    """Close the connections that ``administration`` keeps."""
    while _administrators:
        _administrators.popitem()[1].close()


BLOCKED = """
SELECT s.pid FROM pg_stat_activity s
WHERE s.datname = current_database() AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = s.pid AND NOT l.granted)
"""
"""The sessions of a database that wait for a lock. Every role may read these columns."""

END_SESSIONS = """
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
WHERE datname = %s AND backend_type = 'client backend'
"""
"""A session reports its deadlocks when it ends."""


def count_deadlocks(server_dsn: str, dsn: str) -> int:
    """End all sessions of the database. Return how many deadlocks it has had."""
    database = [conninfo_to_dict(dsn)["dbname"]]
    with administration(server_dsn) as connection:
        connection.execute(END_SESSIONS, database)
        row = connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = %s", database)
        return int(row.fetchone()[0])  # type: ignore[index] # the database has one row
