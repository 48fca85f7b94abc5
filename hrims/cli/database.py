"""``hrims migrate`` and ``hrims db url``."""

import click

from hrims import db, migrate
from hrims.cli import start

LEAVE_WITHIN = 5.0
"""Seconds to see whether the embedded database runs on without this command."""


@click.command("migrate")
def migrate_command() -> None:
    """Bring the database to the schema of this version.

    Safe to run twice, and from two machines at the same time.
    """
    settings = start.settings()
    with start.connection(settings, migrated=False):
        applied = migrate.migrate(db.dsn_of(settings))
    for name in applied:
        click.echo(f"applied {name}")
    click.echo(f"{len(applied)} applied." if applied else "The database is up to date.")


@click.group("db")
def db_command() -> None:
    """The database in use."""


@db_command.command("url")
def url() -> None:
    """Print the DSN in use, for psql and other clients: psql "$(hrims db url)"."""
    settings = start.settings()
    start.check_there(settings)
    click.echo(settings.database_url or db.as_url(db.dsn_of(settings)))
    if not settings.database_url and db.leave(settings, LEAVE_WITHIN):
        click.echo("This database runs while HRIMS Sync does. Start it: hrims up", err=True)
