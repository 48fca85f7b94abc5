"""The page of workers and pools, and the banner of every page while no worker runs."""

from typing import Any

from flask import render_template

from hrims.db import can_write, use_snapshot
from hrims.jobs.workers import store
from hrims.web.core.app_state import pool
from hrims.web.core.guard import scope


def index() -> str:
    """Show the page."""
    return render_template("workers/index.html", **_context())


def show_list() -> str:
    """Show a fragment: workers and pools."""
    return render_template("workers/_list.html", **_context())


def show_banner() -> str:
    """Show a fragment for every page: that no worker runs, and since when, or that none can ask HRIMS.

    It is empty while one can. While the database is read-only, no worker can write its heartbeat. The
    fragment reports that instead.
    """
    with pool().connection() as conn:
        if not can_write(conn):
            return render_template("workers/_read_only.html")
        pools_without_worker = [item for item in store.list_pools(conn) if item.has_no_worker and item.runs]
        no_worker = not store.count_alive(conn)
        last = store.find_last_heartbeat(conn) if no_worker else None
        no_address = not no_worker and not store.has_address(conn)
    return render_template(
        "workers/_banner.html",
        no_worker=no_worker,
        no_address=no_address,
        last=last,
        pools=pools_without_worker,
    )


def _context() -> dict[str, Any]:
    with pool().connection() as conn:
        use_snapshot(conn)
        return {
            "workers": store.list_workers(conn, scope(), store.MAX_LISTED),
            "pools": store.list_pools(conn),
        }
