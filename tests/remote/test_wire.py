"""What HRIMS sends: a page is read, and every failing shape becomes the error that it is."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims.errors import (
    RemoteError,
    RemoteGarbled,
)
from hrims.remote.wire import Person, Unreadable, decode_person
from tests.remote.answers import CALM, page, person, read


def only(body: bytes) -> Person | Unreadable:
    return read(body).records[0]


def first_name(record: Person | Unreadable) -> str | None:
    assert isinstance(record, Person)
    assert record.personal_info
    return record.personal_info.first_name


def test_it_works() -> None:
    received = read(page(person("580330000"), person("580330001"), overallDataSize=6408))
    assert (received.number, received.size, received.total) == (0, 10, 6408)
    ids = [
        r.personal_info.zan_id_number for r in received.records if isinstance(r, Person) and r.personal_info
    ]
    assert ids == ["580330000", "580330001"]


def test_what_stands_around_may_be_absent() -> None:
    assert read(b'{"code":200,"overallDataSize":1,"data":[{}]}', number=7).total == 1


def test_an_empty_page_is_a_page() -> None:
    assert read(page(overallDataSize=0)).records == []


def test_an_empty_page_past_the_end_keeps_the_total() -> None:
    assert read(page(currentPage=3, overallDataSize=250), number=3).total == 250


def test_unknown_fields_pass_whatever_their_type() -> None:
    strange = {**person(), "newThing": [1, {"x": None}], "personalInfo": {"photo": 5}}
    assert isinstance(only(page(strange, surprise=[1])), Person)


@pytest.mark.parametrize("empty", [None, {}])
@pytest.mark.parametrize("part", ["personalInfo"])
def test_an_object_may_be_null_or_empty(part: str, empty: Any) -> None:
    assert isinstance(only(page({**person(), part: empty})), Person)


@pytest.mark.parametrize("empty", [None, [], [None], [{}]])
@pytest.mark.parametrize(
    "part", ["employmentHistories", "salaryInformation", "educationHistories", "contractDetails"]
)
def test_a_list_may_be_null_or_empty_or_hold_nothing(part: str, empty: Any) -> None:
    assert isinstance(only(page({**person(), part: empty})), Person)


def test_a_byte_order_mark_is_no_harm() -> None:
    assert isinstance(only(b"\xef\xbb\xbf" + page(person())), Person)


# a broken record costs itself alone


@pytest.mark.parametrize(
    ("broken", "field", "reason"),
    [
        (person(firstName=5), "personalInfo.firstName", "text expected, a number found"),
        (person(firstName=["a"]), "personalInfo.firstName", "text expected, a list found"),
        (person(firstName={}), "personalInfo.firstName", "text expected, an object found"),
        (person(payrollNumber=9.5), "personalInfo.payrollNumber", "text expected, a number found"),
        (person(birthDate=0), "personalInfo.birthDate", "text expected, a number found"),
        (
            person(isEmployeeConfirmed="yes"),
            "personalInfo.isEmployeeConfirmed",
            "true or false expected, text found",
        ),
        ({"personalInfo": []}, "personalInfo", "an object expected, a list found"),
        ({"personalInfo": "x"}, "personalInfo", "an object expected, text found"),
        ({"contractDetails": {}}, "contractDetails", "a list expected, an object found"),
        (
            {"employmentHistories": [None, {"gradeName": True}]},
            "employmentHistories[1].gradeName",
            "text expected, true or false found",
        ),
        (None, None, "an object expected, null found"),
        (5, None, "an object expected, a number found"),
        ([], None, "an object expected, a list found"),
    ],
)
def test_a_wrong_type_costs_its_own_record(broken: Any, field: str | None, reason: str) -> None:
    received = read(page(person("580330001"), broken, person("580330002"), overallDataSize=9))
    assert _told(received.records[1]) == (reason, field)
    assert [isinstance(r, Person) for r in received.records] == [True, False, True]
    assert received.total == 9


def test_a_wrong_value_is_not_repeated() -> None:
    assert "Siri" not in repr(only(page(person(isEmployeeConfirmed="Siri"))))


def test_a_text_that_is_not_utf8_costs_its_own_record() -> None:
    body = page(person(), person(firstName="XXX")).replace(b"XXX", b"\xff\xfe")
    whole, broken = read(body).records
    assert isinstance(whole, Person)
    assert _told(broken) == ("its text is not UTF-8", "personalInfo.firstName")


@pytest.mark.parametrize("half", [rb"\ud800", rb"\uDC00", rb"\udbff\ud800", rb"\ud800x", rb"\uDfFf"])
def test_half_a_character_costs_no_other_record(half: bytes) -> None:
    body = page(person(), person(firstName="XXX")).replace(b"XXX", half)
    whole, broken = read(body).records
    assert first_name(whole) == "Asha"
    assert "\0" in (first_name(broken) or "")


def test_whole_characters_beside_a_half_one_stay() -> None:
    body = page(person(firstName="XXX"), person(firstName="YYY"))
    body = body.replace(b"XXX", rb"\ud83d\ude00 \\ud800 \\\\u \n").replace(b"YYY", rb"\ud800")
    assert first_name(read(body).records[0]) == "\U0001f600 \\ud800 \\\\u \n"


# one employee


def test_one_employee() -> None:
    received = decode_person(msgspec.json.encode({"code": 200, "data": person(firstName="Zuhura")}))
    assert first_name(received) == "Zuhura"


def test_one_employee_of_wrong_type_is_unreadable() -> None:
    received = decode_person(msgspec.json.encode({"code": 200, "data": person(lastName=1)}))
    assert _told(received) == ("text expected, a number found", "personalInfo.lastName")


def _told(record: Person | Unreadable) -> tuple[str, str | None]:
    assert isinstance(record, Unreadable)
    return record.reason, record.field


@pytest.mark.parametrize(
    ("broken", "zan_id", "payroll"),
    [
        (person("580330001", lastName=1), "580330001", None),
        (person("580330001") | {"contractDetails": {}}, "580330001", None),
        (person(zanIdNumber=580330001), "580330001", None),
        (person(zanIdNumber=[1], payrollNumber=963000), None, "963000"),
        (person(zanIdNumber=True, payrollNumber={}), None, None),
    ],
)
def test_the_owner_of_a_broken_record_is_read(broken: Any, zan_id: str | None, payroll: str | None) -> None:
    received = only(page(broken))
    assert isinstance(received, Unreadable)
    assert received.info
    assert (received.info.zan_id_number, received.info.payroll_number) == (zan_id, payroll)
    assert "5803" not in repr(received)


@pytest.mark.parametrize("broken", [None, 5, [], {"personalInfo": []}, {"personalInfo": "x"}])
def test_a_record_without_identity_has_none(broken: Any) -> None:
    received = only(page(broken))
    assert isinstance(received, Unreadable)
    assert received.info is None


@pytest.mark.parametrize("data", [b"null", b"[]", b'""', b"[{}]", b"1"])
def test_no_employee_is_garbled(data: bytes) -> None:
    with pytest.raises(RemoteGarbled):
        decode_person(b'{"code":200,"data":' + data + b"}")


# whatever comes

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
FRAMES = st.fixed_dictionaries(
    {},
    optional={
        "code": st.sampled_from([200, 200, 200, 400, 404, 500]) | ANYTHING,
        "status": st.just("Success") | ANYTHING,
        "currentPage": st.just(0) | ANYTHING,
        "currentDataSize": st.integers(0, 3) | ANYTHING,
        "overallDataSize": st.integers(-1, 20) | ANYTHING,
        "data": st.lists(st.just(person()) | ANYTHING, max_size=3) | ANYTHING,
    },
)


@CALM
@given(st.binary() | FRAMES.map(lambda frame: json.dumps(frame).encode()))
def test_anything_is_a_page_or_an_error_of_the_tree(body: bytes) -> None:
    try:
        received = read(body)
    except RemoteError as error:
        assert error.__context__ is None  # noqa: PT017 - success is right as well
        return
    assert received.total >= len(received.records)


@CALM
@given(st.lists(st.booleans(), max_size=10))
def test_broken_records_stay_in_their_places(whole: list[bool]) -> None:
    received = read(page(*[person() if right else 5 for right in whole]))
    assert [isinstance(record, Person) for record in received.records] == whole
