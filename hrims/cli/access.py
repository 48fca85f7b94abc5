"""``hrims user`` and ``hrims token``: people and machines that may sign in."""

import sys

import click

from hrims.access import tokens, users
from hrims.cli import start
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


@click.group("token")
def token_command() -> None:
    """Tokens for machines that use the API."""


@token_command.command("add")
@click.argument("name")
def add_token(name: str) -> None:
    """Make a token for the machine NAME and print it.

    It is printed alone, this once: only its hash is kept.
    """
    with start.connection(start.settings()) as conn, conn.transaction():
        token = tokens.add_token(conn, start.operator(), name)
    click.echo(token)
