"""The search for people for machines: words come in, in the body and in no address; people go out."""

from typing import Any

from flask import Blueprint

from hrims.employees.rejects import is_unicode
from hrims.errors import InvalidInput
from hrims.people import store
from hrims.web import guard
from hrims.web.api import body
from hrims.web.parts import pool

blueprint = Blueprint("api_people", __name__, url_prefix="/api/hrims/people")

LONGEST = 100
"""Letters that a search takes."""

MOST_FOUND = 50
"""People that an answer holds."""


@blueprint.post("/search")
@guard.looks
def search() -> dict[str, Any]:
    """Return the people that a ZanID, payroll number or parts of a name find, with ``similar`` spellings."""
    words = body().get("words")
    if not isinstance(words, str) or not is_unicode(words) or not 1 <= len(words.strip()) <= LONGEST:
        raise InvalidInput(
            f"words must be text of 1 to {LONGEST} letters. Nothing was searched.", "bad_words"
        )
    with pool().connection() as conn:
        found = store.search(conn, words, MOST_FOUND + 1)
    return {"people": [_person(one) for one in found[:MOST_FOUND]], "more": len(found) > MOST_FOUND}


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
