"""Permissions of endpoints. Input: the route table. Output: whether a role may use an endpoint."""

from collections.abc import Mapping
from enum import Enum

from flask import Flask

ADMINISTRATOR, OFFICER, AUDITOR = "administrator", "officer", "auditor"

EXTENSION = "hrims.permissions"


class Permission(Enum):
    """Who may use an endpoint: the roles in ROLES. ``PUBLIC`` needs no sign-in."""

    PUBLIC = "public"
    READ = "read"
    AUDIT = "audit"
    WRITE = "write"
    ADMINISTER = "administer"

    def allows(self, role: str) -> bool:
        """Return whether a user or token with this role may use the endpoint."""
        return role in ROLES[self]


ROLES = {
    Permission.PUBLIC: {ADMINISTRATOR, OFFICER, AUDITOR},
    Permission.READ: {ADMINISTRATOR, OFFICER, AUDITOR},
    Permission.AUDIT: {ADMINISTRATOR, AUDITOR},
    Permission.WRITE: {ADMINISTRATOR, OFFICER},
    Permission.ADMINISTER: {ADMINISTRATOR},
}


def attach(app: Flask, permissions: Mapping[str, Permission]) -> None:
    """Attach the permission of each endpoint to an app."""
    app.extensions.setdefault(EXTENSION, {}).update(permissions)


def permission_of(app: Flask, endpoint: str) -> Permission:
    """Return the permission that an endpoint needs. Outside the route table it is ``ADMINISTER``."""
    permissions: Mapping[str, Permission] = app.extensions[EXTENSION]
    return permissions.get(endpoint, Permission.ADMINISTER)


def refusal(permission: Permission, role: str) -> str:
    """Return the message for a role that lacks the permission."""
    if permission is Permission.AUDIT:
        return "Only administrators and auditors can view this."
    if role == AUDITOR:
        return "Auditors can view everything but cannot change anything. Nothing was changed."
    return "Only administrators can do this. Nothing was changed."
