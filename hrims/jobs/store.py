"""SQL of a run's states: request, retry, cancel. ``attempts.store`` has the states in between.

Async functions are for workers, the others for web processes and commands. Each runs inside its caller's
transaction. States change by compare-and-set; the row count shows whether the change happened.
"""

from pathlib import Path
from typing import Any, NamedTuple

from hrims import tracing
from hrims.access.scope import EVERYTHING, Scope
from hrims.db import AsyncConnection, Connection, statements

FENCED = statements(Path(__file__).with_name("fenced_jobs.sql"))

FULL_LIST_KINDS = frozenset({"sync", "apply"})
"""Kinds of runs that save a whole listing."""

COMPLETE = frozenset({"complete", "complete_after_repair"})
"""Outcomes of runs that accounted for every employee. Only these prove that an employee is absent."""

UNFINISHED = frozenset({"waiting", "delayed", "active"})

RUN_IN_SCOPE = (
    "run_in_scope({0}.institution_id, {0}.requester_id, {0}.requester_token_id, %(scope)s, %(viewer)s,"
    " %(viewer_token)s)"
)
"""The condition under which a user may see the run of a table alias."""


def insert_run(conn: Connection, run: dict[str, Any]) -> int | None:
    """Add a run and its progress row, and return its id.

    Return None if the institution, or the same person, has an unfinished run. A field of its retry policy
    that is None falls back to the institution's.
    """
    row = conn.execute(
        """
        WITH policy AS (
            -- Locked, so that its run policy does not change meanwhile and leave the run behind.
            SELECT attempts, attempt_pause, deadline_minutes, pool FROM institutions
            WHERE id = %(institution_id)s FOR SHARE
        ), inserted AS (
            INSERT INTO runs (kind, of_run_id, institution_id, identifier_type, identifier, page_size,
                              priority, requested_by, requested_via, requester_id, requester_token_id,
                              request_id, attempts, attempt_pause, deadline_minutes, deadline_at, traceparent,
                              pool)
            SELECT %(kind)s, %(of_run_id)s, %(institution_id)s, %(identifier_type)s, %(identifier)s,
                   %(page_size)s, %(priority)s, %(requested_by)s, %(requested_via)s, %(requester_id)s,
                   %(requester_token_id)s, %(request_id)s,
                   coalesce(%(attempts)s, policy.attempts), coalesce(%(attempt_pause)s, policy.attempt_pause),
                   coalesce(%(deadline_minutes)s, policy.deadline_minutes),
                   now() + coalesce(%(deadline_minutes)s, policy.deadline_minutes) * interval '1 minute',
                   %(traceparent)s, policy.pool
            FROM (VALUES (1)) one LEFT JOIN policy ON true
            ON CONFLICT DO NOTHING
            RETURNING id
        )
        INSERT INTO run_progress (run_id) SELECT id FROM inserted RETURNING run_id
        """,
        run | {"traceparent": tracing.current()},
    ).fetchone()
    return row[0] if row else None


def find_unfinished(
    conn: Connection, institution_id: int | None, key: str | None = None
) -> tuple[int, str] | None:
    """Return id and kind of the unfinished run of this institution or of the person with this
    number, if any.
    """
    row = conn.execute(
        "SELECT id, kind FROM runs WHERE state IN ('waiting', 'delayed', 'active')"
        " AND (institution_id = %s OR kind = 'person' AND identifier = %s)",
        (institution_id, key),
    ).fetchone()
    return (row[0], row[1]) if row else None


def count_queued(conn: Connection, user_id: int) -> int:
    """Return the unfinished runs that a user requested one by one, without those of batches.

    The user is locked until the transaction ends.
    """
    conn.execute("SELECT FROM users WHERE id = %s FOR NO KEY UPDATE", (user_id,))
    row = conn.execute(
        "SELECT count(*) FROM runs r WHERE requester_id = %s AND state IN ('waiting', 'delayed', 'active')"
        " AND NOT EXISTS (SELECT FROM batch_members m WHERE m.run_id = r.id AND NOT m.joined)",
        (user_id,),
    ).fetchone()
    assert row is not None
    return int(row[0])


