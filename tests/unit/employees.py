"""Records of invented employees for tests, and what the mapping makes of them."""

from typing import Any

import msgspec

from hrims.employees.fields import Row
from hrims.employees.mapping import map_record
from hrims.employees.rejects import Reject
from hrims.remote.wire import Person

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
    return map_record(msgspec.convert(record, Person))


def row(record: dict[str, Any]) -> Row:
    received = mapped(record)
    assert isinstance(received, Row), received
    return received


def reject(record: dict[str, Any]) -> Reject:
    received = mapped(record)
    assert isinstance(received, Reject), received
    return received


def someone(**info: Any) -> dict[str, Any]:
    """Return a person with only a ZanID and ``info``."""
    return {"personalInfo": {"zanIdNumber": "580330000", **info}}


def working(*jobs: dict[str, Any] | None, **info: Any) -> dict[str, Any]:
    return {**someone(**info), "employmentHistories": list(jobs)}
