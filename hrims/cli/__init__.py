"""Command-line interface of HRIMS Sync.

Input: command-line arguments. Output: an exit code, and lines for a terminal or a pipe.

Each command's module is imported when the command is called, so that the worker never loads the web package,
and ``hrims --version`` and the simulator load no database driver.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import click

from hrims import version
from hrims.cli import terminal

COMMANDS = {
    "up": ("hrims.cli.up", "Start everything: database, simulator, web and worker."),
    "migrate": ("hrims.cli.database", "Bring the database to the schema of this version."),
    "worker": ("hrims.cli.worker", "Run a worker until a signal stops it."),
    "sync": ("hrims.cli.sync", "Bring one institution up to date and watch."),
    "simulate": ("hrims.cli.simulate", "Run a stand-in HRIMS."),
    "user": ("hrims.cli.users", "Users: list, add, disable; roles, institutions, passwords."),
    "token": ("hrims.cli.tokens", "Tokens of machines that use the API: list, add, revoke."),
    "institutions": ("hrims.cli.institutions", "The register of institutions: import it from a file."),
    "doctor": ("hrims.cli.doctor", "Check database, schema, remote and worker, and say what to do."),
    "trace": ("hrims.cli.trace", "Print the story of one request id."),
    "audit": ("hrims.cli.audit", "The audit trail: verify that no record was altered, export it."),
    "db": ("hrims.cli.database", "The database in use: print its address, change its encryption key."),
}

BEGIN = "Begin with `hrims up`. Settings come from the environment; docs/reference/settings.md lists them."


class Commands(click.Group):
    """The click group of all commands; it imports each command's module when it is called."""

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


def print_version(ctx: click.Context, _: click.Parameter, is_given: bool) -> None:
    """Print the version and exit if the option is given."""
    if is_given and not ctx.resilient_parsing:
        click.echo(f"hrims-sync {version.describe()}")
        ctx.exit()


@click.group(cls=Commands, epilog=BEGIN, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=print_version,
    help="Print the version, and the commit if it is known.",
)
@click.option(
    "--as",
    "as_user",
    metavar="USER",
    help="Act as this user. Default: HRIMS_USER, else your login name, else the oldest administrator.",
)
def commands(as_user: str | None) -> None:
    """HRIMS Sync brings the employees of institutions from HRIMS into Postgres."""


def main(arguments: Sequence[str] | None = None, **extra: Any) -> None:
    """Run a command.

    For an error that the user can correct, print only its message and exit with code 1. For a defect, print
    its traceback without data.
    """
    with terminal.escaped_output():
        try:
            commands.main(args=arguments, prog_name="hrims", **extra)
        except Exception as error:  # noqa: BLE001 - whatever it is, its message may hold data and controls
            from hrims.cli import messages  # noqa: PLC0415 - it loads the database driver

            click.echo(messages.end_message(error), err=True)
            sys.exit(1)
