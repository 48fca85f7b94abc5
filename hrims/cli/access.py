"""``hrims user`` and ``hrims token``: manage users and API tokens."""

import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from hrims.access import store, tokens, users
from hrims.access.tokens import ListedToken
from hrims.cli import start
from hrims.cli.columns import aligned
from hrims.errors import InvalidInput

ROLES = click.Choice(["administrator", "officer", "auditor"])


@click.group("user")
def user_command() -> None:
    """People who may sign in."""


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InvalidInput("Give the password on standard input with --password-stdin.")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@user_command.command("add")
@click.argument("name")
@click.option("--role", type=ROLES, required=True, help="What the person may do.")
@STDIN
def add_user(name: str, role: str, password_stdin: bool) -> None:
    """Add the person NAME, who may then sign in."""
    password = _password(password_stdin)
    with start.connection(start.settings()) as conn, conn.transaction():
        users.add_user(conn, start.operator(), name, role, password)
    click.echo(f"{name.lower()} may sign in as {role}.")


@user_command.command("password")
@click.argument("name")
@STDIN
def set_password(name: str, password_stdin: bool) -> None:
    """Give the person NAME another password.

    Where this person is signed in now, that ends.
    """
    password = _password(password_stdin)
    with start.connection(start.settings()) as conn, conn.transaction():
        users.set_password(conn, start.operator(), name, password)
    click.echo(f"{name.lower()} has another password.")


@user_command.command("list")
def list_users() -> None:
    """List the people, their roles, and when they signed in last."""
    settings = start.settings()
    with start.connection(settings) as conn:
        items = store.list_users(conn)
    rows = [
        (
            item.name,
            item.role,
            _format_day(item.created_at, settings.time_zone),
            _format_minute(item.signed_in_at, settings.time_zone),
            f"disabled {_format_day(item.disabled_at, settings.time_zone)}"
            if item.disabled_at
            else "enabled",
        )
        for item in items
    ]
    click.echo(aligned(("NAME", "ROLE", "CREATED", "LAST SIGN-IN", "STATE"), rows, shortened="NAME"))


@user_command.command("disable")
@click.argument("name")
def disable_user(name: str) -> None:
    """Let the person NAME sign in no more.

    The sessions and tokens of this person end at once. The last administrator who is enabled stays.
    """
    with start.connection(start.settings()) as conn:
        sessions, revoked = users.disable(conn, start.operator(), name)
    message = f"{_format_count(sessions, 'session')} and {_format_count(revoked, 'token')} ended"
    click.echo(f"{users.normalize_name(name)} is disabled; {message}.")


@user_command.command("enable")
@click.argument("name")
def enable_user(name: str) -> None:
    """Let the person NAME, who was disabled, sign in again."""
    with start.connection(start.settings()) as conn:
        users.enable(conn, start.operator(), name)
    click.echo(f"{users.normalize_name(name)} may sign in again.")


@click.group("token")
def token_command() -> None:
    """Tokens for machines that use the API."""


@token_command.command("add")
@click.argument("name")
@click.option(
    "--role", type=ROLES, default=tokens.DEFAULT_ROLE, show_default=True, help="What the machine may do."
)
@click.option("--days", type=int, metavar="N", help="End it after N days; without this it does not end.")
@click.option("--owner", metavar="USER", help="The person who answers for it; if disabled, it ends.")
def add_token(name: str, role: str, days: int | None, owner: str | None) -> None:
    """Make a token for the machine NAME and print it.

    It is printed only once: its hash is stored. A valid token's name cannot be used again.
    """
    with start.connection(start.settings()) as conn, conn.transaction():
        token = tokens.add_token(conn, start.operator(), name, role, owner=owner, days=days)
    click.echo(token)


@token_command.command("list")
@click.option("--all", "all_", is_flag=True, help="Also those that have ended.")
def list_tokens(all_: bool) -> None:
    """List the tokens that are valid: name, role, owner, and when they were used last. No token is shown.

    A token ends if its owner is disabled.
    """
    settings = start.settings()
    with start.connection(settings) as conn:
        items = [item for item in tokens.list_tokens(conn) if all_ or item.is_valid]
    rows = [
        (
            str(item.id),
            item.name,
            item.role,
            item.owner or "-",
            _format_day(item.created_at, settings.time_zone),
            _format_minute(item.last_used_at, settings.time_zone),
            _format_end(item, settings.time_zone),
        )
        for item in items
    ]
    heading = ("ID", "NAME", "ROLE", "OWNER", "CREATED", "LAST USED", "ENDS")
    click.echo(aligned(heading, rows, shortened="NAME"))


@token_command.command("revoke")
@click.argument("name", metavar="NAME|ID")
def revoke_token(name: str) -> None:
    """End a token at once, by its name or number."""
    with start.connection(start.settings()) as conn:
        message = tokens.revoke(conn, start.operator(), name)
    click.echo(f"Token {message.id}, {message.name}, is revoked.")


def _format_end(token: ListedToken, zone: ZoneInfo) -> str:
    if token.revoked_at:
        return f"revoked {_format_day(token.revoked_at, zone)}"
    return _format_day(token.expires_at, zone) if token.expires_at else "never"


def _format_day(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d}"


def _format_minute(at: datetime | None, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else "never"


def _format_count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
