"""``hrims up``, which is what ``make run`` starts: the database, the simulator where no HRIMS is given,
the schema, the first administrator, the web process and a worker; all of it ends together.
"""

import os
import socket
import sys
import time
from dataclasses import fields
from pathlib import Path

import click

from hrims import db, instances, migrate
from hrims.access import users
from hrims.access.audit import Actor
from hrims.cli import banner, before, start
from hrims.cli.banner import tell
from hrims.cli.processes import Child, Family
from hrims.cli.stopping import Stopped, Stopping
from hrims.config import PROJECT, Settings
from hrims.errors import HrimsSyncError
from hrims.register import table
from hrims.remote.address import simulator_note

DEMO_REGISTER = PROJECT / "hrims" / "simulator" / "institutions.csv"

READY_WITHIN = 90.0
"""Seconds that everything has to be ready for the first time."""

GRACE = 5.0
"""Seconds beside those of HRIMS_STOP_SECONDS that the children have to end."""

DATABASE_GRACE = 30.0
"""Seconds that the embedded database has to write everything down."""

ONLY_OURS = ("HRIMS_ADMIN_PASSWORD", "HRIMS_ADMIN_PASSWORD_FILE", "MAKELEVEL", "MAKEFLAGS", "MFLAGS")
"""What no child needs to know."""


@click.command("up")
def up_command() -> None:
    """Start everything: database, simulator, web and worker. Ctrl-C stops all of it.

    Without DATABASE_URL a database of its own is kept in HRIMS_STATE_DIR; without HRIMS_BASE_URL a
    simulator stands in for HRIMS. The first start prints the administrator's password.
    """
    settings = start.settings()
    stopping = Stopping()
    stopping.listen()
    try:
        with before.only_one(settings):
            before.check_port(settings)
            here = instances.of(settings, banner.address(settings), os.environ)
            with instances.published(here):
                _bring_up(settings, stopping)
    except Stopped:
        tell("Stopped while still starting. Everything saved is kept.")


def _bring_up(settings: Settings, stopping: Stopping) -> None:
    tell("Starting the database ...")
    try:
        _prepare(settings)
    except BaseException:
        stopping.started()
        db.leave(settings, DATABASE_GRACE)
        raise
    stopping.started()
    family = Family(_children(settings))
    try:
        if not _wait_until_ready(settings, family, stopping):
            return
        # Made last, so that a start that fails has not used up a password nobody was shown.
        tell(banner.text(settings, _first_administrator(settings)))
        while not stopping.wait():
            for line in family.tend():
                tell(line)
    finally:
        _stop(settings, family, stopping)


def _prepare(settings: Settings) -> None:
    with start.connection(settings, migrated=False):
        migrate.migrate(db.dsn_of(settings))
    with start.connection(settings) as conn:
        before.check_password(conn, settings)
        if not settings.base_url:
            table.seed(conn, DEMO_REGISTER)


def _stop(settings: Settings, family: Family, stopping: Stopping) -> None:
    tell("Stopping ... (Ctrl-C again: at once)")
    family.stop(settings.stop_seconds + GRACE, lambda: stopping.impatient)
    if not settings.base_url:
        simulator_note(settings).unlink(missing_ok=True)
    db.leave(settings, DATABASE_GRACE)
    tell("Stopped. Everything saved is kept.")


def _first_administrator(settings: Settings) -> tuple[str, str] | None:
    with start.connection(settings) as conn:
        return users.first_administrator(conn, Actor("hrims up", "system"), settings.admin_password)


def _children(settings: Settings) -> list[Child]:
    logs = settings.state_dir / "log"
    me = str(Path(sys.executable).with_name("hrims"))
    env = _environment(settings)
    children = []
    if not settings.base_url:
        port = _free_port()
        simulated = f"http://127.0.0.1:{port}"
        simulator_note(settings).write_text(simulated + "\n", encoding="utf-8")
        command = [me, "simulate", "--demo", "--port", str(port)]
        children.append(Child("simulator", command, env, logs / "simulator.log", others_need_it=True))
        env = {**env, "HRIMS_BASE_URL": simulated}
    gunicorn = [str(Path(sys.executable).with_name("gunicorn")), "--config", "deploy/gunicorn.conf.py"]
    children.append(Child("web", gunicorn, env, logs / "web.log"))
    children.append(Child("worker", [me, "worker"], env, logs / "worker.log"))
    return children


def _environment(settings: Settings) -> dict[str, str]:
    """What children see: ours, with paths that mean the same in another folder."""
    env = {name: value for name, value in os.environ.items() if name not in ONLY_OURS}
    files = (f"{item.metadata['name']}_FILE" for item in fields(Settings) if item.metadata["secret"])
    paths = {name: str(Path(env[name].strip()).absolute()) for name in files if env.get(name, "").strip()}
    return {**env, **paths, "HRIMS_STATE_DIR": str(settings.state_dir), "PYTHONUNBUFFERED": "1"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(settings: Settings, family: Family, stopping: Stopping) -> bool:
    """False when it was stopped before. Raises HrimsSyncError when it takes too long."""
    until = time.monotonic() + READY_WITHIN
    while True:
        for line in family.tend():
            tell(line)
        if stopping.wait():
            return False
        lacks = before.what_lacks(settings)
        if not lacks:
            return True
        if time.monotonic() > until:
            logs = "\n".join(f"{child.name}: {child.last_words()}" for child in family.children)
            raise HrimsSyncError(f"Not ready after {READY_WITHIN:.0f} s: {lacks}. All was stopped.\n{logs}")
