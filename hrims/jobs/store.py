"""The life of a run, in SQL: asked for, begun, delayed, ended, rescued, cancelled.

Functions named ``async`` serve the worker, the others web and command line. Each works inside its
caller's transaction; a state changes by compare-and-set, and the row count says whether it did.
"""

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from hrims.db import AsyncConnection, Connection, statements

HELD = statements(Path(__file__).with_name("held.sql"))

WHOLE = frozenset({"sync", "apply"})
"""Kinds of runs that bring a whole listing."""

COMPLETE = frozenset({"complete", "complete_after_repair"})
"""Outcomes of runs that accounted for everybody: only these prove that somebody is absent."""

UNDER_WAY = frozenset({"waiting", "delayed", "active"})


class Attempt(NamedTuple):
    """One execution of a run's job; ``number`` is its fence."""

    run_id: int
    number: int
    kind: str
    of_run_id: int | None
    institution_id: int | None
    identifier_type: str
    identifier: str
    page_size: int
    failures: int


def insert_run(conn: Connection, run: dict[str, Any]) -> int | None:
    """Adds a run and its progress row; None when the institution, or the same person, has one under way."""
    row = conn.execute(
        """
        WITH asked AS (
            INSERT INTO runs (kind, of_run_id, institution_id, identifier_type, identifier, page_size,
                              priority, requested_by, requested_via)
            VALUES (%(kind)s, %(of_run_id)s, %(institution_id)s, %(identifier_type)s, %(identifier)s,
                    %(page_size)s, %(priority)s, %(requested_by)s, %(requested_via)s)
            ON CONFLICT DO NOTHING
            RETURNING id
        )
        INSERT INTO run_progress (run_id) SELECT id FROM asked RETURNING run_id
        """,
        run,
    ).fetchone()
    return row[0] if row else None


def under_way(conn: Connection, institution_id: int | None, key: str | None = None) -> tuple[int, str] | None:
    """The run that this institution, or the person with this number, has under way and its kind, if any."""
    row = conn.execute(
        "SELECT id, kind FROM runs WHERE state IN ('waiting', 'delayed', 'active')"
        " AND (institution_id = %s OR kind = 'person' AND identifier = %s)",
        (institution_id, key),
    ).fetchone()
    return (row[0], row[1]) if row else None


LINK_JOB = "UPDATE runs SET queue_job_id = %s WHERE id = %s"


def link_job(conn: Connection, run_id: int, queue_job_id: int) -> None:
    """Notes which Procrastinate job executes the run."""
    conn.execute(LINK_JOB, (queue_job_id, run_id))


async def link_job_async(conn: AsyncConnection, run_id: int, queue_job_id: int) -> None:
    """The same, for the worker."""
    await conn.execute(LINK_JOB, (queue_job_id, run_id))


def cancel(conn: Connection, run_id: int) -> int | None:
    """Ends a run under way as cancelled; returns its queue job, None when it was not under way."""
    row = conn.execute(
        """
        WITH gone AS (
            UPDATE runs SET state = 'cancelled', finished_at = now(), next_try_at = NULL,
                            waits_for = NULL
            WHERE id = %(run)s AND state IN ('waiting', 'delayed', 'active')
            RETURNING id, queue_job_id
        ), closed AS (
            UPDATE run_attempts a SET ended_at = now(), ended_as = 'cancelled'
            FROM gone WHERE a.run_id = gone.id AND a.ended_at IS NULL
        )
        SELECT queue_job_id FROM gone
        """,
        {"run": run_id},
    ).fetchone()
    return row[0] if row else None


def kind(conn: Connection, run_id: int) -> str | None:
    """What kind of run it is; None when there is none."""
    row = conn.execute("SELECT kind FROM runs WHERE id = %s", (run_id,)).fetchone()
    return row[0] if row else None


def reopen(conn: Connection, run_id: int) -> bool:
    """Gives a failed or cancelled run a full set of attempts; it goes on from its checkpoint. False when
    it is neither, or is or applies a preview whose people are no longer kept.

    Raises psycopg.errors.UniqueViolation when the institution has another run under way.
    """
    return bool(
        conn.execute(
            """
            WITH applies AS (
                SELECT p.id FROM runs a JOIN runs p ON p.id = a.of_run_id
                WHERE a.id = %(run)s AND p.emptied_at IS NULL FOR SHARE OF p
            )
            UPDATE runs SET state = 'waiting', finished_at = NULL, failures = 0, rescues = 0,
                            trouble = NULL, trouble_code = NULL
            WHERE id = %(run)s AND state IN ('failed', 'cancelled') AND emptied_at IS NULL
              AND (kind <> 'apply' OR EXISTS (SELECT FROM applies))
            """,
            {"run": run_id},
        ).rowcount
    )


