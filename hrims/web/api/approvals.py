"""The API of approvals. Input: decisions. Output: what waits for a second user, and what was decided."""

from collections.abc import Callable
from typing import Any

from hrims.access.actor import Actor
from hrims.approvals import actions, messages, store
from hrims.approvals.store import Approval
from hrims.db import Connection
from hrims.web.core import requests
from hrims.web.core.app_state import pool
from hrims.web.core.guard import actor, scope
from hrims.web.core.serializers import time


def index() -> dict[str, Any]:
    """Return the requests that wait for a second user, and those recently decided."""
    with pool().connection() as conn:
        return {
            "success": True,
            "waiting": [_serialize(approval) for approval in store.list_waiting(conn, scope())],
            "recent": [_serialize(approval) for approval in store.list_recent(conn, scope())],
        }


def approve(approval_id: str) -> dict[str, Any]:
    """Approve a request of another user. It is carried out in the same transaction."""
    with pool().connection() as conn:
        found = actions.approve(conn, actor(), requests.id_of(approval_id))
    return {"success": True, "message": f"Approved: {messages.describe(found)}.", "id": found.id}


def refuse(approval_id: str) -> dict[str, Any]:
    """Refuse a request of another user."""
    return _end(approval_id, actions.refuse)


def withdraw(approval_id: str) -> dict[str, Any]:
    """Withdraw an own request."""
    return _end(approval_id, actions.withdraw)


def _end(approval_id: str, decision: Callable[[Connection, Actor, int], Approval]) -> dict[str, Any]:
    with pool().connection() as conn:
        found = decision(conn, actor(), requests.id_of(approval_id))
    return {"success": True, "message": f"Not carried out: {messages.describe(found)}.", "id": found.id}


def _serialize(approval: Approval) -> dict[str, Any]:
    return {
        "id": approval.id,
        "action": approval.action,
        "subject": approval.subject,
        "message": messages.describe(approval),
        "state": approval.state,
        "requestedBy": approval.requested_by,
        "requestedAt": time(approval.requested_at),
        "decidedBy": approval.decided_by,
        "decidedAt": time(approval.decided_at),
        "canApprove": actions.may_decide(actor(), approval),
    }
