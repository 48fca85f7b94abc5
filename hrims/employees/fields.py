"""The one list of the fields of an employee: columns, types, sources in HRIMS, classes, labels.

Mapping, SQL, drift, history, previews and documentation take the columns from here. Tests compare the list
with the tables, the view ``employees_v``, the simulator and docs/reference/sql.md.
"""

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, NamedTuple, get_args, get_type_hints

PERSONAL: Final = "personalInfo"
EMPLOYMENT: Final = "employmentHistories"
SALARY: Final = "salaryInformation"
EDUCATION: Final = "educationHistories"
CONTRACT: Final = "contractDetails"


class Source(NamedTuple):
    """The fields of HRIMS, in one part of a record, that a column is mapped from.

    The first of ``names`` that has a value counts. If ``join`` is given, all of them count, joined by it.
    """

    part: str
    names: str
    join: str | None = None

    @property
    def paths(self) -> list[str]:
        """The paths of the fields in a record, such as ``personalInfo.firstName``."""
        return [f"{self.part}.{name}" for name in self.names.split()]


class Classification(StrEnum):
    """How much a field tells about a person. ``masking`` says who sees which class."""

    PUBLIC = "public"
    """Where a post belongs. Everybody who finds employees sees it."""

    INTERNAL = "internal"
    """Who works in a post, and how. Users who work with employees see it; auditors do not."""

    CONFIDENTIAL = "confidential"
    """Private life and pay. Hidden, unless the user may read confidential fields."""

    RESTRICTED = "restricted"
    """Numbers that open accounts elsewhere. They show only their ends."""


Text = str | None
Day = date | None

_PUBLIC: Final = Classification.PUBLIC
_INTERNAL: Final = Classification.INTERNAL
_CONFIDENTIAL: Final = Classification.CONFIDENTIAL
_RESTRICTED: Final = Classification.RESTRICTED


class Row(NamedTuple):
    """The saved fields of an employee, in the order of the table's columns. ``zan_id`` is the key.

    A retirement date is confidential, because it tells the age.
    """

    zan_id: Annotated[str, Source(PERSONAL, "zanIdNumber"), _RESTRICTED]
    name: Annotated[Text, Source(PERSONAL, "firstName middleName lastName", join=" "), _INTERNAL]
    gender: Annotated[Text, Source(PERSONAL, "genderName"), _INTERNAL]
    date_of_birth: Annotated[Day, Source(PERSONAL, "birthDate"), _CONFIDENTIAL]
    place_of_birth: Annotated[Text, Source(PERSONAL, "placeOfBirth"), _CONFIDENTIAL]
    region: Annotated[Text, Source(PERSONAL, "districtName birthRegionName regionName"), _CONFIDENTIAL]
    country_of_birth: Annotated[Text, Source(PERSONAL, "birthCountryName"), _CONFIDENTIAL]
    phone_number: Annotated[Text, Source(PERSONAL, "primaryPhone workPhone"), _CONFIDENTIAL]
    contact_address: Annotated[Text, Source(PERSONAL, "houseNumber street city", join=", "), _CONFIDENTIAL]
    zssf_number: Annotated[Text, Source(PERSONAL, "zssfNumber"), _RESTRICTED]
    payroll_number: Annotated[Text, Source(PERSONAL, "payrollNumber"), _RESTRICTED]
    cadre: Annotated[Text, Source(EMPLOYMENT, "titlePrefixName titleName gradeName", join=" "), _INTERNAL]
    salary_scale: Annotated[Text, Source(SALARY, "salaryScaleName"), _CONFIDENTIAL]
    ministry: Annotated[Text, Source(EMPLOYMENT, "parentEntityName entityName"), _PUBLIC]
    department: Annotated[Text, Source(EMPLOYMENT, "subEntityName"), _INTERNAL]
    appointment_type: Annotated[Text, Source(EMPLOYMENT, "appointmentTypeName"), _INTERNAL]
    contract_type: Annotated[Text, Source(CONTRACT, "contractTypeName"), _INTERNAL]
    recent_title_date: Annotated[Day, Source(EMPLOYMENT, "fromDate"), _INTERNAL]
    current_reporting_office: Annotated[Text, Source(EMPLOYMENT, "divisionName subEntityName"), _INTERNAL]
    current_workplace: Annotated[Text, Source(EMPLOYMENT, "entityName"), _PUBLIC]
    employment_date: Annotated[Day, Source(PERSONAL, "employmentDate"), _INTERNAL]
    confirmation_date: Annotated[Day, Source(PERSONAL, "employmentConfirmationDate"), _INTERNAL]
    retirement_date: Annotated[Day, Source(CONTRACT, "toDate"), _CONFIDENTIAL]
    highest_education: Annotated[Text, Source(EDUCATION, "educationLevel levelName"), _INTERNAL]
    status: Annotated[str, Source(EMPLOYMENT, "employeeStatusName employmentStatusName"), _INTERNAL]


LABELS: Final = {
    "zan_id": "ZanID",
    "payroll_number": "Payroll number",
    "zssf_number": "ZSSF number",
    "name": "Name",
    "gender": "Gender",
    "date_of_birth": "Date of birth",
    "place_of_birth": "Place of birth",
    "region": "Region",
    "country_of_birth": "Country of birth",
    "phone_number": "Phone number",
    "contact_address": "Address",
    "status": "Status",
    "current_workplace": "Workplace",
    "institution": "Institution",
    "ministry": "Ministry",
    "department": "Department",
    "current_reporting_office": "Reporting office",
    "cadre": "Cadre",
    "salary_scale": "Salary scale",
    "appointment_type": "Appointment type",
    "contract_type": "Contract type",
    "recent_title_date": "Title since",
    "employment_date": "Employed since",
    "confirmation_date": "Confirmed on",
    "retirement_date": "Retires on",
    "highest_education": "Highest education",
}
"""The labels of the columns for users, in display order. The institution follows from the workplace."""

COLUMNS: Final[tuple[str, ...]] = Row._fields

_HINTS: Final = get_type_hints(Row, include_extras=True)

SOURCES: Final[dict[str, Source]] = {column: _HINTS[column].__metadata__[0] for column in COLUMNS}
CLASSES: Final[dict[str, Classification]] = {
    column: class_
    for column in COLUMNS
    for class_ in _HINTS[column].__metadata__
    if isinstance(class_, Classification)
} | {"institution": _PUBLIC}
"""The class of each column, and of the institution."""

SQL_TYPES: Final = {
    column: "date" if date in get_args(_HINTS[column].__origin__) else "text" for column in COLUMNS
}


def get_label(column: str) -> str:
    """Return the label of a column for users. A path in a record of HRIMS is its own label."""
    return LABELS.get(column, column)


def expand_columns(statements: dict[str, bytes]) -> dict[str, bytes]:
    """Return statements in which each ``{… columns …}`` is repeated for every column but the key.

    ``{e.columns}`` becomes ``e.name, e.gender, …``, ``{columns = c.columns}`` becomes ``name = c.name, …``,
    and ``{columns types}`` becomes ``name text, …``.
    """
    return {name: re.sub(rb"\{([^{}]*\bcolumns\b[^{}]*)\}", _repeat, sql) for name, sql in statements.items()}


def _repeat(found: re.Match[bytes]) -> bytes:
    return b", ".join(
        found[1].replace(b"columns", column.encode()).replace(b"types", SQL_TYPES[column].encode())
        for column in COLUMNS[1:]
    )
