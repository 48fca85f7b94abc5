"""Figures of the database as metrics. Input: the rows of a scrape. Output: metric families of Prometheus."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as DeadlineExceeded
from pathlib import Path
from typing import Final

import psycopg
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hrims.errors import DatabaseUnusable
from hrims.monitoring.deadline import DeadlineReader
from hrims.monitoring.store import Figures, Row
from hrims.version import VERSION

READ_SECONDS: Final = 1.2
"""Seconds that the database has for the figures of a scrape. Without them, ``hrims_database_up`` is 0."""

LABELLED: Final = {
    "runs": ("hrims_runs", "Unfinished runs, by pool and state", ["pool", "state"]),
    "oldest_waiting": (
        "hrims_oldest_waiting_run_seconds",
        "Time for which the oldest run that may start has waited, by pool",
        ["pool"],
    ),
    "workers": (
        "hrims_workers",
        "Workers that have not stopped, by pool and state; a silent one is dead or cut off",
        ["pool", "state"],
    ),
    "capacity": (
        "hrims_worker_capacity",
        "Runs that the live workers can carry out at once, by pool",
        ["pool"],
    ),
    "breakers": ("hrims_circuit_breakers_open", "Open circuit breakers of live workers, by cause", ["code"]),
    "webhooks": ("hrims_webhook_messages", "Webhook messages that wait or have failed", ["state"]),
    "institutions": (
        "hrims_institutions",
        "Institutions by the age of their last complete result: day, week, month, older, never",
        ["last_complete"],
    ),
}
"""Gauges whose rows end with the value, by the statement that reads them."""

PLAIN: Final = {
    "pools_without_worker": [
        ("hrims_pools_without_worker", "Pools with institutions or unfinished runs, but no live worker")
    ],
    "pools_without_address": [
        (
            "hrims_pools_without_address",
            "Pools with institutions or unfinished runs, whose live workers have no address of HRIMS",
        )
    ],
    "outdated_workers": [
        ("hrims_workers_outdated", "Live workers of another version than the scraped process")
    ],
    "clocks": [
        ("hrims_worker_clock_skew_seconds", "Largest difference of a live worker's clock from the database's")
    ],
    "slots": [
        ("hrims_remote_slots_held", "Slots for requests to HRIMS that workers hold"),
        ("hrims_remote_slot_waiters", "Workers that wait for a slot"),
    ],
    "queue": [
        ("hrims_queue_paused", "1 while a user has paused the queue"),
        ("hrims_queue_starts_per_minute", "The limit of starts in a minute, over all workers"),
    ],
    "schedules": [
        ("hrims_schedules_enabled", "Schedules that are enabled"),
        ("hrims_schedules_paused", "Schedules that are paused"),
        ("hrims_schedules_overdue", "Enabled schedules that are due for more than a minute"),
    ],
    "open_work": [
        ("hrims_leaver_decisions_waiting", "Groups of leavers that wait for approval"),
        ("hrims_reject_cases_open", "Rejected records that are not resolved"),
    ],
    "database": [("hrims_database_size_bytes", "Size of the database")],
}
"""Gauges without labels: one for each column, by the statement that reads them."""

STATES: Final[dict[str, list[Row]]] = {
    "runs": [("", "waiting"), ("", "delayed"), ("", "active")],
    "oldest_waiting": [("",)],
    "workers": [("", "alive"), ("", "silent")],
    "capacity": [("",)],
    "webhooks": [("waiting",), ("failed",)],
    "institutions": [("day",), ("week",), ("month",), ("older",), ("never",)],
    "runs_ended": [
        (kind, outcome, "")
        for kind in ("sync", "person", "preview", "apply", "rejected")
        for outcome in ("complete", "complete_after_repair", "incomplete", "failed", "cancelled")
    ],
}
"""Label values that are exposed as 0 if no row has them, so that alerts need not tell 0 from absent.

``increase()`` also needs the 0 of a count: it cannot see the first end of a kind that was absent before.
"""


class DatabaseCollector(Collector):
    """Reads the figures of the database at each scrape. A database that is away costs ``READ_SECONDS``."""

    def __init__(self, read: Callable[[], Figures]) -> None:
        self._reader = DeadlineReader(read)

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of one scrape."""
        try:
            figures = self._reader.read(READ_SECONDS)
        except (DeadlineExceeded, psycopg.Error, DatabaseUnusable, OSError):
            yield _plain("hrims_database_up", "1 if the database answers in time", 0)
            return
        yield _plain("hrims_database_up", "1 if the database answers in time", 1)
        yield from database_metrics(figures)


class BuildCollector(Collector):
    """Tells the version of the process."""

    def collect(self) -> Iterator[Metric]:
        """Yield the version as a label."""
        yield _labelled("hrims_build_info", "The version of the scraped process", ["version"], [(VERSION, 1)])


class DiskCollector(Collector):
    """Reads the free space of the folder that holds the embedded database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """Yield the space of the disk; nothing if the folder is missing."""
        try:
            usage = shutil.disk_usage(self._folder)
        except OSError:
            return
        yield _plain("hrims_disk_free_bytes", "Free space where the embedded database lives", usage.free)
        yield _plain(
            "hrims_disk_size_bytes", "Size of the disk where the embedded database lives", usage.total
        )


def database_metrics(figures: Figures) -> Iterator[Metric]:
    """Yield the metrics of the figures of one scrape."""
    yield _plain("hrims_database_writable", "0 while the database is read-only", figures.is_writable)
    yield _plain("hrims_schema_version", "Number of the last migration", figures.schema_version)
    yield _plain("hrims_schema_usable", "1 if this version can use the schema", figures.is_schema_usable)
    for name, rows in figures.rows.items():
        if name in LABELLED:
            yield _labelled(*LABELLED[name], _with_zeros(rows, STATES.get(name, [])))
        elif name in PLAIN:
            yield from (_plain(*about, value) for about, value in zip(PLAIN[name], rows[0], strict=True))
    if figures.is_schema_usable:
        yield _runs_ended(_with_zeros(figures.rows.get("runs_ended", []), STATES["runs_ended"]))


def _with_zeros(rows: list[Row], states: list[Row]) -> list[Row]:
    present = {row[:-1] for row in rows}
    return [*rows, *((*labels, 0) for labels in states if labels not in present)]


def _plain(name: str, description: str, value: float | None) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, description, value=float(value or 0))


def _labelled(name: str, description: str, labels: list[str], rows: list[Row]) -> GaugeMetricFamily:
    metric = GaugeMetricFamily(name, description, labels=labels)
    for *values, value in rows:
        metric.add_metric([str(item) for item in values], float(value))
    return metric


def _runs_ended(rows: list[Row]) -> CounterMetricFamily:
    metric = CounterMetricFamily(
        "hrims_runs_ended",
        "Runs that ended, by kind, outcome and the code of the cause",
        labels=["kind", "outcome", "cause"],
    )
    for *values, runs in rows:
        metric.add_metric([str(item) for item in values], float(runs))
    return metric
