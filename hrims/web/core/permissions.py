"""Permissions of endpoints. Input: the route table. Output: the permission that an endpoint needs."""

from collections.abc import Mapping
from typing import Final

from flask import Flask

from hrims.access.actor import Actor
from hrims.access.permissions import Permission, find_missing
from hrims.errors import NotAllowed

PUBLIC: Final = None
"""The permission of endpoints that need no sign-in."""

EXTENSION = "hrims.permissions"

MESSAGES: Final[dict[Permission, str]] = {
    Permission.READ_AUDIT: "Only administrators and auditors can view this.",
    Permission.APPROVE: "Only supervisors and administrators can decide this. Nothing was changed.",
    Permission.REVEAL: "You cannot reveal personal data. Nothing was shown.",
    Permission.EXPORT: "You cannot download personal data. Nothing was exported.",
    Permission.SYNC: "You can view runs but not start or change them. Nothing was changed.",
    Permission.DECIDE_REJECTS: "You can view rejects but not request them again. Nothing was changed.",
    Permission.MAP_WORKPLACES: "You can view workplaces but not map them. Nothing was changed.",
}
"""What a client is told that lacks a permission."""

NEEDS_RECENT: Final = frozenset(
    {
        Permission.MANAGE_USERS,
        Permission.MANAGE_TOKENS,
        Permission.OWN_TOKENS,
        Permission.MANAGE_CONNECTION,
        Permission.EXPORT,
    }
)
"""Permissions whose endpoints ask for the password or a code again unless it was typed recently."""

ADMINISTRATORS_ONLY: Final = "Only administrators can do this. Nothing was changed."

TOKEN_LACKS: Final = {
    "role": "The role of this token's user does not include this. Nothing was changed.",
    "sign_in": "No token includes this. Nothing was changed. Sign in on a page to do it.",
    "scope": "The scope of this token does not include this. Nothing was changed. "
    "Use a token with a larger scope.",
    "institutions": "This needs all institutions, and the token or its user has only some. "
    "Nothing was changed.",
    "maker": "Another user made this token, so it approves nothing. Nothing was changed.",
}
"""What a token is told that lacks a permission, by what it lacks."""


def attach(app: Flask, permissions: Mapping[str, Permission | None]) -> None:
    """Attach the permission of each endpoint to an app."""
    app.extensions.setdefault(EXTENSION, {}).update(permissions)


def is_public(app: Flask, endpoint: str) -> bool:
    """Return whether the endpoint needs no sign-in. One outside the route table is not public."""
    permissions: Mapping[str, Permission | None] = app.extensions[EXTENSION]
    return endpoint in permissions and permissions[endpoint] is PUBLIC


def needs_recent_sign_in(app: Flask, endpoint: str) -> bool:
    """Return whether an endpoint asks a user for the password again."""
    permissions: Mapping[str, Permission | None] = app.extensions[EXTENSION]
    return permissions.get(endpoint) in NEEDS_RECENT


def allows(app: Flask, endpoint: str, granted: frozenset[Permission]) -> bool:
    """Return whether a client with these permissions may use an endpoint. An unlisted one is closed."""
    permissions: Mapping[str, Permission | None] = app.extensions[EXTENSION]
    if endpoint not in permissions:
        return False
    needed = permissions[endpoint]
    return needed is PUBLIC or needed in granted


def refusal(app: Flask, endpoint: str, client: Actor) -> NotAllowed:
    """Return the error for a client that lacks the permission."""
    needed = app.extensions[EXTENSION].get(endpoint)
    if client.token_scope is not None and needed is not None:
        is_global = client.scope.is_everything
        lacks = find_missing(needed, client.role or "", client.token_scope, is_global=is_global)
        return NotAllowed(TOKEN_LACKS[lacks])
    return NotAllowed(MESSAGES.get(needed, ADMINISTRATORS_ONLY))


__all__ = ["PUBLIC", "Permission", "allows", "attach", "is_public", "needs_recent_sign_in", "refusal"]
