"""The SQL of batches. Each function works inside its caller's transaction."""

from datetime import datetime, time
from pathlib import Path
from typing import Any, NamedTuple

from psycopg.rows import class_row

from hrims import tracing
from hrims.access.scope import Scope
from hrims.batches.progress import Member, Total
from hrims.db import Connection, int_array, statements

SQL = statements(Path(__file__).with_name("batches.sql"))


class SelectedInstitution(NamedTuple):
    """A selected institution and the identifier of its run; None if it has no identifier."""

    institution_id: int
    identifier_type: str
    identifier: str | None


class Quiet(NamedTuple):
    """The hours of the day in which runs do not start, in the time zone ``quiet_zone``."""

    quiet_from: time | None = None
    quiet_until: time | None = None
    quiet_zone: str | None = None


class Batch(NamedTuple):
    """A batch as it was requested."""

    id: int
    scope: str
    identifier_type: str | None
    page_size: int
    priority: str
    requested_by: str
    requested_via: str
    requested_at: datetime
    requester_id: int | None


def insert_batch(conn: Connection, batch: dict[str, Any]) -> int:
    """Insert a batch. Return its id."""
    row = conn.execute(SQL["insert_batch"], batch).fetchone()
    assert row is not None
    return int(row[0])


def find_selected(
    conn: Connection, scope: Scope, selection: str, identifier_type: str | None, institutions: list[int]
) -> list[SelectedInstitution]:
    """Return the institutions in the scope that ``selection`` selects, ordered by id."""
    given = {
        "selection": selection,
        "identifier_type": identifier_type,
        "institutions": institutions,
        **scope.values,
    }
    return [SelectedInstitution(*row) for row in conn.execute(SQL["find_selected"], given)]


def enqueue_members(
    conn: Connection,
    batch_id: int,
    selected: list[SelectedInstitution],
    run: dict[str, Any],
    spread: int,
    quiet: Quiet,
) -> int:
    """Enqueue a run for each institution and record the result of each. Return the number of new runs.

    The starts are spread over ``spread`` minutes.
    """
    members = {
        "ids": int_array(institution.institution_id for institution in selected),
        "types": [institution.identifier_type for institution in selected],
        "identifiers": [institution.identifier for institution in selected],
    }
    enqueued = conn.execute(
        SQL["insert_runs"],
        {**members, **run, "spread": spread, **quiet._asdict(), "traceparent": tracing.current()},
    ).fetchall()
    runs = {
        "runs": int_array(run_id for run_id, _ in enqueued),
        "enqueued": int_array(institution_id for _, institution_id in enqueued),
    }
    if enqueued:
        conn.execute(SQL["enqueue_jobs"], runs)
    conn.execute(
        SQL["insert_members"], {"batch": batch_id, **members, **runs, "requester_id": run["requester_id"]}
    )
    return len(enqueued)


def reopen(conn: Connection, scope: Scope, batch_id: int, requester: dict[str, Any]) -> int:
    """Reset the failed runs in the scope to a full set of attempts and enqueue them. Return how many.

    They have the rights of the user who retries them from now on.

    Raises psycopg.errors.UniqueViolation if an institution gets another run at the same time.
    """
    runs = [
        run_id for (run_id,) in conn.execute(SQL["reopen"], {"batch": batch_id, **requester, **scope.values})
    ]
    if runs:
        conn.execute(SQL["enqueue_jobs"], {"runs": int_array(runs)})
    return len(runs)


def cancel(conn: Connection, scope: Scope, batch_id: int) -> int:
    """Cancel the unfinished runs in the scope that the batch requested, and their jobs. Return how many."""
    cancelled = conn.execute(SQL["cancel"], {"batch": batch_id, **scope.values}).fetchall()
    conn.execute(SQL["cancel_jobs"], {"jobs": int_array(job for _, job in cancelled if job is not None)})
    return len(cancelled)


def list_unfinished_institutions(conn: Connection, scope: Scope, batch_id: int) -> list[int]:
    """Return the institutions in the scope with an unfinished run that the batch requested."""
    rows = conn.execute(
        "SELECT m.institution_id FROM batch_members m JOIN runs r ON r.id = m.run_id"
        " WHERE m.batch_id = %(batch)s AND in_scope(m.institution_id, %(scope)s) AND NOT m.joined"
        " AND r.state IN ('waiting', 'delayed', 'active') ORDER BY 1",
        {"batch": batch_id, **scope.values},
    )
    return [id_ for (id_,) in rows]


READ = """
SELECT id, scope, identifier_type, page_size, priority, requested_by, requested_via, requested_at,
requester_id FROM batches b
WHERE (%(scope)s::bigint[] IS NULL
    OR is_own_request(requester_id, requester_token_id, %(viewer)s, %(viewer_token)s) OR EXISTS (
    SELECT FROM batch_members m WHERE m.batch_id = b.id AND m.institution_id = ANY(%(scope)s)))
"""
"""The batches that a user may see: of an institution in the scope, or requested by the user."""


def find_batch(conn: Connection, scope: Scope, batch_id: int) -> Batch | None:
    """Return the batch with this id; None if there is none in the scope."""
    row = conn.execute(f"{READ} AND id = %(id)s".encode(), {"id": batch_id, **scope.values}).fetchone()
    return Batch(*row) if row else None


def list_recent(conn: Connection, scope: Scope, limit: int, skip: int) -> list[Batch]:
    """Return the latest batches in the scope, newest first."""
    values = {"limit": limit, "skip": skip, **scope.values}
    rows = conn.execute(f"{READ} ORDER BY id DESC LIMIT %(limit)s OFFSET %(skip)s".encode(), values)
    return [Batch(*row) for row in rows]


def find_total(conn: Connection, scope: Scope, batch_id: int) -> Total:
    """Return the totals of the institutions of a batch in the scope."""
    with conn.cursor(row_factory=class_row(Total)) as cursor:
        row = cursor.execute(SQL["find_total"], {"batch": batch_id, **scope.values}).fetchone()
    assert row is not None
    return row


def list_members(
    conn: Connection, scope: Scope, batch_id: int, state: str | None, limit: int, skip: int
) -> list[Member]:
    """Return the institutions of a batch in the scope, by name: those in ``state``, or all if it is None."""
    given = {"batch": batch_id, "state": state, "limit": limit, "skip": skip, **scope.values}
    with conn.cursor(row_factory=class_row(Member)) as cursor:
        return cursor.execute(SQL["list_members"], given).fetchall()
