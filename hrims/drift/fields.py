"""Fields of the contract with HRIMS, as paths such as ``personalInfo.primaryPhone``."""

from typing import Final

from hrims.employees.fields import CONTRACT, EDUCATION, EMPLOYMENT, SALARY
from hrims.remote.field_filter import FIELDS

KEY: Final = "zanIdNumber"

_UNUSED: Final = {
    EMPLOYMENT: ["toDate"],
    SALARY: ["basicSalary"],
    EDUCATION: ["institution", "institutionName", "yearCompleted"],
    CONTRACT: ["fromDate"],
}
"""The fields that HRIMS sends and this program does not read."""

KNOWN: Final[tuple[str, ...]] = (
    *FIELDS,
    *(
        f"{part}.{name}"
        for part, names in FIELDS.items()
        for name in [*sorted(names), *_UNUSED.get(part, ())]
    ),
)
