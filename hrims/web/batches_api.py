"""Batches for machines: a wish for many runs comes in; how they stand, together and each, goes out."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, request, url_for

from hrims.batches import ask, store
from hrims.batches.standing import STATES, Member, Total
from hrims.batches.store import Batch
from hrims.db import Connection, one_moment
from hrims.errors import InvalidInput
from hrims.jobs.ask import PAGE_SIZE
from hrims.jobs.starts.priorities import NORMAL
from hrims.numbers import whole
from hrims.web import answers
from hrims.web.api import Answer, body
from hrims.web.filters import Filter
from hrims.web.guard import actor
from hrims.web.parts import pool

blueprint = Blueprint("batches_api", __name__, url_prefix="/api/hrims/batches")

FIELDS = frozenset({"institutions", "identifierType", "pageSize", "priority"})
"""What may be said of a batch: whoever says more, like a preview, would get something else."""

ROWS = 100
"""Institutions of a batch that one answer holds."""

BATCHES = 20
"""Batches that one answer holds."""


@blueprint.get("")
def batches() -> dict[str, Any]:
    """The latest batches, by ``page``."""
    filter_ = Filter.read("batches_api.batches", request.args, ("all",), BATCHES)
    with pool().connection() as conn:
        one_moment(conn)
        found = store.recent(conn, filter_.most, filter_.skip)
        shown = [_told(one, store.total(conn, one.id)) for one in found[:BATCHES]]
    return {"success": True, "batches": shown, "next": _next(filter_, len(found))}


@blueprint.post("")
def ask_for() -> Answer:
    """Asks for a run of each institution: ``institutions`` is ``all``, ``failed`` (last time) or a list of
    ids.
    """
    wish = body()
    if unknown := sorted(set(wish) - FIELDS):
        raise InvalidInput(
            f"A batch has no {unknown[0]}; it has {', '.join(sorted(FIELDS))}. Nothing was queued.",
            "unknown_field",
        )
    meant = wish.get("institutions")
    with pool().connection() as conn:
        asked = ask.ask(
            conn,
            actor(),
            "selection" if isinstance(meant, list) else meant if isinstance(meant, str) else "",
            institutions=meant,
            identifier_type=wish.get("identifierType"),
            page_size=wish.get("pageSize", PAGE_SIZE),
            priority=wish.get("priority", NORMAL),
        )
        return _shown(conn, asked.batch_id), HTTPStatus.ACCEPTED


@blueprint.get("/<batch_id>")
def batch(batch_id: str) -> dict[str, Any]:
    """How a batch stands, and its institutions by ``kind`` (a state) and ``page``."""
    with pool().connection() as conn:
        return _shown(conn, whole(batch_id))


@blueprint.post("/<batch_id>/retry")
def retry(batch_id: str) -> dict[str, Any]:
    """Tries the failed runs again, from their checkpoints."""
    with pool().connection() as conn:
        ask.retry(conn, actor(), whole(batch_id))
        return _shown(conn, whole(batch_id))


@blueprint.post("/<batch_id>/cancel")
def cancel(batch_id: str) -> dict[str, Any]:
    """Cancels what the batch asked for and is under way."""
    with pool().connection() as conn:
        ask.cancel(conn, actor(), whole(batch_id))
        return _shown(conn, whole(batch_id))


def _shown(conn: Connection, batch_id: int) -> dict[str, Any]:
    filter_ = Filter.read("batches_api.batch", request.args, ("all", *STATES), ROWS, batch_id=batch_id)
    found = ask.find(conn, batch_id)
    state = None if filter_.kind == "all" else filter_.kind
    members = store.members(conn, found.id, state, filter_.most, filter_.skip)
    return {
        "success": True,
        **_told(found, store.total(conn, found.id)),
        "members": [_member(one) for one in members[:ROWS]],
        "next": _next(filter_, len(members)),
    }


def _next(filter_: Filter, found: int) -> str | None:
    return filter_.of_page(filter_.page + 1) if found > filter_.size else None


def _told(one: Batch, total: Total) -> dict[str, Any]:
    return {
        "batchId": str(one.id),
        "institutions": one.wish,
        "identifierType": one.identifier_type,
        "pageSize": one.page_size,
        "priority": one.priority,
        "requestedBy": one.requested_by,
        "requestedAt": answers.time(one.requested_at),
        "message": total.message,
        "progressPercent": total.percent,
        "doneAt": answers.time(total.done_at),
        "ended": total.ended,
        "counts": {
            "institutions": total.institutions,
            "joined": total.joined,
            "people": int(total.people),
            **{state: getattr(total, state) for state in STATES},
        },
        "statusUrl": url_for("batches_api.batch", batch_id=one.id),
    }


def _member(one: Member) -> dict[str, Any]:
    return {
        "institutionId": one.institution_id,
        "institutionName": one.institution,
        "jobId": None if one.run_id is None else str(one.run_id),
        "joined": one.joined,
        "state": one.stands,
        "why": one.words if one.skipped else one.trouble,
        "employeeCount": one.people,
        "total": one.remote_total,
        "lastCompleted": answers.last_completed(one),
    }
