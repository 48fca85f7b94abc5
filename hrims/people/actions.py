"""Records who saw which employee, and reveals masked fields. Input: a user and an employee. Output: audit
records, in the transaction that reads.
"""

from typing import Annotated, Any, Final

from msgspec import Meta

from hrims.access.actor import Actor
from hrims.access.audit import record, record_if_writable
from hrims.db import Connection
from hrims.employees.fields import COLUMNS, Classification
from hrims.employees.masking import Mask, build_mask
from hrims.errors import NotFound
from hrims.people import store
from hrims.validation import to_single_line

MIN_REASON_LENGTH: Final = 10
"""Minimum characters of the reason for a reveal."""

MAX_REASON_LENGTH: Final = 300
"""Maximum characters of the reason for a reveal."""

NEED_REASON: Final = f"Give a reason of {MIN_REASON_LENGTH} to {MAX_REASON_LENGTH} characters, on one line."

Reason = Annotated[
    str,
    Meta(
        min_length=MIN_REASON_LENGTH,
        max_length=MAX_REASON_LENGTH,
        extra={"prepare": to_single_line, "message": NEED_REASON, "code": "bad_reason"},
    ),
]

SENSITIVE: Final = Mask(frozenset({Classification.CONFIDENTIAL, Classification.RESTRICTED}))
"""The fields that a reveal names in its record, also if the user sees them without a mask."""


def find_person(conn: Connection, actor: Actor, employee_id: int) -> dict[str, Any]:
    """Return all saved fields of an employee that the user may see. Raises NotFound."""
    person = store.find_person(conn, actor.scope, employee_id)
    if person is None:
        raise NotFound("There is no employee with this number here.", "unknown_person")
    return person


def reveal(conn: Connection, actor: Actor, employee_id: int, reason: str) -> dict[str, Any]:
    """Return all saved fields of an employee, and record which of them were masked, and why they are shown.

    Show them only after the transaction is committed. Raises NotFound.
    """
    with conn.transaction():
        person = find_person(conn, actor, employee_id)
        mask = build_mask(actor.permissions)
        fields = [
            column
            for column in COLUMNS
            if person[column] is not None and (mask.hides(column) or SENSITIVE.hides(column))
        ]
        record(conn, actor, "person.reveal", f"employee:{employee_id}", fields=fields, reason=reason)
    return person


def record_view(conn: Connection, actor: Actor, employee_id: int) -> None:
    """Record that a user sees the page of an employee."""
    record_if_writable(conn, actor, "person.view", f"employee:{employee_id}")


def record_search(conn: Connection, actor: Actor, filters: list[str]) -> None:
    """Record a search for employees: the names of its filters, not their values."""
    record_if_writable(conn, actor, "people.search", filters=filters)
