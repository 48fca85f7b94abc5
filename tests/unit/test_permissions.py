"""Permissions: each is used, and the reference states which role and which scope of a token has it."""

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import click
import pytest

from hrims.access.permissions import GLOBAL, ROLES, TOKEN_SCOPES, Permission
from hrims.cli import commands
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


COMMAND_ROW = re.compile(r"^\| `(hrims [a-z -]+)` \| (?:`([a-z_.]+)`|none)", re.MULTILINE)


def walk(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Return the name and the command of each command that is no group."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for part in command.list_commands(context):
        found = command.get_command(context, part)
        assert found
        yield from walk(found, f"{name} {part}")


def source_of(function: Callable[..., Any]) -> str:
    """Return the source of a function, and after it that of the private functions of its module it calls."""
    source = inspect.getsource(function)
    module = sys.modules[function.__module__]
    called = [getattr(module, name, None) for name in re.findall(r"\b(_[a-z]\w*)\(", source)]
    return source + "".join(inspect.getsource(found) for found in called if inspect.isfunction(found))


def permission_of(command: click.Command) -> str:
    """Return the permission that a command checks first; an empty text for none."""
    assert command.callback
    found = re.search(r"_user\(\s*conn, settings, Permission\.([A-Z_]+)", source_of(command.callback))
    return Permission[found[1]].value if found else ""


def test_the_reference_says_which_permission_each_command_needs() -> None:
    """If this fails, correct the table of commands in docs/reference/permissions.md."""
    assert dict(COMMAND_ROW.findall(PAGE.read_text())) == {
        name: permission_of(command) for name, command in walk(commands, "hrims")
    }
