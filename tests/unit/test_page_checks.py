"""A response that cannot be the requested page is refused: nothing of it is saved."""

import json
from typing import Any

import pytest

from hrims.errors import RemoteDrifted, RemoteRepeated, RemoteShort
from hrims.remote.wire import Page
from hrims.sync.fetch_page import MIN_NEIGHBOURS, Seen, refuse_renamed_key, refuse_repeated_page
from hrims.sync.pages import map_page, refuse_short_page
from hrims.sync.spans import Span
from tests.support.people import page, record


def fingerprint(*numbers: int) -> bytes | None:
    """Return the digest of a page with these people."""
    return map_page(page([record(number) for number in numbers], total=9)).fingerprint


def test_a_page_that_came_under_another_number_is_refused() -> None:
    seen: Seen = {}
    refuse_repeated_page(fingerprint(1, 2), Span(2, 0), seen)
    refuse_repeated_page(fingerprint(3, 4), Span(2, 1), seen)
    refuse_repeated_page(fingerprint(1, 2), Span(2, 0), seen)
    with pytest.raises(RemoteRepeated):
        refuse_repeated_page(fingerprint(1, 2), Span(2, 2), seen)


def test_the_same_single_person_on_two_pages_is_a_repeat_and_not_a_repeated_page() -> None:
    seen: Seen = {}
    for number in range(2):
        refuse_repeated_page(fingerprint(1), Span(2, number), seen)
    assert not seen


def test_people_in_another_order_are_another_page() -> None:
    assert fingerprint(1, 2) != fingerprint(2, 1)


@pytest.mark.parametrize(
    ("records", "number", "total"),
    [(2, 0, 5), (2, 1, 5), (1, 2, 5), (0, 3, 5), (0, 0, 0), (2, 2, 5)],
)
def test_a_page_with_all_records_that_its_total_implies_is_taken(
    records: int, number: int, total: int
) -> None:
    refuse_short_page(page([record(one) for one in range(records)], number=number, size=2, total=total))


@pytest.mark.parametrize(("records", "number", "total"), [(1, 0, 5), (0, 0, 1), (1, 1, 5), (0, 2, 5)])
def test_a_short_page_is_refused(records: int, number: int, total: int) -> None:
    with pytest.raises(RemoteShort) as caught:
        refuse_short_page(page([record(one) for one in range(records)], number=number, size=2, total=total))
    assert (caught.value.had, caught.value.total) == (records, total)


def _without_keys(count: int) -> Page:
    """Return a page of people without the field by which they are known."""
    people: list[dict[str, Any]] = [record(number) for number in range(count)]
    for one in people:
        del one["personalInfo"]["zanIdNumber"]
    read = page(people, total=count)
    return Page(read.number, read.size, read.total, read.records, json.dumps({"data": people}).encode())


@pytest.mark.parametrize(
    ("count", "has_met_keys", "is_refused"),
    [
        (2, False, True),
        (MIN_NEIGHBOURS - 1, False, True),
        (MIN_NEIGHBOURS - 1, True, False),
        (MIN_NEIGHBOURS, True, True),
    ],
)
def test_a_page_without_any_key_is_refused_unless_it_is_a_few_neighbours(
    count: int,
    has_met_keys: bool,
    is_refused: bool,
) -> None:
    if not is_refused:
        refuse_renamed_key(_without_keys(count), has_met_keys=has_met_keys)
        return
    with pytest.raises(RemoteDrifted):
        refuse_renamed_key(_without_keys(count), has_met_keys=has_met_keys)
