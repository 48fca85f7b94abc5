"""Signs of life of a real worker: `hrims worker --probe`, and the messages to systemd."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tests.e2e.processes.product import TIMEOUT, env_of, run, start, wait_until
from tests.support.databases import administration
from tests.support.fork_server import ForkedProcess

NOWHERE = "postgresql://unknown@127.0.0.1:1/none"


@pytest.fixture
def env(dsn: str, state: Path, tmp_path: Path) -> dict[str, str]:
    """Provide the environment of a host with a folder for temporary files of its own."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    return env_of(state) | {
        "DATABASE_URL": dsn,
        "HRIMS_BASE_URL": "http://127.0.0.1:1",
        "TMPDIR": str(folder),
        "HRIMS_BEAT_SECONDS": "0.5",
        "HRIMS_SILENT_SECONDS": "5",
    }


@pytest.fixture
def worker(env: dict[str, str], tmp_path: Path) -> Iterator[ForkedProcess]:
    """Provide a worker."""
    process = start("worker", env=env, log=tmp_path / "worker.log")
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait(TIMEOUT)


def probe(env: dict[str, str]) -> tuple[int, str]:
    """Return the exit code and the text of a probe."""
    done = run("worker", "--probe", env=env)
    return done.returncode, done.stdout


def test_a_host_without_a_worker(env: dict[str, str]) -> None:
    assert probe(env) == (1, "No worker of this user runs on this host. Start one: hrims worker\n")


def test_a_worker_that_works_freezes_and_wakes(env: dict[str, str], worker: ForkedProcess) -> None:
    wait_until(lambda: probe(env) == (0, f"Worker process {worker.pid} is working.\n"))
    worker.send_signal(signal.SIGSTOP)
    wait_until(lambda: probe(env)[0] == 1)
    assert "Restart it." in probe(env)[1]
    worker.send_signal(signal.SIGCONT)
    wait_until(lambda: probe(env)[0] == 0)


def test_a_killed_worker_is_gone(env: dict[str, str], worker: ForkedProcess) -> None:
    wait_until(lambda: probe(env)[0] == 0)
    worker.kill()
    worker.wait(TIMEOUT)
    assert probe(env)[0] == 1


def test_a_killed_worker_is_gone_although_another_process_has_its_id(
    env: dict[str, str], worker: ForkedProcess
) -> None:
    """The id of this test stands for one that the kernel gives again."""
    wait_until(lambda: probe(env)[0] == 0)
    worker.kill()
    worker.wait(TIMEOUT)
    [sign] = Path(env["TMPDIR"], f"hrims-workers-{os.getuid()}").iterdir()
    sign.rename(sign.with_name(sign.name.replace(str(worker.pid), str(os.getpid()), 1)))
    assert probe(env) == (1, "No worker of this user runs on this host. Start one: hrims worker\n")


def test_a_worker_without_its_database_is_not_restarted(env: dict[str, str], tmp_path: Path) -> None:
    env = env | {"DATABASE_URL": NOWHERE}
    process = start("worker", env=env, log=tmp_path / "away.log")
    try:
        wait_until(lambda: probe(env) == (0, f"Worker process {process.pid} is waiting for the database.\n"))
    finally:
        process.terminate()
        assert process.wait(TIMEOUT) == 0
    assert probe(env)[0] == 1


def test_an_outage_is_told(env: dict[str, str], server_dsn: str, dsn: str, worker: ForkedProcess) -> None:
    wait_until(lambda: "working" in probe(env)[1])
    name = conninfo_to_dict(dsn)["dbname"]
    with administration(server_dsn) as server:
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(str(name))))
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        wait_until(lambda: probe(env) == (0, f"Worker process {worker.pid} is waiting for the database.\n"))
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(str(name))))
    wait_until(lambda: "working" in probe(env)[1])


def test_systemd_is_told(env: dict[str, str], tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(TIMEOUT)
        env = env | {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "500000"}
        process = start("worker", env=env, log=tmp_path / "worker.log")
        try:
            assert manager.recv(1000) == b"READY=1"
            signs = {manager.recv(1000)}
            while b"WATCHDOG=1\nSTATUS=working" not in signs:
                signs.add(manager.recv(1000))
            for _ in range(3):
                assert manager.recv(1000) == b"WATCHDOG=1\nSTATUS=working"
        finally:
            process.terminate()
            assert process.wait(TIMEOUT) == 0
        while (message := manager.recv(1000)) != b"STOPPING=1":
            assert message == b"WATCHDOG=1\nSTATUS=working"


def test_a_folder_that_is_a_link_is_not_written(env: dict[str, str], tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    Path(env["TMPDIR"], f"hrims-workers-{os.getuid()}").symlink_to(elsewhere)
    process = start("worker", env=env, log=tmp_path / "worker.log")
    try:
        wait_until(lambda: "worker_started" in (tmp_path / "worker.log").read_text())
        assert probe(env)[0] == 1
    finally:
        process.terminate()
        assert process.wait(TIMEOUT) == 0
    assert not [*elsewhere.iterdir()]
