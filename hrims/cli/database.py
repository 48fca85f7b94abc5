"""``hrims migrate`` and ``hrims db``: the schema, the address and the encryption key of the database."""

import click

from hrims import db, migrate, vault
from hrims.access import audit
from hrims.access.permissions import Permission
from hrims.cli import messages, start
from hrims.vault import store
from hrims.vault.store import Rotation

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
        applied = migrate.migrate(
            db.owner_dsn_of(settings),
            before_only=before_only,
            login=start.login(settings, conn),
            report=click.echo,
        )
        left = migrate.read_state(conn).missing_after
        encrypted = store.encrypt_clear(conn, settings)
    for name in applied:
        click.echo(f"applied {name}")
    if applied:
        click.echo(f"{len(applied)} applied.")
    if encrypted:
        click.echo(f"{encrypted} stored {'secret was' if encrypted == 1 else 'secrets were'} encrypted.")
    if left:
        click.echo(messages.after_migrations(left))
    elif not applied:
        click.echo("The database is up to date.")


@click.group("db")
def db_command() -> None:
    """Show the database in use, and change the key that encrypts its secrets."""


@db_command.command("url")
@click.option("--reporting", is_flag=True, help="As the role of analysts, which reads the views `reporting`.")
def url(reporting: bool) -> None:
    """Print the DSN in use, for psql and other clients: psql "$(hrims db url)".

    It is that of the owner of the tables.
    """
    settings = start.settings()
    start.check_database_exists(settings)
    click.echo(db.reporting_url(settings) if reporting else db.owner_url(settings))
    if not settings.database_url and db.leave(settings, LEAVE_WITHIN):
        click.echo("This database runs while HRIMS Sync does. Start it: hrims up", err=True)


@db_command.command("new-key")
def new_key() -> None:
    """Print a random key for HRIMS_ENCRYPTION_KEY. Nothing is changed."""
    click.echo(vault.new_key())


@db_command.command("rotate-key")
@click.option("--new", is_flag=True, help="First put a random key into the key file of the state directory.")
@click.option(
    "--discard-unreadable",
    is_flag=True,
    help="Delete stored secrets that no key decrypts. Only if their key is lost.",
)
def rotate_key(new: bool, discard_unreadable: bool) -> None:
    """Encrypt every stored secret with the first key, in one transaction.

    Safe to run twice, and while web processes and workers run. They need both keys meanwhile.
    """
    settings = start.settings()
    with start.connection(settings) as conn:
        actor = start.acting_user(conn, settings, Permission.MANAGE_CONNECTION, is_bootstrap=True)
        keys = vault.Vault(settings)
        if new:
            click.echo(f"A new key was added to {vault.add_key(keys.source)}. Back that file up.")
        with conn.transaction():
            done = store.rotate(conn, keys, discard=discard_unreadable)
            lost = len(done.discarded)
            audit.record(conn, actor, "secrets.rotate", rotated=done.rotated, discarded=lost)
    click.echo(_describe_rotation(done))


def _describe_rotation(done: Rotation) -> str:
    lines = [f"{done.rotated} secrets were encrypted with the first key; {done.current} were already."]
    lines += [f"Deleted: {name}." for name in done.discarded]
    if done.discarded:
        lines.append("Enter deleted credentials again, and add deleted webhook endpoints again.")
    lines.append("Backups made before need the older keys: keep a copy of them with those backups.")
    return "\n".join(lines)
