"""Asking again for the rejected: an institution and its identifier come in; a queued run of the kind
``rejected`` goes out, which fetches only the pages that hold open rejects.
"""

from hrims.access.audit import Actor
from hrims.db import Connection
from hrims.errors import Conflict
from hrims.jobs import ask
from hrims.jobs.ask import Asked
from hrims.rejects import store

SMALL = 10
"""Records a page: they come back soon, and who moved by a few places is still on it."""

MOST_SMALL = 50
"""Small pages above which larger ones are asked for: many rejects are better fetched by the hundred."""


def ask_again(conn: Connection, actor: Actor, institution_id: int, identifier_type: str) -> Asked:
    """Queues the run, in one transaction with what it is to ask for.

    Raises InvalidInput, NotFound, NotAcceptable as ``jobs.ask`` does; Conflict when no reject is open, or
    another run of the institution is under way.
    """
    ask.check_identifier_type(identifier_type)
    with conn.transaction():
        institution = ask.find_institution(conn, institution_id)
        places = store.lock_open(conn, institution_id, identifier_type)
        if not places:
            raise Conflict(
                f"{institution.name} has no open rejects in this listing. There is nothing to ask again for.",
                "no_open_rejects",
            )
        asked = ask.ask(
            conn,
            actor,
            institution_id=institution_id,
            identifier_type=identifier_type,
            identifier=institution.identifier(identifier_type) or "",
            page_size=page_size(places),
            kind="rejected",
        )
        if not asked.deduplicated:
            store.ask_for_open(conn, asked.run_id, institution_id, identifier_type)
    return asked


def page_size(places: list[int]) -> int:
    """Small pages, unless there would be many of them."""
    return SMALL if len({place // SMALL for place in places}) <= MOST_SMALL else ask.PAGE_SIZE
