"""SQL of workers and pools. Each function runs inside its caller's transaction."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row

from hrims.access.scope import Scope
from hrims.db import AsyncConnection, Connection
from hrims.jobs.store import RUN_IN_SCOPE

MAX_LISTED = 100
"""Maximum number of workers on a page and in a response of the API, live workers first."""


class Worker(NamedTuple):
    """A registered worker. It executes ``runs``, and ``other_runs`` more outside the scope of the reader.

    ``pool`` None serves the institutions without a pool. ``address`` is that of HRIMS, empty if the worker
    knows none. ``not_asked`` is the reason of its open breaker.
    """

    worker_id: int
    host: str
    pid: int
    version: str
    pool: str | None
    capacity: int
    began_at: datetime
    last_beat: datetime
    alive: bool
    ended_at: datetime | None
    address: str | None
    not_asked: str | None
    runs: list[int]
    other_runs: int


class Pool(NamedTuple):
    """A pool: the number of its live workers, of its institutions and of its unfinished runs.

    The pool named None has all institutions without a pool.
    """

    name: str | None
    workers: int
    institutions: int
    runs: int

    @property
    def has_no_worker(self) -> bool:
        """Whether the pool has institutions or unfinished runs, but no live worker."""
        return not self.workers and bool(self.institutions or self.runs)


async def register(conn: AsyncConnection, worker: dict[str, Any]) -> int:
    """Register a worker in Procrastinate's table and in ours. Return its id in both."""
    cursor = await conn.execute(
        """
        INSERT INTO workers (worker_id, host, pid, process, version, pool, capacity, silent_seconds, address,
                             remote_problem, connection_version)
        SELECT made.worker_id, %(host)s, %(pid)s, %(process)s, %(version)s, %(pool)s, %(capacity)s,
               %(silent_seconds)s, %(address)s, %(remote_problem)s, %(connection_version)s
        FROM procrastinate_register_worker_v1() made
        RETURNING worker_id
        """,
        worker,
    )
    row = await cursor.fetchone()
    assert row
    await _end_predecessors(conn, worker | {"worker_id": row[0]})
    return int(row[0])


async def _end_predecessors(conn: AsyncConnection, worker: dict[str, Any]) -> None:
    """Mark the earlier workers of this process as ended: a process has one worker.

    Of another process with the same host and process id, mark only dead workers.
    """
    await conn.execute(
        """
        UPDATE workers w SET ended_at = now()
        WHERE worker_id <> %(worker_id)s AND ended_at IS NULL
          AND (process = %(process)s OR host = %(host)s AND pid = %(pid)s AND NOT is_alive(w))
        """,
        worker,
    )


async def write_heartbeat(conn: AsyncConnection, worker: dict[str, Any]) -> float:
    """Write the heartbeat of a worker to both tables in one statement.

    Return its time by the clock of the database, in seconds.
    """
    cursor = await conn.execute(
        """
        WITH copy AS (
            UPDATE procrastinate_workers SET last_heartbeat = now() WHERE id = %(worker_id)s
        )
        INSERT INTO workers (worker_id, host, pid, process, version, pool, capacity, silent_seconds, address,
                             remote_problem, connection_version, clock_ahead)
        VALUES (%(worker_id)s, %(host)s, %(pid)s, %(process)s, %(version)s, %(pool)s, %(capacity)s,
                %(silent_seconds)s, %(address)s, %(remote_problem)s, %(connection_version)s,
                %(clock)s - extract(epoch FROM clock_timestamp()))
        ON CONFLICT (worker_id) DO UPDATE
            SET last_beat = now(), ended_at = NULL, address = excluded.address,
                remote_problem = excluded.remote_problem, connection_version = excluded.connection_version,
                clock_ahead = excluded.clock_ahead
        RETURNING extract(epoch FROM last_beat)::float8
        """,
        worker,
    )
    row = await cursor.fetchone()
    assert row
    return float(row[0])


async def withdraw_address(conn: AsyncConnection, worker_id: int, problem: str) -> None:
    """Record that a worker cannot ask HRIMS any more, so that it takes no further run that needs that."""
    await conn.execute(
        "UPDATE workers SET address = '', remote_problem = %s WHERE worker_id = %s", (problem, worker_id)
    )


async def mark_ended(conn: AsyncConnection, worker_id: int) -> None:
    """Unregister a stopping worker."""
    await conn.execute("UPDATE workers SET ended_at = now() WHERE worker_id = %s", (worker_id,))
    await conn.execute("SELECT procrastinate_unregister_worker_v1(%s)", (worker_id,))


async def find_jobs(conn: AsyncConnection, worker_id: int) -> set[int]:
    """Return the unfinished queue jobs that are assigned to a worker."""
    rows = await conn.execute(
        "SELECT id FROM procrastinate_jobs WHERE worker_id = %s AND status = 'doing'", (worker_id,)
    )
    return {id_ async for (id_,) in rows}


async def delete_expired_workers(conn: AsyncConnection, days: int) -> None:
    """Delete workers without a heartbeat for ``days`` days, and open breakers of routes that no live worker
    uses.
    """
    await conn.execute("DELETE FROM workers WHERE last_beat < now() - make_interval(days => %s)", (days,))
    await conn.execute(
        "DELETE FROM procrastinate_workers WHERE last_heartbeat < now() - make_interval(days => %s)", (days,)
    )
    await conn.execute(
        "DELETE FROM remote_breakers b WHERE NOT EXISTS"
        " (SELECT FROM workers w WHERE w.host = b.host AND w.address = b.address AND is_alive(w))"
    )


