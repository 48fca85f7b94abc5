"""``hrims up``, which is what ``make run`` starts: the database, the simulator where no HRIMS is given,
the schema, the first administrator, the web process and a worker; all of it ends together.
"""

import fcntl
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import IO

import click

from hrims import db, migrate
from hrims.access import users
from hrims.access.audit import Actor
from hrims.cli import start
from hrims.cli.processes import Child, Family
from hrims.config import PROJECT, Settings
from hrims.errors import ConfigError
from hrims.register import table
from hrims.remote.address import simulator_note

DEMO_REGISTER = PROJECT / "hrims" / "simulator" / "institutions.csv"

READY_WITHIN = 60.0
"""Seconds that the web process has to answer for the first time."""

LOOK = 0.2
"""Seconds between two looks at the children."""


@click.command("up")
def up_command() -> None:
    """Start everything: database, simulator, web and worker. Ctrl-C stops all of it."""
    settings = start.settings()
    stopping = threading.Event()
    _listen_for_signals(stopping)
    with _only_one(settings):
        _check_port(settings)
        _bring_up(settings, stopping)


def _bring_up(settings: Settings, stopping: threading.Event) -> None:
    _say("Starting the database ...")
    with start.connection(settings, migrated=False):
        migrate.migrate(db.dsn_of(settings))
    if not settings.base_url:
        with start.connection(settings) as conn:
            table.seed(conn, DEMO_REGISTER)
    children = _children(settings)
    family = Family(children)
    try:
        for child in children:
            family.start(child)
        _wait_until_ready(settings, family, stopping)
        if not stopping.is_set():
            # Made last, so that a start that fails has not used up a password nobody was shown.
            _banner(settings, _first_administrator(settings))
        while not stopping.wait(LOOK):
            for line in family.tend():
                _say(line)
    finally:
        _say("Stopping ...")
        family.stop(settings.stop_seconds + 5)
        _say("Stopped. Everything saved is kept.")


def _listen_for_signals(stopping: threading.Event) -> None:
    def asked(number: int, frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, asked)


def _only_one(settings: Settings) -> IO[str]:
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    held = (settings.state_dir / "up.lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise ConfigError(
            f"HRIMS Sync already runs on {settings.state_dir}. Stop it there, or give this one a "
            "folder and a port of its own: HRIMS_STATE_DIR=… PORT=… make run"
        ) from None
    return held


def _check_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as reason:
            raise ConfigError(
                f"Port {settings.port} on {settings.host} cannot be used ({reason.strerror}). "
                f"Nothing was started. Stop what uses it, or name another port: "
                f"PORT={settings.port + 1 if settings.port < 65535 else 9002} make run"
            ) from None


def _first_administrator(settings: Settings) -> tuple[str, str] | None:
    with start.connection(settings) as conn:
        return users.first_administrator(conn, Actor("hrims up", "system"), settings.admin_password)


def _children(settings: Settings) -> list[Child]:
    logs = settings.state_dir / "log"
    me = str(Path(sys.executable).with_name("hrims"))
    env: dict[str, str] = {}
    children = []
    if not settings.base_url:
        port = _free_port()
        env["HRIMS_BASE_URL"] = f"http://127.0.0.1:{port}"
        simulator_note(settings).write_text(env["HRIMS_BASE_URL"] + "\n", encoding="utf-8")
        command = [me, "simulate", "--demo", "--port", str(port)]
        children.append(Child("simulator", command, {}, logs / "simulator.log"))
    gunicorn = [str(Path(sys.executable).with_name("gunicorn")), "--config", "deploy/gunicorn.conf.py"]
    children.append(Child("web", gunicorn, env, logs / "web.log"))
    children.append(Child("worker", [me, "worker"], env, logs / "worker.log"))
    return children


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(settings: Settings, family: Family, stopping: threading.Event) -> None:
    until = time.monotonic() + READY_WITHIN
    while not stopping.wait(LOOK):
        for line in family.tend():
            _say(line)
        if _answers(settings):
            return
        if time.monotonic() > until:
            raise ConfigError(
                f"The web process does not answer. Its log says why: {settings.state_dir / 'log' / 'web.log'}"
            )


def _answers(settings: Settings) -> bool:
    try:
        with urllib.request.urlopen(f"{_address(settings)}/healthz", timeout=2) as answer:  # noqa: S310 - our own
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _address(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared, not bound
    return f"http://{host}:{settings.port}"


def _banner(settings: Settings, created: tuple[str, str] | None) -> None:
    name, password = created or ("", "")
    remote = settings.base_url or "the simulator (set HRIMS_BASE_URL for a real HRIMS)"
    database = "DATABASE_URL" if settings.database_url else f"embedded, in {settings.state_dir}"
    lines = ["", f"  HRIMS Sync is up:  {_address(settings)}", ""]
    if created:
        lines += [f"    user name   {name}"]
        if settings.admin_password:
            lines += ["    password    as given in HRIMS_ADMIN_PASSWORD"]
        else:
            lines += [f"    password    {password}", "                (shown this once; it is kept nowhere)"]
    else:
        lines += ["    sign in as before; a lost password: hrims user password NAME --password-stdin"]
    lines += [
        "",
        f"    HRIMS       {remote}",
        f"    database    {database}",
        f"    logs        {settings.state_dir / 'log'}",
        "",
        "  Ctrl-C stops all of it; nothing saved is lost.",
        "",
    ]
    _say("\n".join(lines))


def _say(line: str) -> None:
    try:
        click.echo(line)
        sys.stdout.flush()
    except OSError:
        # The terminal is gone; from here on we speak to nobody, but still stop in order.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process
