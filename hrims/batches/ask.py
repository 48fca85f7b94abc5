"""What a person does with batches: asks for many runs at once, tries the failed again, cancels all; each with
its audit record, in one transaction.
"""

from typing import Any, NamedTuple

import psycopg

from hrims.access.audit import Actor, record
from hrims.batches import store
from hrims.batches.store import Batch, Quiet
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotAcceptable, NotFound
from hrims.jobs.ask import PAGE_SIZE, check_identifier_type, check_page_size
from hrims.jobs.starts.priorities import NORMAL, check_priority
from hrims.numbers import LARGEST

WISHES = ("all", "failed", "selection")

MOST_SELECTED = 10_000

QUIET = Quiet()
"""No hours are quiet."""


class Asked(NamedTuple):
    """A batch and how many runs it asked for."""

    batch_id: int
    runs: int


def ask(
    conn: Connection,
    actor: Actor,
    wish: str,
    *,
    institutions: object = None,
    identifier_type: object = None,
    page_size: object = PAGE_SIZE,
    priority: object = NORMAL,
    spread: int = 0,
    quiet: Quiet = QUIET,
) -> Asked:
    """Asks for a run of every institution that the wish means: ``all``, those whose last run ``failed``, or a
    ``selection``. Who has one under way keeps it; who has no number is written down as skipped.

    Raises InvalidInput, NotFound for a selection with an unknown institution, NotAcceptable when nobody is
    meant.
    """
    chosen = check(wish, institutions, identifier_type, page_size, priority)
    by = {"requested_by": actor.name, "requested_via": actor.via}
    run = {"page_size": page_size, "priority": priority, **by}
    with conn.transaction():
        check_known(conn, chosen)
        these = store.meant(conn, wish, _text(identifier_type), chosen)
        _check_meant(wish, these)
        batch_id = store.add(conn, {**run, "wish": wish, "identifier_type": identifier_type})
        runs = store.ask(conn, batch_id, these, run, spread, quiet)
        record(
            conn,
            actor,
            "batch.ask",
            f"batch:{batch_id}",
            wish=wish,
            institutions=len(these),
            runs=runs,
            page_size=page_size,
            priority=priority,
        )
    return Asked(batch_id, runs)


def retry(conn: Connection, actor: Actor, batch_id: int) -> int:
    """Tries the failed runs of a batch again, from their checkpoints; returns how many.

    Raises NotFound; Conflict when none failed, or one gets another run just then.
    """
    find(conn, batch_id)
    try:
        with conn.transaction():
            runs = store.reopen(conn, batch_id)
            if not runs:
                raise Conflict("No run of this batch failed. Nothing was changed.", "none_failed")
            record(conn, actor, "batch.retry", f"batch:{batch_id}", runs=runs)
    except psycopg.errors.UniqueViolation:
        raise Conflict("An institution got another run just then. Try again.", "busy") from None
    return runs


def cancel(conn: Connection, actor: Actor, batch_id: int) -> int:
    """Cancels every run that the batch asked for and that is under way; returns how many. What they saved
    stays.

    Raises NotFound, or Conflict when none is under way.
    """
    find(conn, batch_id)
    with conn.transaction():
        runs = store.cancel(conn, batch_id)
        if not runs:
            raise Conflict("No run of this batch is under way. Nothing was changed.", "ended")
        record(conn, actor, "batch.cancel", f"batch:{batch_id}", runs=runs)
    return runs


def find(conn: Connection, batch_id: int) -> Batch:
    """The batch with this number. Raises NotFound."""
    found = store.read(conn, batch_id) if 0 < batch_id <= LARGEST else None
    if not found:
        raise NotFound("There is no batch with this number.", "unknown_batch")
    return found


def check(
    wish: object, institutions: object, identifier_type: object, page_size: object, priority: object
) -> list[int]:
    """The institutions that were selected, each once, none unless the wish is a selection. Raises
    InvalidInput.
    """
    if wish not in WISHES:
        raise InvalidInput(
            'institutions must be "all", "failed" or a list of ids. Nothing was queued.', "bad_institutions"
        )
    if identifier_type is not None:
        check_identifier_type(identifier_type)
    check_page_size(page_size)
    check_priority(priority)
    if wish != "selection":
        return []
    return sorted({*_ids(institutions)})


def _ids(given: object) -> list[int]:
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_SELECTED or not all(map(_is_id, given)):
        raise InvalidInput(
            f"Select 1 to {MOST_SELECTED:,} institutions, by their ids. Nothing was queued.",
            "bad_institutions",
        )
    return given


def _is_id(given: object) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and 0 < given <= LARGEST


def _text(given: Any) -> str | None:
    return given if isinstance(given, str) else None


def known(conn: Connection, institutions: list[int]) -> list[int]:
    """Those of them that are on the register."""
    return [one.institution_id for one in store.meant(conn, "selection", None, institutions)]


def check_known(conn: Connection, institutions: list[int]) -> None:
    """Raises NotFound for a selection with an institution that the register does not know."""
    if unknown := sorted({*institutions} - {*known(conn, institutions)}):
        raise NotFound(
            f"There is no institution {unknown[0]} on the register. Nothing was queued.",
            "unknown_institution",
        )


def _check_meant(wish: str, these: list[store.Meant]) -> None:
    if not these:
        why = "No institution's last run failed" if wish == "failed" else "The register is empty"
        raise NotAcceptable(f"{why}, so there is nothing to ask for. Nothing was queued.", "nobody_meant")
