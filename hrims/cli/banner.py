"""The start-up message of ``hrims up``.

Input: the settings and the first administrator. Output: plain lines.
"""

import os
import shlex
import sys

import click

from hrims import installation, instances
from hrims.access.users import FIRST_ADMINISTRATOR
from hrims.config import Settings
from hrims.log import masked

ANY_IPV4 = "0.0.0.0"  # noqa: S104 - compared, not bound # nosec B104
EVERYWHERE = {ANY_IPV4: "127.0.0.1", "::": "::1"}
"""Wildcard addresses, and the loopback address at which a process that listens on them is reachable."""


SIMULATOR = "the simulator (for a real HRIMS: the page “HRIMS connection”)"


def reachable_host(settings: Settings) -> str:
    """Return the host at which this machine reaches the web process."""
    return EVERYWHERE.get(settings.host, settings.host)


def address(settings: Settings) -> str:
    """Return the URL that a user opens in a browser."""
    host = reachable_host(settings)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def text(settings: Settings, remote: str, created: tuple[str, str] | None) -> str:
    """Return all that a user needs to start.

    ``remote`` is the address of HRIMS, empty if the simulator runs. ``created`` is the name and password of
    the first administrator.
    """
    lines = [
        "",
        f"  HRIMS Sync is up:  {address(settings)}",
        "",
        *_sign_in(settings, created),
        "",
        f"    HRIMS       {remote or SIMULATOR}",
        f"    database    {_database(settings)}",
        f"    logs        {settings.state_dir / 'log'}",
        "",
        *_elsewhere(settings),
        "  Ctrl-C stops all of it; nothing saved is lost.",
        "",
    ]
    return "\n".join(lines)


def _sign_in(settings: Settings, created: tuple[str, str] | None) -> list[str]:
    if created is None:
        return [
            "    Sign in as before. To set a new password for a user:",
            f"      {_command(settings, 'user', 'reset-password', FIRST_ADMINISTRATOR)}",
        ]
    name, password = created
    if settings.admin_password:
        return [f"    user name   {name}", "    password    as given in HRIMS_ADMIN_PASSWORD"]
    return [
        f"    user name   {name}",
        f"    password    {password}",
        "                (shown this once; only its hash is kept)",
    ]


def _elsewhere(settings: Settings) -> list[str]:
    lines = instances.lines_to_type(settings, os.environ)
    if not lines:
        return []
    return ["  In another terminal, before any command:", *(f"    {line}" for line in lines), ""]


def _database(settings: Settings) -> str:
    return "as given in DATABASE_URL" if settings.database_url else f"embedded, in {settings.state_dir}"


def _command(settings: Settings, *words: str) -> str:
    """Return a command that reaches this instance from another terminal."""
    state_dir = "" if settings.state_dir == instances.DEFAULT else str(settings.state_dir)
    variables = (
        [f"HRIMS_STATE_DIR={shlex.quote(state_dir)}"] if state_dir and not settings.database_url else []
    )
    return " ".join([*variables, installation.HRIMS_COMMAND, *words])


def print_line(line: str) -> None:
    """Print a line unless the terminal is gone."""
    try:
        click.echo(masked(line))
    except OSError:
        # The terminal is gone. Later output is discarded, so that the shutdown still completes in order.
        devnull = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(devnull, stream.fileno())
