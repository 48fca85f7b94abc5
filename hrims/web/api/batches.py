"""The API of batches. Input: a request for many runs. Output: the progress of a batch and of its members."""

from http import HTTPStatus
from typing import Any, Literal, Self

import msgspec
from flask import url_for
from msgspec import UNSET, UnsetType

from hrims.approvals import actions as approvals
from hrims.batches import actions, store
from hrims.batches.progress import Member, Total
from hrims.batches.store import Batch
from hrims.db import Connection, use_snapshot
from hrims.numbers import whole
from hrims.queries import ListQuery
from hrims.web.api.action_bodies import list_approval_fields
from hrims.web.api.enumerations import BatchScope, ListIdentifierType, MemberState, RunPriority
from hrims.web.api.run_bodies import LastCompleted, last_completed
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import BatchRequest
from hrims.web.core.guard import actor, scope
from hrims.web.core.paging import Filter
from hrims.web.core.queries import BatchQuery
from hrims.web.core.responses import (
    Accepted,
    AcceptedOrDone,
    JobId,
    ResponseBody,
    SuccessBody,
    Timestamp,
)
from hrims.web.core.serializers import time, timestamp

ROWS = 100
"""Institutions of a batch in one response."""

BATCHES = 20
"""Batches in one response."""

FIRST_PAGE = BatchQuery()


class BatchCounts(ResponseBody):
    """Counts of the institutions of a batch, by the state of their runs, and of people."""

    institutions: int
    joined: int
    people: int
    waiting: int
    active: int
    complete: int
    incomplete: int
    failed: int
    cancelled: int
    skipped: int


class MemberBody(ResponseBody):
    """An institution of a batch. ``joined`` tells that its run had been requested before."""

    institution_id: int
    institution_name: str
    job_id: JobId | None
    joined: bool
    state: MemberState
    why: str | None
    employee_count: int | None
    total: int | None
    last_completed: LastCompleted | None


class BatchItem(ResponseBody):
    """A batch with its progress."""

    batch_id: str
    institutions: BatchScope
    identifier_type: ListIdentifierType | None
    page_size: int
    priority: RunPriority
    requested_by: str
    requested_at: Timestamp
    message: str
    progress_percent: int
    done_at: Timestamp | None
    ended: bool
    counts: BatchCounts
    status_url: str

    @classmethod
    def of(cls, batch: Batch, total: Total, **more: Any) -> Self:
        """Return a batch, with ``more`` fields of a structure that has them."""
        return cls(
            batch_id=str(batch.id),
            institutions=batch.scope,
            identifier_type=batch.identifier_type,
            page_size=batch.page_size,
            priority=batch.priority,
            requested_by=batch.requested_by,
            requested_at=timestamp(batch.requested_at),
            message=total.message,
            progress_percent=total.percent,
            done_at=time(total.done_at),
            ended=total.ended,
            counts=msgspec.convert(total, BatchCounts, from_attributes=True),
            status_url=url_for("api.batches.show", batch_id=batch.id),
            **more,
        )


class BatchBody(BatchItem, kw_only=True):
    """A batch with its institutions. ``approvalId`` is sent if its cancellation waits for a second user."""

    success: Literal[True] = True
    members: list[MemberBody]
    next: str | None
    approval_id: int | UnsetType = UNSET
    approvals_url: str | UnsetType = UNSET


class Batches(SuccessBody):
    """The latest batches, and the URL of the next ones."""

    batches: list[BatchItem]
    next: str | None


def index(query: ListQuery) -> Batches:
    """Return the latest batches, by ``page``."""
    filter_ = Filter("api.batches.index", BATCHES, query.page)
    with pool().connection() as conn:
        use_snapshot(conn)
        found = store.list_recent(conn, scope(), filter_.limit, filter_.offset)
        batches = [
            BatchItem.of(batch, store.find_total(conn, scope(), batch.id)) for batch in filter_.take(found)
        ]
    return Batches(batches, filter_.next_link)


def create(body: BatchRequest) -> Accepted[BatchBody]:
    """Enqueue a run for each institution.

    ``institutions`` is ``all``, ``failed`` (those whose last run failed) or a list of ids.
    """
    with pool().connection() as conn:
        result = actions.enqueue_batch(conn, actor(), **body.parameters)
        return _batch_response(conn, result.batch_id), HTTPStatus.ACCEPTED


def show(batch_id: str, query: BatchQuery) -> BatchBody:
    """Return the progress of a batch, and its institutions by ``kind`` (a state) and ``page``."""
    with pool().connection() as conn:
        return _batch_response(conn, whole(batch_id), query)


def retry(batch_id: str) -> BatchBody:
    """Retry the failed runs from their checkpoints."""
    with pool().connection() as conn:
        actions.retry_batch(conn, actor(), whole(batch_id))
        return _batch_response(conn, whole(batch_id))


def cancel(batch_id: str) -> AcceptedOrDone[BatchBody]:
    """Cancel the unfinished runs that the batch requested.

    Return 202 with ``approvalId`` if another user requested the batch, so that a second user must approve.
    """
    with pool().connection() as conn:
        result = approvals.cancel_batch(conn, actor(), whole(batch_id))
        body = _batch_response(conn, whole(batch_id), **list_approval_fields(result.approval_id))
        return body, HTTPStatus.ACCEPTED if result.approval_id else HTTPStatus.OK


def _batch_response(
    conn: Connection, batch_id: int, query: BatchQuery = FIRST_PAGE, **more: Any
) -> BatchBody:
    filter_ = Filter("api.batches.show", ROWS, query.page, query.kind, {"batch_id": batch_id})
    batch = actions.find_batch(conn, scope(), batch_id)
    found = store.list_members(conn, scope(), batch.id, query.state, filter_.limit, filter_.offset)
    members = [_serialize_member(member) for member in filter_.take(found)]
    total = store.find_total(conn, scope(), batch.id)
    return BatchBody.of(batch, total, members=members, next=filter_.next_link, **more)


def _serialize_member(member: Member) -> MemberBody:
    return MemberBody(
        institution_id=member.institution_id,
        institution_name=member.institution,
        job_id=None if member.run_id is None else str(member.run_id),
        joined=member.joined,
        state=member.status,
        why=member.detail if member.skipped else member.trouble,
        employee_count=member.people,
        total=member.remote_total,
        last_completed=last_completed(member),
    )
