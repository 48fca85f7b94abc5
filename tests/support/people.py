"""Fictional people as HRIMS sends them, for tests without a simulator."""

from typing import Any

import msgspec

from hrims.remote.wire import Page, Person, Unreadable


def record(number: int, **changes: Any) -> dict[str, Any]:
    """Return the JSON of an employee. ``number`` makes the ZanID and the name unique."""
    workplace = changes.pop("workplace", "Wizara ya Afya")
    personal = {
        "zanIdNumber": f"58033{number:04d}",
        "payrollNumber": f"963{number:03d}",
        "firstName": "Asha",
        "middleName": f"Mtu {number}",
        "lastName": "Makame",
        "genderName": "Mwanamke",
        "birthDate": "1990-09-17T00:00:00",
        "isEmployeeConfirmed": True,
    }
    job = {"isCurrent": True, "titleName": "Afisa Mipango", "gradeName": "II", "entityName": workplace}
    return {"personalInfo": personal | changes, "employmentHistories": [job]}


def page(records: list[dict[str, Any]], *, total: int, number: int = 0, size: int = 100) -> Page:
    """Return a page of records as the client returns it."""
    read: list[Person | Unreadable] = [msgspec.convert(item, Person) for item in records]
    return Page(number=number, size=size, total=total, records=read)
