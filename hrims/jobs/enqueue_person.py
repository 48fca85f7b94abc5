"""Enqueueing of a run for one person.

Input: a ZanID or payroll number. Output: a new run, or the unfinished one for the same number. The number is
personal data: only the run has it; logs, messages and the audit record do not.
"""

import re
from typing import Any

from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput
from hrims.jobs import store
from hrims.jobs.attempts.retry_policy import DEFAULT_POLICY
from hrims.jobs.enqueue import (
    MAX_ENQUEUE_ATTEMPTS,
    EnqueueResult,
    check_queue_limit,
    enqueue_job,
    requester_of,
)
from hrims.jobs.rate_limit.priorities import NORMAL
from hrims.text import compact

NUMBER = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9/.-]{2,29}")
"""A ZanID has 8 to 10 digits. Institutions define their own payroll numbers; each contains a digit."""

BAD_KEY = (
    "Give a ZanID or a payroll number as text, leading zeros kept: 3 to 30 letters and digits, with at least "
    "one digit, and / . - between them."
)

ONE_PERSON = "one person"


def enqueue_person(conn: Connection, actor: Actor, key: str) -> EnqueueResult:
    """Enqueue a run for one person in a separate transaction.

    Raises InvalidInput before anything is written.
    """
    number = check_number(key)
    with conn.transaction():
        for _ in range(MAX_ENQUEUE_ATTEMPTS):
            if unfinished := store.find_unfinished(conn, None, number):
                store.add_requester(conn, unfinished[0], actor.user_id)
                return EnqueueResult(unfinished[0], ONE_PERSON, deduplicated=True)
            check_queue_limit(conn, actor)
            if run_id := store.insert_run(conn, _run_row(actor, number)):
                enqueue_job(conn, run_id)
                record(conn, actor, "run.ask", f"run:{run_id}", kind="person")
                return EnqueueResult(run_id, ONE_PERSON, deduplicated=False)
    raise Conflict("Other runs for this person start and end at the moment. Request it again.", "busy")


def _run_row(actor: Actor, key: str) -> dict[str, Any]:
    return {
        "kind": "person",
        "of_run_id": None,
        "institution_id": None,
        "identifier_type": "person",
        "identifier": key,
        "page_size": 1,
        "priority": NORMAL,
        **requester_of(actor),
        **DEFAULT_POLICY._asdict(),
    }


def check_number(key: str) -> str:
    """Return the number for the request to HRIMS, without white space. Raises InvalidInput if it is wrong."""
    number = compact(key)
    if not NUMBER.fullmatch(number):
        raise InvalidInput(f"{BAD_KEY} Nothing was queued.", "bad_key")
    return number
