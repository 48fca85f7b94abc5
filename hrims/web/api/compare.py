"""The API that compares two runs."""

from typing import Any

from hrims.runs.compare.store import Side
from hrims.web.core.comparison import compare
from hrims.web.core.queries import CompareQuery
from hrims.web.core.serializers import time

ROWS = 100
"""Rows in one response."""


def show(query: CompareQuery) -> dict[str, Any]:
    """Return two runs with counts, and with ``?kind=`` also rows, by ``&page=``."""
    comparison = compare("api.compare.show", query, ROWS)
    answer = {
        "success": True,
        "institutionName": comparison["a"].institution,
        "a": _serialize_side(comparison["a"]),
        "b": _serialize_side(comparison["b"]),
        "counts": comparison["counts"],
    }
    if query.kind is None:
        return answer
    filter_ = comparison["filter"]
    return answer | {
        "kind": filter_.kind,
        "page": filter_.page,
        "rows": comparison["rows"],
        "next": filter_.next_link,
    }


def _serialize_side(side: Side) -> dict[str, Any]:
    return {
        "jobId": str(side.id),
        "state": side.state,
        "outcome": side.outcome,
        "people": side.people,
        "finishedAt": time(side.finished_at),
    }
