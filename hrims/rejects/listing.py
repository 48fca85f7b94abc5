"""The filter of rejects, for pages, downloads and API. Input: values. Output: parameters, counts, pages."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final, NamedTuple

from hrims.access.actor import Actor
from hrims.access.audit import record_if_writable
from hrims.access.scope import NOTHING, Scope
from hrims.db import Connection
from hrims.employees.masking import EVERYTHING_HIDDEN, Mask
from hrims.rejects import messages, store

PER_PAGE: Final = 50
"""Rejects per page, on screen and in the API unless it requests another number."""


class Case(NamedTuple):
    """A reject that is tracked over runs.

    ``record`` is its position in the list, from 1. ``page_number`` and ``position`` count from 0, as in
    HRIMS.
    """

    id: int
    institution_id: int
    institution: str
    identifier_type: str
    code: str
    field: str | None
    reason: str
    masked: str | None
    record: int
    page_size: int
    page_number: int
    position: int
    first_run_id: int
    first_seen_at: datetime
    last_run_id: int
    last_seen_at: datetime
    times: int
    closed_at: datetime | None
    closed_run_id: int | None
    name: str | None
    payroll_number: str | None
    workplace: str | None

    @property
    def code_text(self) -> messages.CodeText:
        """Return the name of the code, and the advice."""
        return messages.describe_code(self.code)

    @property
    def state(self) -> str:
        return "open" if self.closed_at is None else "closed"

    def masked_by(self, mask: Mask) -> "Case":
        """Return the case with the hidden fields of its employee masked."""
        return Case(**mask.row(self._asdict()))


@dataclass(frozen=True)
class RejectQuery:
    """A query by institution, list, code and state (open, closed or all), and the requested page."""

    institution_id: int | None = None
    identifier_type: str | None = None
    code: str | None = None
    state: str = "open"
    page: int = 1
    page_size: int = PER_PAGE
    user_scope: Scope = NOTHING
    mask: Mask = EVERYTHING_HIDDEN
    conn: Connection | None = field(default=None, compare=False, repr=False)

    @property
    def params(self) -> dict[str, str]:
        """Return the parameters of this filter, without the page."""
        given = {
            "institution": self.institution_id,
            "type": self.identifier_type,
            "code": self.code,
            "state": self.state if self.state != "open" else None,
            "per_page": self.page_size if self.page_size != PER_PAGE else None,
        }
        return {name: str(value) for name, value in given.items() if value is not None}

    # Results. These read the database, on the connection that the filter was given.

    @cached_property
    def states(self) -> dict[str, int]:
        """Return the number of open, closed and all cases that match the rest of the filter."""
        opened, closed = store.count_states(self._conn, self._where())
        return {"open": opened, "closed": closed, "all": opened + closed}

    @property
    def total(self) -> int:
        """Return the number of cases that match."""
        return self.states[self.state]

    @property
    def pages(self) -> int:
        """Return the number of pages, at least one."""
        return max(1, -(-self.total // self.page_size))

    @cached_property
    def cases(self) -> list[Case]:
        """Return the cases of this page, open ones first, the latest first."""
        first = (self.page - 1) * self.page_size
        rows = store.list_cases(self._conn, self._where(), self.page_size, first)
        return [Case(*row).masked_by(self.mask) for row in rows]

    def record_search(self, actor: Actor) -> None:
        """Record that a user searches: the names of the filters, not their values."""
        if names := sorted(self.params.keys() - {"per_page"}):
            record_if_writable(self._conn, actor, "rejects.search", filters=names)

    def iterate_all(self) -> Iterator[Case]:
        """Return an iterator over the cases of all pages, in bounded memory. It needs an open transaction."""
        return (Case(*row).masked_by(self.mask) for row in store.iterate_cases(self._conn, self._where()))

    @cached_property
    def listings(self) -> list[store.Listing]:
        """Return the lists of the institution that have open cases, and how many each has."""
        if self.institution_id is None:
            return []
        return store.list_open_listings(self._conn, self.user_scope, self.institution_id)

    @property
    def _conn(self) -> Connection:
        assert self.conn is not None
        return self.conn

    def _where(self) -> store.Where:
        return store.Where(self.user_scope, self.institution_id, self.identifier_type, self.code, self.state)
