"""The product with everything that watches it: a database, HRIMS, a web process, a worker and Prometheus."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.processes.product import run
from tests.monitoring.prometheus_server import PrometheusServer
from tests.resilience.faults.harness import SIZE, VOTES, FaultHarness
from tests.resilience.faults.server import Server
from tests.support.served import Served, free_port
from tests.support.shared import memory_folder, remove_when_stopped
from tests.support.simulated import Simulator

TOKEN = "a secret of the scraper"

SETTINGS = {
    "HRIMS_METRICS_TOKEN": TOKEN,
    "HRIMS_LOG_FORMAT": "json",
    "HRIMS_PROBE_PAUSE": "0.5",
    "HRIMS_ATTEMPTS": "20",
}

INTERVAL = "2s"
"""Between two scrapes, and the longest that a scrape may take."""

DISK_MB = 600
"""Size of the small disk of a database, in MB."""


class Stage:
    """The running product. The database is the embedded one, on ``disk``."""

    def __init__(self, folder: Path, disk: Path, ends: ExitStack) -> None:
        self.disk, self._ends = disk, ends
        remote = ends.enter_context(
            Simulator(
                sizes=dict.fromkeys(VOTES, SIZE), scale=0.02, latency_ms=80, jitter_ms=40, failure_rate=0
            )
        )
        state = disk / "state"
        server = Server(state)
        ends.callback(remove_when_stopped, state)
        ends.callback(server.share.close)
        self.harness = FaultHarness(server, remote, folder)
        ends.callback(self.harness.close)
        self.port = free_port()
        self.harness.settings |= SETTINGS | {
            "HRIMS_METRICS_PORT": str(self.port),
            "HRIMS_STATE_DIR": str(state),
        }
        # Without it, the processes use the embedded database of the state directory, as with `hrims up`.
        del self.harness.settings["DATABASE_URL"]
        self.web = ends.enter_context(Served(state, self.harness.env()))
        self.start_worker()
        self.prometheus = ends.enter_context(
            PrometheusServer(folder, token=TOKEN, web=self.web.port, worker=self.port, interval=INTERVAL)
        )
        targets = 'sum(up{job=~"hrims-web|hrims-worker"}) == 2'
        self.prometheus.wait_until(lambda: self.prometheus.query(targets), "both targets")

    def start_worker(self, *command: str) -> None:
        """Start a worker that is scraped."""
        self.harness.start_worker(*command)

    def readiness(self) -> dict[str, Any]:
        """Return the answer of /readyz."""
        answer = httpx.get(f"{self.web.url}/readyz", trust_env=False, timeout=60)
        found: dict[str, Any] = answer.json()
        return found

    def not_ready(self) -> set[str]:
        """Return what is false in the answer of /readyz."""
        return {name for name, value in self.readiness().items() if value is False} - {"ok"}

    def doctor(self) -> dict[str, str]:
        """Return the state of each check of doctor that is not skipped."""
        checks = json.loads(run("doctor", "--json", env=self.harness.env()).stdout)["checks"]
        return {
            item["name"]: item["state"] for item in checks if not item["message"].startswith("Not checked")
        }

    def events(self) -> set[str]:
        """Return the events that web process and workers have logged."""
        return {str(event.get("event")) for event in self.log()}

    def log(self) -> list[dict[str, Any]]:
        """Return the lines of the logs."""
        files = [self.web.log, *self.harness.folder.glob("worker-*.log")]
        found = []
        for line in (line for file in files for line in file.read_text(encoding="utf-8").splitlines()):
            with suppress(ValueError):
                found.append(json.loads(line))
        return found


@contextmanager
def small_disk() -> Iterator[Path]:
    """Provide a small disk of its own, which only root can mount; else a folder."""
    folder = Path(tempfile.mkdtemp(prefix="hrims-disk-", dir=memory_folder()))
    if os.geteuid() == 0:
        size = f"size={DISK_MB}m,mode=711"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        shutil.rmtree(folder, ignore_errors=True)
