"""What a client should keep of a record, told a second time and apart from the client's own code,
so that tests have something to compare with: a record in, columns by the contract out."""

import unicodedata
from collections.abc import Sequence
from typing import Any

from hrims.simulator.chance import NO_DATE

Record = dict[str, Any]

_GENDERS = {"Mwanamme": "Male", "Mwanamke": "Female", "Male": "Male", "Female": "Female"}
_LEFT = {
    "staafu": "Retired",
    "hayupo": "Resigned",
    "aachishwa": "Terminated",
    "fukuzwa": "Dismissed",
}


def expected(record: Record) -> dict[str, str | None]:
    """Every column of the contract; None where HRIMS has no value, dates as 2019-02-04."""
    info = record.get("personalInfo") or {}
    job = _chosen(record.get("employmentHistories"), "isCurrent") or {}
    salary = _chosen(record.get("salaryInformation"), "isCurrent") or {}
    contract = _active(record.get("contractDetails")) or {}
    return {
        "zan_id": _first(info, "zanIdNumber"),
        "name": _joined(info, " ", "firstName", "middleName", "lastName"),
        "gender": _GENDERS.get(_first(info, "genderName") or ""),
        "date_of_birth": _day(info, "birthDate"),
        "place_of_birth": _first(info, "placeOfBirth"),
        "country_of_birth": _first(info, "birthCountryName"),
        "zssf_number": _first(info, "zssfNumber"),
        "payroll_number": _first(info, "payrollNumber"),
        "employment_date": _day(info, "employmentDate"),
        "confirmation_date": _day(info, "employmentConfirmationDate"),
        "region": _first(info, "districtName", "birthRegionName", "regionName"),
        "phone_number": _first(info, "primaryPhone", "workPhone"),
        "contact_address": _joined(info, ", ", "houseNumber", "street", "city"),
        "cadre": _joined(job, " ", "titlePrefixName", "titleName", "gradeName"),
        "salary_scale": _first(salary, "salaryScaleName"),
        "ministry": _first(job, "parentEntityName", "entityName"),
        "department": _first(job, "subEntityName"),
        "appointment_type": _first(job, "appointmentTypeName"),
        "contract_type": _first(contract, "contractTypeName"),
        "retirement_date": _day(contract, "toDate"),
        "recent_title_date": _day(job, "fromDate"),
        "current_reporting_office": _first(job, "divisionName", "subEntityName"),
        "current_workplace": _first(job, "entityName"),
        "highest_education": _education(record),
        "status": _status(info, job),
    }


def _first(fields: Record, *names: str) -> str | None:
    values = [_clean(str(fields.get(name) or "")) for name in names]
    return next((value for value in values if value), None)


def _clean(text: str) -> str:
    """One space for each run of white space, and composed characters."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _joined(fields: Record, mark: str, *names: str) -> str | None:
    values = [_first(fields, name) for name in names]
    return mark.join(value for value in values if value) or None


def _day(fields: Record, name: str) -> str | None:
    value = _first(fields, name)
    return None if value in (None, NO_DATE) else str(value)[:10]


def _chosen(entries: Sequence[Record] | None, flag: str) -> Record | None:
    """The first entry with the flag, else the first."""
    return next((one for one in entries or [] if one.get(flag)), entries[0] if entries else None)


def _active(entries: Sequence[Record] | None) -> Record | None:
    return next((one for one in entries or [] if one.get("isActive")), None)


def _education(record: Record) -> str | None:
    entry = _chosen(record.get("educationHistories"), "isEmploymentHighest")
    return _first(entry or {}, "educationLevel", "levelName")


def _status(info: Record, job: Record) -> str:
    if info.get("isEmployeeConfirmed"):
        return "Confirmed"
    said = str(job.get("employeeStatusName") or "").lower()
    for word, status in _LEFT.items():
        if word in said:
            return status
    alive = "hai" in str(job.get("employmentStatusName") or "").lower()
    return "Confirmed" if alive else "On Probation"
