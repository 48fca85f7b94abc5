"""Shape: a record of HRIMS comes in, a row of the employees table or a reject goes out. Pure.

Nothing is guessed: what the record lacks stays empty, and what cannot be kept says why.
"""

import re
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar

from hrims.remote.records import Contract, Education, Employment, Person, PersonalInfo, Salary
from hrims.remote.wire import Unreadable

LONGEST_TEXT: Final = 500
"""Characters; nothing that HRIMS means to say about a person is longer."""


class Row(NamedTuple):
    """What is kept of an employee, in the order of the table's columns."""

    zan_id: str
    name: str | None
    gender: str | None
    date_of_birth: date | None
    place_of_birth: str | None
    region: str | None
    country_of_birth: str | None
    phone_number: str | None
    contact_address: str | None
    zssf_number: str | None
    payroll_number: str | None
    cadre: str | None
    salary_scale: str | None
    ministry: str | None
    department: str | None
    appointment_type: str | None
    contract_type: str | None
    recent_title_date: date | None
    current_reporting_office: str | None
    current_workplace: str | None
    employment_date: date | None
    confirmation_date: date | None
    retirement_date: date | None
    highest_education: str | None
    status: str


COLUMNS: Final[tuple[str, ...]] = Row._fields


class Reject(NamedTuple):
    """A record that cannot be kept: a code for machines, words for people, and no personal data.

    ``field`` is the column, or for ``wrong_type`` the path in the record; ``masked`` is the
    ZanID of which at most the first and last two digits show. Codes: no_zan_id, bad_zan_id,
    wrong_type, bad_date, bad_text, too_long.
    """

    code: str
    field: str | None
    reason: str
    masked: str | None


_NO_INFO: Final = PersonalInfo()
_NO_JOB: Final = Employment()
_NO_SALARY: Final = Salary()
_NO_EDUCATION: Final = Education()
_NO_CONTRACT: Final = Contract()

_GENDERS: Final = {"Mwanamme": "Male", "Mwanamke": "Female", "Male": "Male", "Female": "Female"}
_ENDED: Final = (
    ("staafu", "Retired"),
    ("hayupo", "Resigned"),
    ("aachishwa", "Terminated"),
    ("fukuzwa", "Dismissed"),
)
_ZAN_ID: Final = re.compile(r"[0-9]{8,10}")
_DAY: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<time>(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?)"
    r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_NO_DATE: Final = date(1900, 1, 1)


def to_row(record: Person | Unreadable) -> Row | Reject:
    """The row of one record by the contract's table, or the reason why there is none."""
    if isinstance(record, Unreadable):
        return Reject("wrong_type", record.field, f"The record has a wrong type: {record.reason}.", None)
    info = record.personal_info or _NO_INFO
    zan_id = _trimmed(info.zan_id_number)
    if zan_id is None or not _ZAN_ID.fullmatch(zan_id):
        return _without_key(zan_id)
    job = _current(record.employment_histories) or _NO_JOB
    contract = _active(record.contract_details) or _NO_CONTRACT
    try:
        row = _shaped(zan_id, info, job, contract, record)
    except ValueError:
        return _undated(zan_id, info, job, contract)
    return row if _is_storable(row) else _unstorable(row)


def _shaped(zan_id: str, info: PersonalInfo, job: Employment, contract: Contract, record: Person) -> Row:
    """Every column but the key; raises ValueError for a date that is none."""
    salary = _current(record.salary_information) or _NO_SALARY
    education = _highest(record.education_histories) or _NO_EDUCATION
    department = _trimmed(job.sub_entity_name)
    workplace = _trimmed(job.entity_name)
    return Row(
        zan_id=zan_id,
        name=_joined(" ", info.first_name, info.middle_name, info.last_name),
        gender=_GENDERS.get((info.gender_name or "").strip()),
        date_of_birth=_day(info.birth_date),
        place_of_birth=_trimmed(info.place_of_birth),
        region=_first(info.district_name, info.birth_region_name, info.region_name),
        country_of_birth=_trimmed(info.birth_country_name),
        phone_number=_first(info.primary_phone, info.work_phone),
        contact_address=_joined(", ", info.house_number, info.street, info.city),
        zssf_number=_trimmed(info.zssf_number),
        payroll_number=_trimmed(info.payroll_number),
        cadre=_joined(" ", job.title_prefix_name, job.title_name, job.grade_name),
        salary_scale=_trimmed(salary.salary_scale_name),
        ministry=_trimmed(job.parent_entity_name) or workplace,
        department=department,
        appointment_type=_trimmed(job.appointment_type_name),
        contract_type=_trimmed(contract.contract_type_name),
        recent_title_date=_day(job.from_date),
        current_reporting_office=_trimmed(job.division_name) or department,
        current_workplace=workplace,
        employment_date=_day(info.employment_date),
        confirmation_date=_day(info.employment_confirmation_date),
        retirement_date=_day(contract.to_date),
        highest_education=_first(education.education_level, education.level_name),
        status=_status(info, job),
    )


