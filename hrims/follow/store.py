"""Runs as those see them who follow one, in SQL. Each function works inside its caller's transaction."""

from typing import Any

from psycopg.rows import class_row

from hrims.db import Connection
from hrims.follow.attempts import Attempt
from hrims.follow.progress import Run

ITS_START = "CASE WHEN r.state IN ('waiting', 'delayed') THEN start_of_run(r.id) END AS starts_at"
"""About when one run starts; the view of the queue counts all at once."""

RUN = f"""
SELECT r.id, r.kind, r.of_run_id, r.institution_id, coalesce(i.name, 'One person') AS institution,
       r.identifier_type, CASE WHEN r.kind = 'person' THEN masked_key(r.identifier) ELSE r.identifier END
           AS identifier, r.page_size, r.priority, r.state, r.outcome, r.attempt,
       r.requested_by, r.requested_at, r.started_at, r.finished_at, r.next_try_at,
       r.trouble, r.trouble_code, r.people, r.seen_twice, r.missing, r.last_complete_people,
       r.page_finding, p.phase,
       p.remote_total, p.pages, p.fetched, p.saved, p.saved_before, p.new, p.changed, p.unchanged,
       p.rejected, p.repeated, p.unmatched, p.leavers, p.leavers_waiting, p.unproven, p.fetch_ms,
       p.save_ms, p.note, r.pool, r.attempts, r.attempt_pause, r.deadline_at, pool_is_served(r.pool) AS
       a_worker_lives, r.state = 'waiting' AND pool_is_busy(r.pool) AS workers_are_busy,
       why_pool_does_not_ask(r.pool) AS not_asked, r.pruned_at, q.paused_by, q.paused_why,
       starts_per_minute() AS starts_per_minute, {ITS_START}, CASE WHEN r.state = 'waiting' AND r.not_before
       > now() THEN r.not_before END AS not_before, CASE WHEN r.state IN ('waiting', 'delayed') AND
       quiet_ends(r.quiet_from, r.quiet_until, r.quiet_zone, now()) IS NOT NULL THEN to_char(r.quiet_from,
       'HH24:MI') || ' to ' || to_char(r.quiet_until, 'HH24:MI') END AS quiet, coalesce((SELECT d.changes
       FROM run_drift d WHERE d.run_id = r.id), '[]') AS drift, (SELECT count(*) FROM run_cases c WHERE
       c.run_id = r.id) AS asked_again, (SELECT count(*) FROM run_cases c WHERE c.run_id = r.id AND c.became
       = 'right') AS came_right, CASE WHEN r.kind = 'person' THEN (SELECT j.reason FROM rejects j WHERE
       j.run_id = r.id LIMIT 1) END AS rejected_why, l.last_run_id, l.last_outcome, l.last_people,
       l.last_finished_at FROM runs r LEFT JOIN institutions i ON i.id = r.institution_id JOIN run_progress
       p ON p.run_id = r.id LEFT JOIN LATERAL last_completed(r.institution_id) l ON r.state <> 'completed'
       OR r.kind NOT IN ('sync', 'apply') CROSS JOIN queue_settings q
"""  # noqa: S608 - constants alone


def read(conn: Connection, run_id: int) -> Run | None:
    """One run with its progress."""
    with conn.cursor(row_factory=class_row(Run)) as cursor:
        return cursor.execute(f"{RUN} WHERE r.id = %s".encode(), (run_id,)).fetchone()


def latest(conn: Connection, institution_id: int) -> Run | None:
    """The institution's latest run, which is the one under way if there is one."""
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
"""Runs by how they ended; written as the index runs_went_wrong has it."""


def listed(conn: Connection, institution_id: int | None, ended: str, most: int, skip: int = 0) -> list[Run]:
    """Runs, the newest first: of an institution (None: of everybody) that ended as one of ENDED says."""
    whose = "true" if institution_id is None else "w.institution_id = %(institution)s"
    # Their numbers first, or Postgres would work out every column of a run that is only passed over.
    numbers = f"SELECT w.id FROM runs w WHERE {whose} AND {ENDED[ended]} ORDER BY w.id DESC"  # noqa: S608 - constants
    statement = f"{RUN} WHERE r.id = ANY(ARRAY({numbers} LIMIT %(most)s OFFSET %(skip)s)) ORDER BY r.id DESC"
    with conn.cursor(row_factory=class_row(Run)) as cursor:
        return cursor.execute(
            statement.encode(), {"institution": institution_id, "most": most, "skip": skip}
        ).fetchall()


def recent(conn: Connection, most: int) -> list[Run]:
    """The latest runs of all institutions, newest first."""
    return listed(conn, None, "all", most)


def under_way(conn: Connection, most: int, skip: int) -> list[Run]:
    """Runs that have not ended: those that run, then those that wait, in the order in which they start."""
    run = RUN.replace(ITS_START, "v.starts_at")
    page = "SELECT job_id, starts_at, place FROM queue_v ORDER BY place LIMIT %s OFFSET %s"
    statement = f"{run} JOIN ({page}) v ON v.job_id = r.id ORDER BY v.place"
    with conn.cursor(row_factory=class_row(Run)) as cursor:
        return cursor.execute(statement.encode(), (most, skip)).fetchall()


def first_people(conn: Connection, run_id: int, most: int) -> list[dict[str, Any]]:
    """Return the first people of a run, each once, in the remote's order, as pages and the API show them.

    A preview has none: it saves nobody, and its checkpoint holds no employees.id.
    """
    rows = conn.execute(
        """
        SELECT e.id, e.zan_id, e.name, e.cadre, e.current_workplace, e.status, i.name
        FROM (
            SELECT id, min(p.page_size::bigint * p.page_number + position) AS place
            FROM run_pages p, unnest(p.people) WITH ORDINALITY AS u(id, position)
            WHERE p.run_id = (SELECT id FROM runs WHERE id = %s AND kind <> 'preview') AND p.reading = 1
            GROUP BY id ORDER BY place, id LIMIT %s
        ) first
        JOIN employees e ON e.id = first.id
        LEFT JOIN institutions i ON i.id = e.institution_id
        ORDER BY first.place, e.id
        """,
        (run_id, most),
    )
    names = ("id", "zanId", "name", "cadre", "workplace", "status", "institution")
    return [dict(zip(names, row, strict=True)) for row in rows]


def first_rejects(conn: Connection, run_id: int, most: int) -> list[dict[str, Any]]:
    """The first rejects of a run, in the remote's order: which record of the listing (from 1), the reason,
    its masked ZanID if it has one, and whose record it is.
    """
    rows = conn.execute(
        """
        SELECT page_size::bigint * page_number + position + 1 AS record, reason, masked, name,
               payroll_number, workplace
        FROM rejects r
        WHERE run_id = %s AND reading = coalesce((SELECT counted[1] FROM runs WHERE id = r.run_id), 1)
        ORDER BY record LIMIT %s
        """,
        (run_id, most),
    )
    names = ("record", "reason", "masked", "name", "payroll_number", "workplace")
    return [dict(zip(names, row, strict=True)) for row in rows]


def attempts(conn: Connection, run_id: int, most: int) -> list[Attempt]:
    """The attempts at a run, the latest first."""
    with conn.cursor(row_factory=class_row(Attempt)) as cursor:
        return cursor.execute(
            "SELECT number, started_at, ended_at, host, pid, ended_as, trouble, trouble_code, traceback, log,"
            " log_left_out FROM run_attempts WHERE run_id = %s ORDER BY number DESC LIMIT %s",
            (run_id, most),
        ).fetchall()
