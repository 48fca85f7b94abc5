"""SQL of attempts: begin, delay, hand back, fail.

Each function runs inside its caller's transaction. States change by compare-and-set; the row count shows
whether the change happened.
"""

from datetime import datetime
from typing import NamedTuple

from hrims.access.scope import Scope
from hrims.db import AsyncConnection


class Attempt(NamedTuple):
    """One execution of a run's job. ``number`` is its fencing number.

    ``attempts`` and ``attempt_pause`` are None if the settings decide, ``seconds_left`` if there is no
    deadline. ``waited_seconds`` is the time since the request of the run, ``traceparent`` the span of the
    request, ``request_id`` its id.
    """

    run_id: int
    number: int
    kind: str
    of_run_id: int | None
    institution_id: int | None
    identifier_type: str
    identifier: str
    page_size: int
    failures: int
    attempts: int | None = None
    attempt_pause: float | None = None
    seconds_left: float | None = None
    waited_seconds: float = 0.0
    traceparent: str | None = None
    institution_name: str | None = None
    request_id: str | None = None


async def begin(conn: AsyncConnection, run_id: int, queue_job_id: int, host: str, pid: int) -> Attempt | None:
    """Begin an attempt under the run's next fencing number. Return None if the job no longer owns the run."""
    row = await (
        await conn.execute(
            """
            UPDATE runs r
            SET attempt = attempt + 1, state = 'active', started_at = coalesce(started_at, now()),
                next_try_at = NULL
            WHERE r.id = %s AND r.queue_job_id = %s AND r.state IN ('waiting', 'delayed', 'active')
            RETURNING r.id, r.attempt, r.kind, r.of_run_id, r.institution_id, r.identifier_type,
                      r.identifier, r.page_size, r.failures, r.attempts, r.attempt_pause,
                      extract(epoch FROM r.deadline_at - now())::float8,
                      extract(epoch FROM now() - r.requested_at)::float8, r.traceparent,
                      (SELECT i.name FROM institutions i WHERE i.id = r.institution_id), r.request_id
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


class RunRights(NamedTuple):
    """What decides whether a run may still be executed.

    ``requester`` is None for a run of the system. ``institutions`` are those of the requester, and
    ``token_institutions`` those of the token that requested the run; both are None for all. ``identifier`` is
    the current vote code or TIN of the institution.
    """

    requester: str | None
    is_disabled: bool
    role: str | None
    institutions: list[int] | None
    is_token_revoked: bool
    is_token_expired: bool
    token_institutions: list[int] | None
    identifier: str | None

    @property
    def scope(self) -> Scope:
        """Return the institutions of the requester that the token, if there is one, covers."""
        scope = Scope(None if self.institutions is None else tuple(self.institutions))
        return scope.narrowed(self.token_institutions)


async def find_rights(conn: AsyncConnection, run_id: int) -> RunRights:
    """Return the rights of the requester of a run, and the current identifier of its institution."""
    row = await (
        await conn.execute(
            """
            SELECT u.name, u.disabled_at IS NOT NULL, u.role, scope_of(u.id), t.revoked_at IS NOT NULL,
                   coalesce(t.expires_at <= now(), false), t.institutions,
                   CASE r.identifier_type WHEN 'votecode' THEN i.vote_code WHEN 'tin' THEN i.tin END
            FROM runs r
            LEFT JOIN users u ON u.id = r.requester_id
            LEFT JOIN tokens t ON t.id = r.requester_token_id
            LEFT JOIN institutions i ON i.id = r.institution_id
            WHERE r.id = %s
            """,
            (run_id,),
        )
    ).fetchone()
    assert row is not None
    return RunRights(*row)


async def is_person_in_scope(conn: AsyncConnection, scope: Scope, zan_id: str, workplace: str | None) -> bool:
    """Return whether the scope has a person who works at this workplace.

    The person may also be known already, and be visible where they are listed.
    """
    row = await (
        await conn.execute(
            """
            SELECT %(scope)s::bigint[] IS NULL
                OR EXISTS (
                    SELECT FROM workplaces w
                    WHERE w.name_key = name_key(%(workplace)s) AND in_scope(w.institution_id, %(scope)s))
                OR EXISTS (
                    SELECT FROM employees e
                    WHERE e.zan_id = %(zan_id)s AND person_in_scope(e.id, e.institution_id, %(scope)s))
            """,
            {"zan_id": zan_id, "workplace": workplace, **scope.values},
        )
    ).fetchone()
    return bool(row and row[0])


async def delay(conn: AsyncConnection, attempt: Attempt, at: datetime, trouble: str, code: str) -> bool:
    """Delay the run until the next attempt, after a failure. Return False if the attempt is stale."""
    return await _end_attempt(
        conn, attempt, "delayed", "failed", trouble, code, at=at, failures=attempt.failures + 1
    )


async def fail(conn: AsyncConnection, attempt: Attempt, trouble: str, code: str) -> bool:
    """Fail the run. Return False if the attempt is stale."""
    return await _end_attempt(conn, attempt, "failed", "failed", trouble, code, failures=attempt.failures + 1)


async def hand_back(
    conn: AsyncConnection, attempt: Attempt, trouble: str | None = None, code: str | None = None
) -> bool:
    """Return the run to waiting without counting a failure: the worker stops, or the breaker is open.

    Return False if the attempt is stale.
    """
    return await _end_attempt(
        conn, attempt, "waiting", "handed_back", trouble, code, failures=attempt.failures
    )


async def _end_attempt(
    conn: AsyncConnection,
    attempt: Attempt,
    state: str,
    ended_as: str,
    trouble: str | None = None,
    code: str | None = None,
    *,
    failures: int,
    at: datetime | None = None,
) -> bool:
    # The caller repeats this if the response to its COMMIT got lost. The run then has the new state already.
    updated = await conn.execute(
        """
        UPDATE runs
        SET state = %(state)s, failures = %(failures)s, trouble = coalesce(%(trouble)s, trouble),
            trouble_code = coalesce(%(code)s, trouble_code), next_try_at = %(at)s,
            finished_at = CASE WHEN %(state)s = 'failed' THEN now() END
        WHERE id = %(run)s AND attempt = %(number)s AND state IN ('active', %(state)s)
        """,
        {
            "state": state,
            "failures": failures,
            "trouble": trouble,
            "code": code,
            "at": at,
            "run": attempt.run_id,
            "number": attempt.number,
        },
    )
    if updated.rowcount:
        await close_attempts(conn, attempt.run_id, ended_as, trouble, code)
    return bool(updated.rowcount)


async def close_attempts(
    conn: AsyncConnection,
    run_id: int,
    ended_as: str,
    trouble: str | None = None,
    code: str | None = None,
) -> None:
    """Save how the run's open attempts ended."""
    await conn.execute(
        """
        UPDATE run_attempts SET ended_at = now(), ended_as = %s, trouble = %s, trouble_code = %s
        WHERE run_id = %s AND ended_at IS NULL AND number <= (SELECT attempt FROM runs WHERE id = %s)
        """,
        (ended_as, trouble, code, run_id, run_id),
    )


async def save_log(
    conn: AsyncConnection, run_id: int, number: int, log: list[str], left_out: int, traceback: str | None
) -> None:
    """Save an attempt's last lines, how many were dropped before them, and its traceback.

    Save nothing if the attempt has lost its run.
    """
    await conn.execute(
        """
        UPDATE run_attempts SET log = %s, log_left_out = %s, traceback = coalesce(%s, traceback)
        WHERE run_id = %s AND number = %s AND coalesce(ended_as, '') NOT IN ('worker_died', 'superseded')
        """,
        (log, left_out, traceback, run_id, number),
    )
