"""Asking for a run: an institution and its identifier come in; a queued run goes out, or the one
that is under way. Run, progress, audit record and queue job share one transaction, or none is.
"""

from typing import NamedTuple

from hrims.access.audit import Actor, record
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotAcceptable, NotFound
from hrims.jobs import queue, store
from hrims.jobs.attempts.patience import USUAL, Patience
from hrims.jobs.starts import store as starts
from hrims.jobs.starts.priorities import NORMAL, PRIORITIES, below, check_priority
from hrims.register import store as register

PAGE_SIZE = 100
"""Records a page unless the one who asks says otherwise: what HRIMS bears well."""

MOST_A_PAGE = 500

BETWEEN_TWO_RUNS = 10
"""Times that asking looks again when the run in its way ends just then."""

IDENTIFIERS = {"votecode": "vote code", "tin": "TIN"}


class Asked(NamedTuple):
    """The run that answers the wish; ``deduplicated`` when it was under way already."""

    run_id: int
    institution: str
    deduplicated: bool


def ask(
    conn: Connection,
    actor: Actor,
    *,
    institution_id: int,
    identifier_type: str,
    identifier: str,
    page_size: int = PAGE_SIZE,
    priority: str = NORMAL,
    kind: str = "sync",
    of_run_id: int | None = None,
    patience: Patience = USUAL,
) -> Asked:
    """Queues a run for an institution in one transaction of its own. ``kind`` and ``of_run_id`` are those
    of the table ``runs``; what a preview or its like needs besides is checked by its own room.

    Raises InvalidInput, NotFound or NotAcceptable before anything is written, Conflict when a run of
    another kind is under way.
    """
    check_page_size(page_size)
    check_identifier_type(identifier_type)
    check_priority(priority)
    with conn.transaction():
        institution = find_institution(conn, institution_id)
        _check_is_its_own(institution, identifier_type, identifier)
        for _ in range(BETWEEN_TWO_RUNS):
            # Looked up first only so that a second click uses up no number; the index decides.
            if there := store.under_way(conn, institution_id):
                asked = _the_first_ones(there, institution, kind)
                _join(conn, actor, asked.run_id, priority)
                return asked
            run_id = store.insert_run(
                conn,
                {
                    "kind": kind,
                    "of_run_id": of_run_id,
                    "institution_id": institution_id,
                    "identifier_type": identifier_type,
                    "identifier": identifier,
                    "page_size": page_size,
                    "priority": priority,
                    "requested_by": actor.name,
                    "requested_via": actor.via,
                    **patience._asdict(),
                },
            )
            if run_id:
                queue_run(conn, run_id)
                record(
                    conn,
                    actor,
                    "run.ask",
                    f"run:{run_id}",
                    kind=kind,
                    institution=institution_id,
                    identifier_type=identifier_type,
                    page_size=page_size,
                    priority=priority,
                    **{name: value for name, value in patience._asdict().items() if value is not None},
                )
                return Asked(run_id, institution.name, deduplicated=False)
    raise Conflict("Other runs of this institution begin and end just now. Ask again.", "busy")


def _the_first_ones(there: tuple[int, str], institution: register.Institution, kind: str) -> Asked:
    # A preview that is being applied answers for itself (previews.decide), and for no other preview.
    if there[1] != kind or kind == "apply":
        raise Conflict(
            f"{institution.name} has another run under way, number {there[0]}. Nothing was queued.",
            "under_way",
        )
    return Asked(there[0], institution.name, deduplicated=True)


def _join(conn: Connection, actor: Actor, run_id: int, priority: str) -> None:
    # Who asks now means now, also when a schedule had asked for the small hours, and as urgently as they say.
    if starts.start_now(conn, run_id):
        record(conn, actor, "run.start_now", f"run:{run_id}")
    if before := starts.prioritise(conn, run_id, priority, PRIORITIES[priority], below(priority)):
        record(conn, actor, "run.priority", f"run:{run_id}", before=before, priority=priority)


def queue_run(conn: Connection, run_id: int) -> None:
    """Queues a job for the run, on this connection, inside the caller's transaction; ``queue.queue_run`` is
    the worker's.
    """
    job = queue.job_of(run_id, starts.turn(conn, run_id), conn)
    store.link_job(conn, run_id, job.defer(run_id=run_id))


def find_institution(conn: Connection, institution_id: int) -> register.Institution:
    """The institution with this id. Raises NotFound."""
    found = register.institution(conn, institution_id)
    if not found:
        raise NotFound(
            "There is no institution with this id on the register. Nothing was queued.",
            "unknown_institution",
        )
    return found


def check_page_size(page_size: object) -> None:
    """Raises InvalidInput unless it is a whole number from 1 to 500."""
    whole = isinstance(page_size, int) and not isinstance(page_size, bool)
    if not whole or not 1 <= page_size <= MOST_A_PAGE:  # type: ignore[operator] # a whole number here
        raise InvalidInput(
            f"pageSize must be a whole number from 1 to {MOST_A_PAGE}. Nothing was queued.",
            "bad_page_size",
        )


def check_identifier_type(identifier_type: object) -> None:
    """Raises InvalidInput unless it is ``votecode`` or ``tin``."""
    if not isinstance(identifier_type, str) or identifier_type not in IDENTIFIERS:
        raise InvalidInput(
            'identifierType must be "votecode" or "tin". Nothing was queued.',
            "bad_identifier_type",
        )


def _check_is_its_own(institution: register.Institution, identifier_type: str, identifier: str) -> None:
    own = institution.identifier(identifier_type)
    word = IDENTIFIERS[identifier_type]
    if own is None:
        raise NotAcceptable(
            f"{institution.name} has no {word} on the register. Nothing was queued.",
            "no_identifier",
        )
    if own != identifier:
        raise NotAcceptable(
            f"This {word} is not that of {institution.name}. Nothing was queued.",
            "not_its_identifier",
        )
