"""The filter of the audit trail, for the page and its download. Input: values. Output: records."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from hrims.audit import store
from hrims.db import Connection


class AuditFilter(NamedTuple):
    """What to list. None selects all. Days are those of ``zone``. An ``action`` includes all below it."""

    user: str | None = None
    action: str | None = None
    object: str | None = None
    institution: int | None = None
    run: int | None = None
    request: str | None = None
    since: date | None = None
    until: date | None = None
    zone: str = "UTC"

    @property
    def names(self) -> list[str]:
        """Return the names of the filters that are set."""
        return sorted(name for name, value in self.params.items() if value is not None)

    @property
    def params(self) -> dict[str, Any]:
        """Return the filters by their names, without the time zone."""
        return {name: value for name, value in self._asdict().items() if name != "zone"}


class Record(NamedTuple):
    """A record on the page. ``sequence`` is None until it is chained."""

    sequence: int | None
    id: int
    at: datetime
    user: str
    role: str | None
    via: str
    token_id: int | None
    address: str | None
    user_agent: str | None
    request_id: str | None
    run_id: int | None
    institution_id: int | None
    institution: str | None
    action: str
    object: str | None
    before: str | None
    after: str | None
    reason: str | None
    details: str


def list_records(conn: Connection, filter_: AuditFilter, limit: int, offset: int) -> list[Record]:
    """Return the records that match the filter, newest first."""
    return [Record(*row) for row in store.list_records(conn, filter_._asdict(), limit, offset)]


def iterate_values(conn: Connection, filter_: AuditFilter) -> Iterator[tuple[str | None, ...]]:
    """Return the columns of a download for each record that matches, oldest first. Memory is bounded."""
    return store.stream_matches(conn, filter_._asdict())
