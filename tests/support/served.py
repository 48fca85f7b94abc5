"""Start the real web process for tests: gunicorn as the product starts it, on a free port."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests import PROJECT

READY_WITHIN = 60.0


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Served:
    """One web process. ``url`` is its address, ``log`` the file of its output.

    With ``heartbeat``, streams send one after so many seconds. Variables that begin with TEST_ change more
    (``tests/support/gunicorn_settings.py``).
    """

    def __init__(
        self, folder: Path, env: Mapping[str, str], *, port: int = 0, heartbeat: float | None = None
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"web-{self.port}.log"
        tests = {name: value for name, value in env.items() if name.startswith("TEST_")}
        if heartbeat:
            tests["TEST_HEARTBEAT"] = str(heartbeat)
        self._command = [
            str(Path(sys.executable).with_name("gunicorn")),
            "--config",
            f"python:{'tests.support' if tests else 'hrims.cli'}.gunicorn_settings",
        ]
        self._env = {**os.environ, "HRIMS_STATE_DIR": str(folder), **env, **tests, "PORT": str(self.port)}
        self.start()

    def start(self) -> None:
        """Start the process and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, cwd=PROJECT, env=self._env, stdout=log, stderr=subprocess.STDOUT
            )
        until = time.monotonic() + READY_WITHIN
        while not self._answers():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:  # noqa: S310 - our own address
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        """Stop the process if it runs."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
