"""The API of batches. Input: a request for many runs. Output: the progress of a batch and of its members."""

from http import HTTPStatus
from typing import Any

from flask import url_for

from hrims.approvals import actions as approvals
from hrims.batches import actions, store
from hrims.batches.progress import STATES, Member, Total
from hrims.batches.store import Batch
from hrims.db import Connection, use_snapshot
from hrims.numbers import whole
from hrims.queries import ListQuery
from hrims.web.core import serializers
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import BatchRequest
from hrims.web.core.guard import actor, scope
from hrims.web.core.paging import Filter
from hrims.web.core.queries import BatchQuery

ROWS = 100
"""Institutions of a batch in one response."""

BATCHES = 20
"""Batches in one response."""

FIRST_PAGE = BatchQuery()


def index(query: ListQuery) -> dict[str, Any]:
    """Return the latest batches, by ``page``."""
    filter_ = Filter("api.batches.index", BATCHES, query.page)
    with pool().connection() as conn:
        use_snapshot(conn)
        found = store.list_recent(conn, scope(), filter_.limit, filter_.offset)
        batches = [
            _serialize(batch, store.find_total(conn, scope(), batch.id)) for batch in filter_.take(found)
        ]
    return {"success": True, "batches": batches, "next": filter_.next_link}


def create(body: BatchRequest) -> serializers.JsonResponse:
    """Enqueue a run for each institution.

    ``institutions`` is ``all``, ``failed`` (those whose last run failed) or a list of ids.
    """
    with pool().connection() as conn:
        result = actions.enqueue_batch(conn, actor(), **body.parameters)
        return _batch_response(conn, result.batch_id), HTTPStatus.ACCEPTED


def show(batch_id: str, query: BatchQuery) -> dict[str, Any]:
    """Return the progress of a batch, and its institutions by ``kind`` (a state) and ``page``."""
    with pool().connection() as conn:
        return _batch_response(conn, whole(batch_id), query)


def retry(batch_id: str) -> dict[str, Any]:
    """Retry the failed runs from their checkpoints."""
    with pool().connection() as conn:
        actions.retry_batch(conn, actor(), whole(batch_id))
        return _batch_response(conn, whole(batch_id))


def cancel(batch_id: str) -> serializers.JsonResponse:
    """Cancel the unfinished runs that the batch requested.

    Return 202 with ``approvalId`` if another user requested the batch, so that a second user must approve.
    """
    with pool().connection() as conn:
        result = approvals.cancel_batch(conn, actor(), whole(batch_id))
        return serializers.done_or_waits(result.approval_id, _batch_response(conn, whole(batch_id)))


def _batch_response(conn: Connection, batch_id: int, query: BatchQuery = FIRST_PAGE) -> dict[str, Any]:
    filter_ = Filter("api.batches.show", ROWS, query.page, query.kind, {"batch_id": batch_id})
    batch = actions.find_batch(conn, scope(), batch_id)
    members = store.list_members(conn, scope(), batch.id, query.state, filter_.limit, filter_.offset)
    return {
        "success": True,
        **_serialize(batch, store.find_total(conn, scope(), batch.id)),
        "members": [_serialize_member(member) for member in filter_.take(members)],
        "next": filter_.next_link,
    }


def _serialize(batch: Batch, total: Total) -> dict[str, Any]:
    return {
        "batchId": str(batch.id),
        "institutions": batch.scope,
        "identifierType": batch.identifier_type,
        "pageSize": batch.page_size,
        "priority": batch.priority,
        "requestedBy": batch.requested_by,
        "requestedAt": serializers.time(batch.requested_at),
        "message": total.message,
        "progressPercent": total.percent,
        "doneAt": serializers.time(total.done_at),
        "ended": total.ended,
        "counts": {
            "institutions": total.institutions,
            "joined": total.joined,
            "people": int(total.people),
            **{state: getattr(total, state) for state in STATES},
        },
        "statusUrl": url_for("api.batches.show", batch_id=batch.id),
    }


def _serialize_member(member: Member) -> dict[str, Any]:
    return {
        "institutionId": member.institution_id,
        "institutionName": member.institution,
        "jobId": None if member.run_id is None else str(member.run_id),
        "joined": member.joined,
        "state": member.status,
        "why": member.detail if member.skipped else member.trouble,
        "employeeCount": member.people,
        "total": member.remote_total,
        "lastCompleted": serializers.last_completed(member),
    }
