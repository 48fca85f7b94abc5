"""The API of people. Input: search terms, or a reason to reveal a person. Output: people, masked or not.

Terms and reasons are in the body, never in a URL.
"""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from hrims.employees.fields import COLUMNS, SQL_TYPES
from hrims.employees.masking import API_NAMES
from hrims.people import actions, store
from hrims.web.core import requests
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import RevealRequest, SearchRequest
from hrims.web.core.guard import actor, mask, scope
from hrims.web.core.responses import ResponseBody

MAX_FOUND = 50
"""People in one response."""

Date = Annotated[str, Meta(extra_json_schema={"format": "date"})]


class PersonBody(ResponseBody):
    """A person that was found, masked as for the client. ``similar`` marks a similar spelling of the name."""

    id: int
    zan_id: str
    payroll_number: str | None
    name: str | None
    cadre: str | None
    workplace: str | None
    institution_name: str | None
    status: str
    left_at: str | None
    similar: bool


class FoundPeople(ResponseBody):
    """The first people that match, and whether there are more."""

    people: list[PersonBody]
    more: bool


Revealed = msgspec.defstruct(
    "Revealed",
    [
        ("success", Literal[True]),
        ("id", int),
        *((column, (Date if SQL_TYPES[column] == "date" else str) | None) for column in COLUMNS),
        ("institution_name", str | None),
    ],
    bases=(ResponseBody,),
    rename={column: API_NAMES[column] for column in COLUMNS} | {"institution_name": "institutionName"},
    namespace={"__doc__": "All fields of a person, without masks."},
    module=__name__,
)


def search(body: SearchRequest) -> FoundPeople:
    """Return the people that match a ZanID, payroll number or parts of a name, with ``similar`` spellings."""
    with pool().connection() as conn:
        actions.record_search(conn, actor(), ["words"])
        found = store.search(conn, scope(), body.words, MAX_FOUND + 1, is_exact=mask().hides("name"))
    people = mask().rows(found[:MAX_FOUND])
    return FoundPeople([_person(person) for person in people], more=len(found) > MAX_FOUND)


def reveal(employee_id: str, body: RevealRequest) -> Revealed:  # type: ignore[valid-type] # made of the columns
    """Return all fields of one person, without masks. The reason is recorded."""
    number = requests.id_of(employee_id)
    with pool().connection() as conn:
        person = actions.reveal(conn, actor(), number, body.reason)
    fields = {column: _plain(person[column]) for column in COLUMNS}
    return Revealed(success=True, id=number, **fields, institution_name=person["institution"])


def _person(found: dict[str, Any]) -> PersonBody:
    return PersonBody(
        id=found["id"],
        zan_id=found["zan_id"],
        payroll_number=found["payroll_number"],
        name=found["name"],
        cadre=found["cadre"],
        workplace=found["current_workplace"],
        institution_name=found["institution"],
        status=found["status"],
        left_at=found["left_at"].isoformat() if found["left_at"] else None,
        similar=found["is_similar"],
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
