"""One invented employee as HRIMS sends it.

Input: a number and a workplace. Output: the JSON object. The shares of filled fields were measured on the
6,408 people of one vote code.
"""

from typing import Any, NamedTuple

from hrims.simulator import vocabulary
from hrims.simulator.random_source import ABSENT, NO_DATE, RandomSource, payroll_number, zan_id

Record = dict[str, Any]

EMPLOYED = 0.979
"""The share of people with an employment, a salary and a contract."""


class Place(NamedTuple):
    """A workplace.

    ``text`` is its name as HRIMS spells it, None if HRIMS sends none. ``institution`` is the number of that
    institution in the register, None if it is not on the register.
    """

    text: str | None
    institution: int | None


def build(rng: RandomSource, place: Place, *, has_zan_id: bool = True, has_gender: bool = True) -> Record:
    """Return the employee with this number; the same arguments give the same employee."""
    record: Record = {
        "personalInfo": _personal(rng, has_zan_id=has_zan_id, has_gender=has_gender),
        "employmentHistories": _employments(rng, place),
        "salaryInformation": _salaries(rng, place),
        "educationHistories": _education(rng),
        "contractDetails": _contracts(rng, place),
    }
    if rng.chance(0.1):
        record["leaveHistories"] = [{"leaveTypeName": "Ya Mwaka", "days": 28}]
    return _without_absent(record)


def _personal(rng: RandomSource, *, has_zan_id: bool, has_gender: bool) -> Record:
    woman = rng.chance(0.5)
    payroll = payroll_number(rng.number)
    return _without_absent(
        {
            "zanIdNumber": rng.text(zan_id(rng.seed, rng.number)) if has_zan_id else rng.empty(),
            "payrollNumber": payroll if rng.filled("payroll", 0.991) else rng.empty(),
            "zssfNumber": f"{int(payroll):08d}" if rng.filled("zssf", 0.921) else rng.empty(),
            "firstName": rng.text(rng.choice(vocabulary.WOMEN if woman else vocabulary.MEN)),
            "middleName": rng.empty() if rng.chance(0.04) else rng.choice(vocabulary.MEN),
            "lastName": rng.text(rng.choice(vocabulary.FAMILY)),
            "genderName": _gender(rng, woman=woman) if has_gender else rng.empty(),
            **_birth(rng),
            **_contact(rng),
            **_service(rng),
            "maritalStatusName": rng.choice(["Ameoa", "Ameolewa", "Hajaoa", None]),
            "photoUpdatedOn": None,
        }
    )


def _gender(rng: RandomSource, *, woman: bool) -> str:
    english = rng.chance(0.08)
    if woman:
        return "Female" if english else "Mwanamke"
    return "Male" if english else "Mwanamme"


def _birth(rng: RandomSource) -> Record:
    filled = rng.filled
    country = rng.choice(vocabulary.COUNTRIES)
    return {
        "birthDate": rng.date(1965, 2002) if filled("birth", 0.990) else rng.no_date(),
        "placeOfBirth": rng.text(rng.choice(vocabulary.PLACES))
        if filled("place_of_birth", 0.935)
        else rng.empty(),
        **_region(rng),
        "birthCountryName": country if filled("country", 0.943) else rng.empty(),
    }


def _region(rng: RandomSource) -> Record:
    """Return three fields, of which the first filled one counts."""
    names = ["districtName", "birthRegionName", "regionName"]
    region: Record = {name: rng.empty() for name in names}
    if rng.filled("region", 0.594):
        first = rng.choice([0, 0, 0, 1, 2])
        region[names[first]] = rng.choice(vocabulary.REGIONS if first else vocabulary.DISTRICTS)
        if first == 0 and rng.chance(0.3):
            region["regionName"] = rng.choice(vocabulary.REGIONS)
    return region


def _contact(rng: RandomSource) -> Record:
    contact = {name: rng.empty() for name in ("primaryPhone", "workPhone", "houseNumber", "street", "city")}
    if rng.filled("phone", 0.590):
        phone = f"07700{rng.number_from(0, 99999):05d}"
        contact[rng.choice(["primaryPhone", "primaryPhone", "primaryPhone", "workPhone"])] = phone
    if rng.filled("address", 0.613):
        contact["street"] = rng.text(rng.choice(vocabulary.STREETS))
        contact["city"] = rng.choice(vocabulary.CITIES) if rng.chance(0.8) else rng.empty()
        if rng.chance(0.5):
            contact["houseNumber"] = str(rng.number_from(1, 400))
    return contact


def _service(rng: RandomSource) -> Record:
    confirmed = rng.filled("confirmed_on", 0.687)
    return {
        "employmentDate": rng.date(1990, 2023) if rng.filled("employed_on", 0.999) else rng.no_date(),
        "employmentConfirmationDate": rng.date(1992, 2024) if confirmed else rng.no_date(),
        "isEmployeeConfirmed": confirmed if rng.chance(0.95) else rng.choice([None, ABSENT, False]),
    }


