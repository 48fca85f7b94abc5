"""How a run that asks again for the rejected speaks of itself: true, and of nothing beyond its pages."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from hrims.runs.model import Run

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

NOT_FOUND = (
    "Fetched 5 rejected records again: 1 corrected, 1 still rejected, 3 not found where last seen, "
    "and left open. Fetch the whole institution to find them."
)


def run(**given: Any) -> Run:
    usual: dict[str, Any] = {field.name: 0 for field in fields(Run)}
    for one in (
        "outcome",
        "note",
        "trouble",
        "trouble_code",
        "not_asked",
        "wait_code",
        "finished_at",
        "paused_by",
        "page_finding",
        "last_complete_people",
    ):
        usual[one] = None
    usual |= {"kind": "rejected", "state": "active", "page_size": 10, "remote_total": 6408, "drift": []}
    usual |= {"requested_at": NOW, "started_at": NOW, "a_worker_lives": True, "asked_again": 5}
    return Run(**usual | given)


@pytest.mark.parametrize(
    ("came_right", "missing", "message"),
    [
        (5, 0, "Fetched 5 rejected records again: 5 corrected, 0 still rejected."),
        (1, 0, "Fetched 5 rejected records again: 1 corrected, 4 still rejected."),
        (
            1,
            3,
            NOT_FOUND,
        ),
    ],
)
def test_when_it_has_ended(came_right: int, missing: int, message: str) -> None:
    outcome = "incomplete" if missing else "complete"
    ended = run(state="completed", outcome=outcome, came_right=came_right, missing=missing, finished_at=NOW)
    assert ended.message == message
    assert ended.word == "fetched again"
    assert ended.percent == 100


def test_a_refetch_under_way_does_not_mention_all_pages() -> None:
    assert run(pages=1).message == "Fetching 5 rejected records again: 1 page read."
    assert run(asked_again=1, pages=2).message == "Fetching 1 rejected record again: 2 pages read."
    assert (run().percent, run().estimated_pages) == (0, None)


def test_messages_of_other_runs_are_unchanged() -> None:
    whole = run(kind="sync", state="completed", outcome="complete_after_repair", people=1, missing=0)
    assert whole.word == "complete after repair"
    assert "all 6,408" in whole.message
    assert run(kind="sync").estimated_pages == 641
