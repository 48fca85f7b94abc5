"""Requests that need a second user, and decisions about them. Each has its audit record."""

from typing import Any, Literal, NamedTuple

import msgspec

from hrims.access import users
from hrims.access.actor import Actor, system
from hrims.access.audit import record
from hrims.access.permissions import ADMINISTRATOR, Permission
from hrims.approvals import store
from hrims.approvals.rules import ADMINISTRATORS_DECIDE, RULES
from hrims.approvals.store import Approval
from hrims.batches import actions as batches
from hrims.connection import actions as connection
from hrims.connection.actions import ConnectionChange
from hrims.db import Connection
from hrims.errors import Conflict, NotAllowed, NotFound
from hrims.leavers import actions as leavers
from hrims.numbers import LARGEST


class Result(NamedTuple):
    """What was done, or the id of the approval that it waits for."""

    done: Any = None
    approval_id: int | None = None

    @property
    def waits(self) -> bool:
        """Return whether another user must approve it first."""
        return self.approval_id is not None


def undo_leavers(conn: Connection, actor: Actor, departure_id: int) -> Result:
    """Undo a departure, or request it if the departure needed an approval. Raises NotFound, Conflict."""
    with conn.transaction():
        departure = leavers.find_to_undo(conn, actor, departure_id)
        if departure.state != "approved":
            return _done(conn, leavers.undo(conn, actor, departure_id))
        return _request(conn, actor, "leavers.undo", f"leavers:{departure_id}", [departure.institution_id])


def cancel_batch(conn: Connection, actor: Actor, batch_id: int) -> Result:
    """Cancel the unfinished runs of an own batch, or request it for a batch of another user.

    Raises NotFound; Conflict if no run is unfinished.
    """
    with conn.transaction():
        if batches.is_own(conn, actor, batch_id):
            return _done(conn, batches.cancel_batch(conn, actor, batch_id))
        institutions = batches.find_unfinished_institutions(conn, actor, batch_id)
        return _request(conn, actor, "batch.cancel", f"batch:{batch_id}", institutions)


def set_role(
    conn: Connection,
    actor: Actor,
    name: str,
    role: str,
    institutions: list[int] | Literal["all"] | None = None,
) -> Result:
    """Change the role of a user, or request it if the user shall become an administrator.

    Without a second administrator it is done alone. Raises as ``users.set_role``.
    """
    with conn.transaction():
        user = users.get(conn, name)
        if role != ADMINISTRATOR or users.has_no_second_administrator(conn, actor):
            is_alone = role == ADMINISTRATOR
            users.set_role(conn, actor, name, role, is_alone=is_alone, institutions=institutions)
            return _done(conn, role)
        users.check_role(role, None if institutions == "all" else institutions)
        return _request(
            conn, actor, "user.make_administrator", f"user:{user.id}", None, name=user.name, before=user.role
        )


def change_connection(conn: Connection, actor: Actor, change: ConnectionChange) -> Result:
    """Change the connection to HRIMS, or request it if its address or credentials change.

    Without a second administrator it is done alone. Raises Conflict.
    """
    with conn.transaction():
        details = connection.check_change(conn, change)
        if not connection.needs_approval(details) or users.has_no_second_administrator(conn, actor):
            connection.apply_connection_change(conn, actor, change)
            return _done(conn, change)
        stored = {"change": msgspec.to_builtins(change), "effect": details}
        return _request(conn, actor, "connection.change", connection.SUBJECT, None, **stored)


def _done(conn: Connection, done: Any) -> Result:
    end_outdated(conn)
    return Result(done)


def end_outdated(conn: Connection) -> None:
    """End the requests that can no longer be carried out, each with its audit record."""
    with conn.transaction():
        for approval_id, action, subject in store.end_outdated(conn):
            record(
                conn,
                system("the system"),
                "approval.end",
                f"approval:{approval_id}",
                of=action,
                about=subject,
            )


def _request(
    conn: Connection,
    actor: Actor,
    action: str,
    subject: str,
    institutions: list[int] | None,
    **details: Any,
) -> Result:
    end_outdated(conn)
    approval_id = store.insert_approval(conn, actor, action, subject, institutions, details)
    if approval_id is None:
        raise Conflict(
            f"This waits for an approval already. Request {store.find_waiting(conn, action, subject)} on the "
            "page “Approvals” must be approved, refused or withdrawn first. Nothing was changed.",
            "waits_already",
        )
    record(conn, actor, "approval.request", f"approval:{approval_id}", of=action, about=subject)
    return Result(approval_id=approval_id)


def approve(conn: Connection, actor: Actor, approval_id: int) -> Approval:
    """Do what another user requested. Return the approval.

    Raises NotFound; Conflict if it no longer waits or can no longer be carried out, or if the user who
    requested it may not request it any more; NotAllowed for that user, or if the user lacks the permission.
    Raises as the action does if the object changes at the same time. After an error the approval still waits.
    """
    with conn.transaction():
        found = _lock_waiting(conn, actor, approval_id)
        _check_may_decide(actor, found, "approve")
        _check_may_request(conn, found)
        store.save_decision(conn, found.id, "approved", actor)
        # The approver may have more institutions than the user who requested it.
        narrowed = actor._replace(scope=actor.scope.narrowed(found.institutions))
        RULES[found.action].carry_out(conn, narrowed, found)
        _record(conn, actor, "approval.approve", found)
        end_outdated(conn)
    return found


