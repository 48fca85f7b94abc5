"""Real processes on a real server, and the means to find and kill them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from hrims.postgres import locks
from tests.postgres.kit import OURS, Kit
from tests.support.fork_server import ForkedProcess

DEBIAN = Path("/usr/lib/postgresql/15/bin")
AS_ROOT = os.geteuid() == 0


class JoinedProcess:
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
        **options: Any,
    ) -> None:
        options = {"state": str(state), "fsync": fsync, "settings": dict(settings or {}), **options}
        command = ("-m", "tests.postgres.joined_process", json.dumps(options))
        environ = {"PATH": os.defpath, **kit.env, **(env or {})}
        self.process = (
            _fork(command, environ)
            if uid is None and kit is OURS and not env
            else _start(kit.python, command, environ, uid)
        )
        self._said: dict[str, str] | None = None

    @property
    def output(self) -> dict[str, str]:
        """Return what it told, once it has joined or failed."""
        if self._said is None:
            assert self.process.stdout
            line = self.process.stdout.readline()
            self._said = json.loads(line)
        return self._said

    @property
    def dsn(self) -> str:
        assert "error" not in self.output, self.output["error"]
        return self.output["dsn"]

    @property
    def error(self) -> str:
        assert "dsn" not in self.output, "it joined, though it should not have"
        return self.output["error"]

    def leave(self) -> None:
        """Leave in order."""
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        self._reaped()

    def kill(self) -> None:
        """End as if the power of this one process were cut."""
        self.process.kill()
        self._reaped()

    def _reaped(self) -> None:
        self.process.wait(60)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


def _start(
    python: Path, command: Sequence[str], env: Mapping[str, str], uid: int | None
) -> subprocess.Popen[bytes]:
    """Start a Python, as another account if ``uid`` is given."""
    account: dict[str, Any] = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
    return subprocess.Popen(
        [python, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd="/",
        env=env,
        start_new_session=True,
        **account,
    )


def _fork(command: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Fork a process of this account, which takes milliseconds."""
    (source, stdin), (stdout, output) = os.pipe(), os.pipe()
    with os.fdopen(source, "rb") as read_end, os.fdopen(output, "wb") as write_end:
        process = ForkedProcess(
            "python",
            *command,
            env=env,
            cwd=Path("/"),
            stdin=read_end,
            stdout=write_end,
            stderr=sys.__stderr__,
            start_new_session=True,
        )
    process.stdin, process.stdout = os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb")
    return process


JoinServer = Callable[..., JoinedProcess]
"""The fixture ``hold``: start a process that joins the server."""


def home_of(state: Path) -> Path:
    record = state / "postgres.home"
    return Path(record.read_text().strip()) if record.exists() else state / "postgres"


def postmaster(state: Path) -> int:
    """Return process id of the server."""
    return int((home_of(state) / "data" / "postmaster.pid").read_text().splitlines()[0])


def guard(state: Path) -> int:
    """Return process id of the guard. While it starts, it has forked once, and its parent ends soon."""
    home = f'"home": "{home_of(state)}"'

    def find() -> list[int]:
        return [p for p in _processes() if "hrims.postgres.guard" in _line(p) and home in _line(p)]

    wait_until(lambda: len(find()) == 1, "there is one guard")
    return find()[0]


def _processes() -> list[int]:
    return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]


def _line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def alive(pid: int) -> bool:
    """Return whether the process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Freeze the process during the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def wait_until(true: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait for something to become true, which it does long before the limit."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain until {what}"
        time.sleep(0.02)


def wait_until_stopped(state: Path) -> None:
    """Wait until neither a guard nor any process of the server is left."""
    for name in ("guard.lock", "running.lock"):
        lock = home_of(state) / name
        if lock.exists():
            wait_until(partial(_free, lock), f"{lock} is free")


def _free(lock: Path) -> bool:
    return not locks.is_taken(lock)


def query(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    """Run one statement, and again while the server is on its way back."""
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
