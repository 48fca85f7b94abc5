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
from collections.abc import Mapping, Sequence
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


class Child:
    """One process and what it takes to start it again."""

    def __init__(self, name: str, command: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._command = list(command)
        self._env = dict(env)
        self._log = _log_file(name, log)
        self._pause = FIRST_PAUSE
        self._began = 0.0
        self.due = 0.0
        self.process: subprocess.Popen[str] | None = None

    def start(self, leash_fd: int) -> None:
        """Starts the process in a session of its own, so that a Ctrl-C reaches its parent alone."""
        env = {**os.environ, **self._env, leash.VARIABLE: str(leash_fd)}
        self._began = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self._command,
            env=env,
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
        threading.Thread(target=self._keep_log, args=(self.process.stdout,), daemon=True).start()

    def _keep_log(self, lines: IO[str]) -> None:
        for line in lines:
            self._log.info("%s", line.rstrip("\n"))

    def ended(self) -> int | None:
        """The exit code of a process that has ended since it was started, else None."""
        return self.process.poll() if self.process else None

    def plan_restart(self) -> float:
        """Notes when to start again; returns the seconds until then."""
        well = time.monotonic() - self._began > WELL_AFTER
        self._pause = FIRST_PAUSE if well else min(self._pause * 2, LONGEST_PAUSE)
        self.process = None
        self.due = time.monotonic() + self._pause
        return self._pause

    def signal(self, number: int) -> None:
        """Sends a signal to the process and whatever it started, if it still runs."""
        if self.process and self.process.poll() is None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                return


class Family:
    """All children of ``hrims up``: started together, kept running, ended together."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = list(children)
        # The writing end is held by this process alone: when it dies, however, the children notice.
        self._leash, self._held = os.pipe()
        os.set_inheritable(self._held, False)

    def start(self, child: Child) -> None:
        """Starts one child."""
        child.start(self._leash)

    def tend(self) -> list[str]:
        """Starts again whoever has ended and is due; returns a line for each that ended."""
        told = []
        for child in self.children:
            code = child.ended()
            if code is not None:
                pause = child.plan_restart()
                told.append(f"{child.name} ended ({_why(code)}); it starts again in {pause:.0f} s")
            elif child.process is None and time.monotonic() >= child.due:
                self.start(child)
        return told

    def stop(self, grace: float) -> None:
        """Asks all to end, and makes whoever has not after ``grace`` seconds."""
        for child in reversed(self.children):
            child.signal(signal.SIGTERM)
        until = time.monotonic() + grace
        for child in self.children:
            if child.process:
                try:
                    child.process.wait(max(0.1, until - time.monotonic()))
                except subprocess.TimeoutExpired:
                    child.signal(signal.SIGKILL)
                    child.process.wait()


def _why(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _log_file(name: str, path: Path) -> logging.Logger:
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = logging.getLogger(f"hrims.child.{name}")
    log.propagate = False
    log.setLevel(logging.INFO)
    log.handlers = [handler]
    return log
