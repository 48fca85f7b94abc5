"""The page of the audit trail: its filter, the records that match, their download. Each use is recorded."""

from datetime import UTC, datetime
from typing import Any

from flask import Response, render_template
from msgspec.structs import asdict

from hrims.access.audit import record, record_if_writable
from hrims.audit import export, listing
from hrims.audit.listing import AuditFilter
from hrims.web.core import downloads, guard
from hrims.web.core.app_state import pool, settings
from hrims.web.core.paging import Filter
from hrims.web.core.queries import AuditQuery
from hrims.web.core.sign_in_checks import require_recent_sign_in

ROWS = 50
"""Records that the page shows at a time."""


def index(query: AuditQuery) -> str:
    """Show the page: the filter from the URL, and the records that match it."""
    return render_template("audit/index.html", **_context(query))


def download(query: AuditQuery) -> Response:
    """Return all records that match the filter as CSV. The export is in the trail before it is read."""
    require_recent_sign_in()
    filter_ = _to_filter(query)
    with pool().connection() as conn:
        record(conn, guard.actor(), "audit.export", "audit", filters=filter_.names)
    with pool().connection() as conn:
        name = f"audit-{datetime.now(UTC):%Y-%m-%d}.csv"
        return downloads.send(
            lambda file: export.write_matches(conn, filter_, file), "text/csv; charset=utf-8", name
        )


def _context(query: AuditQuery) -> dict[str, Any]:
    filter_ = _to_filter(query)
    shown = Filter("audit.index", ROWS, query.page, params=filter_.params)
    with pool().connection() as conn:
        record_if_writable(conn, guard.actor(), "audit.view", "audit", filters=filter_.names)
        records = listing.list_records(conn, filter_, shown.limit, shown.offset)
    return {"query": query, "records": shown.take(records), "filter": shown}


def _to_filter(query: AuditQuery) -> AuditFilter:
    values = {name: value for name, value in asdict(query).items() if name in AuditFilter._fields}
    return AuditFilter(**values, zone=settings().time_zone.key)
