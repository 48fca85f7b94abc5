"""Shape: a record of HRIMS comes in, a row of the employees table or a reject goes out. Pure.

Nothing is guessed: what the record lacks stays empty, and what cannot be kept says why.
"""

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Final, NamedTuple, TypeVar

from hrims.employees.rejects import Reject, is_plain, is_zan_id, undated, unreadable, unstorable, without_key
from hrims.remote.records import (
    Contract,
    Education,
    Employment,
    Part,
    Person,
    PersonalInfo,
    Salary,
)
from hrims.remote.wire import Unreadable
from hrims.text import clean, is_clean

__all__ = ["COLUMNS", "Reject", "Row", "to_row", "workplace_of"]


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

_GENDERS: Final = {"Mwanamme": "Male", "Mwanamke": "Female", "Male": "Male", "Female": "Female"}
_ENDED: Final = {
    "staafu": "Retired",
    "hayupo": "Resigned",
    "aachishwa": "Terminated",
    "fukuzwa": "Dismissed",
}

_NO_INFO: Final = PersonalInfo()
_NO_JOB: Final = Employment()
_NO_SALARY: Final = Salary()
_NO_EDUCATION: Final = Education()
_NO_CONTRACT: Final = Contract()

# A record is mapped in a few microseconds or a page takes long: the texts of each part are read
# in one go, and cleaned in one go. The order is that in which `_row` takes them.
_of_info = attrgetter(
    *("zan_id_number", "first_name", "middle_name", "last_name", "gender_name", "birth_date"),
    *("place_of_birth", "district_name", "birth_region_name", "region_name", "birth_country_name"),
    *("primary_phone", "work_phone", "house_number", "street", "city", "zssf_number"),
    *("payroll_number", "employment_date", "employment_confirmation_date"),
)
_of_job = attrgetter(
    *("title_prefix_name", "title_name", "grade_name", "parent_entity_name", "entity_name"),
    *("sub_entity_name", "division_name", "appointment_type_name", "from_date"),
    *("employee_status_name", "employment_status_name"),
)
_of_contract = attrgetter("contract_type_name", "to_date")
_of_education = attrgetter("education_level", "level_name")
_is_current = attrgetter("is_current")
_is_active = attrgetter("is_active")
_is_highest = attrgetter("is_employment_highest")


def to_row(record: Person | Unreadable) -> Row | Reject:
    """The row of one record by the contract's table, or the reason why there is none."""
    if isinstance(record, Unreadable):
        return unreadable(record.reason, record.field, record.info.zan_id_number if record.info else None)
    info = record.personal_info or _NO_INFO
    texts, whole = _texts(info, record)
    zan_id = texts[0]
    if not is_zan_id(zan_id):
        return without_key(zan_id)
    try:
        row = _row(texts, confirmed=info.is_employee_confirmed)
    except ValueError:
        return undated(zan_id, _wrong_date(texts))
    # all texts as one: a whole record hardly ever has as many characters as one text may have
    return row if is_plain(whole) else unstorable(zan_id, _kept_texts(row)) or row


def workplace_of(record: Person) -> str | None:
    """Return the workplace of a record, as it is written."""
    return (_flagged_or_first(record.employment_histories, _is_current) or _NO_JOB).entity_name


def _texts(info: PersonalInfo, record: Person) -> tuple[list[str], str]:
    """Return every text that is read of a record, clean, and all as one; null and absent are empty."""
    job = _flagged_or_first(record.employment_histories, _is_current) or _NO_JOB
    salary = _flagged_or_first(record.salary_information, _is_current) or _NO_SALARY
    contract = _flagged(record.contract_details, _is_active) or _NO_CONTRACT
    education = _flagged_or_first(record.education_histories, _is_highest) or _NO_EDUCATION
    raw = (
        *_of_info(info),
        *_of_job(job),
        salary.salary_scale_name,
        *_of_contract(contract),
        *_of_education(education),
    )
    texts = [text.strip() if text else "" for text in raw]
    whole = "".join(texts)
    if is_clean(whole):
        return texts, whole
    texts = [clean(text) for text in texts]
    return texts, "".join(texts)


