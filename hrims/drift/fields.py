"""The fields that the contract with HRIMS knows, as paths: ``personalInfo.primaryPhone``."""

from typing import Final

PERSONAL = "personalInfo"
KEY = "zanIdNumber"

PARTS: Final[dict[str, str]] = {
    PERSONAL: (
        "zanIdNumber payrollNumber zssfNumber firstName middleName lastName genderName birthDate "
        "placeOfBirth districtName birthRegionName regionName birthCountryName primaryPhone workPhone "
        "houseNumber street city employmentDate employmentConfirmationDate isEmployeeConfirmed"
    ),
    "employmentHistories": (
        "isCurrent titlePrefixName titleName gradeName entityName parentEntityName subEntityName "
        "divisionName appointmentTypeName employeeStatusName employmentStatusName fromDate toDate"
    ),
    "salaryInformation": "isCurrent salaryScaleName basicSalary",
    "educationHistories": (
        "isEmploymentHighest educationLevel institution levelName institutionName yearCompleted"
    ),
    "contractDetails": "isActive contractTypeName fromDate toDate",
}

KNOWN: Final[tuple[str, ...]] = (
    *PARTS,
    *(f"{part}.{name}" for part, names in PARTS.items() for name in names.split()),
)
