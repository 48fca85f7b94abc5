"""Whatever a record holds: one row or one reject, nothing guessed, nothing that cannot be kept."""

from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrims.employees.fields import COLUMNS, Row
from hrims.employees.mapping import map_record
from hrims.employees.rejects import Reject
from hrims.remote.records import (
    Contract,
    Education,
    Employment,
    Part,
    Person,
    PersonalInfo,
    Salary,
)
from hrims.text import clean

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=200)

TEXTS = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "Asha", " Juma ", "Mwanamke", "Mwanamme", "Hai", "amestaafu", "\0"]),
    st.sampled_from(["1990-09-17T00:00:00", "1900-01-01T00:00:00", "2000-02-30", "580330000"]),
    st.text(max_size=20),
    st.characters(categories=["Cs"]),
    st.integers(499, 502).map(lambda length: "x" * length),
)
FLAGS = st.none() | st.booleans()
NO_DATES = {date(*day) for day in [(1, 1, 1), (1753, 1, 1), (1899, 12, 30), (1900, 1, 1), (9999, 12, 31)]}


def parts(kind: type[Part], **known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return parts of this kind with any text or nothing in every field."""
    flags = {"is_current", "is_active", "is_employment_highest", "is_employee_confirmed"}
    fields = {name: FLAGS if name in flags else TEXTS for name in kind.__struct_fields__}
    return st.builds(kind, **{**fields, **known})


def lists(kind: type[Part]) -> st.SearchStrategy[Any]:
    return st.none() | st.lists(st.none() | parts(kind), max_size=3)


ZAN_IDS = st.sampled_from(["580330000", " 00330000 ", "0123456789"]) | TEXTS
PEOPLE = st.builds(
    Person,
    personal_info=st.none() | parts(PersonalInfo, zan_id_number=ZAN_IDS),
    employment_histories=lists(Employment),
    salary_information=lists(Salary),
    education_histories=lists(Education),
    contract_details=lists(Contract),
)
SURE = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=50)


@CALM
@given(PEOPLE)
def test_one_row_or_one_reject_and_always_the_same(person: Person) -> None:
    assert map_record(person) == map_record(person)


@CALM
@given(PEOPLE)
def test_a_row_can_be_stored(person: Person) -> None:
    received = map_record(person)
    for column, value in zip(COLUMNS, received if isinstance(received, Row) else (), strict=False):
        if isinstance(value, str):
            assert value == clean(value) != "", column
            assert "\0" not in value
            assert value.encode()
            assert len(value) <= 500
        else:
            assert value is None or (type(value) is date and value not in NO_DATES)


@CALM
@given(PEOPLE)
def test_a_row_has_only_permitted_values(person: Person) -> None:
    received = map_record(person)
    if isinstance(received, Row):
        assert received.gender in {"Male", "Female", None}
        assert received.status in {
            *("Confirmed", "Retired", "Resigned", "Terminated", "Dismissed", "On Probation")
        }
        assert 8 <= len(received.zan_id) <= 10
        assert set(received.zan_id) <= set("0123456789")


@CALM
@given(PEOPLE)
def test_a_reject_tells_nothing_of_the_person(person: Person) -> None:
    received = map_record(person)
    if isinstance(received, Reject):
        assert received.code in {"no_zan_id", "bad_zan_id", "bad_date", "bad_text", "too_long"}
        assert received.field in COLUMNS
        shown = [c for c in received.masked or "" if c != "•"]
        assert len(shown) <= 4
        assert set(shown) <= set("0123456789")


@CALM
@given(PEOPLE)
def test_every_text_of_a_row_comes_from_the_record(person: Person) -> None:
    received = map_record(person)
    if not isinstance(received, Row):
        return
    sources: list[Any] = [person.personal_info]
    for entries in (
        *(person.employment_histories, person.salary_information),
        *(person.education_histories, person.contract_details),
    ):
        sources += entries or []
    texts = {
        clean(text)
        for part in sources
        if part
        for name in part.__struct_fields__
        if isinstance(text := getattr(part, name), str)
    }
    simple = set(COLUMNS) - {"name", "cadre", "contact_address", "gender", "status"}
    for column in simple:
        value = getattr(received, column)
        assert not isinstance(value, str) or value in texts


@CALM
@given(st.none() | SURE, st.none() | SURE, st.none() | SURE)
def test_a_name_is_its_filled_parts(first: str | None, middle: str | None, last: str | None) -> None:
    info = PersonalInfo("580330000", first_name=first, middle_name=middle, last_name=last)
    received = map_record(Person(info))
    assert isinstance(received, Row)
    expected = ""
    for part in (first, middle, last):
        if part is not None and clean(part):
            expected = clean(part) if not expected else expected + " " + clean(part)
    assert received.name == (expected or None)


@CALM
@given(st.dates() | st.sampled_from(sorted(NO_DATES)), st.sampled_from(["", "T00:00:00", "T00:00:00.000Z"]))
def test_any_day_comes_through(day: date, rest: str) -> None:
    received = map_record(Person(PersonalInfo("580330000", birth_date=day.isoformat() + rest)))
    assert isinstance(received, Row)
    assert received.date_of_birth == (None if day in NO_DATES else day)


@CALM
@given(st.text(max_size=12) | st.text("0123456789", max_size=12))
def test_a_zan_id_is_8_to_10_digits_or_a_reject(text: str) -> None:
    received = map_record(Person(PersonalInfo(text)))
    expected = clean(text)
    digits = all(c in "0123456789" for c in expected)
    if digits and 8 <= len(expected) <= 10:
        assert isinstance(received, Row)
        assert received.zan_id == expected
    else:
        assert isinstance(received, Reject)
        assert received.code == ("bad_zan_id" if expected else "no_zan_id")
