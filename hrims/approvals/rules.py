"""The actions that need a second user: the permissions for each, and the function that does it."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from hrims.access import users
from hrims.access.actor import Actor
from hrims.access.permissions import ADMINISTRATOR, Permission
from hrims.approvals.store import Approval
from hrims.batches import actions as batches
from hrims.connection import actions as connection
from hrims.connection.actions import ConnectionChange
from hrims.db import Connection
from hrims.leavers import actions as leavers


class Rule(NamedTuple):
    """What users need to decide about an action and to request it, and the function that does it."""

    permission: Permission
    to_request: Permission
    carry_out: Callable[[Connection, Actor, Approval], Any]


RULES: Final = {
    "leavers.undo": Rule(
        Permission.APPROVE,
        Permission.APPROVE,
        lambda conn, actor, found: leavers.undo(conn, actor, found.subject_id, is_approved=True),
    ),
    "batch.cancel": Rule(
        Permission.APPROVE,
        Permission.SYNC,
        lambda conn, actor, found: batches.cancel_batch(conn, actor, found.subject_id, is_approved=True),
    ),
    "user.make_administrator": Rule(
        Permission.MANAGE_USERS,
        Permission.MANAGE_USERS,
        lambda conn, actor, found: users.set_role(
            conn, actor, found.details["name"], ADMINISTRATOR, is_approved=True
        ),
    ),
    "connection.change": Rule(
        Permission.MANAGE_CONNECTION,
        Permission.MANAGE_CONNECTION,
        lambda conn, actor, found: connection.apply_connection_change(
            conn, actor, msgspec.convert(found.details["change"], ConnectionChange), found.requested_by
        ),
    ),
}
"""The actions that need a second user."""

ADMINISTRATORS_DECIDE: Final = {Permission.MANAGE_USERS, Permission.MANAGE_CONNECTION}
"""The permissions of rules that only administrators decide."""
