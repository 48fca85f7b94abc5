"""Metrics that a process counts itself, by the naming rules of Prometheus.

Figures that Postgres knows are read at each scrape: ``hrims.monitoring``. docs/reference/metrics.md lists
both.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call] # untyped in prometheus_client

REMOTE_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
"""Seconds of a request to HRIMS, which responds between 0.1 s and its timeout of two minutes."""

RUN_BUCKETS = (1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 21600, 86400)
"""Seconds of a run, from a second to a night."""

HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

ATTEMPTS = Counter(
    "hrims_attempts",
    "Attempts at runs that ended in this worker, by kind of run and result",
    ["kind", "result"],
)
RUN_WAIT = Histogram(
    "hrims_run_wait_seconds", "Time from the request of a run to its first attempt", buckets=RUN_BUCKETS
)
RUN_DURATION = Histogram(
    "hrims_run_duration_seconds",
    "Time from the request of a run to its end in this worker, by state",
    ["state"],
    buckets=RUN_BUCKETS,
)
PAGES_SAVED = Counter("hrims_pages_saved", "Pages saved by this worker")
PEOPLE_SAVED = Counter("hrims_people_saved", "Employees on saved pages, by what changed", ["change"])
RECORDS_REJECTED = Counter("hrims_records_rejected", "Records that could not be saved, by reason", ["reason"])

REMOTE_DURATION = Histogram(
    "hrims_remote_request_duration_seconds",
    "Time of a request to HRIMS, failed ones included",
    ["operation"],
    buckets=REMOTE_BUCKETS,
)
REMOTE_FAILURES = Counter(
    "hrims_remote_request_failures",
    "Requests to HRIMS that failed, by the kind of failure",
    ["operation", "code"],
)
REMOTE_IN_FLIGHT = Gauge(
    "hrims_remote_requests_in_flight",
    "Requests of this process to HRIMS in flight",
    multiprocess_mode="livesum",
)
BREAKER_OPENED = Counter(
    "hrims_circuit_breaker_opened",
    "Times that this worker opened a circuit breaker or kept it open",
    ["code"],
)

RESCUES = Counter("hrims_rescues", "Runs of dead workers that this worker rescued, by result", ["result"])
WEBHOOK_DELIVERIES = Counter("hrims_webhook_deliveries", "Attempts to deliver a webhook message", ["result"])
SCHEDULE_TIMES = Counter(
    "hrims_schedule_times", "Due times of schedules that this worker processed, by result", ["result"]
)
AUDIT_CHAIN_REWRITTEN = Gauge(
    "hrims_audit_chain_rewritten",
    "1 while the audit chain lacks the last head of this worker's file",
    multiprocess_mode="livemax",
)
for _counter, _results in (
    (RESCUES, ("waiting", "requeued", "ended", "failed")),
    (WEBHOOK_DELIVERIES, ("delivered", "failed")),
    (SCHEDULE_TIMES, ("enqueued", "skipped", "none_selected", "failed")),
):
    for _result in _results:
        _counter.labels(_result)  # exposed as 0, so that increase() sees the first one

HTTP_DURATION = Histogram(
    "hrims_http_request_duration_seconds",
    "Time from a request to the start of its response",
    ["method", "route", "status"],
    buckets=HTTP_BUCKETS,
)
EVENT_STREAMS = Gauge("hrims_event_streams", "Event streams that are open", multiprocess_mode="livesum")
POOL_CONNECTIONS = Gauge(
    "hrims_database_pool_connections",
    "Connections to the database in the pools of this process",
    ["state"],
    multiprocess_mode="livesum",
)
POOL_WAITING = Gauge(
    "hrims_database_pool_waiting", "Requests for a connection that wait", multiprocess_mode="livesum"
)


@contextmanager
def measure_remote(operation: str) -> Iterator[None]:
    """Measure a request to HRIMS. Count an error as a failure, by its ``code``; its message is no label."""
    began_at = time.monotonic()
    REMOTE_IN_FLIGHT.inc()
    try:
        yield
    except Exception as error:
        REMOTE_FAILURES.labels(operation, getattr(error, "code", "unexpected")).inc()
        raise
    finally:
        REMOTE_IN_FLIGHT.dec()
        REMOTE_DURATION.labels(operation).observe(time.monotonic() - began_at)


def count_page(counts: dict[str, int], reject_codes: list[str]) -> None:
    """Count a saved page. ``counts`` has the keys ``new``, ``changed`` and ``unchanged``.

    ``unchanged`` is negative if the page has one person several times and each record changed them.
    """
    PAGES_SAVED.inc()
    for change in ("new", "changed", "unchanged"):
        PEOPLE_SAVED.labels(change).inc(max(0, counts[change]))
    for code in reject_codes:
        RECORDS_REJECTED.labels(code).inc()


def set_pool(stats: dict[str, int]) -> None:
    """Set the metrics of a connection pool. ``stats`` is the result of the pool's ``get_stats``."""
    size, available = stats.get("pool_size", 0), stats.get("pool_available", 0)
    POOL_CONNECTIONS.labels("idle").set(available)
    POOL_CONNECTIONS.labels("in_use").set(max(0, size - available))
    POOL_WAITING.set(stats.get("requests_waiting", 0))
