"""SQL of changes of the connection. Each function runs inside its caller's transaction."""

from typing import Any, NamedTuple

from psycopg.rows import class_row

from hrims.db import Connection


def lock(conn: Connection) -> None:
    """Prevent other changes until the transaction ends."""
    conn.execute("SELECT FROM remote_connection FOR UPDATE")


def save(conn: Connection, values: dict[str, Any]) -> None:
    """Replace the saved values, and count the change. ``name`` is the user."""
    conn.execute(
        """
        UPDATE remote_connection
        SET version = version + 1, address = %(address)s, connect_timeout = %(connect_timeout)s,
            read_timeout = %(read_timeout)s, request_timeout = %(request_timeout)s,
            max_in_flight = %(max_in_flight)s, changed_by = %(name)s, changed_at = now()
        """,
        values,
    )


def save_credential(conn: Connection, credential: str, token: bytes, name: str) -> None:
    """Save an encrypted credential, set by the user with this name."""
    conn.execute(
        """
        INSERT INTO remote_credentials (name, value, set_by) VALUES (%s, %s, %s)
        ON CONFLICT (name) DO UPDATE
            SET value = excluded.value, set_by = excluded.set_by, set_at = excluded.set_at
        """,
        (credential, token, name),
    )


def delete_credential(conn: Connection, credential: str) -> None:
    """Delete a credential."""
    conn.execute("DELETE FROM remote_credentials WHERE name = %s", (credential,))


def make_probes_due(conn: Connection) -> None:
    """Let workers probe HRIMS at once where a circuit breaker is open: the change may be the remedy."""
    conn.execute(
        "UPDATE remote_breakers SET probe_at = now(), probes = 0 WHERE (host, address) IN"
        " (SELECT host, address FROM remote_breakers ORDER BY host, address FOR UPDATE)"
    )


class WorkerConnection(NamedTuple):
    """The connection of a live worker. ``problem`` says why it does not ask HRIMS."""

    host: str
    pid: int
    pool: str | None
    address: str | None
    version: int | None
    problem: str | None


def list_workers(conn: Connection, limit: int) -> list[WorkerConnection]:
    """Return the connections of live workers."""
    with conn.cursor(row_factory=class_row(WorkerConnection)) as cursor:
        return cursor.execute(
            """
            SELECT w.host, w.pid, w.pool, w.address, w.connection_version AS version, v.not_asked AS problem
            FROM workers w JOIN workers_v v USING (worker_id)
            WHERE w.ended_at IS NULL AND is_alive(w) ORDER BY w.host, w.pid LIMIT %s
            """,
            (limit,),
        ).fetchall()
