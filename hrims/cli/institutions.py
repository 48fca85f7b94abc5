"""``hrims institutions import FILE.csv``: import a register of institutions.

Input: a CSV file. Output: rows in the database.
"""

from pathlib import Path

import click

from hrims.access.permissions import Permission
from hrims.cli import start
from hrims.institutions import importer


@click.group("institutions")
def institutions_command() -> None:
    """Import the register of institutions."""


@institutions_command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(file: Path) -> None:
    """Add institutions from FILE, or bring known ones up to date.

    FILE is CSV with the columns name, vote_code and tin; either of the last two may be empty, which leaves
    what the register has. Commas, semicolons or tabs between the columns, UTF-8 or UTF-16. If a line is
    wrong, nothing is imported and all wrong lines are told.
    """
    settings = start.settings()
    with start.connection(settings) as conn:
        actor = start.acting_user(conn, settings, Permission.MANAGE_INSTITUTIONS, is_bootstrap=True)
        rows, written = importer.import_file(conn, actor, file)
    count = "1 institution" if rows == 1 else f"{rows} institutions"
    click.echo(f"{count} read, {len(written)} added or changed.")
    for change in written:
        if change.before:
            click.echo(f"changed: {_line(change.before)} is now {_line(change.after)}")


def _line(institution: tuple[str, str | None, str | None]) -> str:
    name, vote_code, tin = institution
    return f"{name} (vote code {vote_code or 'none'}, TIN {tin or 'none'})"
