"""Asking for one person: a ZanID or payroll number comes in; a queued run goes out, or the one under way for
the same number. The number is personal data: it stands in the run alone, and nothing repeats it.
"""

import re
from typing import Any

from hrims.access.audit import Actor, record
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput
from hrims.jobs import store
from hrims.jobs.ask import BETWEEN_TWO_RUNS, Asked, queue_run
from hrims.jobs.attempts.patience import USUAL
from hrims.jobs.starts.priorities import NORMAL
from hrims.text import compact

NUMBER = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9/.-]{2,29}")
"""A ZanID is 8 to 10 digits. Institutions form their own payroll numbers, but each has a digit."""

ONE_PERSON = "one person"


def ask_person(conn: Connection, actor: Actor, key: object) -> Asked:
    """Queues a run for one person in one transaction of its own.

    Raises InvalidInput before anything is written.
    """
    wanted = check_key(key)
    with conn.transaction():
        for _ in range(BETWEEN_TWO_RUNS):
            if there := store.under_way(conn, None, wanted):
                return Asked(there[0], ONE_PERSON, deduplicated=True)
            if run_id := store.insert_run(conn, _run(actor, wanted)):
                queue_run(conn, run_id)
                record(conn, actor, "run.ask", f"run:{run_id}", kind="person")
                return Asked(run_id, ONE_PERSON, deduplicated=False)
    raise Conflict("Other runs for this person begin and end just now. Ask again.", "busy")


def _run(actor: Actor, key: str) -> dict[str, Any]:
    return {
        "kind": "person",
        "of_run_id": None,
        "institution_id": None,
        "identifier_type": "person",
        "identifier": key,
        "page_size": 1,
        "priority": NORMAL,
        "requested_by": actor.name,
        "requested_via": actor.via,
        **USUAL._asdict(),
    }


def check_key(key: object) -> str:
    """Return the number as HRIMS is asked for it, without white space. Raises InvalidInput if it is none."""
    wanted = compact(key) if isinstance(key, str) else ""
    if not NUMBER.fullmatch(wanted):
        raise InvalidInput(
            "Give a ZanID or a payroll number as text, leading zeros kept: 3 to 30 letters and digits, with "
            "at least one digit, and / . - between them. Nothing was queued.",
            "bad_key",
        )
    return wanted
