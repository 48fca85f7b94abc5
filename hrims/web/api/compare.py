"""The API that compares two runs."""

from typing import Any

from msgspec import UNSET, UnsetType, field

from hrims.runs.compare.store import Counts, Side
from hrims.web.api.enumerations import Outcome, RunState
from hrims.web.core.comparison import compare
from hrims.web.core.queries import CompareQuery
from hrims.web.core.responses import JobId, ResponseBody, SuccessBody, Timestamp, rows_of
from hrims.web.core.serializers import time

ROWS = 100
"""Rows in one response."""


class SideBody(ResponseBody):
    """One of the two runs."""

    job_id: JobId
    state: RunState
    outcome: Outcome | None
    people: int
    finished_at: Timestamp | None


class DifferenceCounts(ResponseBody):
    """Counts of people: with a changed field, met by one run only, met by both runs."""

    changed: int
    only_a: int = field(name="only_a")
    only_b: int = field(name="only_b")
    both: int


class DifferenceRow(ResponseBody):
    """A person of the difference, masked as for the client. ``changes`` has old and new value by field.

    Rows of ``changed`` have ``changes``, the others the fields after it.
    """

    zan_id: str
    name: str | None
    changes: dict[str, list[Any]] | UnsetType = UNSET
    cadre: str | UnsetType | None = UNSET
    workplace: str | UnsetType | None = UNSET
    status: str | UnsetType | None = UNSET
    institution: str | UnsetType | None = UNSET
    rejected_by_other: bool | UnsetType = UNSET


class ComparisonBody(SuccessBody):
    """Two runs with counts. Only a request with ``kind`` gets rows.

    ``hidden`` people of the kind are outside the institutions of the client: counted, but in no row.
    """

    institution_name: str
    a: SideBody
    b: SideBody
    counts: DifferenceCounts
    kind: str | UnsetType = UNSET
    page: int | UnsetType = UNSET
    rows: list[DifferenceRow] | UnsetType = UNSET
    next: str | UnsetType | None = UNSET
    hidden: int | UnsetType = UNSET


def show(query: CompareQuery) -> ComparisonBody:
    """Return two runs with counts, and with ``?kind=`` also rows, by ``&page=``."""
    comparison = compare("api.compare.show", query, ROWS)
    body = ComparisonBody(
        institution_name=comparison["a"].institution,
        a=_serialize_side(comparison["a"]),
        b=_serialize_side(comparison["b"]),
        counts=_serialize_counts(Counts(**comparison["counts"])),
    )
    if query.kind is not None:
        filter_ = comparison["filter"]
        body.kind, body.page, body.next = filter_.kind, filter_.page, filter_.next_link
        body.hidden = comparison["hidden"]
        body.rows = rows_of(DifferenceRow, comparison["rows"])
    return body


def _serialize_side(side: Side) -> SideBody:
    return SideBody(str(side.id), side.state, side.outcome, side.people, time(side.finished_at))


def _serialize_counts(counts: Counts) -> DifferenceCounts:
    return DifferenceCounts(counts.changed, counts.only_a, counts.only_b, counts.both)
