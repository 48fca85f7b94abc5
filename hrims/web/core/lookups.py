"""Finds what a URL or a body names. Input: an id as text. Output: the row. Raises errors with a message."""

from hrims.db import Connection
from hrims.errors import InvalidInput, NotFound
from hrims.institutions import store as institution_store
from hrims.institutions.store import Institution
from hrims.jobs.workers import store as workers_store
from hrims.jobs.workers.store import RunPolicy
from hrims.leavers import store as leavers_store
from hrims.leavers.model import DepartureView
from hrims.numbers import whole
from hrims.runs import store as run_store
from hrims.runs.model import Run
from hrims.web.core import guard
from hrims.webhooks import actions as webhook_actions
from hrims.webhooks.store import Endpoint


def find_run(conn: Connection, job_id: str) -> Run:
    """Return the run with this id. Raises InvalidInput if it is no id, NotFound if no run has it."""
    number = whole(job_id)
    if not number:
        raise InvalidInput("A job id is a whole number.", "bad_job_id")
    run = run_store.find_run(conn, guard.scope(), number)
    if not run:
        raise NotFound("There is no job with this id.", "unknown_job")
    return run


def find_institution(conn: Connection, institution_id: str) -> Institution:
    """Return the institution with this id. Raises NotFound."""
    number = whole(institution_id)
    institution = institution_store.find_institution(conn, number, guard.scope()) if number else None
    if not institution:
        raise NotFound("There is no institution with this id on the register.", "unknown_institution")
    return institution


def find_run_policy(conn: Connection, institution: Institution) -> RunPolicy:
    """Return the run policy of an institution that exists."""
    policy = workers_store.find_run_policy(conn, institution.id)
    assert policy is not None
    return policy


def find_departure(conn: Connection, departure_id: str) -> DepartureView:
    """Return the departure with this id. Raises InvalidInput if it is no number, NotFound."""
    number = whole(departure_id)
    if not number:
        raise InvalidInput("The number of leavers is a whole number.", "bad_leavers_id")
    departure = leavers_store.find_departure(conn, guard.scope(), number)
    if not departure:
        raise NotFound("There are no leavers with this number.", "unknown_leavers")
    return departure


def find_endpoint(conn: Connection, endpoint_id: str) -> Endpoint:
    """Return the endpoint with this id. Raises InvalidInput if it is no number, NotFound."""
    number = whole(endpoint_id)
    if not number:
        raise InvalidInput("The number of a webhook endpoint is a whole number.", "bad_endpoint_id")
    return webhook_actions.find(conn, number)
