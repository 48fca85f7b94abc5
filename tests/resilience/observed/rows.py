"""The faults of the table, and what an operator must see of each."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import NamedTuple

from tests.resilience.observed.stage import Stage

Fault = Callable[[Stage], AbstractContextManager[None]]

MB = 1024 * 1024

AHEAD = """
import sys, time
real = time.time
time.time = lambda: real() + 40
from hrims.cli import main
sys.argv = ["hrims", "worker"]
main()
"""
"""A worker whose clock is 40 seconds ahead."""


class Row(NamedTuple):
    """A fault, and what must be seen while it lasts. Empty if a fault is over before it can be seen."""

    name: str
    fault: Fault
    not_ready: str
    """What is false in the answer of /readyz."""
    doctor: str
    """The state and the name of a check."""
    query: str
    """A query of Prometheus that has a result."""
    alert: str
    events: tuple[str, ...]
    """Events that are logged during the fault or after it."""


def at_once(work: Callable[[Stage], None]) -> Fault:
    """Return a fault that is over at once."""

    @contextmanager
    def fault(stage: Stage) -> Iterator[None]:
        work(stage)
        yield

    return fault


@contextmanager
def frozen_database(stage: Stage) -> Iterator[None]:
    """Freeze the database."""
    with stage.harness.server.frozen():
        yield


@contextmanager
def no_connection_left(stage: Stage) -> Iterator[None]:
    """Let other clients take all connections until the block ends."""
    crowd = threading.Thread(target=stage.harness.server.crowd_out, args=(CROWDED_SECONDS,))
    crowd.start()
    yield
    crowd.join()


CROWDED_SECONDS = 20.0


@contextmanager
def read_only_database(stage: Stage) -> Iterator[None]:
    """Make the database read-only."""
    with stage.harness.server.read_only(cut=True):
        yield


@contextmanager
def full_disk(stage: Stage) -> Iterator[None]:
    """Fill the database's disk."""
    filler = stage.disk / "filler"
    try:
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(bytes(MB)):
                pass
        yield
    finally:
        filler.unlink()


@contextmanager
def killed_worker(stage: Stage) -> Iterator[None]:
    """Kill the only worker."""
    [worker] = stage.harness.working
    stage.harness.lose(worker, signal.SIGKILL)
    yield
    stage.start_worker()


@contextmanager
def frozen_worker(stage: Stage) -> Iterator[None]:
    """Freeze the only worker."""
    [worker] = stage.harness.working
    stage.harness.lose(worker, signal.SIGSTOP)
    yield
    stage.harness.comes_back(worker)


def changed_remote(**changes: object) -> Fault:
    """Return a fault of HRIMS."""

    @contextmanager
    def fault(stage: Stage) -> Iterator[None]:
        stage.harness.simulator.control(**changes)
        stage.harness.keep_busy()
        yield
        stage.harness.simulator.control(down=False, credentials="ok", latency_ms=80)
        # A run that HRIMS refused has failed, and another is asked for.
        stage.harness.asked.clear()

    return fault


@contextmanager
def wrong_clock(stage: Stage) -> Iterator[None]:
    """Replace the worker by one on a host whose clock is ahead."""
    [worker] = stage.harness.working
    worker.terminate()
    worker.wait()
    stage.harness.leaves(worker)
    stage.harness.start_program(sys.executable, "-c", AHEAD)
    yield
    [worker] = stage.harness.working
    worker.terminate()
    worker.wait()
    stage.harness.leaves(worker)
    stage.start_worker()


UP = "hrims_database_up == 0"
NO_WORKER = 'hrims_workers{pool="",state="alive"} == 0'
BREAKER = "sum(hrims_circuit_breakers_open) > 0"
LOST = "amiss worker"
AWAY = ("database_away", "database_back")

ROWS = (
    Row("database restarted", at_once(lambda stage: stage.harness.server.restart()), "", "", "", "", AWAY),
    Row("sessions terminated", at_once(lambda stage: stage.harness.server.cut()), "", "", "", "", ()),
    Row("database killed", at_once(lambda stage: stage.harness.server.kill()), "", "", "", "", AWAY),
    Row("database frozen", frozen_database, "database", "", UP, "HrimsDatabaseDown", ()),
    Row("no connection left", no_connection_left, "", "amiss database", "", "", AWAY),
    Row(
        "database read-only",
        read_only_database,
        "writable",
        "amiss database",
        "hrims_database_writable == 0",
        "HrimsDatabaseReadOnly",
        AWAY,
    ),
    Row(
        "disk full",
        full_disk,
        "disk",
        "amiss disk",
        "hrims_disk_free_bytes < 1e6",
        "HrimsDiskLow",
        (),
    ),
    Row(
        "worker killed", killed_worker, "worker", "amiss worker", NO_WORKER, "HrimsNoWorker", ("job_rescued",)
    ),
    Row("worker frozen", frozen_worker, "worker", "amiss worker", NO_WORKER, "HrimsNoWorker", ()),
    Row(
        "HRIMS down",
        changed_remote(down=True),
        "remote",
        "amiss breaker",
        BREAKER,
        "HrimsBreakerOpen",
        ("breaker_opened", "breaker_closed"),
    ),
    Row(
        "HRIMS slow",
        changed_remote(latency_ms=6000),
        "",
        "warning remote",
        "sum(increase(hrims_remote_request_duration_seconds_bucket{le='+Inf'}[1m]))"
        " - sum(increase(hrims_remote_request_duration_seconds_bucket{le='5.0'}[1m])) > 0",
        "",
        ("page_saved",),
    ),
    Row(
        "HRIMS refuses credentials",
        changed_remote(credentials="wrong"),
        "remote",
        "amiss remote",
        'hrims_circuit_breakers_open{code="remote_credentials"} == 1',
        "HrimsBreakerOpen",
        ("breaker_opened", "breaker_closed"),
    ),
    Row(
        "clock apart",
        wrong_clock,
        "",
        "warning clocks",
        "hrims_worker_clock_skew_seconds > 30",
        "HrimsClockWrong",
        (),
    ),
)
