"""Who acts: a user on a page, with a token or on the command line, a schedule, a worker, or the system."""

from typing import Final, NamedTuple

from hrims.access.permissions import Permission, permissions_of
from hrims.access.scope import EVERYTHING, NOTHING, Scope

VIAS: Final = ("page", "api", "cli", "schedule", "worker", "system")
"""The interfaces through which an actor acts."""


MAX_USER_AGENT: Final = 300
"""Characters of the name of a browser that sessions and the audit trail keep."""


class Actor(NamedTuple):
    """The user who acts, the interface, and what the request shows of its origin.

    ``name`` is for people: the user's name, ``token:NAME`` or ``schedule:NAME``. ``user_id`` is the user who
    answers for it, also if a token or a schedule acts; only the system and workers have none. ``via`` is one
    of VIAS. An actor has no institutions and no permissions unless they are given.
    """

    name: str
    via: str
    address: str | None = None
    user_id: int | None = None
    role: str | None = None
    scope: Scope = NOTHING
    token_id: int | None = None
    token_scope: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    may_approve: bool = True
    """False for a token that another user made, who could approve an own request with it."""

    @property
    def number(self) -> str | None:
        """Return the user or token without personal data, like ``user:12``; None for the system."""
        if self.token_id is not None:
            return f"token:{self.token_id}"
        return None if self.user_id is None else f"user:{self.user_id}"

    @property
    def permissions(self) -> frozenset[Permission]:
        """Return what the actor may do. The system may do everything that code lets it do."""
        if self.via in {"system", "worker"}:
            return frozenset(Permission)
        granted = permissions_of(self.role or "", self.token_scope, is_global=self.scope.is_everything)
        return granted if self.may_approve else granted - {Permission.APPROVE}

    def can(self, permission: Permission) -> bool:
        """Return whether the actor has the permission."""
        return permission in self.permissions


def system(name: str) -> Actor:
    """Return the actor of what HRIMS Sync does without a user."""
    return Actor(name, "system", scope=EVERYTHING)
