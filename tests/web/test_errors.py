"""Whatever goes wrong is said in words: JSON of one shape under /api/, a page elsewhere."""

import io
import logging
import re
from typing import Any

import psycopg
import pytest
from flask import Flask, abort, request
from procrastinate.exceptions import ConnectorException
from werkzeug.test import TestResponse

from hrims import errors
from hrims.access.permissions import Permission
from hrims.errors import InputError
from hrims.web.core import permissions
from tests.web.browsers import Browser
from tests.web.error_shape import FETCH, INSTITUTIONS, check
from tests.web.failing import failing_app, fails


@pytest.mark.own_app(create=failing_app)
@pytest.mark.parametrize(
    "kind",
    [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, InputError)],
)
def test_a_refusal_has_its_words_code_and_status(
    app: Flask, api: Browser, officer: Browser, kind: type[InputError]
) -> None:
    fails(app, kind("The words. Nothing was changed."))
    answer = check(api.get("/api/fails"), kind.status, kind.code)
    assert answer["message"] == "The words. Nothing was changed."
    page = officer.get("/fails")
    assert page.status_code == kind.status
    assert "The words. Nothing was changed." in page.text
    assert page.headers["X-Request-Id"] in page.text


@pytest.mark.own_app(create=failing_app)
def test_a_refusal_says_when_to_come_back(app: Flask, api: Browser) -> None:
    full = errors.TooMany("Too many. Nothing was changed.")
    full.retry_after = 7  # type: ignore[attr-defined] # as the throttle's refusal has it
    fails(app, full)
    assert api.get("/api/fails").headers["Retry-After"] == "7"


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api/hrims", "/api/hrims/../nothing"])
def test_an_unknown_address_of_the_api(client: Browser, api: Browser, path: str) -> None:
    check(client.get(path), 404, "not_found")
    check(api.post(path), 404, "not_found")


def test_an_unknown_page(client: Browser, officer: Browser) -> None:
    for browser in (client, officer):
        page = browser.get("/nothing")
        assert page.status_code == 404
        assert page.mimetype == "text/html"
        assert "There is no page at this URL." in page.text
    assert "<script>" not in client.get("/<script>").text


