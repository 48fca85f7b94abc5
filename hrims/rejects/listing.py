"""The filter of rejects, for screen, downloads and API: what was asked for comes in; parameters, counts and
pages go out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Final, NamedTuple

from hrims.db import Connection
from hrims.errors import InvalidInput
from hrims.numbers import LARGEST, whole
from hrims.rejects import store, words

PER_PAGE: Final = 50
"""Rejects of a page of the screen, and of the API unless it asks for other."""

MOST_PER_PAGE: Final = 500

STATES: Final = ("open", "closed", "all")

MOST_PAGES: Final = 1_000_000


OWN_NAMES: Final = {
    "institution": "institution",
    "type": "type",
    "code": "code",
    "state": "state",
    "page": "page",
    "per_page": "per_page",
}
"""The filter's parameters, as the screen calls them."""


class Given(NamedTuple):
    """Parameters as they came, and how they are called there."""

    args: Mapping[str, str]
    names: Mapping[str, str]

    def text(self, name: str) -> str:
        """What was given; empty where nothing was."""
        return self.args.get(self.names[name], "").strip()

    def refuse(self, name: str, words: str) -> InvalidInput:
        """What is said of one that does not do."""
        theirs = self.names[name]
        slug = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in theirs)
        return InvalidInput(f"{theirs} must be {words}.", f"bad_{slug}")


class Case(NamedTuple):
    """A reject across runs. ``record`` is its place in the listing, from 1; ``page_number`` and ``position``
    count from 0, as HRIMS does.
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
    def told(self) -> words.Told:
        """The code in words, and what to do."""
        return words.told(self.code)

    @property
    def state(self) -> str:
        return "open" if self.closed_at is None else "closed"


@dataclass(frozen=True)
class Filter:
    """Which rejects: of an institution, of a listing of it, of a code; open, closed or all; which page."""

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
    ) -> "Filter":
        """The filter that parameters ask for: ``institution``, ``type``, ``code``, ``state``, ``page``,
        ``per_page``, or what ``names`` calls them; what is empty asks for nothing. Raises InvalidInput for
        what does not do, by the name under which it came.
        """
        given = Given(args, names)
        return cls(
            institution_id=_number(given, "institution", LARGEST),
            identifier_type=_one_of(given, "type", ("votecode", "tin")),
            code=_one_of(given, "code", tuple(words.CODES)),
            state=_one_of(given, "state", STATES) or "open",
            page=_number(given, "page", MOST_PAGES) or 1,
            per_page=_number(given, "per_page", MOST_PER_PAGE) or PER_PAGE,
            conn=conn,
        )

    @property
    def params(self) -> dict[str, str]:
        """The parameters that ask for this, without the page."""
        given = {
            "institution": self.institution_id,
            "type": self.identifier_type,
            "code": self.code,
            "state": self.state if self.state != "open" else None,
            "per_page": self.per_page if self.per_page != PER_PAGE else None,
        }
        return {name: str(value) for name, value in given.items() if value is not None}

    def with_page(self, page: int) -> dict[str, str]:
        """The parameters of another page."""
        return self.params | ({"page": str(page)} if page > 1 else {})

    def with_state(self, state: str) -> dict[str, str]:
        """The parameters of another state, from its first page."""
        return replace(self, state=state).params

    # What there is. These read the database, on the connection that the filter was given.

    @cached_property
    def states(self) -> dict[str, int]:
        """How many are open, closed and all, of what else is asked for."""
        opened, closed = store.count_states(self._conn, self._where())
        return {"open": opened, "closed": closed, "all": opened + closed}

    @property
    def total(self) -> int:
        """How many there are."""
        return self.states[self.state]

    @property
    def pages(self) -> int:
        """How many pages they make; at least one."""
        return max(1, -(-self.total // self.per_page))

    @cached_property
    def cases(self) -> list[Case]:
        """Those of this page, open ones first, the latest first."""
        first = (self.page - 1) * self.per_page
        return [Case(*row) for row in store.page_of(self._conn, self._where(), self.per_page, first)]

    def every(self) -> Iterator[Case]:
        """All of them, whatever the page, in bounded memory; the connection must be in a transaction."""
        return (Case(*row) for row in store.every(self._conn, self._where()))

    @cached_property
    def listings(self) -> list[store.Listing]:
        """The listings of the institution with open rejects, and how many each has."""
        if self.institution_id is None:
            return []
        return store.open_listings(self._conn, self.institution_id)

    @property
    def _conn(self) -> Connection:
        assert self.conn is not None
        return self.conn

    def _where(self) -> store.Where:
        return store.Where(self.institution_id, self.identifier_type, self.code, self.state)


def _number(given: Given, name: str, most: int) -> int | None:
    raw = given.text(name)
    if not raw:
        return None
    number = whole(raw, most)
    if not number:
        raise given.refuse(name, f"a whole number from 1 to {most:,}")
    return number


def _one_of(given: Given, name: str, known: tuple[str, ...]) -> str | None:
    raw = given.text(name)
    if raw and raw not in known:
        raise given.refuse(name, f"one of: {', '.join(known)}")
    return raw or None