def _employments(rng: RandomSource, place: Place) -> Any:
    if place.text is None:
        return rng.no_list()
    current = _employment(rng, place.text, rng.date(2012, 2024), "2050-09-17T00:00:00")
    earlier = [_earlier_employment(rng, place.text) for _ in range(rng.choice([1, 1, 2, 2, 3]))]
    if rng.chance(0.05):
        current.pop("isCurrent")  # then the first entry counts
        return [current, *earlier]
    return [*earlier, current] if rng.chance(0.2) else [current, *earlier]


def _employment(rng: RandomSource, workplace: str, since: str, until: Any) -> Record:
    titled = rng.filled("cadre", 0.954 / EMPLOYED)
    department = rng.filled("department", 0.930 / EMPLOYED)
    # Some of the people without a department have a division, so that 93.9 % have an office.
    division = rng.filled("division", 0.7 if department else 0.009 / (EMPLOYED - 0.930))
    left = rng.chance(0.06)
    return _without_absent(
        {
            "isCurrent": True,
            "titlePrefixName": rng.choice(vocabulary.PREFIXES) if titled and rng.chance(0.2) else rng.empty(),
            "titleName": rng.text(rng.choice(vocabulary.TITLES)) if titled else rng.empty(),
            "gradeName": rng.choice(vocabulary.GRADES) if titled and rng.chance(0.8) else rng.empty(),
            "entityName": workplace,
            "parentEntityName": "OFISI YA RAIS" if rng.chance(0.1) else rng.empty(),
            "subEntityName": rng.text(rng.choice(vocabulary.DEPARTMENTS)) if department else rng.empty(),
            "divisionName": rng.choice(vocabulary.DIVISIONS) if division else rng.empty(),
            "appointmentTypeName": rng.choice(vocabulary.APPOINTMENTS),
            "employeeStatusName": rng.choice(vocabulary.LEFT) if left else rng.choice(["Hai", "Hai", None]),
            "employmentStatusName": rng.choice(["Hai", "HAI", "Hai "]) if rng.chance(0.8) else rng.empty(),
            "fromDate": since,
            "toDate": until,
        }
    )


def _earlier_employment(rng: RandomSource, workplace: str) -> Record:
    return {
        "isCurrent": False,
        "titlePrefixName": None,
        "titleName": rng.choice(vocabulary.TITLES),
        "gradeName": rng.choice(vocabulary.GRADES),
        "entityName": workplace,
        "parentEntityName": None,
        "subEntityName": rng.choice(vocabulary.DEPARTMENTS),
        "divisionName": None,
        "appointmentTypeName": rng.choice(vocabulary.APPOINTMENTS),
        "employeeStatusName": None,
        "employmentStatusName": None,
        "fromDate": rng.date(1992, 2004),
        "toDate": rng.date(2005, 2011),
    }


def _salaries(rng: RandomSource, place: Place) -> Any:
    if place.text is None:
        return rng.no_list()
    scale = f"ZPS{rng.choice(['H', 'A', 'E', 'J'])}-{rng.number_from(1, 14):02d}"
    current = {"isCurrent": True, "salaryScaleName": rng.text(scale)}
    current["basicSalary"] = rng.number_from(34, 300) * 10_000.0
    old = {"isCurrent": False, "salaryScaleName": "ZPSH-01", "basicSalary": 300000.0}
    return [old, current] if rng.chance(0.3) else [current]


def _education(rng: RandomSource) -> Any:
    if not rng.filled("education", 0.86):
        return rng.no_list()
    level, school = rng.choice(vocabulary.LEVELS), rng.choice(vocabulary.SCHOOLS)
    if rng.chance(0.3):
        return [{"levelName": level, "institutionName": school, "yearCompleted": 2011}]
    best = {"isEmploymentHighest": True, "educationLevel": level, "institution": school}
    lower = {
        "isEmploymentHighest": False,
        "educationLevel": "Form IV",
        "institution": "Skuli ya Mtoni",
    }
    return [lower, best] if rng.chance(0.4) else [best]


def _contracts(rng: RandomSource, place: Place) -> Any:
    if place.text is None:
        return rng.no_list()
    until = rng.date(2027, 2055)
    active = {
        "isActive": True,
        "contractTypeName": rng.choice(vocabulary.CONTRACTS),
        "fromDate": rng.date(1995, 2020),
        "toDate": until if rng.filled("retired_on", 0.899 / EMPLOYED) else rng.no_date(),
    }
    old = {"isActive": False, "contractTypeName": "Wa Muda", "fromDate": NO_DATE, "toDate": None}
    return [old, _without_absent(active)] if rng.chance(0.15) else [_without_absent(active)]


def _without_absent(record: Record) -> Record:
    return {name: value for name, value in record.items() if value is not ABSENT}
