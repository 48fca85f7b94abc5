"""A process that dies is started again, and a run that was under way goes on to its end."""

import os
import signal
from pathlib import Path

import psycopg
import pytest

from tests.e2e.processes.product import Product, wait_until

WORDS = {
    "web": ("gunicorn",),
    "worker": ("hrims worker",),
    "simulator": ("hrims simulate",),
    "postmaster": ("postgres -D",),
    "guard": ("hrims.postgres.guard",),
}
"""The eldest process with these words in its command line is the one."""


@pytest.fixture
def running(migrated: Path) -> Product:
    """Provide an instance in the middle of a run of 2,500 people."""
    product = Product(migrated).up()
    product.simulator(latency_ms=400, jitter_ms=200, failure_rate=0)
    assert product.hrims("sync", "--vote", "001", "--page-size", "50", "--no-wait").returncode == 0
    return product


def people(product: Product) -> int:
    """How many are saved."""
    with psycopg.connect(product.dsn) as conn:
        row = conn.execute("SELECT saved FROM run_progress").fetchone()
        assert row
        return int(row[0])


def kill(product: Product, name: str) -> None:
    """Kills one process and waits until another has taken its place."""
    before = product.pid_of(*WORDS[name])
    assert before, product.describe_state()
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: product.pid_of(*WORDS[name]) not in {None, before}, product.describe_state)


def ends_well(product: Product) -> None:
    """Assert that the run is complete, and stop the instance."""
    product.wait_until_ready()
    done = product.hrims("sync", "--vote", "001")
    assert done.returncode == 0, done.stdout + done.stderr + product.describe_state()
    assert done.stdout.startswith("Run 1 for WIZARA YA AFYA is under way already."), done.stdout
    assert people(product) > 2400
    assert "Traceback" not in product.output
    assert product.stop() == 0
    assert product.processes() == {}


def test_worker_and_database_are_killed_in_the_middle_of_a_run(running: Product) -> None:
    wait_until(lambda: people(running) > 100, running.describe_state)
    kill(running, "worker")
    kill(running, "postmaster")
    running.simulator(latency_ms=0, jitter_ms=0)
    ends_well(running)
    assert "worker ended (signal 9); it starts again in 0.5 s" in running.output
    assert str(running.state / "log" / "worker.log") in running.output


@pytest.mark.chaos
@pytest.mark.parametrize("name", WORDS)
def test_each_is_killed_in_the_middle_of_a_run(running: Product, name: str) -> None:
    wait_until(lambda: people(running) > 100, running.describe_state)
    kill(running, name)
    ends_well(running)


def test_web_and_its_worker_are_killed(shared: Product) -> None:
    master = shared.pid_of("gunicorn")
    forked = max(pid for pid, command in shared.processes().items() if "gunicorn" in command)
    assert master
    assert forked != master
    os.kill(forked, signal.SIGKILL)
    wait_until(lambda: forked not in shared.processes() and shared.is_ready(), shared.describe_state)
    assert shared.pid_of("gunicorn") == master
    os.kill(master, signal.SIGKILL)
    # What the master had forked answers for a moment longer, so being ready says nothing yet.
    shared.wait_for_output("web ended (signal 9)")
    wait_until(lambda: shared.pid_of("gunicorn") not in {None, master}, shared.describe_state)
    shared.wait_until_ready()
