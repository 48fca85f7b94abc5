"""SQL of approvals. Each function runs inside its caller's transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from hrims.access.actor import Actor
from hrims.access.scope import Scope
from hrims.db import AsyncConnection, Connection

DAYS = 7
"""Days after which an undecided request expires."""

RECENT = 30
"""Number of decided approvals that page and API show."""


@dataclass(frozen=True)
class Approval:
    """A request for a second user, and its decision."""

    id: int
    action: str
    subject: str
    institutions: list[int] | None
    details: dict[str, Any]
    requested_by: str
    requester_id: int
    requested_at: datetime
    state: str
    decided_by: str | None
    decided_at: datetime | None

    @property
    def subject_id(self) -> int:
        """Return the id in the subject, like 12 in ``batch:12``."""
        return int(self.subject.partition(":")[2])


STATE = (
    "CASE WHEN a.state <> 'waiting' THEN a.state"
    " WHEN a.requested_at <= now() - %(days)s * interval '1 day' THEN 'expired'"
    " WHEN is_outdated(a) THEN 'outdated' ELSE 'waiting' END"
)
"""The state, also if it has not been saved yet that a request is over."""

IN_SCOPE = (
    "(%(scope)s::bigint[] IS NULL OR institutions IS NOT NULL AND"
    " (is_own_request(requester_id, NULL, %(viewer)s, %(viewer_token)s)"
    " OR institutions <@ %(scope)s::bigint[]))"
)

SELECT = f"""
SELECT id, action, subject, institutions, details, requested_by, requester_id, requested_at,
       {STATE} AS state, decided_by, decided_at FROM approvals a
WHERE {IN_SCOPE}
"""  # noqa: S608 - constants
"""The approvals in a scope: the own ones, and those about institutions in it.

One about no institution in particular is only in the scope of all.
"""


EXPIRE = """
UPDATE approvals a SET state = 'expired', decided_at = now(), details = a.details #- '{change,credentials}'
WHERE a.state = 'waiting' AND a.requested_at <= now() - %(days)s * interval '1 day'
"""


def insert_approval(
    conn: Connection,
    actor: Actor,
    action: str,
    subject: str,
    institutions: list[int] | None,
    details: dict[str, Any],
) -> int | None:
    """Add a request, in place of an expired one. Return its id; None if the same waits already."""
    conn.execute(
        f"{EXPIRE} AND a.action = %(action)s AND a.subject = %(subject)s".encode(),
        {"action": action, "subject": subject, "days": DAYS},
    )
    row = conn.execute(
        "INSERT INTO approvals (action, subject, institutions, details, requested_by, requester_id)"
        " VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (action, subject) WHERE state = 'waiting' DO NOTHING RETURNING id",
        (action, subject, institutions, Jsonb(details), actor.name, actor.user_id),
    ).fetchone()
    return row[0] if row else None


def find_waiting(conn: Connection, action: str, subject: str) -> int | None:
    """Return the id of the request for this that waits; None if none does."""
    row = conn.execute(
        "SELECT id FROM approvals WHERE action = %s AND subject = %s AND state = 'waiting'", (action, subject)
    ).fetchone()
    return row[0] if row else None


def end_outdated(conn: Connection) -> list[tuple[int, str, str]]:
    """End the requests that can no longer be carried out. Return id, action and subject of each.

    One that is being decided at this time is left to that decision: waiting for it could be a deadlock.
    """
    return conn.execute(
        "UPDATE approvals SET state = 'outdated', decided_at = now(),"
        " details = details #- '{change,credentials}' WHERE id IN (SELECT a.id FROM approvals a"
        " WHERE a.state = 'waiting' AND is_outdated(a) ORDER BY a.id FOR UPDATE SKIP LOCKED)"
        " RETURNING id, action, subject"
    ).fetchall()


def lock_approval(conn: Connection, scope: Scope, id_: int) -> Approval | None:
    """Return an approval in the scope, locked until the transaction ends; None if there is none."""
    with conn.cursor(row_factory=class_row(Approval)) as cursor:
        return cursor.execute(
            f"{SELECT} AND id = %(id)s FOR UPDATE".encode(), {"id": id_, "days": DAYS, **scope.values}
        ).fetchone()


def find_action(conn: Connection, scope: Scope, id_: int) -> str | None:
    """Return the action of an approval in the scope; None if there is none."""
    row = conn.execute(
        f"SELECT action FROM approvals WHERE {IN_SCOPE} AND id = %(id)s".encode(),  # noqa: S608 - constants
        {"id": id_, **scope.values},
    ).fetchone()
    return row[0] if row else None


def save_decision(conn: Connection, id_: int, state: str, actor: Actor) -> None:
    """Save a decision. Encrypted credentials are deleted: ``lock_approval`` has read them.

    Raises psycopg.errors.CheckViolation if a user approves an own request.
    """
    conn.execute(
        "UPDATE approvals SET state = %s, decided_by = %s, decided_by_id = %s, decided_at = now(),"
        " details = details #- '{change,credentials}' WHERE id = %s",
        (state, actor.name, actor.user_id, id_),
    )


def list_waiting(conn: Connection, scope: Scope, actions: list[str]) -> list[Approval]:
    """Return the approvals of these actions in the scope that wait, oldest first."""
    return _list(conn, scope, actions, f"AND a.state = 'waiting' AND {STATE} = 'waiting' ORDER BY id")


def list_recent(conn: Connection, scope: Scope, actions: list[str]) -> list[Approval]:
    """Return the approvals of these actions in the scope that no longer wait, newest first."""
    return _list(conn, scope, actions, f"AND {STATE} <> 'waiting' ORDER BY id DESC LIMIT %(limit)s")


def _list(conn: Connection, scope: Scope, actions: list[str], condition: str) -> list[Approval]:
    with conn.cursor(row_factory=class_row(Approval)) as cursor:
        values = {"days": DAYS, "limit": RECENT, "actions": actions, **scope.values}
        sql = f"{SELECT} AND action = ANY(%(actions)s) {condition}"
        return cursor.execute(sql.encode(), values).fetchall()


async def expire(conn: AsyncConnection, batch_size: int) -> int:
    """End at most ``batch_size`` expired requests and delete their credentials. Return how many."""
    due = (
        "AND a.id IN (SELECT id FROM approvals WHERE state = 'waiting'"
        " AND requested_at <= now() - %(days)s * interval '1 day'"
        " ORDER BY id LIMIT %(batch_size)s FOR UPDATE SKIP LOCKED)"
    )
    values = {"days": DAYS, "batch_size": batch_size}
    return (await conn.execute(f"{EXPIRE} {due}".encode(), values)).rowcount
