"""A person decides on people whose list ended: approves, refuses or undoes; each with its audit record."""

from hrims.access.audit import Actor, record
from hrims.db import Connection
from hrims.errors import Conflict, NotAllowed, NotFound
from hrims.leavers import store
from hrims.leavers.store import Departure, Done

ENDINGS = {
    "applied": "was done at once and waits for nobody",
    "approved": "was approved already",
    "refused": "was refused already",
    "undone": "was undone already",
    "superseded": "was overtaken by a later run; look at the list again",
    "waiting": "was not approved yet",
}


def approve(conn: Connection, actor: Actor, departure_id: int) -> Done:
    """Makes leavers of those whom the list has missed ever since; whoever came back meanwhile stays.

    Raises NotFound; NotAllowed for the one who asked for the run; Conflict when it waits no more.
    """
    with conn.transaction():
        found = _waiting(conn, departure_id)
        if found.asked_by == actor.name:
            # The database refuses it too: this only says why.
            raise NotAllowed(
                "You asked for the run from which this follows, so somebody else must approve it. "
                "Nothing was changed.",
                "second_person",
            )
        store.decide(conn, found, "approved", actor.name)
        done = store.carry_out(conn, found, actor.name)
        record(conn, actor, "leavers.approve", _subject(found), **_details(found), **done._asdict())
        return done


def refuse(conn: Connection, actor: Actor, departure_id: int) -> None:
    """Changes nobody; the list counts anew. Raises NotFound, or Conflict when it waits no more."""
    with conn.transaction():
        found = _waiting(conn, departure_id)
        store.decide(conn, found, "refused", actor.name)
        store.forget_misses(conn, found)
        record(conn, actor, "leavers.refuse", _subject(found), **_details(found))


def undo(conn: Connection, actor: Actor, departure_id: int) -> int:
    """Takes back what was done, as far as it still stands; returns for how many people.

    Raises NotFound, or Conflict when nothing was done that could be undone.
    """
    with conn.transaction():
        found = _held(conn, departure_id)
        if found.state not in {"applied", "approved"}:
            raise _too_late(found)
        back = store.undo(conn, found, actor.name)
        record(conn, actor, "leavers.undo", _subject(found), **_details(found), people=back)
        return back


def _waiting(conn: Connection, departure_id: int) -> Departure:
    found = _held(conn, departure_id)
    if found.state != "waiting":
        raise _too_late(found)
    return found


def _held(conn: Connection, departure_id: int) -> Departure:
    found = store.hold(conn, departure_id)
    if not found:
        raise NotFound("There are no leavers with this number.", "unknown_leavers")
    return found


def _too_late(found: Departure) -> Conflict:
    return Conflict(f"This {ENDINGS[found.state]}. Nothing was changed.", found.state)


def _subject(found: Departure) -> str:
    return f"leavers:{found.id}"


def _details(found: Departure) -> dict[str, int]:
    return {"institution": found.institution_id, "run": found.run_id}
