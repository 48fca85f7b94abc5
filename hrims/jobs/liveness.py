"""Signs of life of a worker process for its host: a file for probes, and messages to systemd.

They say that the event loop runs, also while the database is away. Whether the worker lives for the other
workers is decided by its heartbeat in the database.
"""

import asyncio
import os
import socket
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from hrims.outages import outages

INTERVAL: Final = 2.0
"""Seconds between two signs of life, or less if systemd requires it."""

MICROSECONDS: Final = 1_000_000

START_TIME: Final = 19
"""Index of the start time among the fields of /proc/PID/stat that follow the name of the process."""


class Sign(NamedTuple):
    """The last sign of life of a process: what it does, and how many seconds ago it said so."""

    pid: int
    status: str
    age: float


class Liveness:
    """The signs of life of this process. ``status`` is what it does, in a few words."""

    def __init__(self) -> None:
        self.status = "starting"
        self._file = _folder() / f"{os.getpid()}-{_started_at(os.getpid())}"

    async def run(self) -> None:
        """Give signs of life until cancelled. The file is then deleted."""
        notify("READY=1")
        try:
            while True:
                self.report()
                await asyncio.sleep(min(INTERVAL, watchdog_seconds() / 2))
        finally:
            notify("STOPPING=1")
            self._file.unlink(missing_ok=True)

    def report(self) -> None:
        """Give one sign of life. A folder that cannot be written only blinds probes."""
        status = "waiting for the database" if outages.is_away else self.status
        notify("WATCHDOG=1", f"STATUS={status}")
        with suppress(OSError):
            self._file.parent.mkdir(mode=0o700, exist_ok=True)
            if _is_ours(self._file.parent):
                self._file.write_text(status, encoding="utf-8")


def list_signs() -> list[Sign]:
    """Return the last sign of every worker process of this user on this host that has not ended."""
    found = []
    for file in sorted(_folder().glob("*")) if _is_ours(_folder()) else []:
        with suppress(OSError, ValueError):
            pid, _, started_at = file.name.partition("-")
            if _started_at(int(pid)) == started_at:
                age = time.time() - file.stat().st_mtime
                found.append(Sign(int(pid), file.read_text(encoding="utf-8"), age))
            else:
                file.unlink(missing_ok=True)
    return found


def _started_at(pid: int) -> str:
    """Return when a process started, in ticks since the boot; empty if it has ended.

    Another process with the same id has another time.
    """
    try:
        stat_line = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    # Its name is in parentheses and may contain any character.
    return stat_line.rpartition(")")[2].split()[START_TIME]


def notify(*lines: str) -> None:
    """Send lines to the service manager, if it started this process (sd_notify)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        # A name that begins with @ is in the abstract namespace.
        manager.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        manager.sendall("\n".join(lines).encode())


def watchdog_seconds() -> float:
    """Return the time after which the service manager restarts a silent process; infinite without one."""
    is_meant = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / MICROSECONDS if is_meant and microseconds.isdigit() else float("inf")


def _folder() -> Path:
    return Path(os.environ.get("TMPDIR") or tempfile.gettempdir()) / f"hrims-workers-{os.getuid()}"


def _is_ours(folder: Path) -> bool:
    """Return whether a folder is of this user. Another user may have made one of its name, or a link."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
