"""The life of a run, in SQL: asked for, tried again, cancelled; ``attempts.store`` has what is in between.

Functions named ``async`` serve the worker, the others web and command line. Each works inside its
caller's transaction; a state changes by compare-and-set, and the row count says whether it did.
"""

from pathlib import Path
from typing import Any, NamedTuple

from hrims.db import AsyncConnection, Connection, statements

HELD = statements(Path(__file__).with_name("held.sql"))

WHOLE = frozenset({"sync", "apply"})
"""Kinds of runs that bring a whole listing."""

COMPLETE = frozenset({"complete", "complete_after_repair"})
"""Outcomes of runs that accounted for everybody: only these prove that somebody is absent."""

UNDER_WAY = frozenset({"waiting", "delayed", "active"})


def insert_run(conn: Connection, run: dict[str, Any]) -> int | None:
    """Adds a run and its progress row; None when the institution, or the same person, has one under way. What
    is not said of its patience, its institution says.
    """
    row = conn.execute(
        """
        WITH said AS (
            -- Held, so that nobody says something else of it meanwhile, and the run stays behind.
            SELECT attempts, attempt_pause, deadline_minutes, pool FROM institutions
            WHERE id = %(institution_id)s FOR SHARE
        ), asked AS (
            INSERT INTO runs (kind, of_run_id, institution_id, identifier_type, identifier, page_size,
                              priority, requested_by, requested_via, attempts, attempt_pause,
                              deadline_minutes, deadline_at, pool)
            SELECT %(kind)s, %(of_run_id)s, %(institution_id)s, %(identifier_type)s, %(identifier)s,
                   %(page_size)s, %(priority)s, %(requested_by)s, %(requested_via)s,
                   coalesce(%(attempts)s, said.attempts), coalesce(%(attempt_pause)s, said.attempt_pause),
                   coalesce(%(deadline_minutes)s, said.deadline_minutes),
                   now() + coalesce(%(deadline_minutes)s, said.deadline_minutes) * interval '1 minute',
                   said.pool
            FROM (VALUES (1)) one LEFT JOIN said ON true
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
    # An attempt ends when this one has the run, not when it began to wait for a page that was being saved.
    row = conn.execute(
        """
        WITH gone AS (
            UPDATE runs SET state = 'cancelled', finished_at = now(), next_try_at = NULL
            WHERE id = %(run)s AND state IN ('waiting', 'delayed', 'active')
            RETURNING id, queue_job_id
        ), closed AS (
            UPDATE run_attempts a SET ended_at = clock_timestamp(), ended_as = 'cancelled'
            FROM gone WHERE a.run_id = gone.id AND a.ended_at IS NULL
        )
        SELECT queue_job_id FROM gone
        """,
        {"run": run_id},
    ).fetchone()
    return row[0] if row else None


class Wish(NamedTuple):
    """What was asked for with a run."""

    kind: str
    state: str
    outcome: str | None
    institution_id: int | None
    identifier_type: str
    identifier: str
    page_size: int
    priority: str
    attempts: int | None
    attempt_pause: float | None
    deadline_minutes: int | None


def wish(conn: Connection, run_id: int) -> Wish | None:
    """What was asked for with a run; None when there is none."""
    row = conn.execute(
        "SELECT kind, state, outcome, institution_id, identifier_type, identifier, page_size, priority,"
        " attempts, attempt_pause, deadline_minutes FROM runs WHERE id = %s",
        (run_id,),
    ).fetchone()
    return Wish(*row) if row else None


def reopen(conn: Connection, run_id: int) -> bool:
    """Gives a failed or cancelled run a full set of attempts; it goes on from its checkpoint. False when
    it is neither, or what it saved its place by is no longer kept, or the people of its preview are not.

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
                            trouble = NULL, trouble_code = NULL,
                            not_before = NULL,
                            pool = (SELECT i.pool FROM institutions i WHERE i.id = runs.institution_id),
                            deadline_at = now() + deadline_minutes * interval '1 minute'
            WHERE id = %(run)s AND state IN ('failed', 'cancelled') AND emptied_at IS NULL AND pruned_at IS
            NULL AND (kind <> 'apply' OR EXISTS (SELECT FROM applies))
            """,
            {"run": run_id},
        ).rowcount
    )


def runs_under_way(conn: Connection) -> dict[str, int]:
    """How many runs wait, are delayed and are active."""
    rows = conn.execute(
        "SELECT state, count(*) FROM runs WHERE state IN ('waiting', 'delayed', 'active') GROUP BY state"
    )
    return {"waiting": 0, "delayed": 0, "active": 0} | dict(rows.fetchall())
