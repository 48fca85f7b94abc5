"""The contract's table, line by line: what is kept of an employee, and what is refused."""

from datetime import date
from typing import Any

import msgspec
import pytest

from hrims.employees.mapping import COLUMNS, Reject, Row, to_row
from hrims.remote.wire import Person, Unreadable

ASHA: dict[str, Any] = {
    "personalInfo": {
        "zanIdNumber": "580330000", "payrollNumber": "963000", "zssfNumber": "00104000",
        "firstName": "Asha", "middleName": "Juma", "lastName": "Makame", "genderName": "Mwanamke",
        "birthDate": "1990-09-17T00:00:00", "placeOfBirth": "MKOANI",
        "districtName": "Magharibi B", "birthRegionName": None, "regionName": None,
        "birthCountryName": "United Republic of Tanzania",
        "primaryPhone": "0770000000", "workPhone": None,
        "houseNumber": "15", "street": "Fuoni", "city": "UNGUJA",
        "employmentDate": "2019-02-04T00:00:00",
        "employmentConfirmationDate": "2020-02-04T00:00:00", "isEmployeeConfirmed": True,
    },
    "employmentHistories": [{
        "isCurrent": True, "titlePrefixName": None, "titleName": "Afisa Mipango",
        "gradeName": "II", "entityName": "Wizara ya Afya", "parentEntityName": None,
        "subEntityName": "Idara ya Mipango", "divisionName": "Divisheni ya Sera",
        "appointmentTypeName": "Tume ya Utumishi Serikalini",
        "employeeStatusName": "Hai", "employmentStatusName": "Hai",
        "fromDate": "2019-02-01T00:00:00", "toDate": "2050-09-17T00:00:00",
    }],
    "salaryInformation": [
        {"isCurrent": True, "salaryScaleName": "ZPSH-06", "basicSalary": 850000.0}
    ],
    "educationHistories": [
        {"isEmploymentHighest": True, "educationLevel": "Bachelor Degree", "institution": "SUZA"}
    ],
    "contractDetails": [{
        "isActive": True, "contractTypeName": "Wa Kudumu", "fromDate": "2019-02-04T00:00:00",
        "toDate": "2050-09-17T00:00:00",
    }],
}  # fmt: skip
"""The contract's own example."""


def mapped(record: dict[str, Any]) -> Row | Reject:
    return to_row(msgspec.convert(record, Person))


def row(record: dict[str, Any]) -> Row:
    got = mapped(record)
    assert isinstance(got, Row), got
    return got


def reject(record: dict[str, Any]) -> Reject:
    got = mapped(record)
    assert isinstance(got, Reject), got
    return got


def someone(**info: Any) -> dict[str, Any]:
    """A person of whom nothing is known but the ZanID and ``info``."""
    return {"personalInfo": {"zanIdNumber": "580330000", **info}}


def working(*jobs: dict[str, Any] | None, **info: Any) -> dict[str, Any]:
    return {**someone(**info), "employmentHistories": list(jobs)}


def test_it_works() -> None:
    assert row(ASHA)._asdict() == {
        "zan_id": "580330000",
        "name": "Asha Juma Makame",
        "gender": "Female",
        "date_of_birth": date(1990, 9, 17),
        "place_of_birth": "MKOANI",
        "region": "Magharibi B",
        "country_of_birth": "United Republic of Tanzania",
        "phone_number": "0770000000",
        "contact_address": "15, Fuoni, UNGUJA",
        "zssf_number": "00104000",
        "payroll_number": "963000",
        "cadre": "Afisa Mipango II",
        "salary_scale": "ZPSH-06",
        "ministry": "Wizara ya Afya",
        "department": "Idara ya Mipango",
        "appointment_type": "Tume ya Utumishi Serikalini",
        "contract_type": "Wa Kudumu",
        "recent_title_date": date(2019, 2, 1),
        "current_reporting_office": "Divisheni ya Sera",
        "current_workplace": "Wizara ya Afya",
        "employment_date": date(2019, 2, 4),
        "confirmation_date": date(2020, 2, 4),
        "retirement_date": date(2050, 9, 17),
        "highest_education": "Bachelor Degree",
        "status": "Confirmed",
    }


def test_the_columns_are_the_row() -> None:
    assert tuple(row(ASHA)._asdict()) == COLUMNS
    assert len(COLUMNS) == 25


@pytest.mark.parametrize("missing", ["null", "absent"])
def test_nothing_is_guessed(missing: str) -> None:
    parts = [part for part in ASHA if part != "personalInfo"]
    got = row({**someone(), **(dict.fromkeys(parts) if missing == "null" else {})})
    empty = dict.fromkeys(COLUMNS) | {"zan_id": "580330000", "status": "On Probation"}
    assert got._asdict() == empty


# one line of the table after another: what comes in, the column, what is kept


