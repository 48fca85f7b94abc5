"""``hrims institutions import FILE.csv``: a register in a file comes in; rows in the database go out."""

from pathlib import Path

import click

from hrims.cli import start
from hrims.register import table


@click.group("institutions")
def institutions_command() -> None:
    """The register."""


@institutions_command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_(file: Path) -> None:
    """Add institutions from FILE.csv (columns name, vote_code, tin), or bring them up to date."""
    rows = table.read(file)
    with start.connection(start.settings()) as conn:
        written = table.import_rows(conn, start.operator(), rows)
    click.echo(f"{len(rows)} institutions read, {written} added or changed.")