def add_requester(conn: Connection, run_id: int, user_id: int | None) -> None:
    """Record that a user asked for a run that another user had requested already."""
    if user_id is not None:
        conn.execute(
            "INSERT INTO run_requesters (run_id, user_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (run_id, user_id),
        )


LINK_JOB = "UPDATE runs SET queue_job_id = %s WHERE id = %s"


def link_job(conn: Connection, run_id: int, queue_job_id: int) -> None:
    """Save which Procrastinate job executes the run."""
    conn.execute(LINK_JOB, (queue_job_id, run_id))


async def link_job_async(conn: AsyncConnection, run_id: int, queue_job_id: int) -> None:
    """Save which Procrastinate job executes the run. For workers."""
    await conn.execute(LINK_JOB, (queue_job_id, run_id))


def cancel(conn: Connection, run_id: int) -> int | None:
    """Cancel an unfinished run. Return its queue job; None if the run has ended."""
    # clock_timestamp: the attempt ends when this statement gets the lock, not when it begins to wait.
    row = conn.execute(
        """
        WITH cancelled AS (
            UPDATE runs SET state = 'cancelled', finished_at = now(), next_try_at = NULL
            WHERE id = %(run)s AND state IN ('waiting', 'delayed', 'active')
            RETURNING id, queue_job_id
        ), closed AS (
            UPDATE run_attempts a SET ended_at = clock_timestamp(), ended_as = 'cancelled'
            FROM cancelled c WHERE a.run_id = c.id AND a.ended_at IS NULL
        )
        SELECT queue_job_id FROM cancelled
        """,
        {"run": run_id},
    ).fetchone()
    return row[0] if row else None


class RunRequest(NamedTuple):
    """A run as it was requested, with its state and outcome."""

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


def find_request(conn: Connection, run_id: int) -> RunRequest | None:
    """Return a run as it was requested; None if there is none."""
    row = conn.execute(
        "SELECT kind, state, outcome, institution_id, identifier_type, identifier, page_size, priority,"
        " attempts, attempt_pause, deadline_minutes FROM runs WHERE id = %s",
        (run_id,),
    ).fetchone()
    return RunRequest(*row) if row else None


def reopen(conn: Connection, run_id: int, requester: dict[str, Any]) -> bool:
    """Reset a failed or cancelled run with all its attempts, so that it continues from its checkpoint.

    It has the rights of the user who retries it from now on.

    Return False if the run has another state, or if its checkpoint or the employees of its preview were
    deleted.

    Raises psycopg.errors.UniqueViolation if the institution has another unfinished run.
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
                            not_before = now(), traceparent = %(traceparent)s,
                            requester_id = %(requester_id)s, requester_token_id = %(requester_token_id)s,
                            requested_via = %(requested_via)s, request_id = %(request_id)s,
                            pool = (SELECT i.pool FROM institutions i WHERE i.id = runs.institution_id),
                            deadline_at = now() + deadline_minutes * interval '1 minute'
            WHERE id = %(run)s AND state IN ('failed', 'cancelled')
              AND emptied_at IS NULL AND pruned_at IS NULL
              AND (kind <> 'apply' OR EXISTS (SELECT FROM applies))
            """,
            requester | {"run": run_id, "traceparent": tracing.current()},
        ).rowcount
    )


def count_unfinished(conn: Connection, scope: Scope = EVERYTHING) -> dict[str, int]:
    """Return the number of waiting, delayed and active runs in the scope."""
    statement = f"""
        SELECT state, count(*) FROM runs r WHERE state IN ('waiting', 'delayed', 'active')
          AND {RUN_IN_SCOPE.format("r")} GROUP BY state
        """  # noqa: S608 - a constant
    rows = conn.execute(statement.encode(), scope.values)
    return {"waiting": 0, "delayed": 0, "active": 0} | dict(rows.fetchall())
