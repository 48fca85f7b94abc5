"""Invented people, as the remote would send them, for tests that need no simulator."""

from typing import Any

import msgspec

from hrims.remote.wire import Page, Person, Unreadable


def record(number: int, **changes: Any) -> dict[str, Any]:
    """One employee's JSON; ``number`` makes the ZanID and name its own."""
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
    """Return a page of such records as the client would return it."""
    read: list[Person | Unreadable] = [msgspec.convert(one, Person) for one in records]
    return Page(number=number, size=size, total=total, records=read)
