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

from hrims.postgres import cluster, locks
from hrims.postgres.place import Place
from hrims.postgres.plan import Plan

LOOK = 0.2
"""Seconds between two looks at the server and its users."""

START = "from hrims.postgres.guard import main; main()"

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
    log = os.open(plan.place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    locks.give_to_owner_of(plan.place.home, log)
    package = Path(__file__).resolve().parent.parent.parent
    try:
        # Its own session and no inherited pipe: it outlives Ctrl-C, and a reader of our output
        # sees the end of it when we end.
        subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-c", START, plan.to_json()],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            cwd=plan.place.home,
            env={"PATH": os.defpath, "PYTHONPATH": str(package)},
            start_new_session=True,
        )
    finally:
        os.close(log)
        os.close(lock)


def tell(place: Place, state: str, **more: str) -> None:
    """Writes the status: `starting`, `ready` or `failed`, and words for the last."""
    half = place.status.with_suffix(".half")
    fd = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    locks.give_to_owner_of(place.home, fd)
    with os.fdopen(fd, "w") as file:
        json.dump({"state": state, **more}, file)
    half.replace(place.status)


def told(place: Place) -> dict[str, str]:
    """The status, empty when a guard has just begun."""
    try:
        status: dict[str, str] = json.loads(place.status.read_text())
    except FileNotFoundError:
        return {}
    return status


def keep(plan: Plan) -> None:
    """Keeps the server running until nobody uses it."""
    tell(plan.place, "starting")
    cluster.end(plan.place)
    _clear_halves(plan.place)
    if not cluster.make_data(plan):
        _fail(plan, "An empty database could not be made")
        return
    while not _run_once(plan):
        tell(plan.place, "starting")
        cluster.end(plan.place)


def _run_once(plan: Plan) -> bool:
    """One life of the server. True when there shall be no other."""
    child = cluster.start(plan)
    ready = False
    while child.poll() is None:
        if not ready and cluster.is_ready(plan.place, child.pid):
            ready = True
            tell(plan.place, "ready", socket_dir=str(plan.socket_dir))
        if _stopped_for_nobody(plan, child):
            return True
        _bound(plan.place.log)
        time.sleep(LOOK if ready else 0.02)
    if not ready:
        _fail(plan, "PostgreSQL did not start")
    return not ready


def _stopped_for_nobody(plan: Plan, child: "subprocess.Popen[bytes]") -> bool:
    """Under the start lock nobody can begin to use the server while we look and stop it."""
    starting = locks.take_if_free(plan.start_lock)
    if starting is None:
        return False
    try:
        using = locks.take_if_free(plan.place.users)
        if using is None:
            return False
        os.close(using)
        cluster.end(plan.place, reap=child.poll)
        child.wait()
        os._exit(0)
    finally:
        os.close(starting)


def _fail(plan: Plan, what: str) -> None:
    words = (
        f"{what} in {plan.place.home}. What was saved is kept. The log's last lines, from "
        f"{plan.place.log}:\n{_tail(plan.place.log)}"
    )
    tell(plan.place, "failed", words=words)


def _tail(log: Path, lines: int = 8) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4000))
        text = file.read().decode(errors="replace")
    return "\n".join(text.strip().splitlines()[-lines:])


def _bound(log: Path) -> None:
    """The server appends and never opens its log again, so the file is emptied, not renamed."""
    if log.stat().st_size > LOG_BYTES:
        shutil.copyfile(log, log.with_suffix(".log.1"))
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
    keep(Plan.from_json(sys.argv[1]))


if __name__ == "__main__":
    main()
