"""``hrims migrate`` and ``hrims db url``."""

import click

from hrims import db, migrate
from hrims.cli import start


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
    click.echo("The database is up to date." if not applied else f"{len(applied)} applied.")


@click.group("db")
def db_command() -> None:
    """The database in use."""


@db_command.command("url")
def url() -> None:
    """Print the DSN in use, for psql and other clients."""
    settings = start.settings()
    click.echo(settings.database_url or db.as_url(db.dsn_of(settings)))