def refuse(conn: Connection, actor: Actor, approval_id: int) -> Approval:
    """Refuse what another user requested. Nothing is done. Raises as ``approve``."""
    with conn.transaction():
        found = _lock_waiting(conn, actor, approval_id)
        _check_may_decide(actor, found, "refuse")
        store.save_decision(conn, found.id, "refused", actor)
        _record(conn, actor, "approval.refuse", found)
    return found


def withdraw(conn: Connection, actor: Actor, approval_id: int) -> Approval:
    """Withdraw an own request.

    Raises NotFound; NotAllowed if the actor may not request it; Conflict if it no longer waits, or is of
    another user.
    """
    with conn.transaction():
        found = _lock_waiting(conn, actor, approval_id)
        if found.requester_id != actor.user_id:
            raise Conflict(
                "Only the user who requested this can withdraw it. Nothing was changed.", "not_requester"
            )
        if not actor.can(RULES[found.action].to_request):
            owner = "Your role" if actor.token_id is None else "This token"
            raise NotAllowed(f"{owner} does not allow you to withdraw this. Nothing was changed.")
        store.save_decision(conn, found.id, "withdrawn", actor)
        _record(conn, actor, "approval.withdraw", found)
    return found


def find_permission(conn: Connection, actor: Actor, approval_id: int) -> Permission:
    """Return the permission that an approval in the scope needs. Raises NotFound."""
    action = store.find_action(conn, actor.scope, approval_id) if 0 < approval_id <= LARGEST else None
    if action is None:
        raise _unknown()
    return RULES[action].permission


def list_waiting(conn: Connection, actor: Actor) -> list[Approval]:
    """Return the approvals that wait and that the actor may see, oldest first."""
    return store.list_waiting(conn, actor.scope, _visible_actions(actor))


def list_recent(conn: Connection, actor: Actor) -> list[Approval]:
    """Return the approvals that the actor may see and that no longer wait, newest first."""
    return store.list_recent(conn, actor.scope, _visible_actions(actor))


def _visible_actions(actor: Actor) -> list[str]:
    """Return the actions that the actor may request or decide. Users who read the audit trail see all."""
    if actor.token_id is None and actor.can(Permission.READ_AUDIT):
        return list(RULES)
    return [
        action for action, rule in RULES.items() if actor.can(rule.permission) or actor.can(rule.to_request)
    ]


def explain_missing_approver(conn: Connection, actor: Actor, approval_id: int | None = None) -> str:
    """Return the way out for own requests that only another administrator could approve, else nothing.

    With an ``approval_id``, only for that request.
    """
    own = [
        found
        for found in list_waiting(conn, actor)
        if found.requester_id == actor.user_id
        and RULES[found.action].permission in ADMINISTRATORS_DECIDE
        and approval_id in {None, found.id}
    ]
    return users.explain_missing_approver(conn, actor) if own else ""


def may_decide(actor: Actor, found: Approval) -> bool:
    """Return whether a user may approve a request of another user."""
    return found.requester_id != actor.user_id and actor.can(RULES[found.action].permission)


def _check_may_decide(actor: Actor, found: Approval, verb: str) -> None:
    # The database rejects the first too; this check gives the reason.
    if found.requester_id == actor.user_id:
        raise NotAllowed(
            "You requested this, yourself or through a token, so another user must decide. "
            "Nothing was changed.",
            "second_person",
        )
    if not may_decide(actor, found):
        raise NotAllowed(f"Your role does not allow you to {verb} this. Nothing was changed.")


def _check_may_request(conn: Connection, found: Approval) -> None:
    # The user stays locked, so the rights cannot be taken before the action is done.
    requester = users.identify_owner(conn, found.requester_id, found.requested_by, "page")
    may_request = requester and requester.can(RULES[found.action].to_request)
    if not requester or not may_request or not all(map(requester.scope.covers, found.institutions or [])):
        raise Conflict(
            f"{found.requested_by} may not request this any more. Nothing was changed. Refuse the request.",
            "requester_rights",
        )


def _lock_waiting(conn: Connection, actor: Actor, approval_id: int) -> Approval:
    found = store.lock_approval(conn, actor.scope, approval_id) if 0 < approval_id <= LARGEST else None
    if not found:
        raise _unknown()
    if found.state == "outdated":
        raise Conflict(
            f"Request {found.id} can no longer be carried out: what it is about has changed since. It has "
            "ended, and nothing was changed. If it is still needed, make a new request.",
            "outdated",
        )
    if found.state != "waiting":
        raise Conflict(f"This request is {found.state} already. Nothing was changed.", found.state)
    return found


def _unknown() -> NotFound:
    return NotFound("There is no approval with this number.", "unknown_approval")


def _record(conn: Connection, actor: Actor, action: str, found: Approval) -> None:
    record(conn, actor, action, f"approval:{found.id}", of=found.action, about=found.subject)
