"""Supervises child processes.

Input: commands. Output: running processes, which are restarted when they end and are stopped together.
"""

import logging
import logging.handlers
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

from hrims.backoff import exponential_backoff
from hrims.cli import parent_watch
from hrims.installation import ROOT

FIRST_PAUSE, MAX_PAUSE = 0.5, 30.0
"""Seconds before a process that ended is restarted: doubled from the first value up to the maximum."""

HEALTHY_AFTER = 30.0
"""Seconds of running after which a process counts as healthy, so that the pause starts again."""

LOG_BYTES = 5_000_000
"""Size in bytes at which a log file is rotated; one older file is kept."""

MAX_LINE_LENGTH = 300
"""Number of characters shown of a log's last line."""


class Child:
    """A supervised process and what is needed to restart it.

    ``is_needed_by_others`` means that it is stopped last.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str],
        log: Path,
        *,
        is_needed_by_others: bool = False,
    ) -> None:
        self.name, self.log, self.is_needed_by_others = name, log, is_needed_by_others
        self._command, self._env = list(command), dict(env)
        self._lines = _log_file(name, log)
        self._last_line = ""
        self._reader: threading.Thread | None = None
        self._consecutive_ends = 0
        self._began = 0.0
        self._due = 0.0
        self._is_reaped = False
        self.process: subprocess.Popen[str] | None = None

    def start(self, parent_fd: int) -> None:
        """Start the process in its own session, so that Ctrl-C reaches only its parent.

        Raises OSError if the process cannot be started.
        """
        self._began, self._last_line, self._is_reaped = time.monotonic(), "", False
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self._command,
            env={**self._env, parent_watch.FD_VARIABLE: str(parent_fd)},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=[parent_fd],
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self._keep_log, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    def _keep_log(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                self._last_line = line.strip() or self._last_line
                self._lines.info("%s", line.rstrip("\n"))

    @property
    def is_due(self) -> bool:
        """Whether the process is not running and its restart is due."""
        return self.process is None and time.monotonic() >= self._due

    def is_running(self) -> bool:
        """Return whether the process is running.

        If it has ended, kill the processes that it left behind.
        """
        if self.process is None or self._is_reaped:
            return False
        if not _has_ended(self.process):
            return True
        # Kill the group before the process is reaped: until then, its process id cannot be reused.
        _signal_group(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._is_reaped = True
        if self._reader:
            self._reader.join(1.0)
        return False

    def plan_restart(self, reason: str) -> str:
        """Schedule the restart and return a message about what happened."""
        was_healthy = time.monotonic() - self._began > HEALTHY_AFTER
        self._consecutive_ends = 1 if was_healthy else self._consecutive_ends + 1
        pause = exponential_backoff(FIRST_PAUSE, self._consecutive_ends, MAX_PAUSE)
        self.process, self._due = None, time.monotonic() + pause
        return f"{self.name} ended ({reason}); it starts again in {pause:g} s. {self.describe_log()}"

    def describe_log(self) -> str:
        """Return the path of the log and its last line."""
        if not self._last_line:
            return f"Its log: {self.log}"
        return f"Its log, {self.log}, ends: {self._last_line[:MAX_LINE_LENGTH]}"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process; SIGKILL also ends all processes that it started."""
        if self.process is None or not self.is_running():
            return
        if number == signal.SIGKILL:
            _signal_group(self.process.pid, number)
        else:
            self.process.send_signal(number)


class Supervisor:
    """All children of ``hrims up``: started together, kept running, stopped together."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = list(children)
        # Only this process has the write end. If it dies for any reason, the children notice.
        self._read_fd, self._write_fd = os.pipe()

    def restart_ended(self) -> list[str]:
        """Start the children that are due and return a line for each child that ended."""
        messages = []
        for child in self.children:
            if child.process is not None and not child.is_running():
                messages.append(child.plan_restart(_exit_reason(child.process.returncode)))
            elif child.is_due:
                try:
                    child.start(self._read_fd)
                except OSError as error:
                    messages.append(child.plan_restart(f"it could not be started: {error.strerror}"))
        return messages

    def stop(self, grace: float, is_forced: Callable[[], bool]) -> None:
        """Stop all children, those that others need last.

        Kill the children that are still running after ``grace`` seconds, or as soon as ``is_forced`` returns
        True.
        """
        deadline = time.monotonic() + grace
        for is_needed_by_others in (False, True):
            group = [child for child in self.children if child.is_needed_by_others is is_needed_by_others]
            for child in group:
                child.signal(signal.SIGTERM)
            while _find_running(group) and time.monotonic() < deadline and not is_forced():
                time.sleep(0.05)
            for child in _find_running(group):
                child.signal(signal.SIGKILL)
                assert child.process is not None
                child.process.wait()


def _find_running(children: Iterable[Child]) -> list[Child]:
    return [child for child in children if child.is_running()]


def _has_ended(process: "subprocess.Popen[str]") -> bool:
    """Return whether the process has ended, without reaping it.

    An unreaped process keeps its process id. macOS does not always support this.
    """
    if not hasattr(os, "waitid"):
        return process.poll() is not None
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return  # no process is left; macOS reports this as PermissionError


def _exit_reason(code: int | None) -> str:
    return f"signal {-code}" if code and code < 0 else f"exit code {code}"


class Rotating(logging.handlers.RotatingFileHandler):
    """A rotating log file that tolerates a full disk.

    A write error must not print a traceback to the terminal.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - named by the base class
        """Drop the line."""


def _log_file(name: str, path: Path) -> logging.Logger:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = Rotating(path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = logging.getLogger(f"hrims.child.{name}")
    log.propagate = False
    log.setLevel(logging.INFO)
    log.handlers = [handler]
    return log
