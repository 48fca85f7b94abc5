"""SQL of the figures that Postgres knows. Each function works inside its caller's transaction."""

from datetime import datetime
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


def limit_waits(conn: Connection) -> None:
    """Limit the waits for locks and the statements of this transaction."""
    conn.execute(
        "SELECT set_config('lock_timeout', '5s', true), set_config('statement_timeout', '30s', true)"
    )


def read_clock(conn: Connection) -> float:
    """Return the time of the database, in seconds since 1970."""
    row = conn.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
    assert row
    return float(row[0])


def probe_space(conn: Connection, megabytes: int) -> None:
    """Write a temporary table and drop it. Raises DiskFull if the database cannot store it."""
    with conn.transaction(force_rollback=True):
        conn.execute("CREATE TEMPORARY TABLE space_probe (filler text) ON COMMIT DROP")
        conn.execute("ALTER TABLE space_probe ALTER filler SET STORAGE EXTERNAL")
        conn.execute(
            "INSERT INTO space_probe SELECT repeat('x', 1048576) FROM generate_series(1, %s)", (megabytes,)
        )


def list_skewed_hosts(conn: Connection, seconds: float) -> list[tuple[str, float]]:
    """Return the hosts of live workers whose clocks differ, and by how many seconds they are ahead."""
    return conn.execute(
        """
        SELECT DISTINCT ON (w.host) w.host, w.clock_ahead FROM workers w
        WHERE w.ended_at IS NULL AND is_alive(w) AND abs(w.clock_ahead) > %s
        ORDER BY w.host, w.last_beat DESC
        """,
        (seconds,),
    ).fetchall()


def list_silent_workers(conn: Connection) -> list[tuple[str, int, float]]:
    """Return host, process id and seconds of silence of the workers that fell silent within the last hour."""
    return conn.execute(
        """
        SELECT w.host, w.pid, extract(epoch FROM now() - w.last_beat)::float8 FROM workers w
        WHERE w.ended_at IS NULL AND NOT is_alive(w) AND w.last_beat > now() - interval '1 hour'
        ORDER BY w.last_beat DESC LIMIT 5
        """
    ).fetchall()


def list_outdated_hosts(conn: Connection) -> list[str]:
    """Return the hosts of live workers of another version."""
    rows = conn.execute(
        "SELECT DISTINCT w.host || ' (' || w.version || ')' FROM workers w"
        " WHERE w.ended_at IS NULL AND is_alive(w) AND w.version <> %s ORDER BY 1",
        (VERSION,),
    ).fetchall()
    return [str(host) for (host,) in rows]


def list_unable_workers(conn: Connection) -> list[tuple[str, int, str]]:
    """Return host, process id and reason of each live worker that has no usable connection to HRIMS."""
    return conn.execute(
        "SELECT host, pid, remote_problem FROM workers w"
        " WHERE ended_at IS NULL AND remote_problem IS NOT NULL AND is_alive(w) ORDER BY host, pid LIMIT 20"
    ).fetchall()


def list_open_breakers(conn: Connection) -> list[tuple[str, datetime, str]]:
    """Return the host, the begin in UTC and the reason of each open breaker that a live worker uses."""
    return conn.execute(
        """
        SELECT b.host, b.opened_at AT TIME ZONE 'UTC', b.reason FROM remote_breakers b
        WHERE EXISTS (SELECT FROM workers w WHERE w.ended_at IS NULL AND is_alive(w)
                      AND w.host = b.host AND w.address = b.address)
        ORDER BY 1
        """
    ).fetchall()


def read_waiting(conn: Connection) -> tuple[int, float]:
    """Return how many runs wait, and for how many seconds the oldest that may start has waited."""
    waiting = sum(count for _, state, count in _fetch(conn, "runs") if state == "waiting")
    return waiting, max((seconds for _, seconds in _fetch(conn, "oldest_waiting")), default=0.0)


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
