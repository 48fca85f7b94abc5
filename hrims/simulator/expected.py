"""The values that a client should save from a record.

Input: a record. Output: columns by the contract. It is implemented independently of the client, so that tests
can compare the two.
"""

import unicodedata
from collections.abc import Sequence
from typing import Any

from hrims.simulator.random_source import NO_DATE

Record = dict[str, Any]

_GENDERS = {"Mwanamme": "Male", "Mwanamke": "Female", "Male": "Male", "Female": "Female"}
_LEFT = {
    "staafu": "Retired",
    "hayupo": "Resigned",
    "aachishwa": "Terminated",
    "fukuzwa": "Dismissed",
}


def expected_row(record: Record) -> dict[str, str | None]:
    """Return every column of the contract; None where HRIMS has no value, dates as 2019-02-04."""
    info = record.get("personalInfo") or {}
    job = _find_flagged(record.get("employmentHistories"), "isCurrent") or {}
    salary = _find_flagged(record.get("salaryInformation"), "isCurrent") or {}
    contract = _find_active(record.get("contractDetails")) or {}
    return {
        "zan_id": _first(info, "zanIdNumber"),
        "name": _join(info, " ", "firstName", "middleName", "lastName"),
        "gender": _GENDERS.get(_first(info, "genderName") or ""),
        "date_of_birth": _parse_day(info, "birthDate"),
        "place_of_birth": _first(info, "placeOfBirth"),
        "country_of_birth": _first(info, "birthCountryName"),
        "zssf_number": _first(info, "zssfNumber"),
        "payroll_number": _first(info, "payrollNumber"),
        "employment_date": _parse_day(info, "employmentDate"),
        "confirmation_date": _parse_day(info, "employmentConfirmationDate"),
        "region": _first(info, "districtName", "birthRegionName", "regionName"),
        "phone_number": _first(info, "primaryPhone", "workPhone"),
        "contact_address": _join(info, ", ", "houseNumber", "street", "city"),
        "cadre": _join(job, " ", "titlePrefixName", "titleName", "gradeName"),
        "salary_scale": _first(salary, "salaryScaleName"),
        "ministry": _first(job, "parentEntityName", "entityName"),
        "department": _first(job, "subEntityName"),
        "appointment_type": _first(job, "appointmentTypeName"),
        "contract_type": _first(contract, "contractTypeName"),
        "retirement_date": _parse_day(contract, "toDate"),
        "recent_title_date": _parse_day(job, "fromDate"),
        "current_reporting_office": _first(job, "divisionName", "subEntityName"),
        "current_workplace": _first(job, "entityName"),
        "highest_education": _education(record),
        "status": _status(info, job),
    }


def _first(fields: Record, *names: str) -> str | None:
    values = [_clean(str(fields.get(name) or "")) for name in names]
    return next((value for value in values if value), None)


def _clean(text: str) -> str:
    """Replace each run of white space by one space and compose characters."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _join(fields: Record, mark: str, *names: str) -> str | None:
    values = [_first(fields, name) for name in names]
    return mark.join(value for value in values if value) or None


def _parse_day(fields: Record, name: str) -> str | None:
    value = _first(fields, name)
    return None if value in (None, NO_DATE) else str(value)[:10]


def _find_flagged(entries: Sequence[Record] | None, flag: str) -> Record | None:
    """Return the first entry with the flag, else the first entry."""
    return next((entry for entry in entries or [] if entry.get(flag)), entries[0] if entries else None)


def _find_active(entries: Sequence[Record] | None) -> Record | None:
    return next((entry for entry in entries or [] if entry.get("isActive")), None)


def _education(record: Record) -> str | None:
    entry = _find_flagged(record.get("educationHistories"), "isEmploymentHighest")
    return _first(entry or {}, "educationLevel", "levelName")


def _status(info: Record, job: Record) -> str:
    if info.get("isEmployeeConfirmed"):
        return "Confirmed"
    status_text = str(job.get("employeeStatusName") or "").lower()
    for word, status in _LEFT.items():
        if word in status_text:
            return status
    alive = "hai" in str(job.get("employmentStatusName") or "").lower()
    return "Confirmed" if alive else "On Probation"
