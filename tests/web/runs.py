"""Institutions and runs for web tests, made by the functions that the product itself uses."""

from typing import Any

from hrims.db import Connection
from tests.database.runs import enqueue_run_of, institution

__all__ = ["end_run", "enqueue_run_of", "error_of", "fetch_body", "institution"]


def fetch_body(institution_id: int, **changes: Any) -> dict[str, Any]:
    """Return a valid body for ``fetch-by-institution``. A change to None removes the field."""
    body = {"institutionId": institution_id, "identifierType": "votecode", "voteNumber": "001"} | changes
    return {name: value for name, value in body.items() if value is not None}


def end_run(conn: Connection, run_id: int, state: str = "completed", outcome: str | None = "complete") -> int:
    """End a run as a worker does. Return its id."""
    done = state == "completed"
    conn.execute(
        """
        UPDATE runs SET state = %s, outcome = %s, started_at = now() - interval '7 seconds',
               finished_at = now(), people = %s, seen_twice = %s, missing = %s, trouble = %s
        WHERE id = %s
        """,
        (state, outcome if done else None, *(3 * [0] if done else 3 * [None]), "HRIMS timed out.", run_id),
    )
    conn.execute(
        "UPDATE procrastinate_jobs SET status = 'failed' WHERE args ->> 'run_id' = %s", (str(run_id),)
    )
    return run_id


def error_of(answer: Any) -> tuple[int, str]:
    """Return status and code of a response that must have the error shape of the API."""
    body = answer.get_json()
    assert set(body) == {"success", "message", "code", "requestId"}, body
    assert body["success"] is False
    assert body["message"]
    return answer.status_code, body["code"]