def _status(info: PersonalInfo, job: Employment) -> str:
    if info.is_employee_confirmed:
        return "Confirmed"
    said = (job.employee_status_name or "").lower()
    for word, status in _ENDED:
        if word in said:
            return status
    return "Confirmed" if "hai" in (job.employment_status_name or "").lower() else "On Probation"


_Dated = TypeVar("_Dated", Employment, Salary)


def _current(entries: list[_Dated | None] | None) -> _Dated | None:
    """The first entry with isCurrent, else the first."""
    there = [entry for entry in entries or () if entry is not None]
    return next((entry for entry in there if entry.is_current), there[0] if there else None)


def _active(entries: list[Contract | None] | None) -> Contract | None:
    return next((entry for entry in entries or () if entry is not None and entry.is_active), None)


def _highest(entries: list[Education | None] | None) -> Education | None:
    there = [entry for entry in entries or () if entry is not None]
    flagged = (entry for entry in there if entry.is_employment_highest)
    return next(flagged, there[0] if there else None)


def _trimmed(text: str | None) -> str | None:
    return (text.strip() or None) if text else None


def _first(*texts: str | None) -> str | None:
    for text in texts:
        if text and (kept := text.strip()):
            return kept
    return None


def _joined(between: str, *texts: str | None) -> str | None:
    return between.join([kept for text in texts if text and (kept := text.strip())]) or None


def _day(text: str | None) -> date | None:
    """The day as it is written; raises ValueError for what is no date, or may be another day."""
    return _parsed(text.strip()) if text else None


@lru_cache(maxsize=65536)
def _parsed(text: str) -> date | None:
    if not text:
        return None
    found = _DAY.fullmatch(text)
    if found is None:
        raise ValueError("not a date")
    if found["zone"] and found["time"].strip("0:."):
        # an hour in some other zone: here it may be the next day already
        raise ValueError("not a day")
    day = date.fromisoformat(found["day"])
    return None if day == _NO_DATE else day


def _is_storable(row: Row) -> bool:
    # all texts as one: a whole record hardly ever has as many characters as one text may have
    text = "".join([value for value in row if value.__class__ is str])
    return (
        "\x00" not in text
        and _is_unicode(text)
        and (len(text) <= LONGEST_TEXT or all(len(value) <= LONGEST_TEXT for value in _texts(row).values()))
    )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _texts(row: Row) -> dict[str, str]:
    named = zip(COLUMNS, row, strict=True)
    return {column: value for column, value in named if isinstance(value, str)}


def _unstorable(row: Row) -> Reject:
    for column, text in _texts(row).items():
        if "\x00" in text or not _is_unicode(text):
            reason = "The text holds a character that no database can keep."
            return Reject("bad_text", column, reason, masked(row.zan_id))
        if len(text) > LONGEST_TEXT:
            reason = f"The text is longer than {LONGEST_TEXT} characters."
            return Reject("too_long", column, reason, masked(row.zan_id))
    raise AssertionError("an unstorable row has an unstorable text")


def _without_key(zan_id: str | None) -> Reject:
    if zan_id is None:
        return Reject("no_zan_id", "zan_id", "The record has no ZanID.", None)
    return Reject("bad_zan_id", "zan_id", "The ZanID is not 8 to 10 digits.", masked(zan_id))


def _undated(zan_id: str, info: PersonalInfo, job: Employment, contract: Contract) -> Reject:
    dates = {
        "date_of_birth": info.birth_date,
        "recent_title_date": job.from_date,
        "employment_date": info.employment_date,
        "confirmation_date": info.employment_confirmation_date,
        "retirement_date": contract.to_date,
    }
    column = next(column for column, text in dates.items() if not _is_day(text))
    return Reject("bad_date", column, "The date is not one that can be read.", masked(zan_id))


def _is_day(text: str | None) -> bool:
    try:
        _day(text)
    except ValueError:
        return False
    return True


def masked(zan_id: str) -> str:
    """A ZanID that a person can compare but not use: ``58•••••00``; short ones show nothing."""
    long = len(zan_id) >= 8
    shown = [c if long and c in "0123456789" else "•" for c in zan_id[:2] + zan_id[-2:]]
    return "".join(shown[:2]) + "•" * (min(len(zan_id), 10) - 4) + "".join(shown[-2:])
