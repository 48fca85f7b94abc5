"""A request for a host that is malformed or not served: refused without a traceback in the log."""

import logging
from typing import Any

import pytest
from flask import Flask

from tests.web.browsers import Browser, new_browser
from tests.web.error_shape import check

PAGES = ("/", "/sign-in", "/healthz", "/nothing", "/dashboard/admin/people", "/static/nothing")

MALFORMED = [
    *("a b", "a/b", "[::1", "[::1]x", "x:y", "x:0", "x:99999", "a\x1b[31mb", "é", "a@b", "a,b", "<b>", " "),
    *("a..b", ".", "x" * 64 + ".example", "x" * 4000, "xn--\x00", "a\nb"),
]

SERVED = {"HRIMS_HOSTS": "hrims.example, Sync.Example."}


def ask(browser: Browser, path: str, host: str) -> Any:
    """Asks for a path at a host, whatever it looks like."""
    return browser.get(path, environ_overrides={"HTTP_HOST": host})


@pytest.mark.parametrize("host", MALFORMED)
def test_a_malformed_host_is_refused(
    app: Flask, officer: Browser, api: Browser, caplog: pytest.LogCaptureFixture, host: str
) -> None:
    for path in PAGES:
        for browser in (officer, new_browser(app)):
            with ask(browser, path, host) as answer:
                assert answer.status_code == 400, path
                assert "The Host header" in answer.text
                assert answer.headers["Content-Security-Policy"]
    check(ask(api, "/api/hrims/institutions", host), 400, "bad_host")
    assert len(caplog.text) < 500 * len(PAGES)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:9002", "[::1]:9002", "any.example", "ANY.example:1", "a-b.c.", "web_1"]
)
def test_without_the_setting_every_well_formed_host_is_served(client: Browser, host: str) -> None:
    assert ask(client, "/sign-in", host).status_code == 200


@pytest.mark.parametrize("environment", [SERVED], indirect=True)
class TestNamedHosts:
    """With HRIMS_HOSTS."""

    @pytest.mark.parametrize(
        "host", ["hrims.example", "HRIMS.example:80", "sync.example.:8443", "localhost:9002", "[::1]"]
    )
    def test_one_of_them_is_served(self, client: Browser, host: str) -> None:
        assert ask(client, "/sign-in", host).status_code == 200

    @pytest.mark.parametrize("host", ["evil.example", "hrims.example.evil", "evil-hrims.example", "10.0.0.1"])
    def test_another_is_refused(self, officer: Browser, api: Browser, host: str) -> None:
        answer = ask(officer, "/dashboard/admin/people", host)
        assert answer.status_code == 400
        assert "evil" not in answer.text
        check(ask(api, "/api/hrims/institutions", host), 400, "bad_host")

    def test_a_probe_without_the_header_is_answered(self, client: Browser) -> None:
        assert client.get("/healthz", environ_overrides={"HTTP_HOST": None}).status_code == 200
