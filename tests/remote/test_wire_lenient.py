"""What servers write and JSON does not have: a record can only break itself."""

import json
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims.employees.mapping import map_record
from hrims.employees.rejects import Reject
from hrims.errors import RemoteError, RemoteGarbled
from hrims.remote import lenient_types
from hrims.remote.wire import Person, Unreadable, decode_person
from tests.remote.answers import CALM, page, person, read

MB = 1024 * 1024


def around(odd: bytes, *, mark: Any = "ODD", **info: Any) -> bytes:
    """Return a page of three, whose second record has ``odd`` where ``mark`` stands."""
    second = {**person("580330001", **info)}
    if not info:
        second["extra"] = mark
    return page(person("580330000"), second, person("580330002")).replace(b'"ODD"', odd)


NOT_JSON = {
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "-Infinity": b"-Infinity",
    "undefined": b"undefined",
    "None": b"None",
    "True": b"True",
    "leading zeros": b"007",
    "a plus": b"+1",
    "no digit before the point": b".5",
    "no digit behind the point": b"5.",
    "another system's number": b"0x1F",
    "an escape that JSON lacks": rb'"\x41"',
    "an escaped apostrophe": rb'"Ng\'ambo"',
    "a line break in a text": b'"a\nb"',
    "a NUL in a text": b'"a\x00b"',
    "half a character": rb'"\ud800"',
    "text that is not UTF-8": b'"\xff\xfe"',
    "a half character in UTF-8": b'"\xed\xa0\x80"',
    "too large a number": b"1e400",
    "10,000 digits": b"9" * 10_000,
    "3,000 lists": b"[" * 3000 + b"]" * 3000,
    "3,000 objects": b'{"a":' * 3000 + b"NaN" + b"}" * 3000,
    "200,000 lists": b"[" * 200_000 + b"]" * 200_000,
    "brackets in a text in depth": b'[[{"]}[": "]]}\\""}]]',
}


@pytest.mark.parametrize("odd", NOT_JSON.values(), ids=list(NOT_JSON))
def test_a_field_that_is_not_kept_may_hold_anything(odd: bytes) -> None:
    records = read(around(odd)).records
    assert [map_record(record)[0] for record in records] == ["580330000", "580330001", "580330002"]


@pytest.mark.parametrize("odd", NOT_JSON.values(), ids=list(NOT_JSON))
@pytest.mark.parametrize("around_it", [b"%b", b'[{"x":%b}]', b'{"x":[%b]}'])
def test_so_may_what_stands_around_the_records(odd: bytes, around_it: bytes) -> None:
    body = page(person()).replace(b'"ok"', around_it % odd)
    assert len(read(body).records) == 1


def test_so_may_an_employee_who_was_asked_for_alone() -> None:
    body = msgspec.json.encode({"code": 200, "data": person() | {"x": "ODD"}}).replace(b'"ODD"', b"NaN")
    assert isinstance(decode_person(body), Person)


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (b"NaN", "NaN found that JSON does not have"),
        (b"-Infinity", "-Infinity found that JSON does not have"),
        (b"undefined", "undefined found that JSON does not have"),
        (b"Siri", "a value found that JSON does not have"),
        (b"007", "a value found that JSON does not have"),
        (rb'"\x41"', "a value found that JSON does not have"),
        (b'"\xff"', "its text is not UTF-8"),
        (b"[" * 3000 + b"]" * 3000, "text expected, a list found"),
        (b'{"a":' * 3000 + b"NaN" + b"}" * 3000, "text expected, an object found"),
        (b"1e400", "a value found that JSON does not have"),
    ],
)
@pytest.mark.parametrize("field", ["firstName", "birthDate", "payrollNumber"])
def test_in_a_kept_field_it_costs_its_own_record(odd: bytes, reason: str, field: str) -> None:
    first, broken, last = read(around(odd, **{field: "ODD"})).records
    assert isinstance(first, Person)
    assert isinstance(last, Person)
    assert isinstance(broken, Unreadable)
    assert (broken.reason, broken.field) == (reason, f"personalInfo.{field}")
    assert broken.info
    assert broken.info.zan_id_number == "580330001"


