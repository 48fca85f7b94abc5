"""The contract's table, line by line: what is kept of an employee."""

from datetime import date
from typing import Any

import pytest

from hrims.employees.fields import COLUMNS
from tests.unit.employees import ASHA, row, someone, working


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


@pytest.mark.parametrize("missing", ["null", "absent"])
def test_nothing_is_guessed(missing: str) -> None:
    parts = [part for part in ASHA if part != "personalInfo"]
    received = row({**someone(), **(dict.fromkeys(parts) if missing == "null" else {})})
    empty = dict.fromkeys(COLUMNS) | {"zan_id": "580330000", "status": "On Probation"}
    assert received._asdict() == empty


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
        ({"firstName": "Bi  Asha"}, "name", "Bi Asha"),
        ({"firstName": "Bi\u00a0\u2003Asha\u200b"}, "name", "Bi Asha"),
        ({"firstName": "Zoe\u0301", "lastName": "Ng\u02bcambo"}, "name", "Zo\u00e9 Ng\u02bcambo"),
        ({"payrollNumber": "96\u00a03000"}, "payroll_number", "96 3000"),
        ({"zanIdNumber": "\ufeff00330000\u00a0"}, "zan_id", "00330000"),
        ({"street": "Kwa\u3000 Mtipura"}, "contact_address", "Kwa Mtipura"),
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
        ({"entityName": "WIZARA\u00a0YA\tAFYA"}, "current_workplace", "WIZARA YA AFYA"),
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
    received = row({**someone(), "contractDetails": contracts})
    assert (received.contract_type, received.retirement_date) == (kind, until)


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
    info = {"employeeStatusName": person, "employmentStatusName": job}
    assert row(working(info, isEmployeeConfirmed=confirmed)).status == status