def test_a_wrong_method(api: Browser, officer: Browser) -> None:
    answer = api.delete(INSTITUTIONS)
    check(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert officer.get("/sign-out").status_code == 405


@pytest.mark.own_app
def test_what_is_not_understood(app: Flask, api: Browser) -> None:
    def read() -> Any:
        return request.get_json()

    app.add_url_rule("/api/read", "read", read, methods=["POST"])
    permissions.attach(app, {"read": Permission.USE_ACCOUNT})
    check(api.post("/api/read", data="{", content_type="application/json"), 400, "bad_request")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/xml", "multipart/form-data", "x"])
def test_the_content_type_of_a_body_does_not_matter(api: Browser, content_type: str) -> None:
    check(api.post(FETCH, data="{}", content_type=content_type), 400, "bad_identifier_type")
    check(api.post(FETCH, data="[]", content_type=content_type), 400, "not_json")


def send_in_chunks(browser: Browser, path: str, body: bytes) -> TestResponse:
    """Send a body whose length no header tells, as a server hands it to us."""
    return browser.post(
        path,
        input_stream=io.BytesIO(body),
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )


@pytest.mark.parametrize("environment", [{"HRIMS_MAX_BODY_KB": "1"}], indirect=True)
class TestTooLarge:
    """A body over the limit."""

    def test_one_that_says_so_is_refused_unread(self, api: Browser, officer: Browser) -> None:
        large = b'{"institutionId": "' + b"7" * 1024
        check(api.post(FETCH, data=large), 413, "too_large")
        check(api.post("/api/hrims/jobs/1/cancel", data=large), 413, "too_large")
        assert (
            officer.post("/dashboard/admin/fetch-data", data={"institution": "7" * 1024}).status_code == 413
        )
        assert officer.post("/sign-in", data={"name": "7" * 1024}).status_code == 413

    @pytest.mark.parametrize("path", [FETCH, "/api/hrims/jobs/1/cancel"])
    def test_one_that_does_not_say_so_is_refused_at_the_limit(self, api: Browser, path: str) -> None:
        for size in (1025, 100_000):
            check(send_in_chunks(api, path, b"7" * size), 413, "too_large")

    def test_one_that_does_not_say_so_is_read_below_it(self, api: Browser) -> None:
        check(send_in_chunks(api, FETCH, b"{}" + b" " * 1022), 400, "bad_identifier_type")

    def test_one_at_the_limit_is_read(self, api: Browser) -> None:
        check(api.post(FETCH, data=b"7" * 1024), 400, "not_json")


def test_ten_megabytes(api: Browser) -> None:
    check(api.post(FETCH, data=b"[" * 10_000_000, content_type="application/json"), 413, "too_large")


@pytest.mark.own_app(create=failing_app)
def test_an_unexpected_error_shows_nothing_of_itself(
    app: Flask, api: Browser, officer: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    fails(app, psycopg.errors.UndefinedTable("relation s3cret does not exist"))
    answer = api.get("/api/fails")
    check(answer, 500, "internal")
    page = officer.get("/fails")
    assert page.status_code == 500
    for shown in (answer.text, page.text):
        assert "s3cret" not in shown
        assert "Traceback" not in shown
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    lines = [record.getMessage() for record in errors]
    assert [re.sub(" request_id=[^ ]+$", "", line) for line in lines] == [
        "request_failed method=GET route=/api/fails",
        "request_failed method=GET route=/fails",
    ]
    assert all(record.exc_info for record in errors)


@pytest.mark.own_app(create=failing_app)
@pytest.mark.parametrize(
    "code", ["08006", "25006", "25P02", "53100", "53300", "55000", "57P01", "58030", "XX000"]
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_database_that_cannot_do_it_now_is_asked_again_later(
    app: Flask, api: Browser, officer: Browser, code: str, wrapped: bool
) -> None:
    reason: Exception = psycopg.errors.lookup(code)("relation s3cret")
    if wrapped:
        wrapper = ConnectorException()
        wrapper.__cause__, reason = reason, wrapper
    fails(app, reason)
    answer = api.post("/api/fails")
    check(answer, 503, "database_read_only" if code == "25006" else "database_away")
    page = officer.post("/fails", data={"csrf_token": officer.csrf()})
    assert page.status_code == 503
    for shown in (answer, page):
        assert int(shown.headers["Retry-After"]) > 0
        assert "nothing was changed" in shown.text
        assert "s3cret" not in shown.text


@pytest.mark.own_app
def test_an_error_of_the_frame_is_one_of_ours(app: Flask, api: Browser) -> None:
    app.add_url_rule("/api/abort", "abort", lambda: abort(500))
    app.add_url_rule("/api/teapot", "teapot", lambda: abort(418))
    permissions.attach(app, dict.fromkeys(("abort", "teapot"), Permission.USE_ACCOUNT))
    check(api.get("/api/abort"), 500, "internal")
    check(api.get("/api/teapot"), 418, "im_a_teapot")


def test_the_request_id_of_the_caller_is_kept(client: Browser) -> None:
    answer = client.get("/api/nothing", headers={"X-Request-Id": "Trace-1.a_b"})
    assert check(answer, 404, "not_found")["requestId"] == "Trace-1.a_b"


@pytest.mark.parametrize("odd", ["", "a b", "<script>", "x" * 65, "é", "a;b"])
def test_an_odd_request_id_is_replaced(client: Browser, odd: str) -> None:
    params = {"X-Request-Id": odd}
    first, second = (client.get("/api/nothing", headers=params).headers["X-Request-Id"] for _ in range(2))
    assert odd not in {first, second}
    assert first != second
