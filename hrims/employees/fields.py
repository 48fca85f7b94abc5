"""The one list of the fields of an employee: columns, types, sources in HRIMS, labels.

Mapping, SQL, drift, history, previews and documentation take the columns from here. Tests compare the list
with the tables, the view ``employees_v``, the simulator and docs/reference/sql.md.
"""

import re
from datetime import date
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


Text = str | None
Day = date | None


class Row(NamedTuple):
    """The saved fields of an employee, in the order of the table's columns. ``zan_id`` is the key."""

    zan_id: Annotated[str, Source(PERSONAL, "zanIdNumber")]
    name: Annotated[Text, Source(PERSONAL, "firstName middleName lastName", join=" ")]
    gender: Annotated[Text, Source(PERSONAL, "genderName")]
    date_of_birth: Annotated[Day, Source(PERSONAL, "birthDate")]
    place_of_birth: Annotated[Text, Source(PERSONAL, "placeOfBirth")]
    region: Annotated[Text, Source(PERSONAL, "districtName birthRegionName regionName")]
    country_of_birth: Annotated[Text, Source(PERSONAL, "birthCountryName")]
    phone_number: Annotated[Text, Source(PERSONAL, "primaryPhone workPhone")]
    contact_address: Annotated[Text, Source(PERSONAL, "houseNumber street city", join=", ")]
    zssf_number: Annotated[Text, Source(PERSONAL, "zssfNumber")]
    payroll_number: Annotated[Text, Source(PERSONAL, "payrollNumber")]
    cadre: Annotated[Text, Source(EMPLOYMENT, "titlePrefixName titleName gradeName", join=" ")]
    salary_scale: Annotated[Text, Source(SALARY, "salaryScaleName")]
    ministry: Annotated[Text, Source(EMPLOYMENT, "parentEntityName entityName")]
    department: Annotated[Text, Source(EMPLOYMENT, "subEntityName")]
    appointment_type: Annotated[Text, Source(EMPLOYMENT, "appointmentTypeName")]
    contract_type: Annotated[Text, Source(CONTRACT, "contractTypeName")]
    recent_title_date: Annotated[Day, Source(EMPLOYMENT, "fromDate")]
    current_reporting_office: Annotated[Text, Source(EMPLOYMENT, "divisionName subEntityName")]
    current_workplace: Annotated[Text, Source(EMPLOYMENT, "entityName")]
    employment_date: Annotated[Day, Source(PERSONAL, "employmentDate")]
    confirmation_date: Annotated[Day, Source(PERSONAL, "employmentConfirmationDate")]
    retirement_date: Annotated[Day, Source(CONTRACT, "toDate")]
    highest_education: Annotated[Text, Source(EDUCATION, "educationLevel levelName")]
    status: Annotated[str, Source(EMPLOYMENT, "employeeStatusName employmentStatusName")]


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
