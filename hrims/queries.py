"""Query strings of pages and API: the base of their structures, and the bounds of their parameters. Pure.

A wrong parameter is refused with 400, in every list alike. Only a ``Hint`` never is.
"""

from collections.abc import Iterable
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from hrims.numbers import LARGEST, whole
from hrims.validation import Request

LAST_PAGE: Final = 100_000
"""More pages than any list has; a larger number is a mistake."""

Page = Annotated[int, Meta(ge=1, le=LAST_PAGE)]
"""The page of a list, from 1."""

Hint = Annotated[int, Meta(ge=0, le=LARGEST, extra={"prepare": whole})]
"""The id of what a page shows beside its list. 0 stands for what is no id, and selects nothing."""

SearchTerms = Annotated[str, Meta(max_length=200)]
"""The terms by which a list is searched."""


class Query(Request, forbid_unknown_fields=False):
    """A query string. Unknown parameters are ignored, and empty ones count as not sent."""

    outcome: ClassVar[str] = ""


class ListQuery(Query, kw_only=True):
    """The page of a list."""

    page: Page = 1


def one_of(names: Iterable[str]) -> Meta:
    """Return the bounds of a text that must be one of these names."""
    known = [*names]
    return Meta(
        pattern=f"^({'|'.join(known)})$",
        extra={"expected": f"one of {', '.join(known)}"},
        extra_json_schema={"enum": known},
    )


def rows_up_to(maximum: int) -> Meta:
    """Return the bounds of the number of rows on a page."""
    return Meta(ge=1, le=maximum)
