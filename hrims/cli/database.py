"""``hrims migrate`` and ``hrims db url``."""

import click

from hrims import db, migrate
from hrims.cli import messages, start

LEAVE_WITHIN = 5.0
"""Seconds to check whether the embedded database keeps running without this command."""


@click.command("migrate")
@click.option(
    "--before",
    "before_only",
    is_flag=True,
    help="Apply only what the older version tolerates. For an upgrade while it runs.",
)
def migrate_command(before_only: bool) -> None:
    """Bring the database to the schema of this version.

    Safe to run twice, and from two machines at the same time.
    """
    settings = start.settings()
    with start.connection(settings, migrated=False) as conn:
        applied = migrate.migrate(db.dsn_of(settings), before_only=before_only, report=click.echo)
        left = migrate.read_state(conn).missing_after
    for name in applied:
        click.echo(f"applied {name}")
    if applied:
        click.echo(f"{len(applied)} applied.")
    if left:
        click.echo(messages.after_migrations(left))
    elif not applied:
        click.echo("The database is up to date.")


@click.group("db")
def db_command() -> None:
    """Show the database in use."""


@db_command.command("url")
def url() -> None:
    """Print the DSN in use, for psql and other clients: psql "$(hrims db url)"."""
    settings = start.settings()
    start.check_database_exists(settings)
    click.echo(settings.database_url or db.as_url(db.dsn_of(settings)))
    if not settings.database_url and db.leave(settings, LEAVE_WITHIN):
        click.echo("This database runs while HRIMS Sync does. Start it: hrims up", err=True)
