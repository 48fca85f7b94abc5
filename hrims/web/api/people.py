"""The API of people. Input: search terms, or a reason to reveal a person. Output: people, masked or not.

Terms and reasons are in the body, never in a URL.
"""

from datetime import date
from typing import Any

from hrims.employees.masking import API_NAMES
from hrims.people import actions, store
from hrims.web.core import requests
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import RevealRequest, SearchRequest
from hrims.web.core.guard import actor, mask, scope

MAX_FOUND = 50
"""People in one response."""


def search(body: SearchRequest) -> dict[str, Any]:
    """Return the people that match a ZanID, payroll number or parts of a name, with ``similar`` spellings."""
    with pool().connection() as conn:
        actions.record_search(conn, actor(), ["words"])
        found = store.search(conn, scope(), body.words, MAX_FOUND + 1, is_exact=mask().hides("name"))
    people = mask().rows(found[:MAX_FOUND])
    return {"people": [_person(person) for person in people], "more": len(found) > MAX_FOUND}


def reveal(employee_id: str, body: RevealRequest) -> dict[str, Any]:
    """Return all fields of one person, without masks. The reason is recorded."""
    number = requests.id_of(employee_id)
    with pool().connection() as conn:
        person = actions.reveal(conn, actor(), number, body.reason)
    fields = {name: _plain(person[column]) for column, name in API_NAMES.items()}
    return {"success": True, "id": number, **fields, "institutionName": person["institution"]}


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


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
