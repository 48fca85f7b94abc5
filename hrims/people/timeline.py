"""Formats an employee's history. Input: rows of the database. Output: entries for users. Pure."""

from datetime import datetime
from typing import Any, NamedTuple

from hrims.employees.fields import LABELS, get_label

TITLES = {
    "first_seen": "First seen",
    "changed": "Changed",
    "left": "Left",
    "transferred": "Transferred",
    "unlisted": "No longer on one list",
    "came_back": "Came back",
    "listed_again": "Listed again",
    "undone": "Taken back",
}

SENTENCES = {
    "left": "{list} missed them, and no other list has them.",
    "transferred": "{list} missed them; another institution lists them.",
    "unlisted": "{list} missed them; the institution's other number still lists them.",
    "came_back": "{list} has them again.",
    "listed_again": "{list} has them again.",
    "undone": "A user undid the departure; {list} lists them again.",
}

NUMBERS = {"votecode": "vote code", "tin": "TIN"}


class Change(NamedTuple):
    """The change of one field: its label, its old and its new value. None means empty."""

    field: str
    old: str | None
    new: str | None


class Entry(NamedTuple):
    """One entry of the history.

    ``run_id`` is None if a user made the change without a run, or if the reader may not see the run.
    ``asked_by`` is the user who requested the run. ``made_by`` is the user who made the change.
    """

    at: datetime
    kind: str
    title: str
    sentence: str | None
    changes: list[Change]
    run_id: int | None
    asked_by: str | None
    made_by: str | None


def to_entry(
    at: datetime,
    kind: str,
    run_id: int | None,
    asked_by: str | None,
    made_by: str | None,
    institution: str | None,
    identifier_type: str | None,
    *,
    changes: dict[str, list[Any]],
) -> Entry:
    """Return one row of an employee's history as an entry."""
    sentence = SENTENCES.get(kind)
    if sentence:
        list_name = f"The list of {institution} (by {NUMBERS[identifier_type or 'votecode']})"
        sentence = sentence.format(list=list_name)
        sentence = sentence[0].upper() + sentence[1:]
    return Entry(at, kind, TITLES[kind], sentence, _changes(changes), run_id, asked_by, made_by)


def _changes(changes: dict[str, list[Any]]) -> list[Change]:
    order = [column for column in LABELS if column in changes]
    order += sorted(changes.keys() - LABELS)
    return [Change(get_label(column), *map(_text, changes[column])) for column in order]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
