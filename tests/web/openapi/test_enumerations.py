"""The values of texts in the description of the API are those that the database allows."""

import re
from typing import Any, Final, get_args

import pytest

from hrims.db import Connection
from hrims.web.api import enumerations

COLUMNS: Final = {
    "RunState": "runs.state",
    "RunKind": "runs.kind",
    "RunPriority": "runs.priority",
    "Phase": "run_progress.phase",
    "Outcome": "runs.outcome",
    "ListIdentifierType": "listings.identifier_type",
    "RunIdentifierType": "runs.identifier_type",
    "AttemptEnd": "run_attempts.ended_as",
    "BatchScope": "batches.scope",
    "Missed": "schedules.missed",
    "FiringResult": "schedule_firings.became",
    "DepartureState": "departures.state",
    "ApprovalAction": "approvals.action",
    "ApprovalState": "approvals.state",
    "MessageType": "webhook_messages.event",
    "MessageState": "webhook_messages.state",
}
"""The column of each enumeration."""

OF_CODE: Final = {"MemberState", "RejectCode"}
"""Enumerations that are made of a constant of the code."""


def values_of(name: str) -> set[str]:
    """Return the values of an enumeration."""
    meta = get_args(getattr(enumerations, name))[1]
    schema: dict[str, Any] = meta.extra_json_schema
    return set(schema["enum"])


def test_every_enumeration_is_compared() -> None:
    found = {name for name in vars(enumerations) if get_args(getattr(enumerations, name))[:1] == (str,)}
    assert found == COLUMNS.keys() | OF_CODE


@pytest.mark.parametrize("name", COLUMNS)
def test_its_values_are_those_of_the_check(conn: Connection, name: str) -> None:
    table, column = COLUMNS[name].split(".")
    checks = conn.execute(
        "SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c JOIN pg_attribute a"
        " ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]"
        " WHERE c.contype = 'c' AND c.conrelid = %s::regclass AND a.attname = %s",
        (table, column),
    ).fetchall()
    allowed = [set(re.findall(r"'([^']+)'::text", check)) for (check,) in checks if "= ANY" in check]
    assert allowed == [values_of(name)]
