"""A real Prometheus scrapes a web process and a worker: every query has data, and alerts fire."""

from collections.abc import Iterator

import pytest

from hrims.institutions import importer
from tests.monitoring.prometheus_server import PrometheusServer
from tests.monitoring.stack_files import alerts, dashboard_queries, rules
from tests.support.harness import World
from tests.support.served import Served, free_port
from tests.support.users import ASHA

TOKEN = "a secret of the scraper"

MAY_BE_EMPTY = {
    "operator: Firing alerts A": "no alert fires",
    "operator: Circuit breakers A": "HRIMS answers",
    "operator: Circuit breakers B": "HRIMS answered always",
    "operator: Rejected records A": "the simulator may send no record that is rejected",
    "operator: Free disk A": "the database of the tests is not the embedded one of the product",
    "operator: Errors by route A": "no request failed",
}
"""Queries that need not have data while everything works, each with the reason."""

UNKNOWN_INSTITUTION = "990"


@pytest.fixture
def prometheus(world: World) -> Iterator[PrometheusServer]:
    """Provide a Prometheus that scrapes a web process and a worker."""
    port = free_port()
    world.settings |= {"HRIMS_METRICS_PORT": str(port), "HRIMS_METRICS_TOKEN": TOKEN}
    world.start_worker()
    with (
        Served(world.folder, world.settings) as web,
        PrometheusServer(world.folder, token=TOKEN, web=web.port, worker=port) as server,
    ):
        server.wait_until(lambda: server.value('sum(up{job=~"hrims-web|hrims-worker"})') == 2, "both targets")
        server.until_scraped()
        yield server


def sync(world: World, prometheus: PrometheusServer) -> None:
    """Complete a run in which HRIMS fails once, and a run that fails. Wait until both were scraped."""
    world.simulator.fail(page=3, times=1)
    assert world.wait_for_end(world.enqueue()).outcome == "complete"
    assert world.wait_for_end(world.enqueue(UNKNOWN_INSTITUTION)).state == "failed"
    prometheus.until_scraped()


def test_queries_have_data_and_a_dead_worker_raises_an_alert(
    world: World, prometheus: PrometheusServer
) -> None:
    register = world.folder / "register.csv"
    register.write_text(f"name,vote_code,tin\nTAASISI YA MFANO,{UNKNOWN_INSTITUTION},\n")
    importer.import_file(world.conn, ASHA, register)
    for _ in range(2):
        sync(world, prometheus)
    groups = prometheus.get("/rules")["groups"]
    loaded = [rule for group in groups for rule in group["rules"]]
    assert len(loaded) == len(rules())
    assert [rule["lastError"] for rule in loaded if rule["health"] != "ok"] == []
    prometheus.wait_until(lambda: not prometheus.alerts(), "no alert while everything works")
    empty = {query.place for query in dashboard_queries() if not prometheus.query(query.expr)}
    assert empty <= set(MAY_BE_EMPTY)

    world.workers[0].kill()
    prometheus.wait_until(lambda: {"HrimsNoWorker", "HrimsScrapeDown"} <= prometheus.firing(), "the alerts")
    notes = prometheus.alerts()["HrimsNoWorker"]["annotations"]
    assert notes["summary"] == "1 pool(s) have no live worker"
    assert notes["runbook_url"] == "docs/how-to/operate.md#no-worker"
    [table] = [query for query in dashboard_queries() if query.place == "operator: Firing alerts A"][1:]
    assert {series["metric"]["alertname"] for series in prometheus.query(table.expr)} <= set(alerts())

    world.start_worker()
    prometheus.wait_until(lambda: not prometheus.alerts(), "the end of the alerts")
