"""One invented employee as HRIMS sends it: a number and a workplace in, the JSON object out.

The shares of filled fields are those measured on 6,408 people of one vote code.
"""

from typing import Any, NamedTuple

from hrims.simulator import words
from hrims.simulator.chance import ABSENT, NO_DATE, Draw, payroll_number, zan_id

Record = dict[str, Any]

EMPLOYED = 0.979
"""The share that has an employment, a salary and a contract at all."""


class Place(NamedTuple):
    """Where somebody works: the name as HRIMS spells it, None when it tells none, and the number
    of that institution in the register, None when the register lacks it."""

    text: str | None
    institution: int | None


def build(draw: Draw, place: Place, *, has_zan_id: bool = True, has_gender: bool = True) -> Record:
    """The employee with this draw's number; the same arguments give the same employee."""
    record: Record = {
        "personalInfo": _personal(draw, has_zan_id=has_zan_id, has_gender=has_gender),
        "employmentHistories": _employments(draw, place),
        "salaryInformation": _salaries(draw, place),
        "educationHistories": _education(draw),
        "contractDetails": _contracts(draw, place),
    }
    if draw.happens(0.1):
        record["leaveHistories"] = [{"leaveTypeName": "Ya Mwaka", "days": 28}]
    return _without_absent(record)


def _personal(draw: Draw, *, has_zan_id: bool, has_gender: bool) -> Record:
    woman = draw.happens(0.5)
    payroll = payroll_number(draw.number)
    return _without_absent(
        {
            "zanIdNumber": draw.text(zan_id(draw.seed, draw.number)) if has_zan_id else draw.nothing(),
            "payrollNumber": payroll if draw.filled("payroll", 0.991) else draw.nothing(),
            "zssfNumber": f"{int(payroll):08d}" if draw.filled("zssf", 0.921) else draw.nothing(),
            "firstName": draw.text(draw.one(words.WOMEN if woman else words.MEN)),
            "middleName": draw.nothing() if draw.happens(0.04) else draw.one(words.MEN),
            "lastName": draw.text(draw.one(words.FAMILY)),
            "genderName": _gender(draw, woman=woman) if has_gender else draw.nothing(),
            **_birth(draw),
            **_contact(draw),
            **_service(draw),
            "maritalStatusName": draw.one(["Ameoa", "Ameolewa", "Hajaoa", None]),
            "photoUpdatedOn": None,
        }
    )


def _gender(draw: Draw, *, woman: bool) -> str:
    english = draw.happens(0.08)
    if woman:
        return "Female" if english else "Mwanamke"
    return "Male" if english else "Mwanamme"


def _birth(draw: Draw) -> Record:
    filled = draw.filled
    country = draw.one(words.COUNTRIES)
    return {
        "birthDate": draw.date(1965, 2002) if filled("birth", 0.990) else draw.no_date(),
        "placeOfBirth": draw.text(draw.one(words.PLACES))
        if filled("place_of_birth", 0.935)
        else draw.nothing(),
        **_region(draw),
        "birthCountryName": country if filled("country", 0.943) else draw.nothing(),
    }


def _region(draw: Draw) -> Record:
    """Three fields of which the first filled one counts."""
    names = ["districtName", "birthRegionName", "regionName"]
    region: Record = {name: draw.nothing() for name in names}
    if draw.filled("region", 0.594):
        first = draw.one([0, 0, 0, 1, 2])
        region[names[first]] = draw.one(words.REGIONS if first else words.DISTRICTS)
        if first == 0 and draw.happens(0.3):
            region["regionName"] = draw.one(words.REGIONS)
    return region


def _contact(draw: Draw) -> Record:
    contact = {
        name: draw.nothing() for name in ("primaryPhone", "workPhone", "houseNumber", "street", "city")
    }
    if draw.filled("phone", 0.590):
        phone = f"07700{draw.number_from(0, 99999):05d}"
        contact[draw.one(["primaryPhone", "primaryPhone", "primaryPhone", "workPhone"])] = phone
    if draw.filled("address", 0.613):
        contact["street"] = draw.text(draw.one(words.STREETS))
        contact["city"] = draw.one(words.CITIES) if draw.happens(0.8) else draw.nothing()
        if draw.happens(0.5):
            contact["houseNumber"] = str(draw.number_from(1, 400))
    return contact


def _service(draw: Draw) -> Record:
    confirmed = draw.filled("confirmed_on", 0.687)
    return {
        "employmentDate": draw.date(1990, 2023) if draw.filled("employed_on", 0.999) else draw.no_date(),
        "employmentConfirmationDate": draw.date(1992, 2024) if confirmed else draw.no_date(),
        "isEmployeeConfirmed": confirmed if draw.happens(0.95) else draw.one([None, ABSENT, False]),
    }


