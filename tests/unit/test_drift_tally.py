"""The counts of one page: filled, sent, unknown, of another type; and a page without the key."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims.drift.fields import KNOWN
from hrims.drift.tally import MASKED_NAME, MAX_UNEXPECTED, SAMPLE, Tally, lacks_key, tally
from hrims.employees.fields import COLUMNS, Row
from hrims.employees.mapping import map_record
from hrims.remote.wire import Page, decode_page
from tests.remote.answers import page as answer
from tests.support.people import record
from tests.unit.employees import ASHA

ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def read(*records: Any) -> Page:
    return decode_page(answer(*records), number=0, size=500)


def counted(*records: Any) -> Tally:
    page = read(*records)
    return tally(page, [row for row in map(map_record, page.records) if isinstance(row, Row)])


def test_it_works() -> None:
    received = counted(ASHA, record(1), record(2, firstName=5))
    filled = received.filled
    assert (filled["zan_id"], filled["phone_number"], filled["highest_education"]) == (2, 1, 1)
    sent = received.present
    assert received.sampled == 3
    assert (sent["personalInfo.zanIdNumber"], sent["personalInfo.primaryPhone"]) == (3, 1)
    assert (sent["contractDetails"], sent["contractDetails.toDate"]) == (1, 1)
    assert received.odd == {"retyped": {"personalInfo.firstName": 1}}


def test_what_was_not_sampled_is_not_counted() -> None:
    page = decode_page(answer(record(1), currentPage=1), number=1, size=500)
    assert tally(page, []).counts() == {"filled": dict.fromkeys(COLUMNS, 0)}
    assert counted(record(1)).counts()["present"]["personalInfo.zanIdNumber"] == 1


def test_everything_that_the_contract_names_is_known() -> None:
    assert counted(ASHA).odd == {}


def test_unknown_fields_are_counted_by_record() -> None:
    new = record(1) | {"union": {"x": 1}, "salaryInformation": [{"step": 1}, {"step": 2}]}
    received = counted(record(0), new, record(2, bloodGroup="O+"))
    assert received.odd["unknown"] == {"union": 1, "salaryInformation.step": 1, "personalInfo.bloodGroup": 1}


def test_the_places_of_a_wrong_type_in_a_list_count_as_one_field() -> None:
    entry = record(1) | {"employmentHistories": [{"gradeName": 1}]}
    other = record(2) | {"employmentHistories": [None, {"gradeName": 1}]}
    assert counted(entry, other, 5).odd["retyped"] == {"employmentHistories.gradeName": 2, "the record": 1}


def test_data_that_stands_where_names_should_is_not_kept() -> None:
    received = counted(record(1) | {"580330001": 1, "Asha Makame": 2, "x" * 200: 3})
    assert received.odd["unknown"] == {MASKED_NAME: 3}


def test_the_sample_is_bounded_and_spread_over_the_page() -> None:
    people = [record(number) for number in range(95)]
    people[90]["late"] = 1
    received = counted(*people)
    assert received.sampled <= SAMPLE
    assert received.odd["unknown"] == {"late": 1}
    odd = counted(record(1) | {f"f_{chr(97 + n % 26)}{chr(97 + n // 26)}": 1 for n in range(200)})
    assert len(odd.odd["unknown"]) == MAX_UNEXPECTED


@given(st.lists(ANY, max_size=4))
def test_whatever_comes_is_counted(records: list[Any]) -> None:
    received = counted(*records)
    assert tuple(received.filled) == COLUMNS
    assert tuple(received.present) == KNOWN
    assert all(0 <= count <= received.sampled for count in received.present.values())
    assert all(0 <= count <= len(records) * 8 for kind in received.odd.values() for count in kind.values())
    lacks_key(read(*records))


def renamed(number: int) -> dict[str, Any]:
    info = record(number)["personalInfo"]
    return {"personalInfo": {"zanId": info.pop("zanIdNumber"), **info}}


@pytest.mark.parametrize(
    "records",
    [
        [renamed(1), renamed(2)],
        [{"personalInfo": None}, {}],
        [{"personal": {"zanIdNumber": "580330001"}}, {"personal": {"zanIdNumber": "580330002"}}],
        [{"personalInfo": ["580330001"]}, {"personalInfo": "580330002"}],
        [renamed(1), {"personalInfo": {"firstName": 5}}],
    ],
)
def test_a_page_without_the_key_field(records: list[Any]) -> None:
    assert lacks_key(read(*records))


@pytest.mark.parametrize(
    "records",
    [
        [],
        [renamed(1)],
        [renamed(1), record(2)],
        [renamed(1), renamed(2), record(3, zanIdNumber=None)],
        [record(1, zanIdNumber=""), record(2, zanIdNumber=None)],
        [renamed(1), record(2, firstName=5)],
        [renamed(1), record(2, zanIdNumber=580330002)],
        [renamed(1), record(2, zanIdNumber=[1])],
    ],
)
def test_a_page_with_the_key_field(records: list[Any]) -> None:
    assert not lacks_key(read(*records))
