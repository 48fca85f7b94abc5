"""What the database ends although it is there: a conflict, a statement that takes too long, a limit."""

import psycopg
import pytest
from flask import Flask
from procrastinate.exceptions import ConnectorException

from hrims.web.core import errors
from tests.web.browsers import Browser
from tests.web.error_shape import check
from tests.web.failing import failing_app, fails


@pytest.mark.own_app(create=failing_app)
@pytest.mark.parametrize(
    ("sqlstate", "status", "code"),
    [
        ("40001", 503, "busy"),
        ("40P01", 503, "busy"),
        ("55P03", 503, "busy"),
        ("57014", 503, "too_slow"),
        ("53400", 500, "internal"),
        ("54001", 500, "internal"),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_statement_limit_is_not_reported_as_an_outage(
    app: Flask,
    api: Browser,
    officer: Browser,
    caplog: pytest.LogCaptureFixture,
    sqlstate: str,
    status: int,
    code: str,
    wrapped: bool,
) -> None:
    reason: Exception = psycopg.errors.lookup(sqlstate)("relation s3cret")
    if wrapped:
        wrapper = ConnectorException()
        wrapper.__cause__, reason = reason, wrapper
    fails(app, reason)
    answer = api.post("/api/fails")
    message = check(answer, status, code)["message"]
    page = officer.post("/fails", data={"csrf_token": officer.csrf()})
    assert page.status_code == status
    assert errors.DATABASE_AWAY not in message + page.text
    for shown in (answer, page):
        assert ("Retry-After" in shown.headers) == (status == 503)
        assert "s3cret" not in shown.text
    assert caplog.text.count("request_deadlocked") == (2 if sqlstate == "40P01" else 0)
