"""The records of a page: rows, repeats and rejects, each at its position."""

from typing import Any

import pytest

from hrims.employees.digest import compute_digest, compute_identity
from hrims.employees.mapping import map_record
from hrims.employees.rejects import Reject, reject_shared_zan_id
from hrims.sync import pages
from hrims.sync.pages import MappedPage, map_page
from hrims.sync.single import identity_at
from tests.support.people import page, record

ASHA, ASHA_MOVED = record(1), record(1, workplace="Ofisi")
ALI, NAMELESS = record(2), record(3, zanIdNumber="")


def mapped(*records: dict[str, Any]) -> MappedPage:
    return map_page(page(list(records), total=len(records)))


def positions(records: list[tuple[int, Any]]) -> list[int]:
    return [position for position, _ in records]


def test_it_works() -> None:
    found = mapped(NAMELESS, ASHA, ALI, ASHA, ASHA_MOVED)
    assert positions(found.rejects) == [0]
    assert positions(found.rows) == [1, 2]
    assert positions(found.repeats) == [3, 4]
    assert found.records == 5


def test_only_repeats_that_differ_from_the_first_are_saved_before_it() -> None:
    assert positions(pages._differing(mapped(ASHA, ALI, ASHA, ASHA_MOVED))) == [3]
    assert pages._differing(mapped(ASHA, ALI)) == []


@pytest.mark.parametrize("records", [(ASHA, ALI), (ASHA, ALI, ASHA_MOVED), (ALI, ASHA, ALI, ASHA)])
def test_a_page_has_the_person_of_each_position(records: tuple[dict[str, Any], ...]) -> None:
    found = mapped(*records)
    ids = {row.zan_id: number for number, (_, row) in enumerate(found.rows, 70)}
    rows = dict(found.rows + found.repeats)
    met, digests = pages._met(found, list(ids.values()))
    assert met == [ids[rows[position].zan_id] for position in range(len(records))]
    assert digests == [compute_digest(rows[position]) for position in range(len(records))]


def test_every_row_of_a_page_needs_an_id() -> None:
    with pytest.raises(ValueError, match="zip"):
        pages._met(mapped(ASHA, ALI), [70])


def test_a_known_reject_gives_its_place_to_the_next_record_of_its_zan_id() -> None:
    found = mapped(ALI, ASHA, NAMELESS, ASHA_MOVED)
    assert pages._without(found, []) is found
    without = pages._without(found, [(1, reject_shared_zan_id("580330001"))])
    assert positions(without.rejects) == [1, 2]
    assert positions(without.rows) == [0, 3]
    assert without.repeats == []
    assert without.records == found.records


def test_the_identity_of_a_record_by_its_position() -> None:
    read = page([ASHA, NAMELESS], total=2)
    row = map_record(read.records[0])
    assert not isinstance(row, Reject)
    assert identity_at(read, 0) == compute_identity(row)
    assert identity_at(read, 1) is None
    assert identity_at(read, 2) is None


def test_times_are_in_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hrims.sync.pages.time.monotonic", lambda: 101.5)
    assert pages._ms_since(100.0) == 1500
