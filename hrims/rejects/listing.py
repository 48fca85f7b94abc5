"""The filter of rejects, for pages, downloads and API. Input: query parameters. Output: parameters, counts
and pages.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final, NamedTuple

from hrims.db import Connection
from hrims.errors import InvalidInput
from hrims.numbers import LARGEST, whole
from hrims.rejects import messages, store

PER_PAGE: Final = 50
"""Rejects per page, on screen and in the API unless it requests another number."""

MAX_PER_PAGE: Final = 500

STATES: Final = ("open", "closed", "all")

MAX_PAGE: Final = 1_000_000


OWN_NAMES: Final = {
    "institution": "institution",
    "type": "type",
    "code": "code",
    "state": "state",
    "page": "page",
    "per_page": "per_page",
}
"""The names of the filter's parameters on screen."""


class Given(NamedTuple):
    """The parameters of a request, and their names there."""

    args: Mapping[str, str]
    names: Mapping[str, str]

    def text(self, name: str) -> str:
        """Return the value of a parameter, or an empty text."""
        return self.args.get(self.names[name], "").strip()

    def refuse(self, name: str, rule: str) -> InvalidInput:
        """Return the error for an invalid parameter."""
        given_name = self.names[name]
        code = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in given_name)
        return InvalidInput(f"{given_name} must be {rule}.", f"bad_{code}")


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


@dataclass(frozen=True)
class RejectQuery:
    """A query by institution, list, code and state (open, closed or all), and the requested page."""

    institution_id: int | None = None
    identifier_type: str | None = None
    code: str | None = None
    state: str = "open"
    page: int = 1
    per_page: int = PER_PAGE
    conn: Connection | None = field(default=None, compare=False, repr=False)

    @classmethod
    def read(
        cls, args: Mapping[str, str], conn: Connection | None = None, names: Mapping[str, str] = OWN_NAMES
    ) -> "RejectQuery":
        """Return the filter for parameters.

        They are ``institution``, ``type``, ``code``, ``state``, ``page`` and ``per_page``, or what ``names``
        calls them. An empty parameter is ignored. Raises InvalidInput for an invalid one, with the name under
        which it was sent.
        """
        given = Given(args, names)
        return cls(
            institution_id=_number(given, "institution", LARGEST),
            identifier_type=_choice(given, "type", ("votecode", "tin")),
            code=_choice(given, "code", tuple(messages.CODES)),
            state=_choice(given, "state", STATES) or "open",
            page=_number(given, "page", MAX_PAGE) or 1,
            per_page=_number(given, "per_page", MAX_PER_PAGE) or PER_PAGE,
            conn=conn,
        )

    @property
    def params(self) -> dict[str, str]:
        """Return the parameters of this filter, without the page."""
        given = {
            "institution": self.institution_id,
            "type": self.identifier_type,
            "code": self.code,
            "state": self.state if self.state != "open" else None,
            "per_page": self.per_page if self.per_page != PER_PAGE else None,
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
        return max(1, -(-self.total // self.per_page))

    @cached_property
    def cases(self) -> list[Case]:
        """Return the cases of this page, open ones first, the latest first."""
        first = (self.page - 1) * self.per_page
        return [Case(*row) for row in store.list_cases(self._conn, self._where(), self.per_page, first)]

    def iterate_all(self) -> Iterator[Case]:
        """Return an iterator over the cases of all pages, in bounded memory. It needs an open transaction."""
        return (Case(*row) for row in store.iterate_cases(self._conn, self._where()))

    @cached_property
    def listings(self) -> list[store.Listing]:
        """Return the lists of the institution that have open cases, and how many each has."""
        if self.institution_id is None:
            return []
        return store.list_open_listings(self._conn, self.institution_id)

    @property
    def _conn(self) -> Connection:
        assert self.conn is not None
        return self.conn

    def _where(self) -> store.Where:
        return store.Where(self.institution_id, self.identifier_type, self.code, self.state)


def _number(given: Given, name: str, maximum: int) -> int | None:
    raw = given.text(name)
    if not raw:
        return None
    number = whole(raw, maximum)
    if not number:
        raise given.refuse(name, f"a whole number from 1 to {maximum:,}")
    return number


def _choice(given: Given, name: str, known: tuple[str, ...]) -> str | None:
    raw = given.text(name)
    if raw and raw not in known:
        raise given.refuse(name, f"one of: {', '.join(known)}")
    return raw or None
