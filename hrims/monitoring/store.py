"""SQL of the figures that Postgres knows. Each function works inside its caller's transaction."""

from pathlib import Path
from typing import Any, NamedTuple

from hrims import db, migrate
from hrims.db import AsyncConnection, Connection
from hrims.schema import SchemaCheck, SchemaMismatch
from hrims.version import VERSION

SQL = db.statements(Path(__file__).with_name("figures.sql"))

Row = tuple[Any, ...]

MERGE_FROM = 1000
"""Number of rows of ends of runs from which the cleaner merges them."""


class Figures(NamedTuple):
    """The figures of one scrape: the rows of each statement by its name in figures.sql."""

    rows: dict[str, list[Row]]
    is_writable: bool
    schema_version: int
    is_schema_usable: bool


def read_figures(conn: Connection, schema: SchemaCheck) -> Figures:
    """Read all figures from one snapshot. Without a usable schema, read no rows."""
    db.use_snapshot(conn)
    ledger = migrate.read_ledger(conn)
    is_usable = _is_usable(schema, ledger)
    rows = {name: _fetch(conn, name) for name in SQL} if is_usable else {}
    return Figures(rows, db.can_write(conn), schema_version(ledger), is_usable)


def _fetch(conn: Connection, name: str) -> list[Row]:
    return conn.execute(SQL[name], {"version": VERSION}).fetchall()


def _is_usable(schema: SchemaCheck, ledger: dict[str, str]) -> bool:
    try:
        schema.check(ledger)
    except SchemaMismatch:
        return False
    return True


def schema_version(ledger: dict[str, str]) -> int:
    """Return the number of the last migration of HRIMS Sync; 0 if there is none."""
    return max((int(name[:4]) for name in ledger if name[:4].isdigit()), default=0)


async def merge_run_ends(conn: AsyncConnection) -> int:
    """Merge the rows of equal ends of runs into one, if there are many. Return the number of rows merged."""
    cursor = await conn.execute(
        """
        WITH merged AS (
            DELETE FROM run_end_counts WHERE (SELECT count(*) FROM run_end_counts) >= %s
            RETURNING kind, outcome, cause, runs
        ), kept AS (
            INSERT INTO run_end_counts (kind, outcome, cause, runs)
            SELECT kind, outcome, cause, sum(runs) FROM merged GROUP BY 1, 2, 3
        )
        SELECT count(*) FROM merged
        """,
        (MERGE_FROM,),
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0
