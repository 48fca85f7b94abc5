"""The screen of workers and pools: who works, for whom and at what; the banner that every page has when
nobody does; and the same for machines.
"""

from typing import Any

from flask import Blueprint, render_template

from hrims.db import can_write, one_moment
from hrims.jobs.workers import store
from hrims.jobs.workers.store import Pool
from hrims.web import answers
from hrims.web.parts import pool

blueprint = Blueprint("workers", __name__)

MOST = 100
"""Workers that are shown: those that live first."""


@blueprint.get("/dashboard/admin/workers")
def index() -> str:
    """The page."""
    return render_template("workers/index.html", **_context())


@blueprint.get("/dashboard/admin/workers/list")
def listed() -> str:
    """A fragment: workers and pools."""
    return render_template("workers/_list.html", **_context())


@blueprint.get("/dashboard/admin/workers/banner")
def banner() -> str:
    """A fragment for every page: says that no worker runs, and since when; empty while one does.

    While the database is read-only, no worker can write its heartbeat: the fragment says that instead.
    """
    with pool().connection() as conn:
        if not can_write(conn):
            return render_template("workers/_read_only.html")
        deserted = [one for one in store.pools(conn) if one.is_deserted and one.runs]
        nobody = not store.alive(conn)
        last = store.last_sign(conn) if nobody else None
    return render_template("workers/_banner.html", nobody=nobody, last=last, deserted=deserted)


@blueprint.get("/api/hrims/workers")
def api() -> dict[str, Any]:
    """Workers and pools for machines."""
    shown = _context()
    return {
        "success": True,
        "workers": [_worker(one) for one in shown["workers"]],
        "pools": [_pool(one) for one in shown["pools"]],
    }


def _context() -> dict[str, Any]:
    with pool().connection() as conn:
        one_moment(conn)
        return {"workers": store.workers(conn, MOST), "pools": store.pools(conn)}


def _worker(one: store.Worker) -> dict[str, Any]:
    return {
        "id": one.worker_id,
        "host": one.host,
        "process": one.pid,
        "version": one.version,
        "pool": one.pool,
        "capacity": one.capacity,
        "alive": one.alive,
        "beganAt": answers.time(one.began_at),
        "lastBeatAt": answers.time(one.last_beat),
        "endedAt": answers.time(one.ended_at),
        "address": one.address,
        "notAsked": one.not_asked,
        "jobIds": [str(run_id) for run_id in one.runs],
    }


def _pool(one: Pool) -> dict[str, Any]:
    return {
        "name": one.name,
        "workers": one.workers,
        "institutions": one.institutions,
        "runs": one.runs,
        "deserted": one.is_deserted,
    }
