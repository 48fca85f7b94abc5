"""The report of the error that ends a process is sent before the process is gone."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

from tests.e2e.processes.product import TIMEOUT
from tests.support.receiver import Receiver

ENDS = """
import os
from hrims import error_reports, log
from hrims.config import load
settings = load(os.environ)
log.configure(settings)
log.log_uncaught_errors()
error_reports.configure(settings, "worker")
raise KeyError("a defect")
"""


def test_the_error_that_ends_a_process_is_reported(state: Path) -> None:
    with Receiver() as sentry:
        dsn = f"http://public@127.0.0.1:{sentry.port}/1"
        environment = os.environ | {"HRIMS_STATE_DIR": str(state), "SENTRY_DSN": dsn}
        command = [sys.executable, "-c", ENDS]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
        assert done.returncode == 1
        report = gzip.decompress(sentry.next().body).decode()
    assert '"event":"process_failed"' in report
    assert "a defect" not in report
    assert "Sentry" not in done.stderr
