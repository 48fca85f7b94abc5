"""``hrims token``: list, add and revoke the tokens of machines that use the API."""

from zoneinfo import ZoneInfo

import click

from hrims.access import tokens
from hrims.access.permissions import Permission
from hrims.access.tokens import ListedToken
from hrims.cli import start
from hrims.cli.columns import aligned
from hrims.cli.users import format_day, format_minute
from hrims.institutions.store import find_by_codes


@click.group("token")
def token_command() -> None:
    """Tokens of machines that use the API. Each belongs to a user and never exceeds the user's rights."""


@token_command.command("add")
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(tokens.SCOPES),
    default=tokens.DEFAULT_SCOPE,
    show_default=True,
    help="What the machine may do: read; also start and cancel syncs; or manage what its user manages.",
)
@click.option("--user", metavar="USER", help="The user that owns it; without it, the one who adds it.")
@click.option(
    "--institution",
    "codes",
    metavar="CODE",
    multiple=True,
    help="Only this institution of the user, by vote code or TIN; repeat it for more.",
)
@click.option("--days", type=int, metavar="N", help="End it after N days; without this it does not end.")
def add_token(name: str, scope: str, user: str | None, codes: tuple[str, ...], days: int | None) -> None:
    """Add a token for the machine NAME and print it.

    It is printed only once: its hash is stored. The name of a valid token cannot be used again. A token ends
    if its user is disabled.
    """
    settings = start.settings()
    with start.connection(settings) as conn, conn.transaction():
        actor = start.acting_user(conn, settings, Permission.OWN_TOKENS)
        institutions = find_by_codes(conn, codes) if codes else None
        token = tokens.add_token(conn, actor, name, scope, user=user, institutions=institutions, days=days)
    click.echo(token)


@token_command.command("list")
@click.option("--all", "all_", is_flag=True, help="Also those that have ended.")
def list_tokens(all_: bool) -> None:
    """List the valid tokens: name, scope, user, and when they were used last. No token is shown.

    A user who is named with --as sees the own ones, an administrator all.
    """
    settings = start.settings()
    with start.connection(settings) as conn:
        actor = start.reading_user(conn, settings, Permission.USE_ACCOUNT)
        owner = None if actor.can(Permission.MANAGE_TOKENS) else actor.user_id
        items = [item for item in tokens.list_tokens(conn, owner) if all_ or item.is_valid]
    rows = [
        (
            str(item.id),
            item.name,
            item.scope,
            item.user,
            "all" if item.institutions is None else str(len(item.institutions)),
            format_day(item.created_at, settings.time_zone),
            format_minute(item.last_used_at, settings.time_zone),
            _format_end(item, settings.time_zone),
        )
        for item in items
    ]
    heading = ("ID", "NAME", "SCOPE", "USER", "INST.", "CREATED", "LAST USED", "ENDS")
    click.echo(aligned(heading, rows, shortened="NAME"))


@token_command.command("revoke")
@click.argument("name", metavar="NAME|ID")
def revoke_token(name: str) -> None:
    """End a token at once, by its name or number."""
    settings = start.settings()
    with start.connection(settings) as conn:
        actor = start.acting_user(conn, settings, Permission.USE_ACCOUNT)
        token = tokens.revoke(conn, actor, name)
    click.echo(f"Token {token.id}, {token.name}, is revoked.")


def _format_end(token: ListedToken, zone: ZoneInfo) -> str:
    if token.revoked_at:
        return f"revoked {format_day(token.revoked_at, zone)}"
    return format_day(token.expires_at, zone) if token.expires_at else "never"
