"""The page of approvals: what waits for a second user, what was decided, and the buttons."""

from collections.abc import Callable
from typing import Any

from flask import render_template

from hrims.access.actor import Actor
from hrims.approvals import actions, messages, store
from hrims.approvals.store import Approval
from hrims.db import Connection, use_snapshot
from hrims.web.core import requests
from hrims.web.core.actions import perform, to
from hrims.web.core.app_state import pool
from hrims.web.core.guard import actor
from hrims.web.core.sign_in_checks import check_recent_sign_in_for_approval


def index() -> str:
    """Show the page."""
    return render_template("approvals/index.html", **_context())


def approve(approval_id: str) -> Any:
    """Handle a button: approve a request, which is carried out at once."""
    check_recent_sign_in_for_approval(approval_id)
    return _decide(approval_id, actions.approve)


def refuse(approval_id: str) -> Any:
    """Handle a button: refuse a request."""
    check_recent_sign_in_for_approval(approval_id)
    return _decide(approval_id, actions.refuse)


def withdraw(approval_id: str) -> Any:
    """Handle a button: withdraw an own request."""
    return _decide(approval_id, actions.withdraw)


def _decide(approval_id: str, decision: Callable[[Connection, Actor, int], Any]) -> Any:
    return perform(
        lambda conn: decision(conn, actor(), requests.id_of(approval_id)), then=to(".index"), page=_page
    )


def _may_read(found: Approval) -> bool:
    return actions.may_decide(actor(), found) or found.requester_id == actor().user_id


def _page(refused: str) -> str:
    return render_template("approvals/index.html", **(_context() | {"refused": refused}))


def _context() -> dict[str, Any]:
    with pool().connection() as conn:
        use_snapshot(conn)
        return {
            "waiting": actions.list_waiting(conn, actor()),
            "recent": actions.list_recent(conn, actor()),
            "describe": messages.describe,
            "explain": lambda found: messages.explain(found) if _may_read(found) else [],
            "may_decide": lambda found: actions.may_decide(actor(), found),
            "days": store.DAYS,
            "way_out": actions.explain_missing_approver(conn, actor()),
            "refused": None,
        }
