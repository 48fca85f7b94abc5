"""The metrics of real workers after a real sync, by the rules of Prometheus."""

import subprocess

import httpx
import pytest

from tests.e2e.processes.product import wait_until
from tests.support.harness import World
from tests.support.prometheus import program
from tests.support.served import Served, free_port
from tests.web.metrics import OPEN, parse

TOKEN = "a secret of the scraper"
PLAIN = ("procrastinate", "--app=hrims.jobs.queue.app", "worker")


@pytest.fixture
def port(world: World) -> int:
    """Provide the port of the worker's metrics."""
    port = free_port()
    world.settings |= {"HRIMS_METRICS_PORT": str(port), "HRIMS_METRICS_TOKEN": TOKEN}
    return port


def scrape(port: int, token: str = TOKEN) -> httpx.Response:
    """Return the answer of a worker's port."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"http://127.0.0.1:{port}/metrics", headers=headers, trust_env=False, timeout=30)


def check_names(text: str) -> str:
    """Return what promtool criticizes."""
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"], input=text, text=True, capture_output=True, check=False
    )
    return checked.stdout + checked.stderr


@pytest.mark.parametrize("command", [("hrims", "worker"), PLAIN])
def test_a_worker_counts_what_it_did(world: World, port: int, command: tuple[str, ...]) -> None:
    world.simulator.fail(page=3, times=1)
    world.start_worker(*command)
    run = world.wait_for_end(world.enqueue())
    assert run.outcome == "complete"
    # The worker counts an attempt after the transaction that ends the run, and its duration last.
    duration = 'hrims_run_duration_seconds_count{state="completed"}'
    wait_until(lambda: duration in parse(scrape(port).text), world.logs)
    text = scrape(port).text
    found = parse(text)
    assert found["hrims_pages_saved_total"] == 10
    assert found['hrims_people_saved_total{change="new"}'] == 240
    assert found['hrims_attempts_total{kind="sync",result="finished"}'] == 1
    assert found["hrims_run_wait_seconds_count"] == 1
    assert found[duration] == 1
    assert found['hrims_remote_request_duration_seconds_count{operation="votecode"}'] >= 11
    assert found["hrims_remote_requests_in_flight"] == 0
    assert found['hrims_database_pool_connections{state="idle"}'] >= 1
    assert check_names(text) == ""


def test_a_second_sync_changes_no_employee(world: World, port: int) -> None:
    world.start_worker()
    world.wait_for_end(world.enqueue())
    world.wait_for_end(world.enqueue())
    found = parse(scrape(port).text)
    assert found['hrims_people_saved_total{change="new"}'] == 240
    assert found['hrims_people_saved_total{change="unchanged"}'] == 240
    assert found.get('hrims_people_saved_total{change="changed"}', 0) == 0


def test_a_worker_shows_nothing_without_the_token(world: World, port: int) -> None:
    world.start_worker()
    world.wait_for_end(world.enqueue())
    answer = scrape(port, "a wrong token")
    assert answer.status_code == 401
    assert "HRIMS_METRICS_TOKEN" in answer.text
    assert "hrims_" not in answer.text


def test_a_taken_port_does_not_stop_a_worker(world: World, port: int) -> None:
    world.start_worker()
    world.wait_for_end(world.enqueue())
    world.start_worker()
    world.wait_for_rows("SELECT count(*) FROM workers WHERE ended_at IS NULL", [(2,)])
    assert f"metrics_not_served port={port}" in world.logs()


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_all_web_processes_tell_the_same(world: World, processes: int) -> None:
    world.settings |= OPEN | {"HRIMS_WEB_PROCESSES": str(processes)}
    with Served(world.folder, world.settings) as web:
        ids = set()
        for _ in range(40):
            ids.add(httpx.get(f"{web.url}/healthz", trust_env=False).headers["X-Request-Id"])
        assert len(ids) == 40
        texts = [httpx.get(f"{web.url}/metrics", trust_env=False, timeout=30).text for _ in range(12)]
    sample = 'hrims_http_request_duration_seconds_count{method="GET",route="/healthz",status="200"}'
    # The first request is that of the server's start.
    assert [parse(text)[sample] >= 41 for text in texts] == [True] * 12
    assert len({parse(text)[sample] for text in texts}) == 1
    scrapes = 'hrims_http_request_duration_seconds_count{method="GET",route="/metrics",status="200"}'
    assert [parse(text).get(scrapes, 0) for text in texts] == list(range(12))
    assert check_names(texts[-1]) == ""
