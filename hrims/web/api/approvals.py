"""The API of approvals. Input: decisions. Output: what waits for a second user, and what was decided."""

from collections.abc import Callable

from hrims.access.actor import Actor
from hrims.approvals import actions, messages
from hrims.approvals.store import Approval
from hrims.db import Connection
from hrims.web.api.enumerations import ApprovalAction, ApprovalState
from hrims.web.core import requests
from hrims.web.core.app_state import pool
from hrims.web.core.guard import actor
from hrims.web.core.responses import ResponseBody, SuccessBody, Timestamp
from hrims.web.core.serializers import time, timestamp
from hrims.web.core.sign_in_checks import check_recent_sign_in_for_approval


class ApprovalBody(ResponseBody):
    """A request that needs a second user. ``subject`` is the id of what it is about."""

    id: int
    action: ApprovalAction
    subject: str
    message: str
    state: ApprovalState
    requested_by: str
    requested_at: Timestamp
    decided_by: str | None
    decided_at: Timestamp | None
    can_approve: bool


class Approvals(SuccessBody):
    """The requests that wait, and those recently decided."""

    waiting: list[ApprovalBody]
    recent: list[ApprovalBody]


class Decided(SuccessBody):
    """A request that was decided."""

    message: str
    id: int


def index() -> Approvals:
    """Return the requests that wait for a second user, and those recently decided."""
    with pool().connection() as conn:
        return Approvals(
            [_serialize(approval) for approval in actions.list_waiting(conn, actor())],
            [_serialize(approval) for approval in actions.list_recent(conn, actor())],
        )


def approve(approval_id: str) -> Decided:
    """Approve a request of another user. It is carried out in the same transaction."""
    check_recent_sign_in_for_approval(approval_id)
    with pool().connection() as conn:
        found = actions.approve(conn, actor(), requests.id_of(approval_id))
    return Decided(f"Approved: {messages.describe(found)}.", found.id)


def refuse(approval_id: str) -> Decided:
    """Refuse a request of another user."""
    check_recent_sign_in_for_approval(approval_id)
    return _end(approval_id, actions.refuse)


def withdraw(approval_id: str) -> Decided:
    """Withdraw an own request."""
    return _end(approval_id, actions.withdraw)


def _end(approval_id: str, decision: Callable[[Connection, Actor, int], Approval]) -> Decided:
    with pool().connection() as conn:
        found = decision(conn, actor(), requests.id_of(approval_id))
    return Decided(f"Not carried out: {messages.describe(found)}.", found.id)


def _serialize(approval: Approval) -> ApprovalBody:
    return ApprovalBody(
        id=approval.id,
        action=approval.action,
        subject=approval.subject,
        message=messages.describe(approval),
        state=approval.state,
        requested_by=approval.requested_by,
        requested_at=timestamp(approval.requested_at),
        decided_by=approval.decided_by,
        decided_at=time(approval.decided_at),
        can_approve=actions.may_decide(actor(), approval),
    )
