"""Enqueueing and deduplication of runs.

Input: an institution and its identifier. Output: a new run, or the unfinished one.

Run, progress, audit record and queue job are written in one transaction.
"""

from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta

from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.access.scope import Scope
from hrims.db import Connection
from hrims.errors import Conflict, NotFound, TooMany, Unprocessable
from hrims.institutions import store as institution_store
from hrims.jobs import queue, store
from hrims.jobs.attempts.retry_policy import DEFAULT_POLICY, RetryPolicy
from hrims.jobs.rate_limit import store as rate_limit
from hrims.jobs.rate_limit.priorities import NORMAL, PRIORITIES, lower_priorities

PAGE_SIZE = 100
"""The default number of records per page. HRIMS serves pages of this size well."""

MAX_PAGE_SIZE = 500

PageSize = Annotated[int, Meta(ge=1, le=MAX_PAGE_SIZE)]

MAX_ENQUEUE_ATTEMPTS = 10
"""How often enqueueing is attempted while the run in its way ends between lookup and insert."""

MAX_QUEUED = 100
"""Limit of the unfinished runs that one user has requested or retried one by one. The runs of batches do not
count."""

IdentifierType = Literal["votecode", "tin"]

IDENTIFIERS: dict[str, str] = {"votecode": "vote code", "tin": "TIN"}


class EnqueueResult(NamedTuple):
    """The run that answers the request. It is ``deduplicated`` if it existed already."""

    run_id: int
    institution: str
    deduplicated: bool


def enqueue_run(
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
    retry_policy: RetryPolicy = DEFAULT_POLICY,
) -> EnqueueResult:
    """Enqueue a run for an institution in a separate transaction.

    ``kind`` and ``of_run_id`` are columns of the table ``runs``. The packages of other kinds of runs, like
    ``previews``, check what those need in addition.

    Raises NotFound or Unprocessable before anything is written, Conflict if the institution has an unfinished
    run of another kind.
    """
    with conn.transaction():
        institution = find_institution(conn, institution_id, actor.scope)
        _check_identifier(institution, identifier_type, identifier)
        for _ in range(MAX_ENQUEUE_ATTEMPTS):
            # The unique index decides. Look up first only so that a second click uses up no run id.
            if unfinished := store.find_unfinished(conn, institution_id):
                result = _deduplicated(unfinished, institution, kind)
                _join(conn, actor, result.run_id, priority)
                return result
            check_queue_limit(conn, actor)
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
                    **requester_of(actor),
                    **retry_policy._asdict(),
                },
            )
            if run_id:
                enqueue_job(conn, run_id)
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
                    **{name: value for name, value in retry_policy._asdict().items() if value is not None},
                )
                return EnqueueResult(run_id, institution.name, deduplicated=False)
    raise Conflict("Other runs of this institution start and end at the moment. Request it again.", "busy")


def _deduplicated(
    unfinished: tuple[int, str], institution: institution_store.Institution, kind: str
) -> EnqueueResult:
    # Requests to apply the same preview are deduplicated in ``previews``. Another preview is a conflict.
    if unfinished[1] != kind or kind == "apply":
        raise Conflict(
            f"{institution.name} has another run under way, number {unfinished[0]}. Nothing was queued.",
            "under_way",
        )
    return EnqueueResult(unfinished[0], institution.name, deduplicated=True)


def _join(conn: Connection, actor: Actor, run_id: int, priority: str) -> None:
    # The new request starts the run now, even if a schedule delayed it, and raises its priority if requested.
    store.add_requester(conn, run_id, actor.user_id)
    if rate_limit.start_now(conn, run_id):
        record(conn, actor, "run.start_now", f"run:{run_id}")
    if before := rate_limit.set_priority(
        conn, run_id, priority, PRIORITIES[priority], lower_priorities(priority)
    ):
        record(conn, actor, "run.priority", f"run:{run_id}", before=before, after=priority)


def enqueue_job(conn: Connection, run_id: int) -> None:
    """Enqueue a job for the run inside the caller's transaction. The worker uses
    ``queue.queue_run`` instead.
    """
    params = rate_limit.find_queue_params(conn, run_id)
    job = queue.make_job(run_id, params, conn)
    store.link_job(conn, run_id, job.defer(**queue.arguments(run_id, params)))


def check_queue_limit(conn: Connection, actor: Actor) -> None:
    """Raise TooMany if the user has too many unfinished runs that were requested or retried one by one.

    It locks the user, so that two requests at the same time cannot both be the last allowed one.
    """
    if actor.user_id is not None and store.count_queued(conn, actor.user_id) >= MAX_QUEUED:
        raise TooMany(
            f"You have {MAX_QUEUED} unfinished runs already. Nothing was queued. Wait until some have ended, "
            "or request many institutions as one batch.",
            "too_many_queued",
        )


def requester_of(actor: Actor) -> dict[str, Any]:
    """Return the columns of a run or batch that say who requested it."""
    return {
        "requested_by": actor.name,
        "requested_via": actor.via,
        "requester_id": actor.user_id,
        "requester_token_id": actor.token_id,
        "request_id": actor.request_id,
    }


def find_institution(conn: Connection, institution_id: int, scope: Scope) -> institution_store.Institution:
    """Return the institution with this id in the scope. Raises NotFound."""
    found = institution_store.find_institution(conn, institution_id, scope)
    if not found:
        raise NotFound(
            "There is no institution with this id on the register. Nothing was queued.",
            "unknown_institution",
        )
    return found


def _check_identifier(
    institution: institution_store.Institution, identifier_type: str, identifier: str
) -> None:
    registered = institution.identifier(identifier_type)
    noun = IDENTIFIERS[identifier_type]
    if registered is None:
        raise Unprocessable(
            f"{institution.name} has no {noun} on the register. Nothing was queued.",
            "no_identifier",
        )
    if registered != identifier:
        raise Unprocessable(
            f"This {noun} is not that of {institution.name}. Nothing was queued.",
            "not_its_identifier",
        )
