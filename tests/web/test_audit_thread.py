"""The thread of a web process that chains audit records."""

import psycopg
from flask import Flask

from hrims.audit.verification import verify
from hrims.web.core import audit_thread
from hrims.web.core.app_state import state_of
from tests.web.browsers import Browser


def test_it_chains_what_requests_recorded(app: Flask, api: Browser, conn: psycopg.Connection) -> None:
    state = state_of(app)
    assert api.post("/api/hrims/queue/pause", json={"why": "Friday"}).status_code == 200
    audit_thread.run_once(state)
    result = verify(conn, [])
    assert (result.finding, result.pending) == (None, 0)
    assert result.head.sequence > 0


def test_it_opens_no_connection_before_a_request(app: Flask) -> None:
    state = state_of(app)
    state.close()
    audit_thread.run_once(state)
    assert not state.is_open
