"""The API that searches people. Input: search terms. Output: people.

The terms are in the body, never in a URL.
"""

from typing import Any

from hrims.people import store
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import SearchRequest
from hrims.web.core.guard import scope

MAX_FOUND = 50
"""People in one response."""


def search(body: SearchRequest) -> dict[str, Any]:
    """Return the people that match a ZanID, payroll number or parts of a name, with ``similar`` spellings."""
    with pool().connection() as conn:
        found = store.search(conn, scope(), body.words, MAX_FOUND + 1)
    return {"people": [_person(one) for one in found[:MAX_FOUND]], "more": len(found) > MAX_FOUND}


def _person(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": found["id"],
        "zanId": found["zan_id"],
        "payrollNumber": found["payroll_number"],
        "name": found["name"],
        "cadre": found["cadre"],
        "workplace": found["current_workplace"],
        "institutionName": found["institution"],
        "status": found["status"],
        "leftAt": found["left_at"].isoformat() if found["left_at"] else None,
        "similar": found["is_similar"],
    }
