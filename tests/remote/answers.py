"""Answers of HRIMS as the contract shows them, for tests; every person is invented."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, settings

from hrims.remote.wire import Page, decode_page

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Property tests do not fail because a machine is busy."""


def person(zan_id: str = "580330000", **info: Any) -> dict[str, Any]:
    """Return one employee; ``info`` overrides fields of personalInfo."""
    return {
        "personalInfo": {"zanIdNumber": zan_id, "firstName": "Asha", "lastName": "Makame", **info},
        "employmentHistories": [{"isCurrent": True, "entityName": "Wizara ya Afya"}],
        "salaryInformation": [{"isCurrent": True, "salaryScaleName": "ZPSH-06"}],
        "educationHistories": None,
    }


def page(*records: Any, **frame: Any) -> bytes:
    """Return a page around ``records``; ``frame`` overrides what stands around them."""
    around = {
        "code": 200,
        "status": "Success",
        "message": "ok",
        "currentPage": 0,
        "currentDataSize": len(records),
        "overallDataSize": len(records),
        "data": list(records),
        **frame,
    }
    return msgspec.json.encode(around)


def failure(code: int, **more: Any) -> bytes:
    """Return a failing body."""
    return msgspec.json.encode({"code": code, "status": "Failure", "message": "no", **more})


def read(body: bytes, number: int = 0, size: int = 10) -> Page:
    """Return the body, read as the page that was asked for."""
    return decode_page(body, number=number, size=size)
