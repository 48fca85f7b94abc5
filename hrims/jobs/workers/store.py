"""Workers and pools, in SQL. Each function works inside its caller's transaction."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row

from hrims.db import AsyncConnection, Connection


class Worker(NamedTuple):
    """A worker that is written down; ``runs`` are those that it carries out, ``pool`` None serves all
    institutions that are tied to none; ``address`` is where it asks HRIMS, empty if it knows none,
    ``not_asked`` why it does not.
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


class Pool(NamedTuple):
    """A pool: how many workers serve it, how many institutions are tied to it, how many of its runs are under
    way. The one named None has all the others.
    """

    name: str | None
    workers: int
    institutions: int
    runs: int

    @property
    def is_deserted(self) -> bool:
        """Whether something belongs to it and nobody serves it."""
        return not self.workers and bool(self.institutions or self.runs)


async def register(conn: AsyncConnection, worker: dict[str, Any]) -> int:
    """Register a worker in Procrastinate's list and in ours; return its number in both."""
    cursor = await conn.execute(
        """
        INSERT INTO workers (worker_id, host, pid, process, version, pool, capacity, silent_seconds, address)
        SELECT made.worker_id, %(host)s, %(pid)s, %(process)s, %(version)s, %(pool)s, %(capacity)s,
               %(silent_seconds)s, %(address)s
        FROM procrastinate_register_worker_v1() made
        RETURNING worker_id
        """,
        worker,
    )
    row = await cursor.fetchone()
    assert row
    await _succeed(conn, worker | {"worker_id": row[0]})
    return int(row[0])


async def _succeed(conn: AsyncConnection, worker: dict[str, Any]) -> None:
    """End the earlier workers of this process: a process has one. Of another process with the same host and
    process id, end only what is dead.
    """
    await conn.execute(
        """
        UPDATE workers w SET ended_at = now()
        WHERE worker_id <> %(worker_id)s AND ended_at IS NULL
          AND (process = %(process)s OR host = %(host)s AND pid = %(pid)s AND NOT is_alive(w))
        """,
        worker,
    )


async def beat(conn: AsyncConnection, worker: dict[str, Any]) -> float:
    """Write the heartbeat of a worker: the only one, in both lists by one statement. Return its time by the
    database's clock, in seconds.
    """
    cursor = await conn.execute(
        """
        WITH copy AS (
            UPDATE procrastinate_workers SET last_heartbeat = now() WHERE id = %(worker_id)s
        )
        INSERT INTO workers (worker_id, host, pid, process, version, pool, capacity, silent_seconds, address)
        VALUES (%(worker_id)s, %(host)s, %(pid)s, %(process)s, %(version)s, %(pool)s, %(capacity)s,
                %(silent_seconds)s, %(address)s)
        ON CONFLICT (worker_id) DO UPDATE SET last_beat = now(), ended_at = NULL, address = excluded.address
        RETURNING extract(epoch FROM last_beat)::float8
        """,
        worker,
    )
    row = await cursor.fetchone()
    assert row
    return float(row[0])


async def end(conn: AsyncConnection, worker_id: int) -> None:
    """Unregister a worker that stops."""
    await conn.execute("UPDATE workers SET ended_at = now() WHERE worker_id = %s", (worker_id,))
    await conn.execute("SELECT procrastinate_unregister_worker_v1(%s)", (worker_id,))


async def jobs_of(conn: AsyncConnection, worker_id: int) -> set[int]:
    """Return the queue jobs that are assigned to a worker and have not ended."""
    rows = await conn.execute(
        "SELECT id FROM procrastinate_jobs WHERE worker_id = %s AND status = 'doing'", (worker_id,)
    )
    return {id_ async for (id_,) in rows}


async def forget(conn: AsyncConnection, days: int) -> None:
    """Delete workers that have been silent for so many days, and open breakers of hosts and addresses that no
    living worker uses.
    """
    await conn.execute("DELETE FROM workers WHERE last_beat < now() - make_interval(days => %s)", (days,))
    await conn.execute(
        "DELETE FROM procrastinate_workers WHERE last_heartbeat < now() - make_interval(days => %s)", (days,)
    )
    await conn.execute(
        "DELETE FROM remote_breakers b WHERE NOT EXISTS"
        " (SELECT FROM workers w WHERE w.host = b.host AND w.address = b.address AND is_alive(w))"
    )


def workers(conn: Connection, most: int) -> list[Worker]:
    """Those that live, then those of the last hour, the latest signs of life first."""
    with conn.cursor(row_factory=class_row(Worker)) as cursor:
        return cursor.execute(
            """
            SELECT w.worker_id, w.host, w.pid, w.version, w.pool, w.capacity, w.began_at, w.last_beat,
                   is_alive(w) AS alive, w.ended_at, w.address, v.not_asked, v.job_ids AS runs
            FROM workers w JOIN workers_v v USING (worker_id)
            WHERE is_alive(w) OR w.last_beat > now() - interval '1 hour'
            ORDER BY is_alive(w) DESC, w.last_beat DESC LIMIT %s
            """,
            (most,),
        ).fetchall()


def alive(conn: Connection) -> int:
    """How many workers live."""
    row = conn.execute("SELECT count(*) FROM workers w WHERE w.ended_at IS NULL AND is_alive(w)").fetchone()
    return row[0] if row else 0


def some_do_not_ask(conn: Connection) -> bool:
    """Whether a living worker does not ask HRIMS just now, because it is down where that worker asks it."""
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM workers w WHERE is_alive(w) AND does_not_ask(w))"
    ).fetchone()
    return bool(row and row[0])


def last_sign(conn: Connection) -> datetime | None:
    """When any worker gave its last sign of life; None when none ever did."""
    row = conn.execute("SELECT max(last_beat) FROM workers").fetchone()
    return row[0] if row else None


def pools(conn: Connection) -> list[Pool]:
    """Every pool that has a worker, an institution or a run under way; the one of all others first."""
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


class Care(NamedTuple):
    """What is said of an institution's runs: its pool and the patience that they get."""

    pool: str | None
    attempts: int | None
    attempt_pause: float | None
    deadline_minutes: int | None


CARE = "SELECT pool, attempts, attempt_pause, deadline_minutes FROM institutions WHERE id = %s"


def care(conn: Connection, institution_id: int, *, hold: bool = False) -> Care | None:
    """What is said of an institution's runs; None when there is no such institution. With ``hold`` nobody
    else says something of it until the transaction ends.
    """
    held = " FOR NO KEY UPDATE" if hold else ""
    row = conn.execute(f"{CARE}{held}".encode(), (institution_id,)).fetchone()
    return Care(*row) if row else None


def set_care(conn: Connection, institution_id: int, care: Care, queue: str) -> None:
    """Says it anew. A run that waits goes over to the pool's ``queue``; its patience stays as it was asked
    for.
    """
    given = {**care._asdict(), "id": institution_id, "queue": queue}
    conn.execute(
        """
        UPDATE institutions SET pool = %(pool)s, attempts = %(attempts)s, attempt_pause = %(attempt_pause)s,
               deadline_minutes = %(deadline_minutes)s
        WHERE id = %(id)s
        """,
        given,
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
        given,
    )
