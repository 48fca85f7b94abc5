"""The actions of users on batches: enqueue many runs, retry the failed ones, cancel all.

Each action writes its audit record in the same transaction.
"""

from collections.abc import Iterable
from typing import Annotated, Final, Literal, NamedTuple

import psycopg
from msgspec import Meta

from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.access.scope import Scope
from hrims.batches import store
from hrims.batches.store import Batch, Quiet
from hrims.db import Connection
from hrims.errors import Conflict, NotFound, Unprocessable
from hrims.jobs.enqueue import PAGE_SIZE, requester_of
from hrims.jobs.rate_limit.priorities import NORMAL
from hrims.numbers import LARGEST
from hrims.validation import UNCHANGED

MAX_SELECTED: Final = 10_000

BAD_INSTITUTIONS: Final = {
    "message": f"Select 1 to {MAX_SELECTED:,} institutions by their ids, or give “all” or “failed”.",
    "code": "bad_institutions",
}

Institutions = (
    Literal["all", "failed"]
    | Annotated[
        list[Annotated[int, Meta(ge=1, le=LARGEST)]],
        Meta(min_length=1, max_length=MAX_SELECTED, extra=BAD_INSTITUTIONS),
    ]
)

QUIET = Quiet()
"""No quiet hours."""


def split_institutions(institutions: Institutions) -> tuple[str, list[int]]:
    """Return the scope (``all``, ``failed`` or ``selection``) and the ids of a selection."""
    return (institutions, []) if isinstance(institutions, str) else ("selection", institutions)


class BatchResult(NamedTuple):
    """The id of a batch and the number of runs that it requested."""

    batch_id: int
    runs: int


def enqueue_batch(
    conn: Connection,
    actor: Actor,
    scope: str,
    *,
    institutions: Iterable[int] = (),
    identifier_type: str | None = None,
    page_size: int = PAGE_SIZE,
    priority: str = NORMAL,
    spread: int = 0,
    quiet: Quiet = QUIET,
) -> BatchResult:
    """Enqueue a run for every institution that ``scope`` selects.

    ``scope`` is ``all``, ``failed`` (those whose last run failed) or ``selection`` (``institutions``). An
    institution with an unfinished run keeps that run. An institution without an identifier is recorded as
    skipped.

    Raises NotFound if the selection has an unknown institution; Unprocessable if no institution is selected.
    """
    institution_ids = sorted({*institutions})
    run = {"page_size": page_size, "priority": priority, **requester_of(actor)}
    with conn.transaction():
        check_known(conn, actor.scope, institution_ids)
        selected = store.find_selected(conn, actor.scope, scope, identifier_type, institution_ids)
        _check_not_empty(actor, scope, selected)
        batch_id = store.insert_batch(conn, {**run, "scope": scope, "identifier_type": identifier_type})
        runs = store.enqueue_members(conn, batch_id, selected, run, spread, quiet)
        record(
            conn,
            actor,
            "batch.ask",
            f"batch:{batch_id}",
            scope=scope,
            institutions=len(selected),
            runs=runs,
            page_size=page_size,
            priority=priority,
        )
    return BatchResult(batch_id, runs)


def retry_batch(conn: Connection, actor: Actor, batch_id: int) -> int:
    """Retry the failed runs of a batch from their checkpoints. Return how many.

    Raises NotFound. Raises Conflict if no run failed, or if an institution gets another run at the same time.
    """
    find_batch(conn, actor.scope, batch_id)
    try:
        with conn.transaction():
            runs = store.reopen(conn, actor.scope, batch_id, requester_of(actor))
            if not runs:
                raise Conflict("No run of this batch failed. Nothing was changed.", "none_failed")
            record(conn, actor, "batch.retry", f"batch:{batch_id}", runs=runs)
    except psycopg.errors.UniqueViolation:
        raise Conflict("An institution got another run just then. Try again.", "busy") from None
    return runs


def is_own(conn: Connection, actor: Actor, batch_id: int) -> bool:
    """Return whether the user of the actor requested the batch. Raises NotFound."""
    batch = find_batch(conn, actor.scope, batch_id)
    return batch.requester_id is None or batch.requester_id == actor.user_id


def find_unfinished_institutions(conn: Connection, actor: Actor, batch_id: int) -> list[int]:
    """Return the institutions in the scope with an unfinished run of the batch.

    Raises Conflict if none has one.
    """
    if institutions := store.list_unfinished_institutions(conn, actor.scope, batch_id):
        return institutions
    raise _ended()


def cancel_batch(conn: Connection, actor: Actor, batch_id: int, *, is_approved: bool = False) -> int:
    """Cancel every unfinished run that the batch requested. Return how many. What they saved stays.

    The runs of another user are cancelled only if a second user approved it: ``is_approved``. Raises
    NotFound; Conflict if no run is unfinished.
    """
    with conn.transaction():
        if not is_own(conn, actor, batch_id) and not is_approved:
            raise Conflict("Another user must approve this first. Nothing was changed.", "needs_approval")
        runs = store.cancel(conn, actor.scope, batch_id)
        if not runs:
            raise _ended()
        record(conn, actor, "batch.cancel", f"batch:{batch_id}", runs=runs)
    return runs


def _ended() -> Conflict:
    return Conflict("No run of this batch is under way. Nothing was changed.", "ended")


def find_batch(conn: Connection, scope: Scope, batch_id: int) -> Batch:
    """Return the batch with this id in the scope. Raises NotFound."""
    found = store.find_batch(conn, scope, batch_id) if 0 < batch_id <= LARGEST else None
    if not found:
        raise NotFound("There is no batch with this number.", "unknown_batch")
    return found


def find_known(conn: Connection, scope: Scope, institutions: list[int]) -> list[int]:
    """Return those of the institutions that the scope has on the register."""
    return [
        institution.institution_id
        for institution in store.find_selected(conn, scope, "selection", None, institutions)
    ]


def check_known(conn: Connection, scope: Scope, institutions: list[int]) -> None:
    """Raise NotFound if the scope does not have one of the institutions on the register."""
    if unknown := sorted({*institutions} - {*find_known(conn, scope, institutions)}):
        raise NotFound(
            f"There is no institution {unknown[0]} on the register. {UNCHANGED}",
            "unknown_institution",
        )


def _check_not_empty(actor: Actor, scope: str, selected: list[store.SelectedInstitution]) -> None:
    if not selected:
        raise Unprocessable(f"{_describe_none(actor, scope)}. Nothing was queued.", "none_selected")


def _describe_none(actor: Actor, scope: str) -> str:
    if actor.scope.institutions == ():
        return "None of the institutions on the register is one of this user, or of the token"
    return "No institution's last run failed" if scope == "failed" else "The register is empty"