def list_workers(conn: Connection, scope: Scope, limit: int) -> list[Worker]:
    """Return the live workers, then those with a heartbeat in the last hour, the latest heartbeats first.

    Of the runs that they execute, only the number is told of those outside the scope.
    """
    with conn.cursor(row_factory=class_row(Worker)) as cursor:
        return cursor.execute(
            f"""
            SELECT w.worker_id, w.host, w.pid, w.version, w.pool, w.capacity, w.began_at, w.last_beat,
                   is_alive(w) AS alive, w.ended_at, w.address, v.not_asked, s.runs,
                   cardinality(v.job_ids) - cardinality(s.runs) AS other_runs
            FROM workers w JOIN workers_v v USING (worker_id)
            CROSS JOIN LATERAL (SELECT array(
                SELECT r.id FROM runs r WHERE r.id = ANY (job_ids) AND {RUN_IN_SCOPE.format("r")} ORDER BY id
            ) AS runs) s
            WHERE is_alive(w) OR w.last_beat > now() - interval '1 hour'
            ORDER BY is_alive(w) DESC, w.last_beat DESC LIMIT %(limit)s
            """.encode(),  # noqa: S608 - a constant
            {"limit": limit, **scope.values},
        ).fetchall()


def count_alive(conn: Connection) -> int:
    """Return the number of live workers."""
    row = conn.execute("SELECT count(*) FROM workers w WHERE w.ended_at IS NULL AND is_alive(w)").fetchone()
    return row[0] if row else 0


def has_open_breaker(conn: Connection) -> bool:
    """Return whether the breaker of a live worker's route is open."""
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM workers w WHERE is_alive(w) AND has_open_breaker(w))"
    ).fetchone()
    return bool(row and row[0])


def has_address(conn: Connection) -> bool:
    """Return whether a live worker has an address of HRIMS."""
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM workers w"
        " WHERE w.ended_at IS NULL AND is_alive(w) AND w.address IS DISTINCT FROM '')"
    ).fetchone()
    return bool(row and row[0])


def find_last_heartbeat(conn: Connection) -> datetime | None:
    """Return the time of the last heartbeat of any worker; None if there never was one."""
    row = conn.execute("SELECT max(last_beat) FROM workers").fetchone()
    return row[0] if row else None


def list_pools(conn: Connection) -> list[Pool]:
    """Return every pool with a live worker, an institution or an unfinished run; None comes first."""
    with conn.cursor(row_factory=class_row(Pool)) as cursor:
        return cursor.execute(
            """
            WITH served AS (
                SELECT w.pool AS name, count(*) AS n FROM workers w
                WHERE w.ended_at IS NULL AND is_alive(w) GROUP BY 1
            ), tied AS (
                SELECT pool AS name, count(*) AS n FROM institutions GROUP BY 1
            ), busy AS (
                SELECT pool AS name, count(*) AS n FROM runs
                WHERE state IN ('waiting', 'delayed', 'active') GROUP BY 1
            ), names AS (
                SELECT name FROM served UNION SELECT name FROM tied UNION SELECT name FROM busy
            )
            SELECT names.name, coalesce(s.n, 0) AS workers, coalesce(t.n, 0) AS institutions,
                   coalesce(b.n, 0) AS runs
            FROM names
            LEFT JOIN served s ON s.name IS NOT DISTINCT FROM names.name
            LEFT JOIN tied t ON t.name IS NOT DISTINCT FROM names.name
            LEFT JOIN busy b ON b.name IS NOT DISTINCT FROM names.name
            ORDER BY names.name NULLS FIRST
            """
        ).fetchall()


class RunPolicy(NamedTuple):
    """The run policy of an institution: its pool and its retry policy."""

    pool: str | None
    attempts: int | None
    attempt_pause: float | None
    deadline_minutes: int | None


RUN_POLICY = "SELECT pool, attempts, attempt_pause, deadline_minutes FROM institutions WHERE id = %s"


def find_run_policy(conn: Connection, institution_id: int, *, lock: bool = False) -> RunPolicy | None:
    """Return the run policy of an institution; None if there is no such institution.

    With ``hold``, lock it until the transaction ends.
    """
    for_update = " FOR NO KEY UPDATE" if lock else ""
    row = conn.execute(f"{RUN_POLICY}{for_update}".encode(), (institution_id,)).fetchone()
    return RunPolicy(*row) if row else None


def save_run_policy(conn: Connection, institution_id: int, policy: RunPolicy, queue: str) -> None:
    """Replace the run policy of an institution. Omitted fields become null.

    An unfinished run moves to the pool's ``queue``. Its retry policy stays as requested.
    """
    params = {**policy._asdict(), "id": institution_id, "queue": queue}
    conn.execute(
        """
        UPDATE institutions SET pool = %(pool)s, attempts = %(attempts)s, attempt_pause = %(attempt_pause)s,
               deadline_minutes = %(deadline_minutes)s
        WHERE id = %(id)s
        """,
        params,
    )
    conn.execute(
        """
        WITH held AS (
            SELECT id, queue_job_id FROM runs
            WHERE institution_id = %(id)s AND state IN ('waiting', 'delayed', 'active')
              AND pool IS DISTINCT FROM %(pool)s FOR NO KEY UPDATE
        ), job AS (
            UPDATE procrastinate_jobs j SET queue_name = %(queue)s
            FROM held h WHERE j.id = h.queue_job_id AND j.status = 'todo'
        )
        UPDATE runs r SET pool = %(pool)s FROM held h WHERE r.id = h.id
        """,
        params,
    )
