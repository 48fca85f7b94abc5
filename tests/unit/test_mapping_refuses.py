"""What is not kept of an employee: dates, ZanIDs and texts that are none, in words that tell nothing."""

from datetime import date
from typing import Any

import pytest

from hrims.employees.mapping import map_record
from hrims.employees.rejects import Reject
from hrims.remote.wire import Unreadable
from tests.unit.employees import reject, row, someone, working


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1990-09-17T00:00:00", date(1990, 9, 17)),
        (" 1990-09-17 ", date(1990, 9, 17)),
        ("1990-09-17T00:00:00.0000000", date(1990, 9, 17)),
        ("1990-09-17T00:00:00Z", date(1990, 9, 17)),
        ("1990-09-17T00:00:00.000+03:00", date(1990, 9, 17)),
        ("1990-09-17T08:30:00", date(1990, 9, 17)),
        ("1990-09-17 00:00", date(1990, 9, 17)),
        ("2000-02-29T00:00:00", date(2000, 2, 29)),
        ("9999-12-30T00:00:00", date(9999, 12, 30)),
        ("9999-12-31T00:00:00", None),
        ("9999-12-31T23:59:59.9999999", None),
        ("9999-12-31T23:59:59.9999999+03:00", None),
        ("0001-01-01T00:00:00", None),
        ("0001-01-01T03:00:00Z", None),
        ("1899-12-30T00:00:00", None),
        ("1899-12-30 08:30:00", None),
        ("1899-12-31T00:00:00", date(1899, 12, 31)),
        ("1753-01-01", None),
        ("0000-00-00 00:00:00", None),
        ("1900-01-01T00:00:00", None),
        ("1900-01-01", None),
        ("1900-01-01T00:00:00Z", None),
        ("1900-01-02T00:00:00", date(1900, 1, 2)),
        ("", None),
        ("  ", None),
        (None, None),
    ],
)
def test_a_date_is_read_as_it_is_written(text: str | None, day: date | None) -> None:
    assert row(someone(birthDate=text)).date_of_birth == day


@pytest.mark.parametrize(
    "text",
    [
        "17/09/1990",
        "1990-13-01T00:00:00",
        "1990-02-30T00:00:00",
        "0000-01-01T00:00:00",
        "19900917",
        "1990-W38-1",
        "1990-9-17",
        "1990-09-17T",
        "1990-09-17T24:00:00",
        "1990-09-17T00:00:00 EAT",
        "1990-09-17T21:00:00Z",
        "1990-09-17T22:30:00+00:00",
        "1990-09-17Z",
        "/Date(653529600000)/",
        "leo",
        "١٩٩٠-٠٩-١٧",
        "-1990-09-17",
        "1990-09-17\n1991-01-01",
        "1990-09-17" + "T" * 100_000,
    ],
)
def test_a_date_that_is_none_is_refused(text: str) -> None:
    received = reject(someone(birthDate=text))
    assert (received.code, received.field, received.masked) == ("bad_date", "date_of_birth", "58•••••00")
    assert text not in received.reason


@pytest.mark.parametrize(
    ("record", "column"),
    [
        (someone(employmentDate="?"), "employment_date"),
        (someone(employmentConfirmationDate="?"), "confirmation_date"),
        (working({"fromDate": "?"}), "recent_title_date"),
        ({**someone(), "contractDetails": [{"isActive": True, "toDate": "?"}]}, "retirement_date"),
    ],
)
def test_each_date_is_named(record: dict[str, Any], column: str) -> None:
    assert reject(record)[:2] == ("bad_date", column)


def test_an_invalid_date_in_an_unused_field_is_ignored() -> None:
    assert row(working({"fromDate": "?"}, {"isCurrent": True})).recent_title_date is None


@pytest.mark.parametrize("zan_id", [None, "", "   ", "\t\n"])
def test_no_zan_id(zan_id: str | None) -> None:
    received = reject(someone(zanIdNumber=zan_id))
    assert received == Reject("no_zan_id", "zan_id", "The record has no ZanID.", None)


@pytest.mark.parametrize("record", [{}, {"personalInfo": None}, {"personalInfo": {}}])
def test_a_record_with_nothing_in_it(record: dict[str, Any]) -> None:
    assert reject(record).code == "no_zan_id"


@pytest.mark.parametrize(
    ("zan_id", "masked"),
    [
        ("1234567", "•••••••"),
        ("12345678901", "12••••••01"),
        ("58033O000", "58•••••00"),
        ("580 330 000", "58••••••00"),
        ("+580330000", "•5••••••00"),
        ("Asha Makame", "••••••••••"),
        ("٥٨٠٣٣٠٠٠٠", "•••••••••"),
        ("58033000²", "58•••••0•"),
        ("5", "•"),
        ("58", "••"),
        ("580", "•••"),
        ("58033\x0000", "58••••00"),
        ("9" * 100_000, "99••••••99"),
    ],
)
def test_a_zan_id_that_is_none(zan_id: str, masked: str) -> None:
    received = reject(someone(zanIdNumber=zan_id))
    assert (received.code, received.field, received.masked) == ("bad_zan_id", "zan_id", masked)
    assert zan_id == "5" or zan_id not in received.reason


@pytest.mark.parametrize(
    ("record", "column"),
    [
        (someone(firstName="As\0ha"), "name"),
        (someone(placeOfBirth="\ud800"), "place_of_birth"),
        (someone(city="\udfff"), "contact_address"),
        (working({"entityName": "\0"}), "ministry"),
    ],
)
def test_a_text_that_no_database_keeps(record: dict[str, Any], column: str) -> None:
    received = reject(record)
    assert (received.code, received.field, received.masked) == ("bad_text", column, "58•••••00")


def test_a_text_over_500_characters() -> None:
    received = reject(someone(firstName="Siri" * 126))
    assert (received.code, received.field, received.masked) == ("too_long", "name", "58•••••00")
    assert "Siri" not in received.reason


def test_a_text_of_500_characters_is_kept() -> None:
    assert row(someone(placeOfBirth="é" * 500)).place_of_birth == "é" * 500


def test_joined_parts_over_500_characters() -> None:
    assert reject(someone(street="a" * 250, city="b" * 250))[:2] == ("too_long", "contact_address")


def test_texts_that_are_long_together_are_kept() -> None:
    received = row(someone(placeOfBirth="a" * 400, birthCountryName="b" * 400))
    assert (received.place_of_birth, received.country_of_birth) == ("a" * 400, "b" * 400)


def test_an_invalid_text_in_an_unused_field_is_ignored() -> None:
    received = row(someone(genderName="\0", workPhone="\0" * 600, primaryPhone="1"))
    assert (received.gender, received.phone_number) == (None, "1")


def test_an_unreadable_record_is_a_reject() -> None:
    received = map_record(Unreadable("text expected, a number found", "personalInfo.firstName"))
    assert isinstance(received, Reject)
    assert (received.code, received.field, received.masked) == ("wrong_type", "personalInfo.firstName", None)
    assert "text expected, a number found" in received.reason
