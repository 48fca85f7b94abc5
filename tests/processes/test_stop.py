"""However ``hrims up`` ends, nothing of it is left behind."""

import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from tests.processes.product import HRIMS, Product, env_of, processes_of, until


def until_nothing_is_left(product: Product) -> None:
    """Waits until no process of this instance lives."""
    until(lambda: not product.processes(), product.all_told)


@pytest.fixture
def running(state: Path) -> Product:
    """An instance in the middle of a run, with a page in flight now and then."""
    product = Product(state, HRIMS_STOP_SECONDS="600").up()
    product.simulator(latency_ms=100, jitter_ms=50, failure_rate=0)
    assert product.hrims("sync", "--vote", "037", "--page-size", "20", "--no-wait").returncode == 0
    names = " ".join(product.processes().values())
    assert all(part in names for part in ("gunicorn", "worker", "simulate", "postgres", "guard")), names
    return product


def test_ctrl_c_stops_all_of_it_in_the_middle_of_a_run(running: Product) -> None:
    assert running.stop(signal.SIGINT) == 0
    # At once, not after a while: whoever starts it again next must not meet what is left.
    assert running.processes() == {}
    assert "handed back" in (running.state / "log" / "worker.log").read_text()
    assert not (running.state / "simulator.url").exists()


def test_a_kill_of_the_parent_leaves_nothing_behind(running: Product) -> None:
    running.process.kill()
    running.ended()
    until_nothing_is_left(running)
    again = Product(running.state).up()
    assert again.hrims("sync", "--vote", "037", "--no-wait").stdout.endswith("is under way already.\n")
    assert again.stop() == 0


@pytest.mark.chaos
def test_a_kill_of_parent_and_web_master_at_once_leaves_nothing_behind(running: Product) -> None:
    master = running.pid_of("gunicorn")
    assert master
    running.process.kill()
    os.kill(master, signal.SIGKILL)
    running.ended()
    until_nothing_is_left(running)


@pytest.mark.chaos
def test_a_second_ctrl_c_does_not_wait_for_a_page_that_takes_for_ever(state: Path) -> None:
    product = Product(state, HRIMS_STOP_SECONDS="600").up()
    product.simulator(latency_ms=600_000, jitter_ms=0)
    assert product.hrims("sync", "--vote", "001", "--no-wait").returncode == 0
    until(lambda: "attempt 1 begins" in (state / "log" / "worker.log").read_text())
    product.process.send_signal(signal.SIGINT)
    product.until_said("Stopping ...")
    assert product.stop(signal.SIGINT) == 0
    assert product.processes() == {}


def test_a_terminal_that_is_closed_stops_all_of_it(state: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [HRIMS, "up"], env=env_of(state), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    said = b""
    while b"Ctrl-C stops all of it" not in said:
        said += os.read(ours, 4096)
    os.close(ours)  # from here on writing fails as well
    process.send_signal(signal.SIGHUP)
    assert process.wait(120) == 0
    until(lambda: not processes_of(state))


def test_a_pipe_that_nobody_reads_any_more_does_not_keep_it_from_stopping(state: Path) -> None:
    reader, writer = os.pipe()
    process = subprocess.Popen([HRIMS, "up"], env=env_of(state), stdout=writer, stderr=writer)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)  # in the middle of the start: the banner meets a broken pipe
    log = state / "log" / "worker.log"
    until(lambda: log.exists() and any("hrims worker" in one for one in processes_of(state).values()))
    process.terminate()
    assert process.wait(120) == 0
    until(lambda: not processes_of(state))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.chaos
def test_a_signal_to_make_alone_stops_all_of_it(state: Path, tmp_path: Path, number: signal.Signals) -> None:
    _make_is_told(state, tmp_path, number)


def test_make_that_is_killed_takes_all_of_it_along(state: Path, tmp_path: Path) -> None:
    _make_is_told(state, tmp_path, signal.SIGKILL)


def _make_is_told(state: Path, tmp_path: Path, number: signal.Signals) -> None:
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"run:\n\t@exec {HRIMS} up\n")
    product = Product(state, "make", "-f", str(makefile), "run").up()
    product.process.send_signal(number)
    product.process.wait(120)
    until_nothing_is_left(product)


def test_a_signal_while_it_still_starts(state: Path) -> None:
    product = Product(state)
    product.until_said("Starting the database")
    assert product.stop(signal.SIGINT) == 0
    until_nothing_is_left(product)
    assert "Stopped" in product.said
    assert "Traceback" not in product.said
