"""Users: who may sign in, with which role and institutions.

Input: a name, a role, institutions and a password. Output: a row and its audit record, or the user as an
actor.
"""

from hrims.access.users.actions import (
    EXTERNAL,
    FIRST_ADMINISTRATOR,
    ROLES,
    ROLES_WITH_ALL,
    add_user,
    default_user,
    disable,
    enable,
    find,
    first_administrator,
    get,
    has_no_users,
    identify,
    identify_owner,
    is_first_administrator,
    set_institutions,
    set_password,
    set_role,
)
from hrims.access.users.names import NAME, normalize_name
from hrims.access.users.store import ListedUser, User, UserView, find_view, list_users

__all__ = [
    "EXTERNAL",
    "FIRST_ADMINISTRATOR",
    "NAME",
    "ROLES",
    "ROLES_WITH_ALL",
    "ListedUser",
    "User",
    "UserView",
    "add_user",
    "default_user",
    "disable",
    "enable",
    "find",
    "find_view",
    "first_administrator",
    "get",
    "has_no_users",
    "identify",
    "identify_owner",
    "is_first_administrator",
    "list_users",
    "normalize_name",
    "set_institutions",
    "set_password",
    "set_role",
]