async def begin(conn: AsyncConnection, run_id: int, queue_job_id: int, host: str, pid: int) -> Attempt | None:
    """Takes the next fence number for this run; None when this job has no more say in it."""
    row = await (
        await conn.execute(
            """
            UPDATE runs r
            SET attempt = attempt + 1, state = 'active', started_at = coalesce(started_at, now()),
                next_try_at = NULL, waits_for = NULL
            WHERE r.id = %s AND r.queue_job_id = %s AND r.state IN ('waiting', 'delayed', 'active')
            RETURNING r.id, r.attempt, r.kind, r.of_run_id, r.institution_id, r.identifier_type,
                      r.identifier, r.page_size, r.failures
            """,
            (run_id, queue_job_id),
        )
    ).fetchone()
    if not row:
        return None
    attempt = Attempt(*row)
    await close_attempts(conn, run_id, "superseded")
    await conn.execute(
        "INSERT INTO run_attempts (run_id, number, host, pid) VALUES (%s, %s, %s, %s)",
        (run_id, attempt.number, host, pid),
    )
    return attempt


async def delay(conn: AsyncConnection, attempt: Attempt, at: datetime, trouble: str, code: str) -> bool:
    """After a failed attempt: the run waits for the next. False when the attempt was fenced off."""
    return await _leave(
        conn, attempt, "delayed", "failed", trouble, code, at=at, failures=attempt.failures + 1
    )


async def wait_for_remote(
    conn: AsyncConnection, attempt: Attempt, at: datetime, trouble: str, code: str
) -> bool:
    """HRIMS is not asked just now: the run waits for it, no attempt spent. False when fenced off.

    When HRIMS is asked again by now, the run is due at once: whoever closed the breaker did not see it yet.
    """
    row = await (
        await conn.execute(
            "SELECT CASE WHEN opened_at IS NULL THEN now() ELSE %s END FROM remote_breaker FOR SHARE", (at,)
        )
    ).fetchone()
    at = row[0] if row else at
    return await _leave(
        conn,
        attempt,
        "delayed",
        "handed_back",
        trouble,
        code,
        at=at,
        failures=attempt.failures,
        waits_for="remote",
    )


async def fail(conn: AsyncConnection, attempt: Attempt, trouble: str, code: str) -> bool:
    """The run has failed for good. False when the attempt was fenced off."""
    return await _leave(conn, attempt, "failed", "failed", trouble, code, failures=attempt.failures + 1)


async def hand_back(conn: AsyncConnection, attempt: Attempt) -> bool:
    """The worker stops: the run waits for another one, no attempt spent. False when fenced off."""
    return await _leave(conn, attempt, "waiting", "handed_back", failures=attempt.failures)


async def _leave(
    conn: AsyncConnection,
    attempt: Attempt,
    state: str,
    ended_as: str,
    trouble: str | None = None,
    code: str | None = None,
    *,
    failures: int,
    at: datetime | None = None,
    waits_for: str | None = None,
) -> bool:
    # Done twice when the answer to the first commit got lost: then it is so already, by this attempt.
    left = await conn.execute(
        """
        UPDATE runs
        SET state = %(state)s, failures = %(failures)s, trouble = coalesce(%(trouble)s, trouble),
            trouble_code = coalesce(%(code)s, trouble_code), next_try_at = %(at)s,
            waits_for = %(waits_for)s, finished_at = CASE WHEN %(state)s = 'failed' THEN now() END
        WHERE id = %(run)s AND attempt = %(number)s AND state IN ('active', %(state)s)
        """,
        {
            "state": state,
            "failures": failures,
            "trouble": trouble,
            "code": code,
            "at": at,
            "waits_for": waits_for,
            "run": attempt.run_id,
            "number": attempt.number,
        },
    )
    if left.rowcount:
        await close_attempts(conn, attempt.run_id, ended_as, trouble, code)
    return bool(left.rowcount)


async def close_attempts(
    conn: AsyncConnection,
    run_id: int,
    ended_as: str,
    trouble: str | None = None,
    code: str | None = None,
) -> None:
    """Notes how the attempts of a run ended of which that is not known yet."""
    await conn.execute(
        """
        UPDATE run_attempts SET ended_at = now(), ended_as = %s, trouble = %s, trouble_code = %s
        WHERE run_id = %s AND ended_at IS NULL AND number <= (SELECT attempt FROM runs WHERE id = %s)
        """,
        (ended_as, trouble, code, run_id, run_id),
    )


def live_workers(conn: Connection) -> int:
    """Workers that gave a sign of life lately; what delivers webhooks beside one is none of its own."""
    row = conn.execute(
        "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '40 seconds'"
        " AND id NOT IN (SELECT worker_id FROM webhook_workers)"
    ).fetchone()
    return row[0] if row else 0


def runs_under_way(conn: Connection) -> dict[str, int]:
    """How many runs wait, are delayed and are active."""
    rows = conn.execute(
        "SELECT state, count(*) FROM runs WHERE state IN ('waiting', 'delayed', 'active') GROUP BY state"
    )
    return {"waiting": 0, "delayed": 0, "active": 0} | dict(rows.fetchall())
