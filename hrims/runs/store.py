"""The SQL of the read model of runs. Each function works inside its caller's transaction."""

from typing import Any, Final

from psycopg.rows import class_row

from hrims.access.scope import Scope
from hrims.db import Connection
from hrims.jobs.store import RUN_IN_SCOPE
from hrims.runs.attempts import PastAttempt
from hrims.runs.model import Run

OWN_WAIT = """CROSS JOIN LATERAL (
    SELECT s.starts_at, wait_code(r, s.starts_at, q.paused_at IS NOT NULL, pool_is_served(r.pool),
                                  pool_has_address(r.pool), pool_breaker_reason(r.pool),
                                  pool_is_busy(r.pool)) AS why
    FROM (SELECT CASE WHEN r.state IN ('waiting', 'delayed') THEN expected_start(r.id) END AS starts_at
          OFFSET 0) s
    OFFSET 0) v"""
"""Why one run waits, and its estimated start. The view of the queue computes these of all runs together."""

RUN = f"""
SELECT r.id, r.kind, r.of_run_id, r.institution_id, coalesce(i.name, 'One person') AS institution,
       r.identifier_type, CASE WHEN r.kind = 'person' THEN masked_key(r.identifier) ELSE r.identifier END
           AS identifier, r.page_size, r.priority, r.state, r.outcome, r.attempt,
       r.requested_by, r.requested_at, r.request_id, r.started_at, r.finished_at, r.next_try_at,
       r.trouble, r.trouble_code, r.people, r.seen_twice, r.missing, r.last_complete_people,
       r.page_finding, p.phase,
       p.remote_total, p.pages, p.fetched, p.saved, p.saved_before, p.new, p.changed, p.unchanged,
       p.rejected, p.repeated, p.unmatched, p.leavers, p.leavers_waiting, p.unproven, p.fetch_ms,
       p.save_ms, p.note, r.pool, r.attempts, r.attempt_pause, r.deadline_at, pool_is_served(r.pool) AS
       a_worker_lives, v.why AS wait_code, v.starts_at, pool_breaker_reason(r.pool) AS not_asked,
       pool_probes_at(r.pool) AS probe_at, r.pruned_at, q.paused_by, q.paused_why,
       starts_per_minute() AS starts_per_minute, to_char(r.quiet_from, 'HH24:MI') || ' to ' ||
       to_char(r.quiet_until, 'HH24:MI') AS quiet, coalesce((SELECT d.changes
       FROM run_drift d WHERE d.run_id = r.id), '[]') AS drift, (SELECT count(*) FROM run_cases c WHERE
       c.run_id = r.id) AS asked_again, (SELECT count(*) FROM run_cases c WHERE c.run_id = r.id AND c.became
       = 'right') AS came_right, CASE WHEN r.kind = 'person' THEN (SELECT j.reason FROM rejects j WHERE
       j.run_id = r.id LIMIT 1) END AS rejected_why, l.last_run_id, l.last_outcome, l.last_people,
       l.last_finished_at FROM runs r LEFT JOIN institutions i ON i.id = r.institution_id JOIN run_progress
       p ON p.run_id = r.id LEFT JOIN LATERAL last_completed(r.institution_id) l ON r.state <> 'completed'
       OR r.kind NOT IN ('sync', 'apply') CROSS JOIN queue_settings q
{OWN_WAIT}
"""  # noqa: S608 - constants only


def find_run(conn: Connection, scope: Scope, run_id: int) -> Run | None:
    """Return one run with its progress; None if there is none in the scope."""
    with conn.cursor(row_factory=class_row(Run)) as cursor:
        return cursor.execute(
            f"{RUN} WHERE r.id = %(id)s AND {RUN_IN_SCOPE.format('r')}".encode(),
            {"id": run_id, **scope.values},
        ).fetchone()


def find_latest(conn: Connection, institution_id: int) -> Run | None:
    """Return the latest run of an institution. If a run is unfinished, it is the latest."""
    with conn.cursor(row_factory=class_row(Run)) as cursor:
        return cursor.execute(
            f"{RUN} WHERE r.institution_id = %s ORDER BY r.id DESC LIMIT 1".encode(),
            (institution_id,),
        ).fetchone()


ENDED = {
    "all": "true",
    "complete": "w.outcome IN ('complete', 'complete_after_repair')",
    "incomplete": "coalesce(w.outcome, w.state) = 'incomplete'",
    "failed": "coalesce(w.outcome, w.state) = 'failed'",
    "cancelled": "coalesce(w.outcome, w.state) = 'cancelled'",
}
"""The conditions on how a run ended. They match the expression of the index runs_went_wrong."""


