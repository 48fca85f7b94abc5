"""The filter of a list and its pages. Input: a query string. Output: limit and offset, and links."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import url_for

T = TypeVar("T")


@dataclass
class Filter:
    """The URL parameters of a list and one page of its rows.

    ``kind`` is empty if the list has no kinds. ``params`` has the other URL parameters; links omit empty
    ones. ``page_param`` names the parameter of the page. ``total`` is the number of rows, if it is counted.
    """

    endpoint: str
    size: int
    page: int = 1
    kind: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    page_param: str = "page"
    total: int | None = None
    has_next: bool = False

    @property
    def offset(self) -> int:
        """Return the number of rows before the first one of the page."""
        return (self.page - 1) * self.size

    @property
    def limit(self) -> int:
        """Return the number of rows to query: one more than the page has, to detect a next page."""
        return self.size + 1

    @property
    def pages(self) -> int | None:
        """Return the number of pages, at least one; None if the rows are not counted."""
        return None if self.total is None else max(1, -(-self.total // self.size))

    def take(self, rows: Sequence[T]) -> Sequence[T]:
        """Return the rows of the page, from a query with ``limit``. Record whether there is a next page."""
        self.has_next = len(rows) > self.size
        return rows[: self.size]

    def count(self, total: int) -> None:
        """Record the number of rows, and move to the last page if the page is behind it."""
        self.total = total
        self.page = min(self.page, self.pages or 1)
        self.has_next = self.page < (self.pages or 1)

    def query(self, **changes: Any) -> dict[str, Any]:
        """Return the URL parameters of this page after changes, without those that are empty."""
        own = {"kind": self.kind, self.page_param: self.page if self.page > 1 else None}
        return {name: value for name, value in {**self.params, **own, **changes}.items() if value}

    def link(self, endpoint: str | None = None, **changes: Any) -> str:
        """Return the URL of this page after changes, or of a fragment or button with the same filter."""
        return url_for(endpoint or self.endpoint, **self.query(**changes))

    def kind_link(self, kind: str) -> str:
        """Return the URL of the first page of another kind."""
        return self.link(kind=kind, **{self.page_param: None})

    def page_link(self, page: int) -> str:
        """Return the URL of another page."""
        return url_for(self.endpoint, **self.query(**{self.page_param: page if page > 1 else None}))

    @property
    def next_link(self) -> str | None:
        """Return the URL of the next page; None if this is the last one."""
        return self.page_link(self.page + 1) if self.has_next else None
