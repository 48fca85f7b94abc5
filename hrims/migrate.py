"""Brings a database to the schema of this code: numbered files in, a ledger row for each out.

Procrastinate's own migration files go through the same ledger, where ``0001_procrastinate_…list``
stands in the order. Safe to run twice, and from two machines at the same time.
"""

import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import psycopg

from hrims import db
from hrims.config import PROJECT
from hrims.errors import DatabaseUnusable

FOLDER = PROJECT / "migrations"
LOCK = 0x4852494D53  # "HRIMS": one migration at a time on a database, whoever starts it
OLDEST_SERVER = 150000

LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    position integer GENERATED ALWAYS AS IDENTITY,
    name text PRIMARY KEY,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


@dataclass(frozen=True)
class Migration:
    """One file: its name in the ledger and its SQL."""

    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def wanted(folder: Path = FOLDER) -> list[Migration]:
    """Every migration of this code, in order."""
    found: list[Migration] = []
    for path in sorted(folder.iterdir()):
        if path.suffix == ".list":
            found += _procrastinate(path)
        elif path.suffix == ".sql":
            found.append(Migration(path.name, path.read_text(encoding="utf-8")))
    return found


def _procrastinate(path: Path) -> list[Migration]:
    shipped = resources.files("procrastinate.sql.migrations")
    lines = path.read_text(encoding="utf-8").splitlines()
    names = [line for line in lines if line and not line.startswith("#")]
    return [
        Migration(f"procrastinate/{name}", shipped.joinpath(name).read_text(encoding="utf-8"))
        for name in names
    ]


def migrate(dsn: str, folder: Path = FOLDER) -> list[str]:
    """Applies what is missing, one transaction a file; returns the names applied.

    Raises DatabaseUnusable when the server is too old, when an applied file has changed since, or
    when the database holds migrations that this code does not know; nothing is applied then.
    """
    files = wanted(folder)
    applied = []
    with db.connect(dsn) as conn:
        _refuse_old_server(conn)
        while name := _apply_next(conn, files):
            applied.append(name)
    return applied


def _apply_next(conn: db.Connection, files: list[Migration]) -> str | None:
    """Applies the first file that is missing; returns its name, None when all are there.

    The lock ends with the transaction: one of the session would stay behind in a pooler, for ever.
    """
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        conn.execute(LEDGER)
        applied = _ledger(conn)
        _refuse_strangers(files, applied)
        missing = next((file for file in files if file.name not in applied), None)
        if missing:
            _apply(conn, missing)
        return missing.name if missing else None


def pending(conn: db.Connection, folder: Path = FOLDER) -> list[str]:
    """Names of the migrations that the database lacks, empty when it is as this code wants it.

    Raises DatabaseUnusable as ``migrate`` does.
    """
    files = wanted(folder)
    there = conn.execute("SELECT to_regclass('schema_migrations') IS NOT NULL").fetchone()
    applied = _ledger(conn) if there and there[0] else {}
    _refuse_strangers(files, applied)
    return [file.name for file in files if file.name not in applied]


def _ledger(conn: db.Connection) -> dict[str, str]:
    rows = conn.execute("SELECT name, sha256 FROM schema_migrations").fetchall()
    return {str(name): str(sha256) for name, sha256 in rows}


def _refuse_old_server(conn: db.Connection) -> None:
    version = conn.info.server_version
    if version < OLDEST_SERVER:
        raise DatabaseUnusable(
            f"This PostgreSQL is version {version // 10000}; HRIMS Sync needs 15 or later. "
            "Nothing was changed."
        )


def _refuse_strangers(files: list[Migration], applied: dict[str, str]) -> None:
    known = {file.name: file.sha256 for file in files}
    newer = sorted(applied.keys() - known.keys())
    if newer:
        raise DatabaseUnusable(
            f"This database is newer than this code: it holds {newer[-1]}, which is not known here. "
            "Nothing was changed. Run the newer version of HRIMS Sync, or name another database."
        )
    changed = sorted(name for name, sha256 in applied.items() if known[name] != sha256)
    if changed:
        raise DatabaseUnusable(
            f"The migration {changed[0]} was changed after this database applied it. Nothing was "
            "changed. Put the file back as it was and write the change as a new migration."
        )


def _apply(conn: db.Connection, file: Migration) -> None:
    try:
        conn.execute(file.sql.encode())
        conn.execute(
            "INSERT INTO schema_migrations (name, sha256) VALUES (%s, %s)",
            (file.name, file.sha256),
        )
    except psycopg.Error as reason:
        raise DatabaseUnusable(
            f"The migration {file.name} failed and was undone; what came before it is kept. "
            f"PostgreSQL says: {reason.diag.message_primary or reason}"
        ) from reason
