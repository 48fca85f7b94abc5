"""The folder in which web processes share their counts: no state of its disk stops a web process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from hrims.monitoring import shared_folder
from tests.e2e.processes.product import wait_until
from tests.support.served import Served
from tests.web.metrics import OPEN, metrics_of

OBSERVE = """
import os, resource
from hrims.monitoring import shared_folder
folder = shared_folder.create()
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
assert not shared_folder.reserve()
from hrims import metrics
metrics.HTTP_DURATION.labels("GET", "/", 200).observe(1)
assert not os.listdir(folder)
"""


def test_the_space_of_every_file_is_allocated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(shared_folder.VARIABLE, str(tmp_path))
    assert shared_folder.reserve()
    found = {file.name: file.stat() for file in tmp_path.iterdir()}
    for kind, size in shared_folder.RESERVED.items():
        file = found.pop(f"{kind}_{os.getpid()}.db")
        assert (file.st_size, file.st_blocks * 512 >= size) == (size, True)
    assert not found


def test_a_process_without_space_counts_for_itself(tmp_path: Path) -> None:
    """A limit of the size of files stands for a full disk: both refuse to allocate."""
    subprocess.run([sys.executable, "-c", OBSERVE], env=os.environ | {"TMPDIR": str(tmp_path)}, check=True)


def test_a_server_without_its_folder_serves_all_the_same(dsn: str, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    environment = {"DATABASE_URL": dsn, "HRIMS_WEB_PROCESSES": "1", shared_folder.VARIABLE: missing, **OPEN}
    with Served(tmp_path, environment) as served, httpx.Client(base_url=served.url) as http:
        metrics_of(http)
        name = 'hrims_http_request_duration_seconds_count{method="GET",route="/metrics",status="200"}'
        assert metrics_of(http)[name] == 1
    assert "metrics_not_shared" in served.log.read_text()


def test_a_killed_process_leaves_its_counts_and_no_space(dsn: str, tmp_path: Path) -> None:
    folder = tmp_path / "counts"
    folder.mkdir()
    environment = {"DATABASE_URL": dsn, "HRIMS_WEB_PROCESSES": "1", **OPEN}
    environment[shared_folder.VARIABLE] = str(folder)
    name = 'hrims_http_request_duration_seconds_count{method="GET",route="/metrics",status="200"}'
    with Served(tmp_path, environment) as served, httpx.Client(base_url=served.url) as http:
        metrics_of(http)
        [file] = folder.glob("histogram_*.db")
        os.kill(int(file.stem.rpartition("_")[2]), signal.SIGKILL)
        wait_until(lambda: len([*folder.glob("histogram_*.db")]) == 2, served.log.read_text)
        assert metrics_of(http)[name] == 1
        assert file.stat().st_size < 50_000
        assert metrics_of(http)[name] == 2


def test_all_processes_of_a_server_use_the_allocated_files(dsn: str, tmp_path: Path) -> None:
    """The files grow only beyond their reserved size, so that no write meets a hole."""
    folder = tmp_path / "counts"
    folder.mkdir()
    environment = {"DATABASE_URL": dsn, shared_folder.VARIABLE: str(folder), **OPEN}
    with Served(tmp_path, environment) as served, httpx.Client(base_url=served.url) as http:
        assert metrics_of(http)["hrims_database_up"] == 1
        sizes = {(file.name.rpartition("_")[0], file.stat().st_size) for file in folder.iterdir()}
        assert sizes == set(shared_folder.RESERVED.items())
