"""Real processes on a real server, and the means to find and kill them."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from hrims.postgres import locks
from tests.postgres.kit import OURS, Kit

DEBIAN = Path("/usr/lib/postgresql/15/bin")
AS_ROOT = os.geteuid() == 0


class Holder:
    """One process that joins the server of a state directory."""

    def __init__(
        self,
        state: Path,
        *,
        uid: int | None = None,
        kit: Kit = OURS,
        fsync: bool = False,
        settings: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        **wish: Any,
    ) -> None:
        asked = {"state": str(state), "fsync": fsync, "settings": dict(settings or {}), **wish}
        who: dict[str, Any] = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
        self.process = subprocess.Popen(
            [kit.python, "-m", "tests.postgres.holder", json.dumps(asked)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PATH": os.defpath, **kit.env, **(env or {})},
            start_new_session=True,
            **who,
        )
        self._said: dict[str, str] | None = None

    @property
    def said(self) -> dict[str, str]:
        """What it told, once it has joined or failed."""
        if self._said is None:
            assert self.process.stdout
            line = self.process.stdout.readline()
            self._said = json.loads(line)
        return self._said

    @property
    def dsn(self) -> str:
        assert "error" not in self.said, self.said["error"]
        return self.said["dsn"]

    @property
    def error(self) -> str:
        assert "dsn" not in self.said, "it joined, though it should not have"
        return self.said["error"]

    def leave(self) -> None:
        """Leaves in order."""
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        self._reaped()

    def kill(self) -> None:
        """Ends as if the power of this one process were cut."""
        self.process.kill()
        self._reaped()

    def _reaped(self) -> None:
        self.process.wait(60)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


def home_of(state: Path) -> Path:
    record = state / "postgres.home"
    return Path(record.read_text().strip()) if record.exists() else state / "postgres"


def postmaster(state: Path) -> int:
    """Process id of the server."""
    return int((home_of(state) / "data" / "postmaster.pid").read_text().splitlines()[0])


def guard(state: Path) -> int:
    """Process id of the guard."""
    home = f'"home": "{home_of(state)}"'
    found = [p for p in _processes() if "hrims.postgres.guard" in _line(p) and home in _line(p)]
    assert len(found) == 1, f"{len(found)} guards: {found}"
    return found[0]


def _processes() -> list[int]:
    return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]


def _line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """The process stands still for the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def until(true: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Waits for something to become true, which it does long before the limit."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain until {what}"
        time.sleep(0.02)


def until_stopped(state: Path) -> None:
    """Waits until neither a guard nor any process of the server is left."""
    for name in ("guard.lock", "running.lock"):
        lock = home_of(state) / name
        if lock.exists():
            until(partial(_free, lock), f"{lock} is free")


def _free(lock: Path) -> bool:
    return not locks.is_taken(lock)


def query(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    """Runs one statement, and again while the server is on its way back."""
    end = time.monotonic() + 60
    while True:
        try:
            with psycopg.connect(dsn, autocommit=True) as connection:
                cursor = connection.execute(statement.encode())
                return cursor.fetchall() if cursor.description else []
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
