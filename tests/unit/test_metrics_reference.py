"""docs/reference/metrics.md lists every metric with its labels, and no other."""

import re

from prometheus_client import REGISTRY

import hrims.metrics  # noqa: F401 - registers the metrics of a process
from hrims.monitoring.collector import LABELLED, PLAIN, BuildCollector, DiskCollector, database_metrics
from hrims.monitoring.store import SQL, Figures
from tests import PROJECT

ROW = re.compile(r"^\| `(hrims_\w+)` \|([\w, ]*)\| .+ \|$", re.MULTILINE)


def documented() -> dict[str, set[str]]:
    """Return the labels of each metric in the document."""
    text = (PROJECT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    return {name: set(re.findall(r"\w+", labels)) for name, labels in ROW.findall(text)}


def test_every_metric_is_documented_with_its_labels() -> None:
    assert documented() == counted() | read_from_postgres()


def counted() -> dict[str, set[str]]:
    """Return the labels of the metrics that a process counts."""
    found = {}
    for collector, names in REGISTRY._collector_to_names.items():
        if not names[0].startswith("hrims_"):
            continue
        suffix = "_total" if f"{names[0]}_total" in names else ""
        found[names[0] + suffix] = set(getattr(collector, "_labelnames", ()))
    return found


def read_from_postgres() -> dict[str, set[str]]:
    """Return the labels of the metrics that a scrape reads."""
    rows = {name: [tuple(range(4))] for name in SQL}
    for name, (_, _, labels) in LABELLED.items():
        rows[name] = [tuple(range(len(labels) + 1))]
    for name, gauges in PLAIN.items():
        rows[name] = [tuple(range(len(gauges)))]
    figures = Figures(rows, is_writable=True, schema_version=13, is_schema_usable=True)
    families = [
        *database_metrics(figures),
        *BuildCollector().collect(),
        *DiskCollector(PROJECT).collect(),
    ]
    found = {"hrims_database_up": set[str]()}
    for family in families:
        for sample in family.samples:
            found[sample.name] = set(sample.labels)
    return found


def test_every_statement_is_a_metric() -> None:
    assert set(SQL) == {*LABELLED, *PLAIN, "runs_ended"}
