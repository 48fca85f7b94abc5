"""Signals to workers. Input: a worker process. Output: its exit code."""

import re
import signal
import subprocess
from pathlib import Path

from tests.e2e.processes.product import TIMEOUT, wait_until


def stop_worker(worker: subprocess.Popen[bytes]) -> int:
    """Stop a worker with SIGTERM, as soon as it handles that signal. Return its exit code.

    Procrastinate's own command installs its handler after the worker's first lines of the log.
    """
    status = Path(f"/proc/{worker.pid}/status")

    def handles_signal() -> bool:
        caught = re.search(r"^SigCgt:\s*(\w+)$", status.read_text(), re.MULTILINE)
        return worker.poll() is not None or bool(caught and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)

    wait_until(handles_signal)
    worker.send_signal(signal.SIGTERM)
    return worker.wait(TIMEOUT)
