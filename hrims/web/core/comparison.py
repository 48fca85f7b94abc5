"""Compares two runs for page and API. Input: a query string. Output: runs, counts and rows."""

from typing import Any

from hrims.db import use_snapshot
from hrims.runs.compare import store
from hrims.runs.compare.pair import find_pair
from hrims.runs.compare.store import Counts
from hrims.web.core.app_state import pool
from hrims.web.core.guard import mask, scope
from hrims.web.core.paging import Filter
from hrims.web.core.queries import CompareQuery

KINDS = Counts._fields


def compare(endpoint: str, query: CompareQuery, size: int) -> dict[str, Any]:
    """Return the two runs, the counts, and the rows of the requested page, all from one snapshot.

    ``hidden`` people of the kind are outside the scope of the client, so that no row shows them.
    """
    with pool().connection() as conn:
        use_snapshot(conn)
        a, b = find_pair(conn, scope(), query.a, query.b)
        filter_ = Filter(endpoint, size, query.page, query.kind or KINDS[0], {"a": a.id, "b": b.id})
        counts = store.count_differences(conn, a.id, b.id)
        found = store.list_entries(conn, scope(), (a.id, b.id), filter_.kind, filter_.limit, filter_.offset)
        hidden = store.count_hidden(conn, scope(), (a.id, b.id), filter_.kind)
    return {
        "a": a,
        "b": b,
        "counts": counts._asdict(),
        "filter": filter_,
        "rows": filter_.take(mask().rows(found)),
        "hidden": hidden,
        "kinds": KINDS,
        "refused": None,
    }
