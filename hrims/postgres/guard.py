"""The process beside the server: starts it, starts it again when it dies, stops it when nobody
uses it any more, and ends. Told what to do by a plan in JSON; tells how it went in a status file.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from hrims.errors import DatabaseUnusable
from hrims.postgres import cluster, locks
from hrims.postgres.files import opened, write
from hrims.postgres.place import Place
from hrims.postgres.plan import Plan

LOOK = 0.2
"""Seconds between two looks at the server and its users."""

START = "from hrims.postgres.guard import main; main()"

INTERPRETER_NEEDS = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME")

LOG_BYTES = 2_000_000
"""The log is begun anew at this size; the one before is kept."""


def spawn(plan: Plan) -> None:
    """Starts a guard, unless one lives. Call it under the start lock.

    The guard inherits its lock already taken: there is no moment in which two could start.
    """
    lock = locks.take_if_free(plan.place.guard)
    if lock is None:
        return
    plan.place.status.unlink(missing_ok=True)
    log = opened(plan.place.log, os.O_WRONLY | os.O_APPEND)
    package = Path(__file__).resolve().parent.parent.parent
    try:
        # Its own session and no inherited pipe: it outlives Ctrl-C, and a reader of our output
        # sees the end of it when we end.
        subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-c", START, plan.to_json()],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            cwd=plan.place.home,
            env={**_of_interpreter(), "PYTHONPATH": str(package)},
            start_new_session=True,
        )
    finally:
        os.close(log)
        os.close(lock)


def _of_interpreter() -> dict[str, str]:
    """What this interpreter may need to run at all; nothing else of our environment counts."""
    return {key: os.environ[key] for key in INTERPRETER_NEEDS if key in os.environ}


def tell(place: Place, state: str, **more: str) -> None:
    """Writes the status: `starting`, `ready` or `failed`, and words for the last."""
    write(place.status, json.dumps({"state": state, **more}))


def told(place: Place) -> dict[str, str]:
    """The status, empty when a guard has just begun."""
    try:
        status: dict[str, str] = json.loads(place.status.read_text())
    except FileNotFoundError:
        return {}
    return status


def keep(plan: Plan) -> None:
    """Keeps the server running until nobody uses it. Raises DatabaseUnusable if it does not start."""
    tell(plan.place, "starting")
    cluster.clear(plan)
    _clear_halves(plan.place)
    if not cluster.make_data(plan):
        raise _failed(plan, "An empty database could not be made")
    while _ran(plan):
        # It died by itself: what is left of it is ended, and it starts again.
        tell(plan.place, "starting")
        cluster.clear(plan)


def _ran(plan: Plan) -> bool:
    """One life of the server. False when it was stopped because nobody uses it any more."""
    child = cluster.start(plan)
    ready = False
    while child.poll() is None:
        if not ready and cluster.is_ready(plan.place, child.pid):
            ready = True
            tell(plan.place, "ready", socket_dir=str(plan.socket_dir))
        if not plan.place.data.is_dir():
            child.send_signal(signal.SIGQUIT)  # somebody removed everything: nothing to save
        elif _stopped_for_nobody(plan, child):
            return False
        _bound(plan.place.log)
        time.sleep(LOOK if ready else 0.02)
    if not ready:
        raise _failed(plan, "PostgreSQL did not start")
    return True


def _stopped_for_nobody(plan: Plan, child: "subprocess.Popen[bytes]") -> bool:
    """Under the start lock nobody can begin to use the server while we look and stop it."""
    starting = locks.take_if_free(plan.start_lock)
    if starting is None:
        return False
    using = locks.take_if_free(plan.place.users)
    if using is None:
        os.close(starting)
        return False
    cluster.end(plan.place, child)
    # Both locks go with this process, together with the guard's own: who waits for the start
    # lock finds no guard and starts another.
    return True


def _failed(plan: Plan, what: str) -> DatabaseUnusable:
    return DatabaseUnusable(
        f"{what} in {plan.place.home}. What was saved before is kept. The last lines of its log, "
        f"{plan.place.log}:\n{_tail(plan.place.log)}"
    )


def _tail(log: Path, lines: int = 8) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4000))
        text = file.read().decode(errors="replace")
    return "\n".join(text.strip().splitlines()[-lines:])


def _bound(log: Path) -> None:
    """The server appends and never opens its log again, so the file is emptied, not renamed."""
    if log.stat().st_size > LOG_BYTES:
        before = log.with_name(log.name + ".1")
        before.unlink(missing_ok=True)  # it may be another's, whom we may replace but not change
        shutil.copyfile(log, before)
        os.truncate(log, 0)


def _clear_halves(place: Place) -> None:
    for half in place.home.glob("initdb-*"):
        shutil.rmtree(half, ignore_errors=True)


def main() -> None:
    """The guard's own process; its lock is inherited and lives as long as it does.

    It forks once, so that it is nobody's child: whoever started it has nothing to wait for.
    """
    if os.fork() > 0:
        os._exit(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # It goes when the last user goes, not before: users first, database last. A handler,
        # because an ignored signal would stay ignored in the server.
        signal.signal(number, lambda *_: None)
    plan = Plan.from_json(sys.argv[1])
    try:
        keep(plan)
    except (DatabaseUnusable, OSError) as error:
        if plan.place.home.is_dir():
            tell(plan.place, "failed", words=str(error))
            raise