def _employments(draw: Draw, place: Place) -> Any:
    if place.text is None:
        return draw.no_list()
    current = _employment(draw, place.text, draw.date(2012, 2024), "2050-09-17T00:00:00")
    earlier = [_earlier_employment(draw, place.text) for _ in range(draw.one([1, 1, 2, 2, 3]))]
    if draw.happens(0.05):
        current.pop("isCurrent")  # then the first entry counts
        return [current, *earlier]
    return [*earlier, current] if draw.happens(0.2) else [current, *earlier]


def _employment(draw: Draw, workplace: str, since: str, until: Any) -> Record:
    titled = draw.filled("cadre", 0.954 / EMPLOYED)
    department = draw.filled("department", 0.930 / EMPLOYED)
    # Of those without a department some have a division, which makes 93.9 % with an office.
    division = draw.filled("division", 0.7 if department else 0.009 / (EMPLOYED - 0.930))
    left = draw.happens(0.06)
    return _without_absent(
        {
            "isCurrent": True,
            "titlePrefixName": draw.one(words.PREFIXES) if titled and draw.happens(0.2) else draw.nothing(),
            "titleName": draw.text(draw.one(words.TITLES)) if titled else draw.nothing(),
            "gradeName": draw.one(words.GRADES) if titled and draw.happens(0.8) else draw.nothing(),
            "entityName": workplace,
            "parentEntityName": "OFISI YA RAIS" if draw.happens(0.1) else draw.nothing(),
            "subEntityName": draw.text(draw.one(words.DEPARTMENTS)) if department else draw.nothing(),
            "divisionName": draw.one(words.DIVISIONS) if division else draw.nothing(),
            "appointmentTypeName": draw.one(words.APPOINTMENTS),
            "employeeStatusName": draw.one(words.LEFT) if left else draw.one(["Hai", "Hai", None]),
            "employmentStatusName": draw.one(["Hai", "HAI", "Hai "]) if draw.happens(0.8) else draw.nothing(),
            "fromDate": since,
            "toDate": until,
        }
    )


def _earlier_employment(draw: Draw, workplace: str) -> Record:
    return {
        "isCurrent": False,
        "titlePrefixName": None,
        "titleName": draw.one(words.TITLES),
        "gradeName": draw.one(words.GRADES),
        "entityName": workplace,
        "parentEntityName": None,
        "subEntityName": draw.one(words.DEPARTMENTS),
        "divisionName": None,
        "appointmentTypeName": draw.one(words.APPOINTMENTS),
        "employeeStatusName": None,
        "employmentStatusName": None,
        "fromDate": draw.date(1992, 2004),
        "toDate": draw.date(2005, 2011),
    }


def _salaries(draw: Draw, place: Place) -> Any:
    if place.text is None:
        return draw.no_list()
    scale = f"ZPS{draw.one(['H', 'A', 'E', 'J'])}-{draw.number_from(1, 14):02d}"
    current = {"isCurrent": True, "salaryScaleName": draw.text(scale)}
    current["basicSalary"] = draw.number_from(34, 300) * 10_000.0
    old = {"isCurrent": False, "salaryScaleName": "ZPSH-01", "basicSalary": 300000.0}
    return [old, current] if draw.happens(0.3) else [current]


def _education(draw: Draw) -> Any:
    if not draw.filled("education", 0.86):
        return draw.no_list()
    level, school = draw.one(words.LEVELS), draw.one(words.SCHOOLS)
    if draw.happens(0.3):
        return [{"levelName": level, "institutionName": school, "yearCompleted": 2011}]
    best = {"isEmploymentHighest": True, "educationLevel": level, "institution": school}
    lower = {
        "isEmploymentHighest": False,
        "educationLevel": "Form IV",
        "institution": "Skuli ya Mtoni",
    }
    return [lower, best] if draw.happens(0.4) else [best]


def _contracts(draw: Draw, place: Place) -> Any:
    if place.text is None:
        return draw.no_list()
    until = draw.date(2027, 2055)
    active = {
        "isActive": True,
        "contractTypeName": draw.one(words.CONTRACTS),
        "fromDate": draw.date(1995, 2020),
        "toDate": until if draw.filled("retired_on", 0.899 / EMPLOYED) else draw.no_date(),
    }
    old = {"isActive": False, "contractTypeName": "Wa Muda", "fromDate": NO_DATE, "toDate": None}
    return [old, _without_absent(active)] if draw.happens(0.15) else [_without_absent(active)]


def _without_absent(record: Record) -> Record:
    return {name: value for name, value in record.items() if value is not ABSENT}
