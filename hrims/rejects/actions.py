"""Requests the rejected records again. Input: an institution and an identifier type. Output: a queued run of
kind ``rejected``, which fetches only the pages that contain open rejects.
"""

from hrims.access.actor import Actor
from hrims.db import Connection
from hrims.errors import Conflict
from hrims.jobs import enqueue
from hrims.jobs.enqueue import EnqueueResult
from hrims.rejects import store

SMALL_PAGE_SIZE = 10
"""Records per page: such a page responds soon, and still contains a record that moved by a few positions."""

MAX_SMALL_PAGES = 50
"""Maximum number of small pages. Above it, large pages fetch many rejects faster."""


def retry_rejects(conn: Connection, actor: Actor, institution_id: int, identifier_type: str) -> EnqueueResult:
    """Enqueue the run, and save in the same transaction which cases it requests.

    Raises NotFound and Unprocessable as ``jobs.enqueue`` does. Raises Conflict if no reject is
    open, or if another run of the institution is under way.
    """
    with conn.transaction():
        institution = enqueue.find_institution(conn, institution_id, actor.scope)
        positions = store.lock_open(conn, institution_id, identifier_type)
        if not positions:
            raise Conflict(
                f"{institution.name} has no open rejects in this list. Nothing was queued.",
                "no_open_rejects",
            )
        result = enqueue.enqueue_run(
            conn,
            actor,
            institution_id=institution_id,
            identifier_type=identifier_type,
            identifier=institution.identifier(identifier_type) or "",
            page_size=choose_page_size(positions),
            kind="rejected",
        )
        if not result.deduplicated:
            store.insert_run_cases(conn, result.run_id, institution_id, identifier_type)
    return result


def choose_page_size(positions: list[int]) -> int:
    """Return the small page size, unless there would be too many such pages."""
    pages = {position // SMALL_PAGE_SIZE for position in positions}
    return SMALL_PAGE_SIZE if len(pages) <= MAX_SMALL_PAGES else enqueue.PAGE_SIZE
