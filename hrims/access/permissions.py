"""Permissions, and what each role and each scope of a token may do.

This is the only place that says which role has which permission. A route declares the permission that it
needs (``hrims/web/routes.py``); the worker checks the permission of the requester again when a run starts.
"""

from enum import StrEnum
from typing import Final

VIEWER, OFFICER, SUPERVISOR = "viewer", "officer", "supervisor"
ADMINISTRATOR, AUDITOR = "administrator", "auditor"


class Permission(StrEnum):
    """What a user or token may do. Each covers the institutions of the user only."""

    USE_ACCOUNT = "account.use"
    """Sign out, change the own password, see and end the own sessions and tokens. Every user has it."""

    OWN_TOKENS = "tokens.own"
    """Add tokens of the own user."""

    READ_RUNS = "runs.read"
    """Read runs, batches, schedules, previews, the queue, workers and the register."""

    SYNC = "runs.sync"
    """Start, cancel and retry runs, apply and discard previews, start batches."""

    READ_PEOPLE = "people.read"
    """Find employees and read them, with confidential fields masked."""

    READ_NAMES = "people.read_names"
    """Read names and other internal fields without a mask."""

    READ_CONFIDENTIAL = "people.read_confidential"
    """Read confidential and restricted fields without a mask."""

    REVEAL = "people.reveal"
    """Reveal a masked field of one person, with a reason that is recorded."""

    EXPORT = "people.export"
    """Download lists of employees or rejects."""

    DECIDE_REJECTS = "rejects.decide"
    """Request the pages of rejects again."""

    MAP_WORKPLACES = "workplaces.map"
    """Map a workplace to an institution, and take it back."""

    APPROVE = "approvals.decide"
    """Approve or refuse leavers and bulk actions that another user requested."""

    READ_AUDIT = "audit.read"
    """Read the audit trail, webhooks and their messages."""

    MANAGE_INSTITUTIONS = "institutions.manage"
    """Register institutions and change their run policy."""

    MANAGE_QUEUE = "queue.manage"
    """Pause the queue and change its limits."""

    MANAGE_SCHEDULES = "schedules.manage"
    """Add, change, pause and remove schedules."""

    MANAGE_WEBHOOKS = "webhooks.manage"
    """Add, change and remove webhook endpoints."""

    MANAGE_USERS = "users.manage"
    """Add and disable users, change their roles and institutions."""

    MANAGE_TOKENS = "tokens.manage"
    """Add and revoke tokens of every user."""

    MANAGE_CONNECTION = "connection.manage"
    """Change the address and the credentials of HRIMS."""


READ: Final = frozenset({Permission.USE_ACCOUNT, Permission.READ_RUNS, Permission.READ_PEOPLE})

WORK: Final = READ | {
    Permission.READ_NAMES,
    Permission.SYNC,
    Permission.REVEAL,
    Permission.EXPORT,
    Permission.DECIDE_REJECTS,
    Permission.MAP_WORKPLACES,
    Permission.OWN_TOKENS,
}

ROLES: Final[dict[str, frozenset[Permission]]] = {
    VIEWER: READ | {Permission.READ_NAMES},
    OFFICER: WORK,
    SUPERVISOR: WORK | {Permission.READ_CONFIDENTIAL, Permission.APPROVE},
    ADMINISTRATOR: frozenset(Permission),
    AUDITOR: READ | {Permission.READ_AUDIT, Permission.REVEAL},
}
"""The permissions of each role."""

READ_SCOPE, SYNC_SCOPE, MANAGE_SCOPE = "read", "sync", "manage"

TOKEN_READ: Final = READ | {
    Permission.READ_NAMES,
    Permission.READ_CONFIDENTIAL,
    Permission.EXPORT,
    Permission.READ_AUDIT,
}

TOKEN_SYNC: Final = TOKEN_READ | WORK

TOKEN_SCOPES: Final[dict[str, frozenset[Permission]]] = {
    READ_SCOPE: TOKEN_READ,
    SYNC_SCOPE: TOKEN_SYNC - {Permission.REVEAL, Permission.OWN_TOKENS},
    # A machine gives no reason, and grants no access to others: these need a user who is signed in.
    MANAGE_SCOPE: frozenset(Permission)
    - {
        Permission.OWN_TOKENS,
        Permission.REVEAL,
        Permission.MANAGE_USERS,
        Permission.MANAGE_TOKENS,
        Permission.MANAGE_CONNECTION,
    },
}
"""The most that a token of each scope may do. It never exceeds the rights of its user."""


GLOBAL: Final = frozenset(
    {
        Permission.READ_AUDIT,
        Permission.MANAGE_INSTITUTIONS,
        Permission.MANAGE_QUEUE,
        Permission.MANAGE_SCHEDULES,
        Permission.MANAGE_WEBHOOKS,
        Permission.MANAGE_USERS,
        Permission.MANAGE_TOKENS,
        Permission.MANAGE_CONNECTION,
    }
)
"""Permissions about what belongs to no institution.

A token that is limited to institutions has none of them.
"""


def permissions_of(
    role: str, token_scope: str | None = None, *, is_global: bool = True
) -> frozenset[Permission]:
    """Return the permissions of a user with this role, or of the user's token with this scope.

    ``is_global`` tells whether the user or token has all institutions.
    """
    granted = ROLES.get(role, frozenset())
    if token_scope is not None:
        granted &= TOKEN_SCOPES.get(token_scope, frozenset())
    return granted if is_global else granted - GLOBAL


def find_missing(permission: Permission, role: str, token_scope: str, *, is_global: bool) -> str:
    """Return what a token lacks for a permission.

    It is ``role``, ``sign_in``, ``scope``, ``institutions`` or ``maker``. The role comes first, because a
    larger scope does not help without it. ``sign_in`` is what no token may do. ``maker`` remains: another
    user made the token.
    """
    if permission not in ROLES.get(role, frozenset()):
        return "role"
    if not any(permission in granted for granted in TOKEN_SCOPES.values()):
        return "sign_in"
    if permission not in TOKEN_SCOPES.get(token_scope, frozenset()):
        return "scope"
    return "institutions" if permission in GLOBAL and not is_global else "maker"
