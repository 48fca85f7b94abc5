"""A real Prometheus with a copy of deploy/prometheus. Input: ports to scrape. Output: its API."""

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.monitoring.stack_files import PROMETHEUS, recorded
from tests.support.harness import TIMEOUT
from tests.support.prometheus import program
from tests.support.served import free_port

Json = dict[str, Any]


class PrometheusServer:
    """A Prometheus on a free port of this host, with its storage in ``folder``.

    The copy of the configuration differs only in addresses, in intervals, and in ``for`` of the alerts.
    """

    def __init__(self, folder: Path, *, token: str, web: int, worker: int, interval: str = "1s") -> None:
        self.folder = folder / "prometheus"
        shutil.copytree(PROMETHEUS, self.folder)
        (self.folder / "hrims-metrics-token").write_text(token)
        replace(
            self.folder / "prometheus.yml",
            {"127.0.0.1:9002": f"127.0.0.1:{web}", "127.0.0.1:9003": f"127.0.0.1:{worker}", "15s": interval},
        )
        rules = self.folder / "hrims.rules.yml"
        rules.write_text(re.sub(r"^(\s+for:) \w+$", r"\1 1s", rules.read_text(), flags=re.MULTILINE))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.Client(base_url=f"{self.url}/api/v1", timeout=TIMEOUT, trust_env=False)
        self.log = self.folder / "prometheus.log"
        command = [
            program("prometheus"),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def get(self, path: str, **query: str) -> Any:
        """Return the data of an answer of the API."""
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def query(self, expr: str) -> list[Json]:
        """Return the series that a query has now."""
        result: list[Json] = self.get("/query", query=expr)["result"]
        return result

    def value(self, expr: str) -> float | None:
        """Return the value of a query with one series; None if it has none."""
        found = self.query(expr)
        return float(found[0]["value"][1]) if found else None

    def alerts(self) -> dict[str, Json]:
        """Return the alerts that are pending or fire, by name."""
        return {alert["labels"]["alertname"]: alert for alert in self.get("/alerts")["alerts"]}

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire."""
        return {name for name, alert in self.alerts().items() if alert["state"] == "firing"}

    def wait_until(self, reached: Callable[[], object], what: str) -> None:
        """Wait until a condition holds."""
        until = time.monotonic() + TIMEOUT
        while not reached():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, f"{what}: not within {TIMEOUT} s\n{self.log.read_text()[-3000:]}"
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        try:
            return bool(self.http.get(f"{self.url}/-/ready").status_code == 200)
        except httpx.TransportError:
            return False

    def until_scraped(self) -> None:
        """Wait until each target was scraped after this moment, and then each recording rule evaluated."""
        *_, last = recorded()
        for series in ("up", last):
            is_new = f"min(timestamp({series})) > {time.time()}"
            self.wait_until(partial(self.query, is_new), f"a new sample of {series}")

    def stop(self) -> None:
        """Stop the process."""
        self.http.close()
        self.process.terminate()
        self.process.wait(TIMEOUT)

    def __enter__(self) -> Self:
        try:
            self.wait_until(self._is_ready, "a start")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def replace(file: Path, changes: dict[str, str]) -> None:
    """Replace texts in a file. Each must be in it."""
    text = file.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
