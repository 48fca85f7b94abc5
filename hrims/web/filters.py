"""Which rows of a screen are shown: the address' ``kind`` and ``page`` come in; offsets and links go out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import url_for

from hrims.errors import InvalidInput
from hrims.numbers import whole

LAST_PAGE = 100_000
"""Nobody has as many pages; a larger number is a mistake."""


@dataclass(frozen=True)
class Filter:
    """One page of one kind of rows of a screen, whose other parameters are ``given``."""

    endpoint: str
    kind: str
    page: int
    size: int
    given: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(
        cls, endpoint: str, args: Mapping[str, str], kinds: Sequence[str], size: int, **given: Any
    ) -> "Filter":
        """The first kind and page unless the address says otherwise. Raises InvalidInput."""
        kind = args.get("kind", kinds[0])
        if kind not in kinds:
            raise InvalidInput(f"kind must be one of {', '.join(kinds)}.", "bad_kind")
        page = whole(args.get("page", "1"), LAST_PAGE)
        if not page:
            raise InvalidInput(f"page must be a whole number from 1 to {LAST_PAGE:,}.", "bad_page")
        return cls(endpoint, kind, page, size, given)

    @property
    def skip(self) -> int:
        """Rows before the first one shown."""
        return (self.page - 1) * self.size

    @property
    def most(self) -> int:
        """Rows to ask for: one more than is shown tells whether there is a next page."""
        return self.size + 1

    def of_kind(self, kind: str) -> str:
        """The address of the first page of another kind."""
        return url_for(self.endpoint, **self.given, kind=kind)

    def of_page(self, page: int) -> str:
        """The address of another page of this kind."""
        return url_for(self.endpoint, **self.given, kind=self.kind, page=page)

    def of_part(self, endpoint: str) -> str:
        """The address of a part of the screen, for the rows that are shown now."""
        return url_for(endpoint, **self.given, kind=self.kind, page=self.page)
