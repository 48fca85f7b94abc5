"""Maps a record. Input: a record of HRIMS. Output: a row of the employees table, or a reject. Pure.

``fields`` lists what each column is mapped from. Nothing is guessed: a field that the record lacks stays
empty, and a reject has a reason.
"""

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, TypeVar

import msgspec

from hrims.employees.fields import (
    COLUMNS,
    CONTRACT,
    EDUCATION,
    EMPLOYMENT,
    PERSONAL,
    SALARY,
    SOURCES,
    SQL_TYPES,
    Row,
)
from hrims.employees.rejects import (
    Reject,
    is_plain,
    is_zan_id,
    reject_undated,
    reject_unreadable,
    reject_unstorable,
    reject_without_key,
)
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

_PARTS: Final[dict[str, type[Part]]] = {
    PERSONAL: PersonalInfo,
    EMPLOYMENT: Employment,
    SALARY: Salary,
    CONTRACT: Contract,
    EDUCATION: Education,
}
_PATHS: Final = [
    path
    for part in _PARTS
    for path in sorted({path for source in SOURCES.values() if source.part == part for path in source.paths})
]
"""The paths of all texts that are read from a record, in the order of the texts."""

_ZAN_ID: Final = _PATHS.index(SOURCES["zan_id"].paths[0])


def _build_getter(part: str) -> Callable[[Part], tuple[str | None, ...]]:
    """Return a function that reads all texts of one part in the order of ``_PATHS``."""
    attributes = {field.encode_name: field.name for field in msgspec.structs.fields(_PARTS[part])}
    names = [path.partition(".")[2] for path in _PATHS if path.startswith(f"{part}.")]
    get: Callable[[Part], Any] = attrgetter(*(attributes[name] for name in names))
    return get if len(names) > 1 else lambda entry: (get(entry),)


# Mapping a record must take only a few microseconds, or a page takes too long. So all texts of a part are
# read in one call, and cleaned in one call.
_read_personal, _read_employment, _read_salary, _read_contract, _read_education = map(_build_getter, _PARTS)
_is_current = attrgetter("is_current")
_is_active = attrgetter("is_active")
_is_highest = attrgetter("is_employment_highest")


def map_record(record: Person | Unreadable) -> Row | Reject:
    """Return the row of one record by the contract's table, or a reject with the reason for its absence."""
    if isinstance(record, Unreadable):
        return reject_unreadable(
            record.reason, record.field, record.info.zan_id_number if record.info else None
        )
    info = record.personal_info or _NO_INFO
    texts, whole = _read_texts(info, record)
    zan_id = texts[_ZAN_ID]
    if not is_zan_id(zan_id):
        return reject_without_key(zan_id)
    try:
        row = _build_row(texts, info.is_employee_confirmed)
    except ValueError:
        return reject_undated(zan_id, _find_wrong_date(texts))
    # Check all texts as one: a whole record rarely has more characters than one text may have.
    return row if is_plain(whole) else reject_unstorable(zan_id, _list_texts(row)) or row


def read_workplace(record: Person) -> str | None:
    """Return the workplace of a record, exactly as the record spells it."""
    return (_find_flagged_or_first(record.employment_histories, _is_current) or _NO_JOB).entity_name


def _read_texts(info: PersonalInfo, record: Person) -> tuple[list[str], str]:
    """Return all texts that are read from a record, cleaned, and their concatenation.

    Null and absent texts are empty.
    """
    job = _find_flagged_or_first(record.employment_histories, _is_current) or _NO_JOB
    salary = _find_flagged_or_first(record.salary_information, _is_current) or _NO_SALARY
    contract = _find_flagged(record.contract_details, _is_active) or _NO_CONTRACT
    education = _find_flagged_or_first(record.education_histories, _is_highest) or _NO_EDUCATION
    raw = (  # in the order of _PARTS
        *_read_personal(info),
        *_read_employment(job),
        *_read_salary(salary),
        *_read_contract(contract),
        *_read_education(education),
    )
    texts = [text.strip() if text else "" for text in raw]
    whole = "".join(texts)
    if is_clean(whole):
        return texts, whole
    texts = [clean(text) for text in texts]
    return texts, "".join(texts)


@lru_cache(maxsize=4096)
def _map_status(of_person: str, of_job: str, is_confirmed: bool | None) -> str:
    if is_confirmed:
        return "Confirmed"
    ended = of_person.lower()
    for word, status in _ENDED.items():
        if word in ended:
            return status
    return "Confirmed" if "hai" in of_job.lower() else "On Probation"


_Part = TypeVar("_Part", bound=Part)


def _find_flagged(parts: list[_Part | None] | None, flag: Callable[[Part], object]) -> _Part | None:
    """Return the first part that has the flag."""
    for part in parts or ():
        if part and flag(part):
            return part
    return None


def _find_flagged_or_first(parts: list[_Part | None] | None, flag: Callable[[Part], object]) -> _Part | None:
    """Return the first part that has the flag, or else the first part."""
    first = None
    for part in parts or ():
        if part and flag(part):
            return part
        first = first or part
    return first


def _join(between: str, *texts: str) -> str | None:
    return between.join(filter(None, texts)) or None


_DAY: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<time>(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?)"
    r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_NO_DATES: Final = {
    *("1900-01-01", "1899-12-30", "1753-01-01"),  # the first days of SQL Server and of OLE
    *("0001-01-01", "9999-12-31", "0000-00-00"),  # the first and last day of .NET, and MySQL's zero date
}
"""Values that databases write for a missing date. They mean "no date" with any time and zone."""


@lru_cache(maxsize=65536)
def _parse_day(text: str) -> date | None:
    """Return the day as written. Raises ValueError if the text is no date, or if it may mean another day
    here.
    """
    if not text:
        return None
    found = _DAY.fullmatch(text)
    if found is None:
        raise ValueError("not a date")
    if found["day"] in _NO_DATES:
        return None
    if found["zone"] and found["time"].strip("0:."):
        # A time in another zone may be the next day here.
        raise ValueError("not a day")
    return date.fromisoformat(found["day"])


def _find_wrong_date(texts: list[str]) -> str:
    """Return the column of the first date that cannot be read."""
    dates = (column for column in COLUMNS if SQL_TYPES[column] == "date")
    return next(column for column in dates if not _is_day(texts[_PATHS.index(SOURCES[column].paths[0])]))


def _is_day(text: str) -> bool:
    try:
        _parse_day(text)
    except ValueError:
        return False
    return True


def _list_texts(row: Row) -> dict[str, str]:
    named = zip(COLUMNS, row, strict=True)
    return {column: value for column, value in named if isinstance(value, str)}


_RULES: Final = {"gender": "_GENDERS.get({0})", "status": "_map_status({0}, {1}, is_confirmed)"}
"""The columns that have a rule of their own, with its expression for their texts."""


def _express(column: str) -> str:
    """Return the expression that maps one column from the texts of a record."""
    source = SOURCES[column]
    texts = [f"texts[{_PATHS.index(path)}]" for path in source.paths]
    if column in _RULES:
        return _RULES[column].format(*texts)
    if source.join:
        return f"_join({source.join!r}, {', '.join(texts)})"
    return f"_parse_day({texts[0]})" if SQL_TYPES[column] == "date" else f"{' or '.join(texts)} or None"


# Compiled once, like a dataclass: a loop over the columns would make mapping half as slow again.
_build_row: Final[Callable[[list[str], bool | None], Row]] = eval(  # noqa: S307 - our own names # nosec B307
    f"lambda texts, is_confirmed: Row({', '.join(map(_express, COLUMNS))})"
)
