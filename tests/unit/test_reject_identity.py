"""Whose record a reject is: the same in every run, whatever else the record says."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims.rejects.identity import identify, identity
from hrims.remote.records import PersonalInfo
from hrims.remote.wire import Person, Unreadable
from tests.unit.employees import ASHA, someone


def person(**info: Any) -> Person:
    return msgspec.convert(someone(**info), Person)


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        (person(), "zan_id:580330000"),
        (person(zanIdNumber="  580330000 ", payrollNumber="1"), "zan_id:580330000"),
        (person(zanIdNumber="1", payrollNumber=" 96", firstName="Asha ", lastName="M"), "payroll:96 Asha M"),
        (person(zanIdNumber=None, payrollNumber="963000"), "payroll:963000 "),
        (person(zanIdNumber=None, payrollNumber="963000", lastName="\x00"), "payroll:963000 \ufffd"),
        (person(zanIdNumber=None, firstName="Asha"), "place:57"),
        (Person(), "place:57"),
        (None, "place:57"),
        (Unreadable("x"), "place:57"),
        (Unreadable("x", "y", PersonalInfo(zan_id_number="580330000")), "zan_id:580330000"),
    ],
)  # fmt: skip
def test_it_works(record: Person | Unreadable | None, wanted: str) -> None:
    assert identity(record, 57) == wanted


@pytest.mark.parametrize(
    ("record", "person"),
    [
        (msgspec.convert(ASHA, Person), ("Asha Juma Makame", "963000", "Wizara ya Afya")),
        (person(firstName=" Asha ", lastName="Ali", payrollNumber=" "), ("Asha Ali", None, None)),
        (Person(PersonalInfo(first_name="As\x00ha")), ("As\ufffdha", None, None)),
        (Person(PersonalInfo(first_name="x" * 501)), ("x" * 500, None, None)),
        (Person(PersonalInfo(first_name="\ud800")), ("?", None, None)),
        (Person(), (None, None, None)),
        (None, (None, None, None)),
        (Unreadable("x", "y", PersonalInfo(payroll_number="96", last_name="Ali"), "SEKRETARIETI"),
         ("Ali", "96", "SEKRETARIETI")),
        (Unreadable("x"), (None, None, None)),
    ],
)  # fmt: skip
def test_the_person_is_named(record: Person | Unreadable | None, person: tuple[str | None, ...]) -> None:
    found = identify(record, 57)
    assert (found.name, found.payroll_number, found.workplace) == person
    assert "Asha" not in repr(found)
    assert "Ali" not in repr(found)


def test_the_workplace_is_that_of_the_current_employment() -> None:
    jobs = [{"entityName": "Zamani"}, {"isCurrent": True, "entityName": " Sasa "}]
    record = msgspec.convert(someone() | {"employmentHistories": jobs}, Person)
    assert identify(record, 57).workplace == "Sasa"


@given(st.text(), st.text(), st.text(), st.integers(0, 2**31))
def test_it_is_always_a_text_that_the_database_takes(
    zan_id: str, payroll: str, name: str, place: int
) -> None:
    record = Person(PersonalInfo(zan_id_number=zan_id, payroll_number=payroll, first_name=name))
    received = identity(record, place)
    assert "\x00" not in received
    assert received.encode()
    assert received == identity(record, place)


@given(st.from_regex(r"[0-9]{8,10}", fullmatch=True), st.integers(0, 99), st.integers(0, 99))
def test_the_identity_of_a_zan_id_does_not_depend_on_its_position(
    zan_id: str, place: int, other: int
) -> None:
    assert identity(person(zanIdNumber=zan_id), place) == identity(
        person(zanIdNumber=zan_id, payrollNumber="1"), other
    )
