"""The commands: words come in; an exit code, and lines for a person or a pipe, go out.

Each command's module is imported when it is called, so that the worker never loads the web.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import click
import psycopg

from hrims.cli import words
from hrims.errors import HrimsSyncError

COMMANDS = {
    "up": ("hrims.cli.up", "Start everything: database, simulator, web and worker."),
    "migrate": ("hrims.cli.database", "Bring the database to the schema of this version."),
    "worker": ("hrims.cli.worker", "Run a worker until a signal stops it."),
    "sync": ("hrims.cli.sync", "Bring one institution up to date and watch."),
    "simulate": ("hrims.cli.simulate", "Run a stand-in HRIMS."),
    "user": ("hrims.cli.access", "People who may sign in: list, add, disable; change a password."),
    "token": ("hrims.cli.access", "Tokens for machines that use the API: list, add, revoke."),
    "institutions": ("hrims.cli.institutions", "The register of institutions: import it from a file."),
    "doctor": ("hrims.cli.doctor", "Check database, schema, remote and worker, and say what to do."),
    "db": ("hrims.cli.database", "The database in use: print its address."),
}

BEGIN = "Begin with `hrims up`. Settings come from the environment; the README lists them."


class Commands(click.Group):
    """The commands above, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.group(cls=Commands, epilog=BEGIN, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hrims-sync", prog_name="HRIMS Sync")
def commands() -> None:
    """HRIMS Sync brings the employees of institutions from HRIMS into Postgres."""


def main(arguments: Sequence[str] | None = None, **extra: Any) -> None:
    """Runs a command. What a person can do something about is printed as words alone; exit code 1."""
    try:
        commands.main(args=arguments, prog_name="hrims", **extra)
    except (HrimsSyncError, psycopg.Error, OSError) as reason:
        click.echo(f"hrims: {words.of(reason)}", err=True)
        sys.exit(1)
