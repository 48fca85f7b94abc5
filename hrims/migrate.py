"""Migrates a database to the schema of this code. Input: migrations. Output: a row in the ledger for each.

It is safe to run twice, and from two machines at the same time.
"""

from pathlib import Path
from typing import Any, LiteralString

import psycopg

from hrims import db
from hrims.db_roles import setup
from hrims.db_roles import store as roles
from hrims.errors import DatabaseUnusable
from hrims.installation import MIGRATIONS
from hrims.lock_waits import LIMITS, RETRIED, LockLimits, LockWait, Report, ignore
from hrims.log import get_logger
from hrims.schema import Migration, SchemaState, compare, load_migrations

LOCK = 0x4852494D53  # "HRIMS": the advisory lock that serializes migrations of a database
OLDEST_SERVER = 150000

OTHER_WORKS = "Another `hrims migrate` works on this database. Waiting until it has finished."

log = get_logger(__name__)

LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    position integer GENERATED ALWAYS AS IDENTITY,
    name text PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


def migrate(
    dsn: str,
    folder: Path = MIGRATIONS,
    *,
    before_only: bool = False,
    login: str | None = None,
    report: Report = ignore,
    limits: LockLimits = LIMITS,
) -> list[str]:
    """Apply the missing migrations, one transaction each. Return their names.

    With ``before_only``, skip those that need the older version stopped, unless the database is new. A
    migration that cannot get a lock is rolled back and retried; ``report`` gets a line each time. In the end,
    create and grant the roles of the database. ``login`` is the user of web processes and workers, if that is
    not the owner of the tables.

    Raises DatabaseUnusable without applying a migration if:

    - the server is too old, or the database does not have the encoding UTF8;
    - every role may create in the schema, and this one cannot change that;
    - an applied file was changed, or this code does not know an applied migration;
    - ``before_only`` would skip the after half of an earlier release.

    Raises it also if a migration fails or gets no lock within ``limits``. Earlier ones are kept then.
    """
    files = load_migrations(folder)
    with db.connect(dsn, as_owner=True) as conn:
        _refuse_old_server(conn)
        _refuse_other_encoding(conn)
        setup.close_schema(conn)
        applied = _Migrator(dsn, conn, files, before_only, report, limits).run()
        for warning in _ensure_roles(conn, login):
            report(warning)
        return applied


def _ensure_roles(conn: db.Connection, login: str | None) -> list[str]:
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        return setup.ensure(conn, login)


class _Migrator:
    """One `hrims migrate`: its connection and its waits for locks."""

    def __init__(
        self,
        dsn: str,
        conn: db.Connection,
        files: list[Migration],
        before_only: bool,
        report: Report,
        limits: LockLimits,
    ) -> None:
        self._dsn, self._conn, self._files, self._before_only = dsn, conn, files, before_only
        self._report, self._limits = report, limits
        self._lock_wait = LockWait(limits, report)
        self._has_reported_other = False
        self._current = ""

    def run(self) -> list[str]:
        applied = []
        while name := self._apply_next_with_retries():
            applied.append(name)
        return applied

    def _apply_next_with_retries(self) -> str | None:
        while True:
            try:
                return self._apply_next()
            except RETRIED:
                self._lock_wait.pause(self._current)

    def _apply_next(self) -> str | None:
        """Apply the first missing migration. Return its name; None if none is missing."""
        conn, self._current = self._conn, "schema_migrations"
        with conn.transaction():
            conn.execute("SET LOCAL ROLE NONE")
            pid = self._lock()
            with self._lock_wait.watch(self._dsn, pid):
                conn.execute(LEDGER)
                file = self._find_next(read_ledger(conn))
                if file:
                    self._current = file.name
                    roles.drop_views(conn)
                    _apply(conn, file)
            return file.name if file else None

    def _find_next(self, applied: dict[str, str]) -> Migration | None:
        state = compare(self._files, applied)
        state.check_known()
        # No older version uses a new database, so it gets both halves together.
        self._before_only = self._before_only and bool(applied)
        if self._before_only:
            state.check_halves()
        file = next(iter(state.missing), None)
        return None if file and file.is_after and self._before_only else file

    def _lock(self) -> int:
        """Wait until no other `hrims migrate` works on this database. Return the pid of the server process.

        The lock ends with the transaction. A session lock would never be released behind a pooler.
        """
        # Another migration may take long. Timeouts of the role must not end this wait.
        free = self._select_value(
            "SELECT pg_try_advisory_xact_lock(%s), set_config('lock_timeout', '0', true),"
            " set_config('statement_timeout', '0', true)",
            LOCK,
        )
        if not free:
            if not self._has_reported_other:
                log.info("other_migration_running", message=OTHER_WORKS)
                self._report(OTHER_WORKS)
            self._has_reported_other = True
            self._conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        timeout = f"{self._limits.timeout * 1000:.0f}ms"
        return int(
            self._select_value("SELECT pg_backend_pid(), set_config('lock_timeout', %s, true)", timeout)
        )

    def _select_value(self, statement: LiteralString, value: object) -> Any:
        row = self._conn.execute(statement, (value,)).fetchone()
        assert row
        return row[0]


def read_state(conn: db.Connection, files: list[Migration] | None = None) -> SchemaState:
    """Compare the database with ``files``, or with the migrations of this code."""
    return compare(load_migrations() if files is None else files, read_ledger(conn))


def read_ledger(conn: db.Connection) -> dict[str, str]:
    """Return the SHA-256 of each applied migration by name; empty if the database is new.

    It is also empty for the application role until a migration has granted it its rights.
    """
    row = conn.execute(
        "SELECT coalesce(has_table_privilege(to_regclass('schema_migrations'), 'SELECT'), false)"
    ).fetchone()
    if row != (True,):
        return {}
    rows = conn.execute("SELECT name, sha256 FROM schema_migrations").fetchall()
    return {str(name): str(sha256) for name, sha256 in rows}


def _refuse_old_server(conn: db.Connection) -> None:
    version = conn.info.server_version
    if version < OLDEST_SERVER:
        raise DatabaseUnusable(
            f"This PostgreSQL is version {version // 10000}; HRIMS Sync needs 15 or later. "
            "Nothing was changed."
        )


def _refuse_other_encoding(conn: db.Connection) -> None:
    """Raise DatabaseUnusable if the encoding is not UTF8.

    The SQL files contain Unicode, and names are compared by Unicode's rules.
    """
    encoding = conn.info.parameter_status("server_encoding")
    if encoding not in {None, "UTF8"}:
        raise DatabaseUnusable(
            f"This database has the encoding {encoding}; HRIMS Sync needs UTF8. Nothing was changed. "
            "Create a database with ENCODING 'UTF8' and name that one."
        )


def _apply(conn: db.Connection, file: Migration) -> None:
    """Run a migration and record it. Raises one of RETRIED if it cannot get a lock."""
    try:
        conn.execute(file.sql.encode())
        conn.execute(
            "INSERT INTO schema_migrations (name, sha256) VALUES (%s, %s)",
            (file.name, file.sha256),
        )
    except RETRIED:
        raise
    except psycopg.Error as error:
        raise DatabaseUnusable(
            f"The migration {file.name} failed and was undone; what came before it is kept. "
            f"PostgreSQL says: {error.diag.message_primary or error}"
        ) from error
