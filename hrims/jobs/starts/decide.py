"""What a person decides about the queue and about what waits in it; each with its audit record."""

from hrims.access.audit import Actor, record
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput
from hrims.jobs.starts import store
from hrims.jobs.starts.priorities import PRIORITIES, check_priority

MOST_STARTS = 10_000

LONGEST_WHY = 500
"""Letters of a reason."""


def pause(conn: Connection, actor: Actor, why: object) -> None:
    """Keeps runs from starting; those under way go on. Raises InvalidInput without a reason, Conflict when
    the queue is paused.
    """
    words = " ".join(why.split()) if isinstance(why, str) else ""
    if not words.isprintable() or not 1 <= len(words) <= LONGEST_WHY:
        raise InvalidInput(
            f"Say why, in 1 to {LONGEST_WHY} letters: everybody who waits will read it. Nothing was paused.",
            "no_reason",
        )
    with conn.transaction():
        if not store.pause(conn, actor.name, words):
            raise Conflict("The queue is paused already. Nothing was changed.", "paused")
        record(conn, actor, "queue.pause", "queue", why=words)


def go_on(conn: Connection, actor: Actor) -> None:
    """Lets runs start again. Raises Conflict when the queue is not paused."""
    with conn.transaction():
        if not store.go_on(conn):
            raise Conflict("The queue is not paused. Nothing was changed.", "not_paused")
        record(conn, actor, "queue.resume", "queue")


def limit(conn: Connection, actor: Actor, starts_per_minute: object) -> None:
    """So many runs may start in a minute from now on; None leaves it to HRIMS_STARTS_PER_MINUTE again.

    Raises InvalidInput.
    """
    number = starts_per_minute
    if number is not None and (
        not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= MOST_STARTS
    ):
        raise InvalidInput(
            f"startsPerMinute must be a whole number from 1 to {MOST_STARTS:,}. Nothing was changed.",
            "bad_limit",
        )
    with conn.transaction():
        before = store.limit(conn, number)
        record(conn, actor, "queue.limit", "queue", before=before, starts_per_minute=number)


def prioritise(conn: Connection, actor: Actor, run_id: int, priority: object) -> None:
    """Makes a run that waits ``urgent``, ``normal`` or ``low``: it starts before, or after, the others.

    Raises InvalidInput for another word, Conflict when the run does not wait.
    """
    wanted = check_priority(priority)
    with conn.transaction():
        before = store.prioritise(conn, run_id, wanted, PRIORITIES[wanted])
        if before is None:
            raise Conflict("Only a run that waits can be made more or less urgent.", "not_waiting")
        record(conn, actor, "run.priority", f"run:{run_id}", before=before, priority=wanted)
