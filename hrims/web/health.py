"""Health: ``/healthz`` says that the process answers, ``/readyz`` that the whole product works,
``/metrics`` how much it does.
"""

from http import HTTPStatus
from typing import Any

import psycopg
from flask import Blueprint, Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from hrims import db, migrate
from hrims.errors import DatabaseUnusable
from hrims.jobs import store as jobs
from hrims.jobs.workers import store as workers
from hrims.web import parts
from hrims.web.guard import public
from hrims.web.parts import pool
from hrims.web.stream import hub

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def healthz() -> dict[str, Any]:
    """The process answers, whatever the database does; ``readOnly`` is what the last session reported."""
    return {"ok": True, "readOnly": parts.of(current_app).is_read_only}


@blueprint.get("/readyz")
@public
def readyz() -> tuple[dict[str, Any], int]:
    """Tell whether there is a database, whether it can be written and has our schema, and whether a worker
    lives; 503 unless all of it.
    """
    checks = {"database": False, "writable": False, "schema": False, "worker": False}
    try:
        with pool().connection(timeout=2) as conn:
            checks["database"] = True
            checks["writable"] = db.can_write(conn)
            checks["schema"] = not migrate.pending(conn)
            checks["worker"] = workers.alive(conn) > 0
    except (psycopg.Error, DatabaseUnusable):
        pass
    ok = all(checks.values())
    return {"ok": ok, **checks}, HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    """Counts straight from SQL, in Prometheus' text format; none of them names anybody."""
    registry = CollectorRegistry()
    runs = Gauge("hrims_runs", "Runs under way, by state", ["state"], registry=registry)
    living = Gauge("hrims_workers", "Workers that beat", registry=registry)
    deserted = Gauge("hrims_pools_deserted", "Pools that are wanted and have no worker", registry=registry)
    streams = Gauge("hrims_streams", "Event streams open in this process", registry=registry)
    not_asked = Gauge(
        "hrims_not_asked",
        "1 while HRIMS is down for a worker and not asked",
        registry=registry,
    )
    writable = Gauge("hrims_database_writable", "0 while the database is read-only", registry=registry)
    with pool().connection() as conn:
        writable.set(db.can_write(conn))
        not_asked.set(workers.some_do_not_ask(conn))
        for state, count in jobs.runs_under_way(conn).items():
            runs.labels(state).set(count)
        living.set(workers.alive(conn))
        deserted.set(sum(one.is_deserted for one in workers.pools(conn)))
    streams.set(hub().open_streams)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
