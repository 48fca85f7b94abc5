"""However ``hrims up`` ends, nothing of it is left behind."""

import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.processes.product import HRIMS, Product, env_of, processes_of, wait_until


def until_nothing_is_left(product: Product) -> None:
    """Wait until no process of this instance lives."""
    wait_until(lambda: not product.processes(), product.describe_state)


def events_of(state: Path, name: str) -> int:
    """How often the worker's log has an event."""
    log = state / "log" / "worker.log"
    return log.read_text().count(f"{name} ") if log.exists() else 0


@pytest.fixture
def running(migrated: Path) -> Product:
    """Provide an instance in the middle of a run, with a page in flight now and then."""
    return start_run(migrated, "is queued.")


def start_run(state: Path, told: str) -> Product:
    """Start an instance and a run, which takes a while."""
    started = events_of(state, "attempt_started")
    product = Product(state, HRIMS_STOP_SECONDS="600").up()
    product.simulator(latency_ms=100, jitter_ms=50, failure_rate=0)
    requested = product.hrims("sync", "--vote", "001", "--page-size", "5", "--no-wait")
    assert requested.stdout.endswith(f"{told}\n"), requested.stdout + requested.stderr
    wait_until(lambda: events_of(state, "attempt_started") > started, product.describe_state)
    names = " ".join(product.processes().values())
    assert all(part in names for part in ("gunicorn", "worker", "simulate", "postgres", "guard")), names
    return product


def test_a_kill_of_the_parent_leaves_nothing_behind_and_ctrl_c_stops_all_of_it_in_the_middle_of_a_run(
    running: Product,
) -> None:
    running.process.kill()
    running.wait()
    until_nothing_is_left(running)
    state = running.state
    again = start_run(state, "is under way already.")
    handed_back = events_of(state, "attempt_handed_back")
    assert again.stop(signal.SIGINT) == 0
    # At once, not after a while: the next start must not meet what is left.
    assert again.processes() == {}
    assert events_of(state, "attempt_handed_back") == handed_back + 1
    assert not (state / "simulator.url").exists()


@pytest.mark.chaos
def test_a_kill_of_parent_and_web_master_at_once_leaves_nothing_behind(running: Product) -> None:
    master = running.pid_of("gunicorn")
    assert master
    running.process.kill()
    os.kill(master, signal.SIGKILL)
    running.wait()
    until_nothing_is_left(running)


@pytest.mark.chaos
def test_a_second_ctrl_c_does_not_wait_for_a_page_that_takes_for_ever(migrated: Path) -> None:
    product = Product(migrated, HRIMS_STOP_SECONDS="600").up()
    product.simulator(latency_ms=600_000, jitter_ms=0)
    assert product.hrims("sync", "--vote", "001", "--no-wait").returncode == 0
    wait_until(lambda: events_of(migrated, "attempt_started"))
    product.process.send_signal(signal.SIGINT)
    product.wait_for_output("Stopping ...")
    assert product.stop(signal.SIGINT) == 0
    assert product.processes() == {}


def test_a_terminal_that_is_closed_stops_all_of_it(migrated: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [HRIMS, "up"],
        env=env_of(migrated),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    said = b""
    while b"Ctrl-C stops all of it" not in said:
        said += os.read(ours, 4096)
    os.close(ours)  # from here on writing fails as well
    process.send_signal(signal.SIGHUP)
    assert process.wait(120) == 0
    wait_until(lambda: not processes_of(migrated))


def test_it_stops_although_its_output_is_a_closed_pipe(migrated: Path) -> None:
    reader, writer = os.pipe()
    process = subprocess.Popen([HRIMS, "up"], env=env_of(migrated), stdout=writer, stderr=writer)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)  # in the middle of the start: the banner meets a broken pipe
    log = migrated / "log" / "worker.log"
    wait_until(lambda: log.exists() and any("hrims worker" in one for one in processes_of(migrated).values()))
    process.terminate()
    assert process.wait(120) == 0
    wait_until(lambda: not processes_of(migrated))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.chaos
def test_a_signal_to_make_alone_stops_all_of_it(
    migrated: Path, tmp_path: Path, number: signal.Signals
) -> None:
    _make_is_told(migrated, tmp_path, number)


def test_make_that_is_killed_takes_all_of_it_along(migrated: Path, tmp_path: Path) -> None:
    _make_is_told(migrated, tmp_path, signal.SIGKILL)


def _make_is_told(state: Path, tmp_path: Path, number: signal.Signals) -> None:
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"run:\n\t@exec {HRIMS} up\n")
    product = Product(state, "make", "-f", str(makefile), "run").up()
    product.process.send_signal(number)
    product.process.wait(120)
    until_nothing_is_left(product)


def test_a_signal_while_it_still_starts(state: Path) -> None:
    product = Product(state)
    product.wait_for_output("Starting the database")
    assert product.stop(signal.SIGINT) == 0
    until_nothing_is_left(product)
    assert "Stopped" in product.output
    assert "Traceback" not in product.output