def list_ended(
    conn: Connection, scope: Scope, institution_id: int | None, ended: str, limit: int, skip: int = 0
) -> list[Run]:
    """Return runs in the scope, newest first.

    ``institution_id`` None selects all institutions; ``ended`` is a key of ENDED.
    """
    condition = RUN_IN_SCOPE.format("w")
    if institution_id is not None:
        condition += " AND w.institution_id = %(institution)s"
    # Select the ids first. Otherwise Postgres computes every column of the rows that OFFSET skips.
    numbers = f"SELECT w.id FROM runs w WHERE {condition} AND {ENDED[ended]} ORDER BY w.id DESC"  # noqa: S608 - constants
    statement = f"{RUN} WHERE r.id = ANY(ARRAY({numbers} LIMIT %(limit)s OFFSET %(skip)s)) ORDER BY r.id DESC"
    with conn.cursor(row_factory=class_row(Run)) as cursor:
        return cursor.execute(
            statement.encode(),
            {"institution": institution_id, "limit": limit, "skip": skip, **scope.values},
        ).fetchall()


def list_recent(conn: Connection, scope: Scope, limit: int) -> list[Run]:
    """Return the latest runs in the scope, newest first."""
    return list_ended(conn, scope, None, "all", limit)


def list_unfinished(conn: Connection, scope: Scope, limit: int, skip: int) -> list[Run]:
    """Return unfinished runs in the scope: running ones, then waiting ones in the order in which they start.

    Their places count the runs of all institutions.
    """
    page = (
        "SELECT q.job_id, q.starts_at, q.why, q.place FROM queue_v q JOIN runs w ON w.id = q.job_id"  # noqa: S608 - constants
        f" WHERE {RUN_IN_SCOPE.format('w')} ORDER BY q.place LIMIT %(limit)s OFFSET %(skip)s"
    )
    statement = RUN.replace(OWN_WAIT, f"JOIN ({page}) v ON v.job_id = r.id") + " ORDER BY v.place"
    with conn.cursor(row_factory=class_row(Run)) as cursor:
        values = {"limit": limit, "skip": skip, **scope.values}
        return cursor.execute(statement.encode(), values).fetchall()


FIRST_PEOPLE: Final = 10
"""Maximum number of people in a result."""


def list_first_people(conn: Connection, scope: Scope, run_id: int, limit: int) -> list[dict[str, Any]]:
    """Return the first people of a run in the scope, in the remote's order, each once.

    A preview has none: it saves no people, and its checkpoint has no employees.id.
    """
    rows = conn.execute(
        """
        SELECT e.id, e.zan_id, e.name, e.cadre, e.current_workplace, e.status, i.name
        FROM (
            SELECT id, min(p.page_size::bigint * p.page_number + position) AS place
            FROM run_pages p, unnest(p.people) WITH ORDINALITY AS u(id, position)
            WHERE p.run_id = (SELECT id FROM runs WHERE id = %(run)s AND kind <> 'preview') AND p.reading = 1
              AND (%(scope)s::bigint[] IS NULL OR EXISTS (
                  SELECT FROM employees e
                  WHERE e.id = u.id AND person_in_scope(e.id, e.institution_id, %(scope)s)))
            GROUP BY id ORDER BY place, id LIMIT %(limit)s
        ) first
        JOIN employees e ON e.id = first.id
        LEFT JOIN institutions i ON i.id = e.institution_id
        ORDER BY first.place, e.id
        """,
        {"run": run_id, "limit": limit, **scope.values},
    )
    names = ("id", "zanId", "name", "cadre", "workplace", "status", "institution")
    return [dict(zip(names, row, strict=True)) for row in rows]


def list_first_rejects(conn: Connection, run_id: int, limit: int) -> list[dict[str, Any]]:
    """Return the first rejects of a run, in the remote's order.

    Each has its position in the list (from 1), the reason, the masked ZanID if there is one, and the identity
    of the record.
    """
    rows = conn.execute(
        """
        SELECT page_size::bigint * page_number + position + 1 AS record, reason, masked, name,
               payroll_number, workplace
        FROM rejects r
        WHERE run_id = %s AND reading = coalesce((SELECT counted[1] FROM runs WHERE id = r.run_id), 1)
        ORDER BY record LIMIT %s
        """,
        (run_id, limit),
    )
    names = ("record", "reason", "masked", "name", "payroll_number", "workplace")
    return [dict(zip(names, row, strict=True)) for row in rows]


def list_attempts(conn: Connection, run_id: int, limit: int) -> list[PastAttempt]:
    """Return the attempts at a run, latest first."""
    with conn.cursor(row_factory=class_row(PastAttempt)) as cursor:
        return cursor.execute(
            "SELECT number, started_at, ended_at, host, pid, ended_as, trouble, trouble_code, traceback, log,"
            " log_left_out FROM run_attempts WHERE run_id = %s ORDER BY number DESC LIMIT %s",
            (run_id, limit),
        ).fetchall()
