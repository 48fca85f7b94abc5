"""The JSON API for one person: a ZanID or payroll number comes in; a queued run goes out."""

from flask import Blueprint

from hrims.jobs.ask_person import ask_person
from hrims.web.api import Answer, body, queued
from hrims.web.guard import actor
from hrims.web.parts import pool

blueprint = Blueprint("api_person", __name__, url_prefix="/api/hrims")


@blueprint.post("/fetch-person")
def fetch_person() -> Answer:
    """Queues a run for one person: 202, or 200 with the run that is under way for the same number."""
    key = body().get("key")
    with pool().connection() as conn:
        asked = ask_person(conn, actor(), key)
    words = "is under way already" if asked.deduplicated else "is queued"
    return queued(f"The run for {asked.institution} {words}.", asked.run_id, asked.deduplicated)
