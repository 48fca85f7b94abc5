"""Keeps child processes running: commands come in; each runs, is started again when it ends, and all
of them end together.
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

from hrims.cli import leash
from hrims.config import PROJECT

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a process that ended is started again: doubling from the first to the longest."""

WELL_AFTER = 30.0
"""Seconds after which a process counts as well, and its next end as the first."""

LOG_BYTES = 5_000_000
"""Size at which a log file is set aside; one older file is kept."""

LONGEST_LINE = 300
"""Characters of a log's last line that are told."""


class Child:
    """One process and what it takes to start it again. ``others_need_it`` says to stop it last."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str],
        log: Path,
        *,
        others_need_it: bool = False,
    ) -> None:
        self.name, self.log, self.others_need_it = name, log, others_need_it
        self._command, self._env = list(command), dict(env)
        self._lines = _log_file(name, log)
        self._last_line = ""
        self._reader: threading.Thread | None = None
        self._ends_in_a_row = 0
        self._began = 0.0
        self._due = 0.0
        self._buried = False
        self.process: subprocess.Popen[str] | None = None

    def start(self, leash_fd: int) -> None:
        """Starts the process in a session of its own, so that a Ctrl-C reaches its parent alone.

        Raises OSError when the machine cannot.
        """
        self._began, self._last_line, self._buried = time.monotonic(), "", False
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self._command,
            env={**self._env, leash.VARIABLE: str(leash_fd)},
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=[leash_fd],
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
        """Whether it does not run and should."""
        return self.process is None and time.monotonic() >= self._due

    def lives(self) -> bool:
        """Whether it runs. When it does not any more, what it left behind is ended."""
        if self.process is None or self._buried:
            return False
        if not _has_ended(self.process):
            return True
        # Before it is reaped, because until then its number cannot be another's.
        _signal_group(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._buried = True
        if self._reader:
            self._reader.join(1.0)
        return False

    def plan_restart(self, why: str) -> str:
        """Notes when to start again; returns what happened, in words."""
        well = time.monotonic() - self._began > WELL_AFTER
        self._ends_in_a_row = 1 if well else self._ends_in_a_row + 1
        pause: float = min(FIRST_PAUSE * 2 ** (self._ends_in_a_row - 1), LONGEST_PAUSE)
        self.process, self._due = None, time.monotonic() + pause
        return f"{self.name} ended ({why}); it starts again in {pause:g} s. {self.last_words()}"

    def last_words(self) -> str:
        """Where its log is, and how that ends."""
        if not self._last_line:
            return f"Its log: {self.log}"
        return f"Its log, {self.log}, ends: {self._last_line[:LONGEST_LINE]}"

    def signal(self, number: signal.Signals) -> None:
        """Asks the process to end; SIGKILL also ends whatever it started."""
        if self.process is None or not self.lives():
            return
        if number == signal.SIGKILL:
            _signal_group(self.process.pid, number)
        else:
            self.process.send_signal(number)


class Family:
    """All children of ``hrims up``: started together, kept running, ended together."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = list(children)
        # The writing end is held by this process alone: when it dies, however, the children notice.
        self._leash, self._held = os.pipe()

    def tend(self) -> list[str]:
        """Starts whoever is due; returns a line for each that ended."""
        told = []
        for child in self.children:
            if child.process is not None and not child.lives():
                told.append(child.plan_restart(_why(child.process.returncode)))
            elif child.is_due:
                try:
                    child.start(self._leash)
                except OSError as reason:
                    told.append(child.plan_restart(f"it could not be started: {reason.strerror}"))
        return told

    def stop(self, grace: float, impatient: Callable[[], bool]) -> None:
        """Asks all to end, those first whom nobody needs; makes whoever has not after ``grace``
        seconds, and everybody as soon as ``impatient`` says so.
        """
        until = time.monotonic() + grace
        for others_need_it in (False, True):
            some = [child for child in self.children if child.others_need_it is others_need_it]
            for child in some:
                child.signal(signal.SIGTERM)
            while _living(some) and time.monotonic() < until and not impatient():
                time.sleep(0.05)
            for child in _living(some):
                child.signal(signal.SIGKILL)
                assert child.process is not None
                child.process.wait()


def _living(children: Iterable[Child]) -> list[Child]:
    return [child for child in children if child.lives()]


def _has_ended(process: "subprocess.Popen[str]") -> bool:
    """Without reaping it, so that its number stays its own; not every macOS can."""
    if not hasattr(os, "waitid"):
        return process.poll() is not None
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return  # nobody is left; macOS says so by the second


def _why(code: int | None) -> str:
    return f"signal {-code}" if code and code < 0 else f"exit code {code}"


class Rotating(logging.handlers.RotatingFileHandler):
    """A log file on a disk that may be full: nothing to tell a person at the terminal."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the base class names it
        """Drops the line."""


def _log_file(name: str, path: Path) -> logging.Logger:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = Rotating(path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = logging.getLogger(f"hrims.child.{name}")
    log.propagate = False
    log.setLevel(logging.INFO)
    log.handlers = [handler]
    return log
