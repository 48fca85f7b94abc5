"""The server's own processes: made, started, known again, and stopped, whatever state they are in.

They all inherit one lock. While it is taken, some process of the server lives; no guess about
process ids is needed, and none is ever signalled unless its command line names this server.
"""

import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hrims.postgres import locks
from hrims.postgres.binaries import CLEAN_ENVIRONMENT
from hrims.postgres.place import PORT, Place
from hrims.postgres.plan import Plan

PATIENCE = 10.0
"""Seconds before a stop is tried harder: a fast stop early in crash recovery can hang for ever."""

STEPS = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
"""Fast, immediate, and last."""

OWNER = "hrims"
"""The role and the database that the product uses; the role owns the server."""


def name_of(place: Place) -> str:
    """Shown in the title of every process of this server, so that they are known again."""
    return "hrims-" + hashlib.sha256(os.fsencode(place.home)).hexdigest()[:12]


def make_data(plan: Plan) -> bool:
    """An empty database, made aside and renamed: a killed initdb leaves no half of one."""
    place = plan.place
    if place.data.exists():
        return True
    fresh = Path(tempfile.mkdtemp(prefix="initdb-", dir=place.home))
    if place.account:
        os.chown(fresh, place.account.uid, place.account.gid)
    if _run(plan, [plan.binaries / "initdb", "-D", fresh, *_initdb_options(plan)]).wait() != 0:
        return False
    fresh.rename(place.data)
    return True


def _initdb_options(plan: Plan) -> list[str]:
    modern = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return [
        f"--username={OWNER}",
        "--encoding=UTF8",
        "--locale=C",
        *(modern if plan.version >= 17 else []),
        "--auth-local=trust",
        "--auth-host=reject",
        "--data-checksums",
        *([] if plan.fsync else ["--no-sync"]),
    ]


def start(plan: Plan) -> "subprocess.Popen[bytes]":
    """Starts the server and returns at once; see `is_ready`."""
    options = [f"--{key}={value}" for key, value in _settings(plan).items()]
    return _run(plan, [plan.binaries / "postgres", "-D", plan.place.data, *options])


def _settings(plan: Plan) -> dict[str, str]:
    durable = {} if plan.fsync else dict.fromkeys(("fsync", "full_page_writes"), "off")
    return {
        "max_connections": "100",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "jit": "off",
        "wal_compression": "on",
        # Errors quote rows, and rows are people: the log keeps the server's own life alone.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        **durable,
        **plan.settings,
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(plan.socket_dir),
        "unix_socket_permissions": "0700",
        "cluster_name": name_of(plan.place),
        "update_process_title": "on",
        "logging_collector": "off",
    }


def _run(plan: Plan, command: list[str | Path]) -> "subprocess.Popen[bytes]":
    """Starts a program of the server: it inherits the lock, the log, and nothing else."""
    lock = locks.take(plan.place.running)
    who = plan.place.account.as_popen() if plan.place.account else {}
    try:
        return subprocess.Popen(  # noqa: S603 - our own program and options, no shell
            command,
            stdin=subprocess.DEVNULL,
            pass_fds=(lock,),
            cwd=plan.place.home,
            env=CLEAN_ENVIRONMENT,
            preexec_fn=_end_with_parent(),  # noqa: PLW1509 - the guard has one thread
            start_new_session=True,
            **who,
        )
    finally:
        os.close(lock)


def _end_with_parent() -> Callable[[], None] | None:
    """On Linux the server stops by itself, and in order, when its guard is killed."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(1, int(signal.SIGINT))  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

    return ask


def is_ready(place: Place, pid: int) -> bool:
    """Whether the server with this process id says that it takes connections."""
    lines = _pid_file(place)
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _pid_file(place: Place) -> list[str]:
    try:
        return (place.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def clear(plan: Plan) -> None:
    """Ends what a server that died has left, and removes the files that would stop the next one.

    Both name a process that may be anybody's by now: PostgreSQL would wait for it for ever.
    """
    end(plan.place)
    if not locks.is_taken(plan.place.running) and _postmaster(plan.place) is None:
        (plan.place.data / "postmaster.pid").unlink(missing_ok=True)
        (plan.socket_dir / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)


def end(place: Place, child: "subprocess.Popen[bytes] | None" = None, patience: float = PATIENCE) -> None:
    """Ends whatever is left of the server, ever harder; ``child`` is the server if it is ours."""
    for step in STEPS:
        if not _lives(place, child):
            break
        for pid in _to_signal(place, child, step):
            _signal(pid, step)
        _wait_for_end(place, child, patience)


def _lives(place: Place, child: "subprocess.Popen[bytes] | None") -> bool:
    # poll() first: it also reaps, and a process that is only not yet reaped holds no lock.
    return (child is not None and child.poll() is None) or locks.is_taken(place.running)


def _wait_for_end(place: Place, child: "subprocess.Popen[bytes] | None", patience: float) -> None:
    until = time.monotonic() + patience
    while _lives(place, child) and time.monotonic() < until:
        time.sleep(0.02)


def _to_signal(place: Place, child: "subprocess.Popen[bytes] | None", step: signal.Signals) -> list[int]:
    """The server itself, which ends its children; or these, if it is gone or all else failed."""
    own = child.pid if child is not None and child.poll() is None else _postmaster(place)
    if own is not None and step != signal.SIGKILL:
        return [own]
    return [*([own] if own else []), *_children(place)]


def _signal(pid: int, step: signal.Signals) -> None:
    try:
        os.kill(pid, step)
    except ProcessLookupError:
        return


def _postmaster(place: Place) -> int | None:
    """The process that the pid file names, if it truly is the server of this data directory.

    The number alone proves nothing: after a crash it may be anybody's by now.
    """
    first = next(iter(_pid_file(place)), "")
    if not first.isdigit():
        return None
    return int(first) if f"postgres -D {place.data} " in _command_line(int(first)) else None


def _children(place: Place) -> list[int]:
    """Processes whose title says that they belong to this server."""
    title = f"postgres: {name_of(place)}: "
    return [pid for pid in _all_pids() if _command_line(pid).startswith(title)]


def _all_pids() -> list[int]:
    if sys.platform == "linux":
        return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]
    return [int(word) for word in _ps("-axo", "pid=").split()]


def _command_line(pid: int) -> str:
    if sys.platform != "linux":
        return _ps("-wwo", "command=", "-p", str(pid)).strip() + " "
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return os.fsdecode(raw.replace(b"\0", b" ")) + " "


def _ps(*options: str) -> str:
    done = subprocess.run(  # noqa: S603 - fixed words and numbers
        ["/bin/ps", *options], check=False, capture_output=True, text=True
    )
    return done.stdout
