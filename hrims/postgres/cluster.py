"""The processes of the server: create the data directory, start, identify and stop them in any state.

All of them inherit one lock. While it is taken, some process of the server lives, so process ids need not be
guessed. A process is signalled only if its command line names this server.
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
from hrims.postgres.log_lines import PREFIX
from hrims.postgres.place import PORT, Place
from hrims.postgres.plan import Plan

STOP_SECONDS = 10.0
"""Seconds before the next stop signal: a fast stop early in crash recovery can hang without end."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
"""Fast shutdown, immediate shutdown, kill."""

OWNER = "hrims"
"""The role and the database of the product; the role owns the server."""


def name_of(place: Place) -> str:
    """Return the cluster name, which the title of every process of this server shows and identifies it by."""
    return "hrims-" + hashlib.sha256(os.fsencode(place.home)).hexdigest()[:12]


def make_data(plan: Plan) -> bool:
    """Create an empty database and return whether that succeeded.

    It is created in a temporary folder and then renamed, so that a killed initdb leaves no partial one.
    """
    place = plan.place
    if place.data.exists():
        return True
    folder = Path(tempfile.mkdtemp(prefix="initdb-", dir=place.home))
    if place.account:
        os.chown(folder, place.account.uid, place.account.gid)
    if _run(plan, [plan.binaries / "initdb", "-D", folder, *_initdb_options(plan)]).wait() != 0:
        return False
    folder.rename(place.data)
    return True


def _initdb_options(plan: Plan) -> list[str]:
    locale_options = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return [
        f"--username={OWNER}",
        "--encoding=UTF8",
        "--locale=C",
        *(locale_options if plan.version >= 17 else []),
        "--auth-local=trust",
        "--auth-host=reject",
        "--data-checksums",
        *([] if plan.fsync else ["--no-sync"]),
    ]


def start(plan: Plan) -> "subprocess.Popen[bytes]":
    """Start the server and return immediately; `is_ready` reports when it accepts connections."""
    options = [f"--{key}={value}" for key, value in _settings(plan).items()]
    return _run(plan, [plan.binaries / "postgres", "-D", plan.place.data, *options])


def _settings(plan: Plan) -> dict[str, str]:
    durability = {} if plan.fsync else dict.fromkeys(("fsync", "full_page_writes"), "off")
    return {
        "max_connections": "100",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "jit": "off",
        "wal_compression": "on",
        # Errors quote rows, which contain personal data. The log therefore records only the server's own
        # events.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length_on_error": "0",
        "log_line_prefix": PREFIX,
        **durability,
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
    """Start a program of the server; it inherits only the lock and the log."""
    lock = locks.take(plan.place.running)
    account_arguments = plan.place.account.as_popen() if plan.place.account else {}
    try:
        return subprocess.Popen(  # noqa: S603 - our own program and options, no shell
            command,
            stdin=subprocess.DEVNULL,
            pass_fds=(lock,),
            cwd=plan.place.home,
            env=CLEAN_ENVIRONMENT,
            preexec_fn=_end_with_parent(),  # noqa: PLW1509 - the guard has one thread
            start_new_session=True,
            **account_arguments,
        )
    finally:
        os.close(lock)


def _end_with_parent() -> Callable[[], None] | None:
    """Return a function for the child process that makes the server stop in order if its guard is killed.

    Return None on other systems than Linux.
    """
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def request_signal() -> None:
        prctl(1, int(signal.SIGINT))  # PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)

    return request_signal


def is_ready(place: Place, pid: int) -> bool:
    """Return whether the server with this process id reports that it accepts connections."""
    lines = _pid_file(place)
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _pid_file(place: Place) -> list[str]:
    try:
        return (place.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def clear(plan: Plan) -> None:
    """Stop the remaining processes of a dead server and remove the files that would block the next one.

    Each file names a process id that may belong to another process by now. PostgreSQL would wait without end
    for that process.
    """
    end(plan.place)
    if not locks.is_taken(plan.place.running) and _postmaster(plan.place) is None:
        (plan.place.data / "postmaster.pid").unlink(missing_ok=True)
        (plan.socket_dir / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)


def end(place: Place, child: "subprocess.Popen[bytes] | None" = None, seconds: float = STOP_SECONDS) -> None:
    """Stop all remaining processes of the server, with an increasingly strong signal.

    ``child`` is the server if this process started it.
    """
    for signal_ in STOP_SIGNALS:
        if not _is_running(place, child):
            break
        for pid in _find_targets(place, child, signal_):
            _signal(pid, signal_)
        _wait_for_end(place, child, seconds)


def _is_running(place: Place, child: "subprocess.Popen[bytes] | None") -> bool:
    # Call poll() first: it also reaps the process. A process that is only not yet reaped has no lock.
    return (child is not None and child.poll() is None) or locks.is_taken(place.running)


def _wait_for_end(place: Place, child: "subprocess.Popen[bytes] | None", seconds: float) -> None:
    until = time.monotonic() + seconds
    while _is_running(place, child) and time.monotonic() < until:
        time.sleep(0.02)


def _find_targets(
    place: Place, child: "subprocess.Popen[bytes] | None", signal_: signal.Signals
) -> list[int]:
    """Return the process to signal: the server, which ends its children.

    Return the children too if the server is gone or all other signals failed.
    """
    main = child.pid if child is not None and child.poll() is None else _postmaster(place)
    if main is not None and signal_ != signal.SIGKILL:
        return [main]
    return [*([main] if main else []), *_children(place)]


def _signal(pid: int, signal_: signal.Signals) -> None:
    try:
        os.kill(pid, signal_)
    except ProcessLookupError:
        return


def _postmaster(place: Place) -> int | None:
    """Return the process that the pid file names if it really is the server of this data directory.

    The process id alone proves nothing: after a crash it may belong to another process.
    """
    first = next(iter(_pid_file(place)), "")
    if not first.isdigit():
        return None
    return int(first) if f"postgres -D {place.data} " in _command_line(int(first)) else None


def _children(place: Place) -> list[int]:
    """Return the processes whose title names this server."""
    title = f"postgres: {name_of(place)}: "
    return [pid for pid in _all_pids() if _command_line(pid).startswith(title)]


def _all_pids() -> list[int]:
    if sys.platform == "linux":
        return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]
    return [int(pid) for pid in _ps("-axo", "pid=").split()]


def _command_line(pid: int) -> str:
    if sys.platform != "linux":
        return _ps("-wwo", "command=", "-p", str(pid)).strip() + " "
    try:
        content = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return os.fsdecode(content.replace(b"\0", b" ")) + " "


def _ps(*options: str) -> str:
    result = subprocess.run(  # noqa: S603 - fixed words and numbers
        ["/bin/ps", *options], check=False, capture_output=True, text=True
    )
    return result.stdout