def _row(texts: list[str], *, confirmed: bool | None) -> Row:
    """The contract's table, line by line; raises ValueError where a date is none."""
    (
        zan_id, first, middle, last, gender, born, birthplace, district, birth_region, region,
        country, phone, work_phone, house, street, city, zssf, payroll, employed, confirmed_on,
        prefix, title, grade, parent, entity, sub_entity, division, appointment, since,
        said_of_person, said_of_job, scale, contract_type, until, level, level_name,
    ) = texts  # fmt: skip
    return Row(  # by position: by name, these few lines would take three times as long
        zan_id,
        _joined(" ", first, middle, last),
        _GENDERS.get(gender),
        _day(born),
        birthplace or None,
        district or birth_region or region or None,
        country or None,
        phone or work_phone or None,
        _joined(", ", house, street, city),
        zssf or None,
        payroll or None,
        _joined(" ", prefix, title, grade),
        scale or None,
        parent or entity or None,
        sub_entity or None,
        appointment or None,
        contract_type or None,
        _day(since),
        division or sub_entity or None,
        entity or None,
        _day(employed),
        _day(confirmed_on),
        _day(until),
        level or level_name or None,
        "Confirmed" if confirmed else _status(said_of_person, said_of_job),
    )


@lru_cache(maxsize=4096)
def _status(said_of_person: str, said_of_job: str) -> str:
    ended = said_of_person.lower()
    for word, status in _ENDED.items():
        if word in ended:
            return status
    return "Confirmed" if "hai" in said_of_job.lower() else "On Probation"


_Part = TypeVar("_Part", bound=Part)


def _flagged(parts: list[_Part | None] | None, flag: Callable[[Part], object]) -> _Part | None:
    """The first part with the flag."""
    for part in parts or ():
        if part and flag(part):
            return part
    return None


def _flagged_or_first(parts: list[_Part | None] | None, flag: Callable[[Part], object]) -> _Part | None:
    """The first part with the flag, else the first part."""
    first = None
    for part in parts or ():
        if part and flag(part):
            return part
        first = first or part
    return first


def _joined(between: str, *texts: str) -> str | None:
    return between.join(filter(None, texts)) or None


_DAY: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<time>(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?)"
    r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_NO_DATES: Final = {
    *("1900-01-01", "1899-12-30", "1753-01-01"),  # the first days of SQL Server and of OLE
    *("0001-01-01", "9999-12-31", "0000-00-00"),  # the first and last day of .NET, and MySQL's none
}
"""What databases write where there is no date, whatever the time and zone."""


@lru_cache(maxsize=65536)
def _day(text: str) -> date | None:
    """The day as it is written; raises ValueError for what is no date, or may be another day."""
    if not text:
        return None
    found = _DAY.fullmatch(text)
    if found is None:
        raise ValueError("not a date")
    if found["day"] in _NO_DATES:
        return None
    if found["zone"] and found["time"].strip("0:."):
        # an hour of another zone may be the next day here
        raise ValueError("not a day")
    return date.fromisoformat(found["day"])


def _wrong_date(texts: list[str]) -> str:
    """The column of the first date that cannot be read."""
    columns = {5: "date_of_birth", 18: "employment_date", 19: "confirmation_date"}
    columns |= {28: "recent_title_date", 33: "retirement_date"}
    return next(column for place, column in columns.items() if not _is_day(texts[place]))


def _is_day(text: str) -> bool:
    try:
        _day(text)
    except ValueError:
        return False
    return True


def _kept_texts(row: Row) -> dict[str, str]:
    named = zip(COLUMNS, row, strict=True)
    return {column: value for column, value in named if isinstance(value, str)}
