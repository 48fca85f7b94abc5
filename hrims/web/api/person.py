"""The API that fetches one person. Input: a ZanID or payroll number. Output: an enqueued run."""

from hrims.jobs.enqueue_person import enqueue_person
from hrims.web.api.action_bodies import Queued, build_queued
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import PersonRequest
from hrims.web.core.guard import actor
from hrims.web.core.responses import AcceptedOrDone


def fetch_person(body: PersonRequest) -> AcceptedOrDone[Queued]:
    """Enqueue a run for one person. Return 202, or 200 with the unfinished run for the same number."""
    with pool().connection() as conn:
        result = enqueue_person(conn, actor(), body.key)
    state = "is under way already" if result.deduplicated else "is queued"
    message = f"The run for {result.institution} {state}."
    return build_queued(message, result.run_id, result.deduplicated)
