"""Permissions: each is used, and the reference states which role and which scope of a token has it."""

import re
from collections.abc import Iterator

import pytest

from hrims.access.permissions import GLOBAL, ROLES, TOKEN_SCOPES, Permission
from hrims.web.routes import ROUTES
from tests import PROJECT

PAGE = PROJECT / "docs" / "reference" / "permissions.md"

LISTS = {"access/permissions.py", "web/core/permissions.py", "web/page_routes.py", "web/api_routes.py"}
"""Modules that name permissions without a check. The two tables of routes are read themselves."""

ROW = re.compile(r"^\| `([a-z_.]+)` \| (.+?) \|(.+)\|$", re.MULTILINE)


def permissions_in_code() -> Iterator[str]:
    """Return the name of each permission that a module checks or requires."""
    for path in (PROJECT / "hrims").rglob("*.py"):
        if path.relative_to(PROJECT / "hrims").as_posix() not in LISTS:
            yield from re.findall(r"\bPermission\.([A-Z_]+)\b", path.read_text())


def test_every_permission_is_used_by_a_route_a_command_or_a_query() -> None:
    used = {route.permission for route in ROUTES} | {Permission[name] for name in permissions_in_code()}
    assert set(Permission) - used == set()


def test_the_search_for_uses_finds_those_of_commands_queries_and_workers() -> None:
    found = set(permissions_in_code())
    assert {"MANAGE_USERS", "READ_CONFIDENTIAL", "SYNC"} <= found
    assert found <= set(Permission.__members__)


def documented() -> dict[str, list[str]]:
    """Return the cells of the reference after the meaning, by permission."""
    return {
        name: [cell.strip() for cell in cells.split("|")] for name, _, cells in ROW.findall(PAGE.read_text())
    }


def expected(permission: Permission) -> list[str]:
    """Return what the reference must say of a permission."""
    grants = [*ROLES.values(), *TOKEN_SCOPES.values()]
    return ["yes" if permission in grant else "" for grant in grants] + [
        "yes" if permission in GLOBAL else ""
    ]


def test_the_reference_has_the_columns_of_every_role_and_scope() -> None:
    roles, scopes = " | ".join(ROLES), " | ".join(f"`{scope}`" for scope in TOKEN_SCOPES)
    assert f"| permission | allows to | {roles} | {scopes} | all institutions |" in PAGE.read_text()


def test_the_reference_lists_every_permission_in_order() -> None:
    assert list(documented()) == [permission.value for permission in Permission]


@pytest.mark.parametrize("permission", Permission, ids=str)
def test_the_reference_says_who_has_a_permission(permission: Permission) -> None:
    """If this fails, correct the row in docs/reference/permissions.md, or the roles."""
    assert documented()[permission] == expected(permission)