@pytest.mark.parametrize(
    ("part", "field"),
    [
        (b'"employmentHistories":NaN', "employmentHistories"),
        (b'"personalInfo":NaN', "personalInfo"),
        (b'"employmentHistories":[{},{"isCurrent":NaN}]', "employmentHistories[1].isCurrent"),
        (b'"salaryInformation":[{"salaryScaleName":NaN}]', "salaryInformation[0].salaryScaleName"),
        (b'"educationHistories":[[NaN]]', "educationHistories[0]"),
        (b'"contractDetails":[null,{"toDate":Infinity}]', "contractDetails[1].toDate"),
    ],
)
def test_its_position_is_reported(part: bytes, field: str) -> None:
    _, broken = read(page(person(), "ODD").replace(b'"ODD"', b"{" + part + b"}")).records
    assert isinstance(broken, Unreadable)
    assert broken.field == field


def test_a_line_break_in_a_kept_text_is_the_text() -> None:
    _, record, _ = read(around(b'"Fuoni\nkwa Mzee\tAli"', street="ODD")).records
    assert isinstance(record, Person)
    assert record.personal_info
    assert record.personal_info.street == "Fuoni\nkwa Mzee\tAli"


def test_a_nul_in_a_kept_text_is_a_reject_for_it() -> None:
    _, record, _ = read(around(b'"Fu\x00oni"', street="ODD")).records
    shaped = map_record(record)
    assert isinstance(shaped, Reject)
    assert shaped.code == "bad_text"


@pytest.mark.parametrize(
    "record",
    [
        b"{firstName:1}",
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a" 1}',
        b'{"a":1 "b":2}',
        b'{"a":}',
        b"NaN",
        b"a b",
        b'"x"',
    ],
)
def test_a_record_that_is_no_object_costs_no_other(record: bytes) -> None:
    first, broken, last = read(page(person(), "ODD", person()).replace(b'"ODD"', record)).records
    assert isinstance(first, Person)
    assert isinstance(last, Person)
    assert isinstance(broken, Unreadable)


def test_of_a_name_that_stands_twice_the_last_counts_either_way() -> None:
    twice = page(person("1")).replace(b'"firstName"', b'"zanIdNumber":"580330009","firstName"')
    odd = twice.replace(b'"salaryInformation"', b'"x":NaN,"salaryInformation"')
    assert [map_record(read(body).records[0])[0] for body in (twice, odd)] == ["580330009"] * 2


def test_an_escaped_name_is_the_same_name() -> None:
    body = around(b"NaN").replace(b"zanIdNumber", rb"zan\u0049dNumber")
    assert map_record(read(body).records[1])[0] == "580330001"


def test_a_mark_before_the_answer_and_an_odd_record_within() -> None:
    assert len(read(b"\xef\xbb\xbf \r\n" + around(b"NaN") + b"\n").records) == 3


def test_fields_of_odd_records_are_counted_by_name() -> None:
    sampled = lenient_types.records(around(b"NaN"), 20)
    assert [set(record) - {"extra"} for record in sampled] == [set(person())] * 3
    assert set(sampled[1]["personalInfo"]) == set(person()["personalInfo"])


@pytest.mark.parametrize(
    "record",
    [b"[" * (8 * MB) + b"]" * (8 * MB), b'{"a":' * 200_000 + b"0" + b"}" * 200_000, b"{" * (16 * MB)],
)
def test_a_page_full_of_nesting_stays_small(record: bytes) -> None:
    body = around(record)
    tracemalloc.start()
    try:
        read(body)
    except RemoteGarbled:
        assert record.count(b"}") == 0  # it has no end
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 6 * len(body) + MB


# whatever comes

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@CALM
@given(st.lists(VALUES, min_size=1, max_size=5))
def test_python_writes_nan_and_no_record_costs_another(values: list[Any]) -> None:
    """json.dumps writes NaN and Infinity, as many servers do."""
    body = json.dumps(
        {"code": 200, "overallDataSize": 5, "data": [person() | {"x": value} for value in values]}
    ).encode()
    assert [type(record) for record in read(body).records] == [Person] * len(values)


@CALM
@given(st.binary(max_size=40))
def test_any_bytes_within_a_record_are_a_page_or_an_error_of_the_tree(junk: bytes) -> None:
    try:
        received = read(around(junk))
    except RemoteError as error:
        assert error.__context__ is None  # noqa: PT017 - success is right as well
        return
    assert len(received.records) == 3 or junk.count(b",")
