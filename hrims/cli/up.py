"""``hrims up``, which ``make run`` starts: run the whole product until it is stopped.

Starts the database, the simulator if no address of HRIMS is known, the web process and a worker. Before the
processes start, it applies the migrations. When they are ready, it creates the first administrator. All
processes are stopped together.
"""

import os
import socket
import sys
import time
from pathlib import Path

import click

from hrims import db, installation, instances, migrate
from hrims.access import users
from hrims.access.actor import system
from hrims.cli import banner, preflight, start
from hrims.cli.banner import print_line
from hrims.cli.processes import Child, Supervisor
from hrims.cli.server_log import ServerLog
from hrims.cli.shutdown import Shutdown, Stopped
from hrims.config import VARIABLES, Settings
from hrims.errors import HrimsSyncError
from hrims.institutions import importer
from hrims.remote.connection.store import read_connection
from hrims.remote.simulator_url import simulator_note
from hrims.vault.store import encrypt_clear

READY_WITHIN = 90.0
"""Seconds until everything must be ready for the first time."""

GRACE = 5.0
"""Seconds that the children have to end, in addition to HRIMS_STOP_SECONDS."""

DATABASE_GRACE = 30.0
"""Seconds that the embedded database has to write its data to disk."""

OWN_VARIABLES = ("HRIMS_ADMIN_PASSWORD", "HRIMS_ADMIN_PASSWORD_FILE", "MAKELEVEL", "MAKEFLAGS", "MFLAGS")
"""Environment variables that the children do not get."""


@click.command("up")
def up_command() -> None:
    """Start everything: database, simulator, web and worker. Ctrl-C stops all of it.

    Without DATABASE_URL a database of its own is kept in HRIMS_STATE_DIR; without an
    address of HRIMS a simulator stands in for it. The first start prints the administrator's password.
    """
    settings = start.settings()
    shutdown = Shutdown()
    shutdown.listen()
    try:
        with preflight.lock_state_dir(settings):
            preflight.check_port(settings)
            instance = instances.describe_instance(settings, banner.address(settings), os.environ)
            with instances.published(instance):
                _run(settings, shutdown)
    except Stopped:
        print_line("Stopped while still starting. Everything saved is kept.")


def _run(settings: Settings, shutdown: Shutdown) -> None:
    print_line("Starting the database ...")
    try:
        remote = _prepare(settings)
    except BaseException:
        shutdown.started()
        db.leave(settings, DATABASE_GRACE)
        raise
    shutdown.started()
    path = db.server_log(settings)
    server_log = ServerLog(settings, path) if path else None
    supervisor = Supervisor(_children(settings, with_simulator=not remote))
    try:
        if not _wait_until_ready(settings, supervisor, shutdown):
            return
        # Created last, so that a failed start does not create an account whose password was never shown.
        print_line(banner.text(settings, remote, _first_administrator(settings)))
        while not shutdown.wait():
            for line in supervisor.restart_ended():
                print_line(line)
    finally:
        _stop(settings, supervisor, shutdown)
        if server_log:
            server_log.stop()


def _prepare(settings: Settings) -> str:
    """Prepare the database. Return the address of HRIMS; empty if a simulator is needed."""
    # A killed start may have left the address of its simulator.
    simulator_note(settings).unlink(missing_ok=True)
    with start.connection(settings, migrated=False) as conn:
        migrate.migrate(db.owner_dsn_of(settings), login=start.login(settings, conn), report=print_line)
    with start.connection(settings) as conn:
        encrypt_clear(conn, settings)
        preflight.check_password(conn, settings)
        remote = settings.base_url or read_connection(conn).address or ""
        if not remote:
            importer.seed(conn, installation.DEMO_REGISTER)
        return remote


def _stop(settings: Settings, supervisor: Supervisor, shutdown: Shutdown) -> None:
    print_line("Stopping ... (Ctrl-C again: at once)")
    supervisor.stop(settings.stop_seconds + GRACE, lambda: shutdown.is_forced)
    simulator_note(settings).unlink(missing_ok=True)
    db.leave(settings, DATABASE_GRACE)
    print_line("Stopped. Everything saved is kept.")


def _first_administrator(settings: Settings) -> tuple[str, str] | None:
    with start.connection(settings) as conn:
        return users.first_administrator(conn, system("hrims up"), settings.admin_password)


def _children(settings: Settings, *, with_simulator: bool) -> list[Child]:
    logs = settings.state_dir / "log"
    script = str(installation.SCRIPT)
    env = _environment(settings)
    children = []
    if with_simulator:
        port = _free_port()
        # Web and worker read it there. An address that an administrator saves on the page wins over it.
        simulator_note(settings).write_text(f"http://127.0.0.1:{port}\n", encoding="utf-8")
        command = [script, "simulate", "--demo", "--port", str(port)]
        children.append(Child("simulator", command, env, logs / "simulator.log", is_needed_by_others=True))
    # Run gunicorn as a module, because an environment can have it without its script. -P keeps modules of the
    # current folder out.
    web = [sys.executable, "-P", "-m", "gunicorn", "--config", "python:hrims.cli.gunicorn_settings"]
    children.append(Child("web", web, env, logs / "web.log"))
    children.append(Child("worker", [script, "worker"], env, logs / "worker.log"))
    return children


def _environment(settings: Settings) -> dict[str, str]:
    """Return the environment of the children.

    It is that of this process without OWN_VARIABLES. Relative paths are made absolute, because children run
    in another folder.
    """
    env = {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}
    files = (variable.file for variable in VARIABLES if variable.file)
    paths = {name: str(Path(env[name].strip()).absolute()) for name in files if env.get(name, "").strip()}
    return {**env, **paths, "HRIMS_STATE_DIR": str(settings.state_dir), "PYTHONUNBUFFERED": "1"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(settings: Settings, supervisor: Supervisor, shutdown: Shutdown) -> bool:
    """Wait until everything is ready; return False if a stop was requested first.

    Raises HrimsSyncError if it takes too long.
    """
    until = time.monotonic() + READY_WITHIN
    while True:
        for line in supervisor.restart_ended():
            print_line(line)
        if shutdown.wait():
            return False
        missing = preflight.find_missing(settings)
        if not missing:
            return True
        if time.monotonic() > until:
            logs = "\n".join(f"{child.name}: {child.describe_log()}" for child in supervisor.children)
            raise HrimsSyncError(f"Not ready after {READY_WITHIN:.0f} s: {missing}. All was stopped.\n{logs}")