@pytest.mark.parametrize(
    ("info", "column", "kept"),
    [
        ({"zanIdNumber": " 00330000 "}, "zan_id", "00330000"),
        ({"zanIdNumber": "0123456789"}, "zan_id", "0123456789"),
        (
            {"firstName": " Asha ", "middleName": "  ", "lastName": "Makame\t"},
            "name",
            "Asha Makame",
        ),
        ({"firstName": "Asha"}, "name", "Asha"),
        ({"lastName": "Makame"}, "name", "Makame"),
        ({"firstName": "Bi  Asha"}, "name", "Bi  Asha"),
        ({"firstName": "", "middleName": " ", "lastName": None}, "name", None),
        ({"genderName": "Mwanamme"}, "gender", "Male"),
        ({"genderName": " Mwanamke "}, "gender", "Female"),
        ({"genderName": "Male"}, "gender", "Male"),
        ({"genderName": "Female"}, "gender", "Female"),
        ({"genderName": "mwanamme"}, "gender", None),
        ({"genderName": "M"}, "gender", None),
        ({"genderName": "Haijulikani"}, "gender", None),
        ({"genderName": ""}, "gender", None),
        ({"birthDate": "1990-09-17T00:00:00"}, "date_of_birth", date(1990, 9, 17)),
        ({"employmentDate": "2019-02-04T00:00:00"}, "employment_date", date(2019, 2, 4)),
        ({"employmentConfirmationDate": "2020-02-04"}, "confirmation_date", date(2020, 2, 4)),
        ({"placeOfBirth": " MKOANI "}, "place_of_birth", "MKOANI"),
        ({"birthCountryName": "Kenya "}, "country_of_birth", "Kenya"),
        ({"zssfNumber": " 00104000"}, "zssf_number", "00104000"),
        ({"payrollNumber": "0963000"}, "payroll_number", "0963000"),
        ({"districtName": "A", "birthRegionName": "B", "regionName": "C"}, "region", "A"),
        ({"districtName": " ", "birthRegionName": "B ", "regionName": "C"}, "region", "B"),
        ({"districtName": None, "birthRegionName": "", "regionName": "C"}, "region", "C"),
        ({"primaryPhone": "1", "workPhone": "2"}, "phone_number", "1"),
        ({"primaryPhone": " ", "workPhone": " 2"}, "phone_number", "2"),
        ({"houseNumber": "15 ", "street": " ", "city": "UNGUJA"}, "contact_address", "15, UNGUJA"),
        ({"street": " Fuoni "}, "contact_address", "Fuoni"),
    ],
)
def test_what_is_kept_of_a_person(info: dict[str, Any], column: str, kept: Any) -> None:
    assert row(someone(**info))._asdict()[column] == kept


@pytest.mark.parametrize(
    ("job", "column", "kept"),
    [
        (
            {"titlePrefixName": "Mkuu ", "titleName": " Afisa", "gradeName": "II"},
            "cadre",
            "Mkuu Afisa II",
        ),
        ({"titlePrefixName": "", "titleName": "Afisa", "gradeName": None}, "cadre", "Afisa"),
        ({"gradeName": "II"}, "cadre", "II"),
        ({"parentEntityName": "Wizara", "entityName": "Shule"}, "ministry", "Wizara"),
        ({"parentEntityName": " ", "entityName": " Shule"}, "ministry", "Shule"),
        ({"subEntityName": "Idara "}, "department", "Idara"),
        ({"appointmentTypeName": "Tume"}, "appointment_type", "Tume"),
        ({"fromDate": "2019-02-01T00:00:00"}, "recent_title_date", date(2019, 2, 1)),
        ({"divisionName": "Sera", "subEntityName": "I"}, "current_reporting_office", "Sera"),
        ({"divisionName": " ", "subEntityName": "I"}, "current_reporting_office", "I"),
        ({"entityName": " AJIRA . "}, "current_workplace", "AJIRA ."),
        ({"parentEntityName": "Wizara"}, "current_workplace", None),
    ],
)
def test_what_is_kept_of_a_job(job: dict[str, Any], column: str, kept: Any) -> None:
    assert row(working(job))._asdict()[column] == kept


@pytest.mark.parametrize(
    ("jobs", "workplace"),
    [
        ([{"entityName": "A"}, {"entityName": "B", "isCurrent": True}], "B"),
        ([{"entityName": "A", "isCurrent": False}, {"entityName": "B", "isCurrent": None}], "A"),
        (
            [{"entityName": "A", "isCurrent": True}, {"entityName": "B", "isCurrent": True}],
            "A",
        ),
        ([None, {"entityName": "B"}], "B"),
        ([{}, {"entityName": "B"}], None),
        ([{"isCurrent": True}, {"entityName": "B"}], None),
        ([None], None),
        ([], None),
    ],
)
def test_the_current_job_is_the_first_flagged_else_the_first(
    jobs: list[dict[str, Any] | None], workplace: str | None
) -> None:
    assert row(working(*jobs)).current_workplace == workplace


@pytest.mark.parametrize(
    ("salaries", "scale"),
    [
        ([{"salaryScaleName": "A"}, {"salaryScaleName": " B ", "isCurrent": True}], "B"),
        ([{"salaryScaleName": "A"}, {"salaryScaleName": "B"}], "A"),
        ([], None),
    ],
)
def test_the_current_salary(salaries: list[dict[str, Any]], scale: str | None) -> None:
    assert row({**someone(), "salaryInformation": salaries}).salary_scale == scale


