"""Decisions about departures: approve, refuse or undo. Each has its audit record."""

from typing import Any

from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.db import Connection
from hrims.errors import Conflict, NotAllowed, NotFound
from hrims.leavers import store
from hrims.leavers.store import ApplyResult, Departure

STATE_MESSAGES = {
    "applied": "was applied immediately and needs no approval",
    "approved": "was approved already",
    "refused": "was refused already",
    "undone": "was undone already",
    "superseded": "was replaced by a later run; check the list again",
    "waiting": "was not approved yet",
}


def approve(conn: Connection, actor: Actor, departure_id: int) -> ApplyResult:
    """Make leavers of the employees that the list has missed ever since. Returned employees stay.

    Raises NotFound. Raises NotAllowed for the user who requested the run, and Conflict if the departure no
    longer waits.
    """
    with conn.transaction():
        found = _lock_waiting(conn, actor, departure_id)
        if actor.user_id in found.requester_ids:
            # The database rejects this too; this check gives the reason.
            raise NotAllowed(
                "You requested the run that found these leavers, yourself or through a token or schedule, so "
                "another user must approve them. "
                "Nothing was changed.",
                "second_person",
            )
        store.record_decision(conn, found, "approved", actor)
        result = store.apply_departure(conn, found, actor.name)
        record(conn, actor, "leavers.approve", _subject(found), **_details(found), **result._asdict())
        return result


def refuse(conn: Connection, actor: Actor, departure_id: int) -> None:
    """Change no employee, and reset the misses of these employees on the list.

    Raises NotFound, or Conflict if the departure no longer waits.
    """
    with conn.transaction():
        found = _lock_waiting(conn, actor, departure_id)
        store.record_decision(conn, found, "refused", actor)
        store.forget_misses(conn, found)
        record(conn, actor, "leavers.refuse", _subject(found), **_details(found))


def find_to_undo(conn: Connection, actor: Actor, departure_id: int) -> Departure:
    """Return a departure that can be undone, locked.

    Raises NotFound, or Conflict if there is nothing to undo.
    """
    found = _lock(conn, actor, departure_id)
    if found.state not in {"applied", "approved"}:
        raise _already_decided(found)
    return found


def undo(conn: Connection, actor: Actor, departure_id: int, *, is_approved: bool = False) -> int:
    """Undo what was done, as far as it still stands. Return for how many employees.

    What a second user approved is undone only if a second user approved that too: ``is_approved``. Raises
    NotFound, or Conflict if there is nothing to undo.
    """
    with conn.transaction():
        found = find_to_undo(conn, actor, departure_id)
        if found.state == "approved" and not is_approved:
            raise Conflict("Another user must approve this first. Nothing was changed.", "needs_approval")
        restored = store.undo(conn, found, actor)
        record(conn, actor, "leavers.undo", _subject(found), **_details(found), people=restored)
        return restored


def _lock_waiting(conn: Connection, actor: Actor, departure_id: int) -> Departure:
    found = _lock(conn, actor, departure_id)
    if found.state != "waiting":
        raise _already_decided(found)
    return found


def _lock(conn: Connection, actor: Actor, departure_id: int) -> Departure:
    found = store.lock_departure(conn, departure_id)
    if not found or not actor.scope.covers(found.institution_id):
        raise NotFound("There are no leavers with this number.", "unknown_leavers")
    return found


def _already_decided(found: Departure) -> Conflict:
    return Conflict(f"This {STATE_MESSAGES[found.state]}. Nothing was changed.", found.state)


def _subject(found: Departure) -> str:
    return f"leavers:{found.id}"


def _details(found: Departure) -> dict[str, Any]:
    return {"institution": found.institution_id, "run": found.run_id}
