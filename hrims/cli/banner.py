"""What ``hrims up`` prints: settings and the first administrator come in, plain lines go out."""

import os
import shlex
import sys

import click

from hrims import instances
from hrims.access.users import FIRST
from hrims.config import PROJECT, Settings
from hrims.log import masked

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
"""Where a person reaches a process that listens on every address."""


def reachable_host(settings: Settings) -> str:
    """The host under which this machine reaches the web process."""
    return EVERYWHERE.get(settings.host, settings.host)


def address(settings: Settings) -> str:
    """What a person types into a browser."""
    host = reachable_host(settings)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def text(settings: Settings, created: tuple[str, str] | None) -> str:
    """All that a person needs to begin. ``created`` is the first administrator's name and password."""
    lines = [
        "",
        f"  HRIMS Sync is up:  {address(settings)}",
        "",
        *_sign_in(settings, created),
        "",
        f"    HRIMS       {settings.base_url or 'the simulator (set HRIMS_BASE_URL for a real HRIMS)'}",
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
            "    Sign in as before. To give somebody a new password:",
            f"      {_command(settings, 'user', 'password', FIRST)}",
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
    """A command that reaches this instance from another terminal."""
    given = "" if settings.state_dir == PROJECT / ".hrims" else str(settings.state_dir)
    before = [f"HRIMS_STATE_DIR={shlex.quote(given)}"] if given and not settings.database_url else []
    return " ".join([*before, ".venv/bin/hrims", *words])


def tell(line: str) -> None:
    """Prints a line, as long as somebody is there to read it."""
    try:
        click.echo(masked(line))
    except OSError:
        # The terminal is gone. From here on nobody is told anything, but all still stops in order.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
