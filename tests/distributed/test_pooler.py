"""PgBouncer in transaction mode between the product and PostgreSQL: everything works, by looking instead of
listening.
"""

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.distributed.harness import VOTES, Harness, harness
from tests.distributed.processes import Pooler
from tests.support.databases import clone
from tests.web.metrics import OPEN

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

SCREENS = (
    "fetch-data",
    "runs/1",
    "queue",
    "people",
    "leavers",
    "workplaces",
    "rejects",
    "compare",
    "webhooks",
)

SOON = 3.0
"""Seconds in which a cancelled run lets go of HRIMS."""


@pytest.fixture
def pooler(server_dsn: str, home: Path) -> Iterator[Pooler]:
    """Provide a pooler before the server of the tests."""
    made = Pooler(home, server_dsn)
    try:
        made.start()
        yield made
    finally:
        made.kill()


@pytest.fixture
def product(pooler: Pooler, server_dsn: str, tmp_path: Path) -> Iterator[Harness]:
    """Provide the product over an empty database behind the pooler, set up through it."""
    with clone(server_dsn, "template0") as dsn:
        name = str(conninfo_to_dict(dsn)["dbname"])
        with harness(dsn, pooler.dsn(name), tmp_path, **OPEN) as made:
            yield made


def test_all_that_people_do_works_behind_a_pooler(product: Harness) -> None:
    world, machine, remote = product.world, product.machine, product.remote
    assert product.command("migrate") == "The database is up to date."
    assert world.rows(LOCKS) == [(0,)], "a migration has left its lock in the pooler"
    remote.hold(after=4)
    world.start_worker()
    first = machine.enqueue(VOTES[0])
    with machine.follow(first) as events:
        for name, data in events:
            if name == "progress" and data["totalFetched"] == 100:
                break
        remote.wait_for(held=4)
        remote.release()
        rest = [name for name, _ in events]
    assert rest[-1] == "complete", rest
    product.wait_for_ends([first])
    assert machine.job(first)["result"]["employeeCount"] == world.run(first).people
    _cancel(product, VOTES[1])
    product.assert_saved_once(VOTES[0])
    _pages_open(product)
    found = product.command("doctor")
    assert "behind a pooler" in found
    assert "Behind a pooler, no process can drop rights." in " ".join(found.split())
    assert world.rows(LISTENERS) == [(0,)]
    for log in (world.logs(), product.web.log.read_text()):
        assert "Traceback" not in log, log
        assert "prepared statement" not in log, log


def _cancel(product: Harness, vote: str) -> None:
    """Cancel a run with pages in flight and assert that its requests end soon."""
    world, remote = product.world, product.remote
    hold = remote.hold(after=4)
    run_id = product.machine.enqueue(vote)
    world.wait_until(run_id, lambda run: run.pages == 4)
    remote.wait_for(held=4)
    started_at = time.monotonic()
    product.machine.cancel(run_id)
    product.wait_until(lambda: world.rows(DOING) == [(0,)])
    took = time.monotonic() - started_at
    print(f"behind a pooler a cancelled run ended after {took:.1f} s")  # noqa: T201 - a figure
    assert took <= SOON, product.describe_state()
    remote.release(hold)
    assert world.run(run_id).pages == 4


def _pages_open(product: Harness) -> None:
    product.command(
        "user", "add", "asha", "--role", "administrator", "--password-stdin", stdin="first-monsoon"
    )
    with httpx.Client(base_url=product.web.url, trust_env=False, timeout=60) as browser:
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get("/sign-in").text)
        assert token
        form = {"name": "asha", "password": "first-monsoon", "csrf_token": token[1]}
        assert browser.post("/sign-in", data=form).status_code == 303
        for page in SCREENS * 2:
            answer = browser.get(f"/dashboard/admin/{page}", follow_redirects=True)
            assert answer.status_code == 200, f"{page}: {answer.text}"
        assert browser.get("/readyz").status_code == 200
        assert 'hrims_workers{pool="",state="alive"} 1.0' in browser.get("/metrics").text


def test_dead_and_frozen_workers_behind_a_pooler_lose_no_employee(product: Harness) -> None:
    world = product.world
    for _ in range(3):
        world.start_worker()
    product.remote.control(latency_ms=200)
    runs = [product.machine.enqueue(vote) for vote in VOTES[:8]]
    killed = _find_worker_with_pages(product)
    killed.kill()
    killed.wait()
    frozen = _find_worker_with_pages(product)
    frozen.send_signal(signal.SIGSTOP)
    product.wait_for_ends(runs)
    frozen.send_signal(signal.SIGCONT)
    product.wait_for_ends([product.machine.enqueue(VOTES[8])])
    product.assert_saved_once(*VOTES[:9])
    assert product.remote.counters()["max_in_flight"] <= 4


def _find_worker_with_pages(product: Harness) -> subprocess.Popen[bytes]:
    """Return a living worker that is in the middle of a run."""
    found: list[subprocess.Popen[bytes]] = []

    def look() -> bool:
        pids = {pid for (pid,) in product.world.rows(IN_THE_MIDDLE)}
        found[:] = [
            worker for worker in product.world.workers if worker.poll() is None and worker.pid in pids
        ]
        return bool(found)

    product.wait_until(look)
    return found[0]


def test_a_pooler_that_dies_and_comes_back_is_waited_for(product: Harness, pooler: Pooler) -> None:
    world = product.world
    world.start_worker()
    runs = [product.machine.enqueue(vote) for vote in VOTES[:2]]
    world.wait_until(runs[1], lambda run: run.pages >= 3)
    pooler.kill()
    product.wait_until(lambda: not product.machine.answers())
    product.wait_until(lambda: "database_away" in world.logs())
    pooler.start()
    started_at, pages = time.monotonic(), product.pages()
    product.wait_until(lambda: product.pages() != pages)
    worker = time.monotonic() - started_at
    product.wait_until(product.machine.answers)
    web = time.monotonic() - started_at
    print(f"after the pooler came back: a page was saved after {worker:.1f} s, web after {web:.1f} s")  # noqa: T201
    product.wait_for_ends(runs)
    product.assert_saved_once(*VOTES[:2])
    assert world.workers[0].poll() is None


LOCKS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
DOING = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"
LISTENERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND query ILIKE 'LISTEN%' AND pid <> pg_backend_pid()
"""
IN_THE_MIDDLE = """
SELECT a.pid FROM run_pages p JOIN run_attempts a ON a.run_id = p.run_id AND a.number = p.attempt
WHERE a.ended_at IS NULL
"""
