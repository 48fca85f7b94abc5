"""Records a second that one core decodes, and decodes and maps: ``python -m benchmarks.shape``."""

import time
from collections.abc import Callable
from typing import Any

import msgspec

from hrims.employees.fields import Row
from hrims.employees.mapping import map_record
from hrims.remote.wire import decode_page

PAGES, SIZE, ROUNDS = 100, 100, 5


def main() -> None:
    """Print the best of several rounds over pages of invented people."""
    bodies = [page(number) for number in range(PAGES)]
    kilobytes = sum(map(len, bodies)) / PAGES / SIZE / 1000
    print(f"{PAGES} pages of {SIZE} records, {kilobytes:.1f} KB each, best of {ROUNDS} rounds")
    print(f"decode          {rate(lambda: decode(bodies)):>10,.0f} records/s")
    print(f"decode and map  {rate(lambda: shape(bodies)):>10,.0f} records/s")
    broken = [body.replace(b'"lastName":"Makame"', b'"lastName":5', 1) for body in bodies]
    print(f"one broken a page, decode and map {rate(lambda: shape(broken)):>10,.0f} records/s")


def rate(work: Callable[[], object]) -> float:
    """Return the records a second in the fastest round."""
    best = min(_seconds(work) for _ in range(ROUNDS))
    return PAGES * SIZE / best


def _seconds(work: Callable[[], object]) -> float:
    # The time of this process only, so that other load on the machine is not counted.
    start = time.process_time()
    work()
    return time.process_time() - start


def decode(bodies: list[bytes]) -> None:
    """Decode every page and discard it."""
    for number, body in enumerate(bodies):
        decode_page(body, number=number, size=SIZE)


def shape(bodies: list[bytes]) -> None:
    """Decode, map and discard every page; check that the people arrived as rows."""
    stored = 0
    for number, body in enumerate(bodies):
        rows = map(map_record, decode_page(body, number=number, size=SIZE).records)
        stored += sum(isinstance(row, Row) for row in rows)
    assert stored >= PAGES * (SIZE - 1)


def page(number: int) -> bytes:
    """Return a response of HRIMS with invented people whose records have a realistic size."""
    people = [person(number * SIZE + position) for position in range(SIZE)]
    frame = {"code": 200, "status": "Success", "message": "ok", "currentPage": number}
    counts = {"currentDataSize": SIZE, "overallDataSize": PAGES * SIZE}
    return msgspec.json.encode({**frame, **counts, "data": people})


def person(which: int) -> dict[str, Any]:
    """Return an invented employee, every part filled, with three jobs and fields that are not read."""
    job = {
        "isCurrent": False, "titlePrefixName": None, "titleName": "Afisa Mipango",
        "gradeName": "II",
        "entityName": "Wizara ya Afya", "parentEntityName": None,
        "subEntityName": "Idara ya Mipango", "divisionName": "Divisheni ya Sera",
        "appointmentTypeName": "Tume ya Utumishi Serikalini", "employeeStatusName": "Hai",
        "employmentStatusName": "Hai", "fromDate": f"20{which % 20:02}-02-01T00:00:00",
        "toDate": "2050-09-17T00:00:00",
    }  # fmt: skip
    info = {
        "zanIdNumber": f"{580_000_000 + which}", "payrollNumber": f"{100_000 + which}",
        "zssfNumber": f"{which:08}", "firstName": " Asha", "middleName": "Juma",
        "lastName": "Makame", "genderName": "Mwanamke",
        "birthDate": f"19{60 + which % 40}-{1 + which % 12:02}-{1 + which % 28:02}T00:00:00",
        "placeOfBirth": "MKOANI", "districtName": "Magharibi B", "birthRegionName": None,
        "regionName": None, "birthCountryName": "United Republic of Tanzania",
        "primaryPhone": "0770000000", "workPhone": None, "houseNumber": "15", "street": "Fuoni",
        "city": "UNGUJA", "employmentDate": "2019-02-04T00:00:00", "isEmployeeConfirmed": False,
        "employmentConfirmationDate": "1900-01-01T00:00:00", "maritalStatusName": "Ndoa",
    }  # fmt: skip
    schooling = {"isEmploymentHighest": True, "educationLevel": "Bachelor Degree"}
    contract = {"isActive": True, "contractTypeName": "Wa Kudumu", "toDate": "2050-09-17T00:00:00"}
    salary = {"isCurrent": True, "salaryScaleName": "ZPSH-06", "basicSalary": 850000.0}
    return {
        "personalInfo": info,
        "employmentHistories": [job, job, {**job, "isCurrent": True}],
        "salaryInformation": [{**salary, "isCurrent": False}, salary],
        "educationHistories": [schooling],
        "contractDetails": [contract],
    }


if __name__ == "__main__":
    main()
