"""A person's history in words: rows of the database come in, entries for people go out. Pure."""

from datetime import datetime
from typing import Any, NamedTuple

LABELS = {
    "zan_id": "ZanID",
    "payroll_number": "Payroll number",
    "zssf_number": "ZSSF number",
    "name": "Name",
    "gender": "Gender",
    "date_of_birth": "Date of birth",
    "place_of_birth": "Place of birth",
    "region": "Region",
    "country_of_birth": "Country of birth",
    "phone_number": "Phone number",
    "contact_address": "Address",
    "status": "Status",
    "current_workplace": "Workplace",
    "institution": "Institution",
    "ministry": "Ministry",
    "department": "Department",
    "current_reporting_office": "Reporting office",
    "cadre": "Cadre",
    "salary_scale": "Salary scale",
    "appointment_type": "Appointment type",
    "contract_type": "Contract type",
    "recent_title_date": "Title since",
    "employment_date": "Employed since",
    "confirmation_date": "Confirmed on",
    "retirement_date": "Retires on",
    "highest_education": "Highest education",
}
"""The fields of a person as people call them, in the order in which a page shows them."""

HAPPENED = {
    "first_seen": "First seen",
    "changed": "Changed",
    "left": "Left",
    "transferred": "Transferred",
    "unlisted": "No longer on one list",
    "came_back": "Came back",
    "listed_again": "Listed again",
    "undone": "Taken back",
}

TOLD = {
    "left": "{list} missed them, and no other list has them.",
    "transferred": "{list} missed them; another institution lists them.",
    "unlisted": "{list} missed them; the institution's other number still lists them.",
    "came_back": "{list} has them again.",
    "listed_again": "{list} has them again.",
    "undone": "A person said that they are not gone; {list} counts them in again.",
}

NUMBERS = {"votecode": "vote code", "tin": "TIN"}


class Change(NamedTuple):
    """One field: its name in words, what it was and what it is; None is empty."""

    field: str
    old: str | None
    new: str | None


class Entry(NamedTuple):
    """One thing that happened: when, what, in which run (None: by a person alone), and because of whom."""

    at: datetime
    kind: str
    title: str
    words: str | None
    changes: list[Change]
    run_id: int | None
    asked_by: str | None
    made_by: str | None


def entry(
    at: datetime,
    kind: str,
    run_id: int | None,
    asked_by: str | None,
    made_by: str | None,
    institution: str | None,
    identifier_type: str | None,
    changes: dict[str, list[Any]] | None,
) -> Entry:
    """One row of a person's history as an entry."""
    words = TOLD.get(kind)
    if words:
        whose = f"The list of {institution} (by {NUMBERS[identifier_type or 'votecode']})"
        words = words.format(list=whose)
        words = words[0].upper() + words[1:]
    return Entry(at, kind, HAPPENED[kind], words, _changes(changes or {}), run_id, asked_by, made_by)


def label(field: str) -> str:
    """A field as people call it."""
    return LABELS.get(field, field.replace("_", " ").capitalize())


def _changes(changes: dict[str, list[Any]]) -> list[Change]:
    order = list(LABELS)
    fields = sorted(changes, key=lambda one: (order.index(one) if one in order else len(order), one))
    return [Change(label(field), _text(changes[field][0]), _text(changes[field][1])) for field in fields]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
