"""``hrims user``: list and add users, change their roles and institutions, disable and enable them."""

import sys
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import click

from hrims.access import throttle, users
from hrims.access.permissions import ADMINISTRATOR, Permission
from hrims.approvals import actions as approvals
from hrims.cli import start
from hrims.cli.columns import aligned
from hrims.errors import InvalidInput
from hrims.institutions.store import find_by_codes

ROLE = click.Choice(users.ROLES)

INSTITUTION = click.option(
    "--institution",
    "codes",
    metavar="CODE",
    multiple=True,
    help="Only this institution, by vote code or TIN; repeat it for more. Without it, all.",
)


@click.group("user")
def user_command() -> None:
    """Users: who may sign in, what they may do, and for which institutions."""


def read_password(from_stdin: bool) -> str:
    """Return a password from standard input or from a prompt without echo."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InvalidInput("Give the password on standard input with --password-stdin.")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")

MUST_CHANGE = click.option(
    "--must-change", is_flag=True, help="The user must change the password at the next sign-in."
)


@user_command.command("add")
@click.argument("name")
@click.option("--role", type=ROLE, required=True, help="What the user may do.")
@INSTITUTION
@STDIN
@MUST_CHANGE
def add_user(name: str, role: str, codes: tuple[str, ...], password_stdin: bool, must_change: bool) -> None:
    """Add the user NAME, who may then sign in."""
    password = read_password(password_stdin)
    settings = start.settings()
    with start.connection(settings) as conn, conn.transaction():
        is_administrator = role == ADMINISTRATOR
        actor = start.acting_user(
            conn, settings, Permission.MANAGE_USERS, is_bootstrap=True, makes_administrator=is_administrator
        )
        institutions = find_by_codes(conn, codes) if codes else None
        users.add_user(conn, actor, name, role, password, institutions, must_change=must_change)
    click.echo(f"{users.normalize_name(name)} may sign in as {role}, for {_describe_scope(institutions)}.")


@user_command.command("list")
def list_users() -> None:
    """List the users: roles, institutions, and when they signed in last."""
    settings = start.settings()
    with start.connection(settings) as conn:
        start.reading_user(conn, settings, Permission.MANAGE_USERS)
        items = users.list_users(conn)
    rows = [
        (
            item.name,
            item.role,
            "all" if item.institutions is None else str(len(item.institutions)),
            format_day(item.created_at, settings.time_zone),
            format_minute(item.signed_in_at, settings.time_zone),
            f"disabled {format_day(item.disabled_at, settings.time_zone)}" if item.disabled_at else "enabled",
        )
        for item in items
    ]
    heading = ("NAME", "ROLE", "INST.", "CREATED", "LAST SIGN-IN", "STATE")
    click.echo(aligned(heading, rows, shortened="NAME"))


@user_command.command("set-role")
@click.argument("name")
@click.argument("role", type=ROLE)
@click.option(
    "--institution",
    "codes",
    metavar="CODE",
    multiple=True,
    help="Only this institution from now on, by vote code or TIN; repeat it for more.",
)
@click.option("--all", "all_", is_flag=True, help="All institutions from now on.")
def set_role(name: str, role: str, codes: tuple[str, ...], all_: bool) -> None:
    """Give the user NAME the role ROLE. The last enabled administrator keeps the role.

    Without options the user keeps the institutions. But a user who was administrator or auditor, and had all,
    then has none.

    Another administrator must approve the role administrator. While fewer than two administrators are
    enabled, the command gives it at once, unless it acts as a named user.
    """
    if codes and all_:
        raise click.UsageError("Give vote codes or TINs, or --all.")
    settings = start.settings()
    with start.connection(settings) as conn, conn.transaction():
        # Before the count of administrators, in the order of ``disable``: else the two can deadlock.
        users.get(conn, name)
        actor = start.acting_user(
            conn, settings, Permission.MANAGE_USERS, makes_administrator=role == ADMINISTRATOR
        )
        given: list[int] | Literal["all"] | None = "all" if all_ else None
        if codes:
            given = find_by_codes(conn, codes)
        result = approvals.set_role(conn, actor, name, role, given)
        user = users.find_view(conn, users.get(conn, name).id)
        way_out = approvals.explain_missing_approver(conn, actor, result.approval_id)
    if result.waits:
        waits = f"Another administrator must approve this: approval {result.approval_id} waits."
        click.echo(f"{waits} {way_out}".rstrip())
    elif user:
        give = (
            f" Give some: hrims user set-institutions {user.name} CODE" if user.institution_ids == [] else ""
        )
        click.echo(f"{user.name} has the role {role}, for {_describe_scope(user.institution_ids)}.{give}")


@user_command.command("set-institutions")
@click.argument("name")
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@click.option("--all", "all_", is_flag=True, help="All institutions.")
def set_institutions(name: str, codes: tuple[str, ...], all_: bool) -> None:
    """Give the user NAME the institutions with these vote codes or TINs, in place of the earlier ones."""
    if bool(codes) == all_:
        raise click.UsageError("Give vote codes or TINs, or --all.")
    settings = start.settings()
    with start.connection(settings) as conn:
        actor = start.acting_user(conn, settings, Permission.MANAGE_USERS)
        institutions = None if all_ else find_by_codes(conn, codes)
        users.set_institutions(conn, actor, name, institutions)
    click.echo(f"{users.normalize_name(name)} has {_describe_scope(institutions)}.")


@user_command.command("disable")
@click.argument("name")
def disable_user(name: str) -> None:
    """Disable the user NAME, who can then not sign in.

    Ends the sessions and tokens of this user at once. The last enabled administrator stays.
    """
    settings = start.settings()
    with start.connection(settings) as conn:
        actor = start.acting_user(conn, settings, Permission.MANAGE_USERS)
        sessions, revoked = users.disable(conn, actor, name)
    message = f"{_format_count(sessions, 'session')} and {_format_count(revoked, 'token')} ended"
    click.echo(f"{users.normalize_name(name)} is disabled; {message}.")


@user_command.command("enable")
@click.argument("name")
def enable_user(name: str) -> None:
    """Let the disabled user NAME sign in again."""
    settings = start.settings()
    with start.connection(settings) as conn:
        users.enable(conn, start.acting_user(conn, settings, Permission.MANAGE_USERS), name)
    click.echo(f"{users.normalize_name(name)} may sign in again.")


@user_command.command("reset-password")
@click.argument("name")
@STDIN
@MUST_CHANGE
def reset_password(name: str, password_stdin: bool, must_change: bool) -> None:
    """Set another password of the user NAME, and end the user's sessions."""
    password = read_password(password_stdin)
    settings = start.settings()
    with start.connection(settings) as conn, conn.transaction():
        actor = start.acting_user(conn, settings, Permission.MANAGE_USERS)
        users.set_password(conn, actor, name, password, must_change=must_change)
    click.echo(f"{users.normalize_name(name)} has another password.")


@user_command.command("unlock")
@click.argument("name")
def unlock_user(name: str) -> None:
    """Let the user NAME sign in without the delay of failed sign-ins."""
    settings = start.settings()
    with start.connection(settings) as conn:
        actor = start.acting_user(conn, settings, Permission.MANAGE_USERS)
        failures = throttle.unlock(conn, settings, actor, name)
    message = f"{_format_count(failures, 'failed sign-in')} no longer count"
    click.echo(f"{users.normalize_name(name)} is unlocked; {message}.")


def format_day(at: datetime, zone: ZoneInfo) -> str:
    """Return the day of a time in a table."""
    return f"{at.astimezone(zone):%Y-%m-%d}"


def format_minute(at: datetime | None, zone: ZoneInfo) -> str:
    """Return a time in a table to the minute, or "never"."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else "never"


def _format_count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _describe_scope(institutions: list[int] | None) -> str:
    if institutions == []:
        return "no institution"
    return "all institutions" if institutions is None else _format_count(len(institutions), "institution")