@pytest.mark.parametrize(
    ("contracts", "kind", "until"),
    [
        ([{"contractTypeName": "A"}, {"contractTypeName": "B", "isActive": True}], "B", None),
        ([{"contractTypeName": "A", "toDate": "2050-09-17T00:00:00"}], None, None),
        ([{"isActive": True, "toDate": "2050-09-17T00:00:00"}], None, date(2050, 9, 17)),
        ([{"isActive": True, "toDate": "1900-01-01T00:00:00"}], None, None),
        ([None], None, None),
    ],
)
def test_the_active_contract_or_none(
    contracts: list[dict[str, Any] | None], kind: str | None, until: date | None
) -> None:
    got = row({**someone(), "contractDetails": contracts})
    assert (got.contract_type, got.retirement_date) == (kind, until)


@pytest.mark.parametrize(
    ("schools", "level"),
    [
        ([{"educationLevel": "A"}, {"educationLevel": "B", "isEmploymentHighest": True}], "B"),
        ([{"educationLevel": "A"}, {"educationLevel": "B"}], "A"),
        ([{"levelName": " Diploma ", "institutionName": "IPA", "yearCompleted": 2011}], "Diploma"),
        ([{"educationLevel": " ", "levelName": "Diploma"}], "Diploma"),
        ([{"isEmploymentHighest": True}, {"educationLevel": "B"}], None),
        ([], None),
    ],
)
def test_the_highest_education(schools: list[dict[str, Any]], level: str | None) -> None:
    assert row({**someone(), "educationHistories": schools}).highest_education == level


@pytest.mark.parametrize(
    ("confirmed", "person", "job", "status"),
    [
        (True, "Amestaafu", "Hayupo", "Confirmed"),
        (False, "AMESTAAFU", "Hai", "Retired"),
        (None, "Amestaafu kwa lazima", None, "Retired"),
        (None, "Hayupo Kazini", "Hai", "Resigned"),
        (None, "Ameaachishwa kazi", "Hai", "Terminated"),
        (None, "amefukuzwa", "Hai", "Dismissed"),
        (None, "Hai", "Hai", "Confirmed"),
        (None, None, "Yupo HAI", "Confirmed"),
        (None, "Hai", None, "On Probation"),
        (False, None, "Majaribio", "On Probation"),
        (None, None, None, "On Probation"),
    ],
)
def test_the_status(confirmed: bool | None, person: str, job: str, status: str) -> None:
    said = {"employeeStatusName": person, "employmentStatusName": job}
    assert row(working(said, isEmployeeConfirmed=confirmed)).status == status


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
        ("9999-12-31T00:00:00", date(9999, 12, 31)),
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
    got = reject(someone(birthDate=text))
    assert (got.code, got.field, got.masked) == ("bad_date", "date_of_birth", "58•••••00")
    assert text not in got.reason


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


def test_a_date_that_is_not_kept_harms_nobody() -> None:
    assert row(working({"fromDate": "?"}, {"isCurrent": True})).recent_title_date is None


@pytest.mark.parametrize("zan_id", [None, "", "   ", "\t\n"])
def test_no_zan_id(zan_id: str | None) -> None:
    got = reject(someone(zanIdNumber=zan_id))
    assert got == Reject("no_zan_id", "zan_id", "The record has no ZanID.", None)


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
    got = reject(someone(zanIdNumber=zan_id))
    assert (got.code, got.field, got.masked) == ("bad_zan_id", "zan_id", masked)
    assert zan_id == "5" or zan_id not in got.reason


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
    got = reject(record)
    assert (got.code, got.field, got.masked) == ("bad_text", column, "58•••••00")


def test_a_text_over_500_characters() -> None:
    got = reject(someone(firstName="Siri" * 126))
    assert (got.code, got.field, got.masked) == ("too_long", "name", "58•••••00")
    assert "Siri" not in got.reason


def test_a_text_of_500_characters_is_kept() -> None:
    assert row(someone(placeOfBirth="é" * 500)).place_of_birth == "é" * 500


def test_joined_parts_over_500_characters() -> None:
    assert reject(someone(street="a" * 250, city="b" * 250))[:2] == ("too_long", "contact_address")


def test_texts_that_are_long_together_are_kept() -> None:
    got = row(someone(placeOfBirth="a" * 400, birthCountryName="b" * 400))
    assert (got.place_of_birth, got.country_of_birth) == ("a" * 400, "b" * 400)


def test_a_strange_text_that_is_not_kept_harms_nobody() -> None:
    got = row(someone(genderName="\0", workPhone="\0" * 600, primaryPhone="1"))
    assert (got.gender, got.phone_number) == (None, "1")


def test_an_unreadable_record_is_a_reject() -> None:
    got = to_row(Unreadable("text expected, a number found", "personalInfo.firstName"))
    assert isinstance(got, Reject)
    assert (got.code, got.field, got.masked) == ("wrong_type", "personalInfo.firstName", None)
    assert "text expected, a number found" in got.reason
