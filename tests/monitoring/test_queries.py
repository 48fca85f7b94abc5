"""Prometheus can parse every query, and every metric and label in it is in docs/reference/metrics.md."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.monitoring.promql import names_of
from tests.monitoring.stack_files import Query, dashboard_queries, recorded, rule_queries
from tests.support.prometheus import program
from tests.unit.test_metrics_reference import documented

QUERIES = [*rule_queries(), *dashboard_queries()]

STANDARD = {
    "up": set[str](),
    "ALERTS": {"alertname", "alertstate", "severity"},
    "process_resident_memory_bytes": set[str](),
}
"""Metrics of Prometheus and of any process, with their labels."""

OF_THE_SCRAPE = {"job", "instance"}
"""Labels that Prometheus adds to each metric."""


def known() -> dict[str, set[str]]:
    """Return the labels of each metric that a query may name."""
    known = {**STANDARD, **documented()}
    for name in [name for name in documented() if name.endswith("_seconds")]:
        known |= {f"{name}_bucket": known[name] | {"le"}}
        known |= {f"{name}_count": known[name], f"{name}_sum": known[name]}
    for name, expr in recorded().items():
        known[name] = names_of(expr).grouping - {"le", "cause"}
    return known


KNOWN = known()


def unknown_names(expr: str) -> list[str]:
    """Return what a query names, and no metric has."""
    names = names_of(expr)
    wrong = [name for name, _ in names.metrics if name not in KNOWN]
    for name, labels in names.metrics:
        wrong += [f"{name}{{{label}}}" for label in labels - KNOWN.get(name, labels) - OF_THE_SCRAPE]
    some = set[str]().union(*(KNOWN.get(name, set()) for name, _ in names.metrics))
    return wrong + sorted(names.grouping - some - OF_THE_SCRAPE)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.place)
def test_metrics_and_labels_exist(query: Query) -> None:
    assert names_of(query.expr).metrics
    assert unknown_names(query.expr) == []


@pytest.mark.parametrize(
    ("expr", "wrong"),
    [
        ("max(hrims_runners)", ["hrims_runners"]),
        ('hrims_runs{stat="waiting"}', ["hrims_runs{stat}"]),
        ("sum by (queue) (rate(hrims_pages_saved_total[5m]))", ["queue"]),
        ('a unless on () sum(hrims_runs{state=~"a(b) by (c)"}) > 0', ["a"]),
    ],
)
def test_an_invented_name_is_noticed(expr: str, wrong: list[str]) -> None:
    assert unknown_names(expr) == wrong


def test_recorded_names_have_the_labels_of_their_rule() -> None:
    assert KNOWN["hrims:runs_ended:sum"] == {"kind", "outcome"}
    assert KNOWN["hrims:queue_paused:max"] == set()
    assert KNOWN["hrims:runs:max"] == {"pool", "state"}


def test_prometheus_parses_every_query(tmp_path: Path) -> None:
    rules = [{"record": f"query:{number}", "expr": query.expr} for number, query in enumerate(QUERIES)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    checked = subprocess.run(
        [program("promtool"), "check", "rules", file], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(QUERIES)} rules found" in checked.stdout


@pytest.mark.parametrize(
    ("expr", "is_right"),
    [
        ("max by (pool, state) (hrims_runs)", True),
        ("sum(max by (state) (increase(hrims_runs[1h])))", True),
        ("sum by (pool) (hrims_runs)", False),
        ("max by (pool) (sum by (pool) (hrims_runs))", False),
        ("hrims_runs > 0", False),
    ],
)
def test_a_sum_over_web_servers_is_noticed(expr: str, is_right: bool) -> None:
    assert is_taken_once(expr, "hrims_runs") is is_right


def test_figures_of_postgres_are_never_summed_over_web_servers() -> None:
    once = set(documented()) - PER_PROCESS
    for query in QUERIES:
        for name, _ in names_of(query.expr).metrics:
            if name in once:
                assert is_taken_once(query.expr, name), f"{query.place}: {query.expr}"


PER_PROCESS = {
    name
    for name in documented()
    if name.startswith(
        (
            "hrims_http_", "hrims_event_streams", "hrims_database_pool_", "hrims_attempts", "hrims_run_wait",
            "hrims_run_duration", "hrims_pages_saved", "hrims_people_saved", "hrims_records_rejected",
            "hrims_remote_request", "hrims_circuit_breaker_opened", "hrims_rescues",
            "hrims_webhook_deliveries", "hrims_schedule_times", "hrims_build_info",
            "hrims_database_up", "hrims_database_writable", "hrims_schema_usable", "hrims_disk_",
            "hrims_audit_",
        )
    )
}  # fmt: skip
"""Metrics that each process counts or sees for itself."""


def is_taken_once(expr: str, name: str) -> bool:
    """Return whether a query takes the maximum of a figure of PostgreSQL before anything else."""
    taken = rf"max( by \([\w, ]+\) )?\((increase\()?{name}\b"
    return len(re.findall(taken, expr)) == len(re.findall(rf"\b{name}\b", expr))
