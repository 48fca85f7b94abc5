"""The guard: a process that starts the server, restarts it when it dies, and stops it when it is unused.

Input: a plan in JSON. Output: a running server and a status file. The guard ends with the server.
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
from hrims.installation import IMPORT_ROOT
from hrims.postgres import cluster, locks
from hrims.postgres.files import open_file, write
from hrims.postgres.place import Place
from hrims.postgres.plan import Plan

CHECK_SECONDS = 0.2
"""Seconds between two checks of the server and its users."""

PROGRAM = "from hrims.postgres.guard import main; main()"

INTERPRETER_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME")

LOG_BYTES = 2_000_000
"""Size in bytes at which the log is emptied; the previous content is kept in one older file."""


def spawn(plan: Plan) -> None:
    """Start a guard unless one is alive. Call it under the start lock.

    The guard inherits its lock already taken, so two guards can never start at the same time.
    """
    lock = locks.take_if_free(plan.place.guard)
    if lock is None:
        return
    plan.place.status.unlink(missing_ok=True)
    log = open_file(plan.place.log, os.O_WRONLY | os.O_APPEND)
    try:
        # The guard has its own session and no inherited pipe. It therefore outlives Ctrl-C, and a reader of
        # our output sees its end when we end.
        subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-c", PROGRAM, plan.to_json()],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            cwd=plan.place.home,
            env={**_interpreter_environment(), "PYTHONPATH": str(IMPORT_ROOT)},
            start_new_session=True,
        )
    except subprocess.CalledProcessError:
        raise _failure(plan, "The guard of the database could not be started") from None
    finally:
        os.close(log)
        os.close(lock)


def _interpreter_environment() -> dict[str, str]:
    """Return the variables that this interpreter may need to run.

    The guard gets nothing else of our environment.
    """
    return {key: os.environ[key] for key in INTERPRETER_VARIABLES if key in os.environ}


def write_status(place: Place, state: str, **more: str) -> None:
    """Write the status: `starting`, `ready` or `failed`; the last one has a message."""
    write(place.status, json.dumps({"state": state, **more}))


def read_status(place: Place) -> dict[str, str]:
    """Return the status, which is empty if a guard has just started."""
    try:
        status: dict[str, str] = json.loads(place.status.read_text())
    except FileNotFoundError:
        return {}
    return status


def run_server(plan: Plan) -> None:
    """Keep the server running while it has users. Raises DatabaseUnusable if it does not start."""
    write_status(plan.place, "starting")
    cluster.clear(plan)
    _delete_partial_data(plan.place)
    if not cluster.make_data(plan):
        raise _failure(plan, "An empty database could not be made")
    while _run_once(plan):
        # The server died unexpectedly: stop its remaining processes and restart it.
        write_status(plan.place, "starting")
        cluster.clear(plan)


def _run_once(plan: Plan) -> bool:
    """Run the server once, until it ends.

    Return False if it was stopped because it has no users left.
    """
    child = cluster.start(plan)
    ready = False
    while child.poll() is None:
        if not ready and cluster.is_ready(plan.place, child.pid):
            ready = True
            write_status(plan.place, "ready", socket_dir=str(plan.socket_dir))
        if not plan.place.data.is_dir():
            child.send_signal(signal.SIGQUIT)  # the data directory was removed: there is nothing to save
        elif _stop_if_unused(plan, child):
            return False
        _limit_size(plan.place.log)
        time.sleep(CHECK_SECONDS if ready else 0.02)
    if not ready:
        raise _failure(plan, "PostgreSQL did not start")
    return True


def _stop_if_unused(plan: Plan, child: "subprocess.Popen[bytes]") -> bool:
    """Stop the server if it has no users, and return whether it was stopped.

    The start lock prevents new users between the check and the stop.
    """
    start_lock = locks.take_if_free(plan.start_lock)
    if start_lock is None:
        return False
    users = locks.take_if_free(plan.place.users)
    if users is None:
        os.close(start_lock)
        return False
    cluster.end(plan.place, child)
    # Both locks are released when this process ends, together with the guard's own lock. A process that waits
    # for the start lock then finds no guard and starts another one.
    return True


def _failure(plan: Plan, problem: str) -> DatabaseUnusable:
    return DatabaseUnusable(
        f"{problem} in {plan.place.home}. What was saved before is kept. The last lines of its log, "
        f"{plan.place.log}:\n{_tail(plan.place.log)}"
    )


def _tail(log: Path, lines: int = 8) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4000))
        text = file.read().decode(errors="replace")
    return "\n".join(text.strip().splitlines()[-lines:])


def _limit_size(log: Path) -> None:
    """Limit the size of the log.

    The server appends and never reopens its log, so the file is emptied and not renamed.
    """
    if log.stat().st_size > LOG_BYTES:
        previous = log.with_name(log.name + ".1")
        previous.unlink(missing_ok=True)  # another account may own it: we may replace it but not write it
        shutil.copyfile(log, previous)
        os.truncate(log, 0)


def _delete_partial_data(place: Place) -> None:
    for folder in place.home.glob("initdb-*"):
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Run the guard's process; it inherits its lock and has it until it ends.

    It forks once, so that the process that started it need not wait for a child.
    """
    if os.fork() > 0:
        os._exit(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # The guard ends after the last user, not before: users first, database last. It sets a handler,
        # because the server would inherit an ignored signal.
        signal.signal(number, lambda *_: None)
    plan = Plan.from_json(sys.argv[1])
    try:
        run_server(plan)
    except Exception as error:
        if plan.place.home.is_dir():
            write_status(plan.place, "failed", message=str(error))
            raise
