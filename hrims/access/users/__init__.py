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
    check_role,
    disable,
    enable,
    first_administrator,
    has_no_users,
    set_institutions,
    set_password,
    set_role,
)
from hrims.access.users.approvers import explain_missing_approver, has_no_second_administrator
from hrims.access.users.lookup import default_user, find, get, identify, identify_owner
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
    "check_role",
    "default_user",
    "disable",
    "enable",
    "explain_missing_approver",
    "find",
    "find_view",
    "first_administrator",
    "get",
    "has_no_second_administrator",
    "has_no_users",
    "identify",
    "identify_owner",
    "list_users",
    "normalize_name",
    "set_institutions",
    "set_password",
    "set_role",
]
