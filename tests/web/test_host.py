"""A request for a host that is malformed or not served: refused without a traceback in the log."""

import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask

from tests.support.served import Served
from tests.web.browsers import Browser, new_browser
from tests.web.error_shape import check

PAGES = ("/", "/sign-in", "/healthz", "/nothing", "/dashboard/admin/people", "/static/nothing")

MALFORMED = [
    *("a b", "a/b", "[::1", "[::1]x", "x:y", "x:0", "x:99999", "a\x1b[31mb", "é", "a@b", "a,b", "<b>", " "),
    *("a..b", ".", "x" * 64 + ".example", "x" * 4000, "xn--\x00", "a\nb"),
]

EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing outside of this machine is reached

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


@pytest.mark.own_app
def test_the_line_about_a_refused_host_has_the_id_of_its_request(
    client: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    client.get("/sign-in", headers={"X-Request-Id": "the-first-request"})
    client.get(
        "/",
        headers={"X-Request-Id": "the-second-request"},
        environ_overrides={"HTTP_HOST": "other.example"},
    )
    (line,) = [message for message in caplog.messages if "host_refused" in message]
    assert "the-second-request" in line
    assert "the-first-request" not in line


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.:80", "127.0.0.1:9002", "[::1]:9002"])
def test_without_the_setting_this_machine_is_served(client: Browser, host: str) -> None:
    assert ask(client, "/sign-in", host).status_code == 200


@pytest.mark.parametrize(
    "host", ["any.example", "localhost.evil.example", "web_1", EVERYWHERE, "10.0.0.1", "[::]"]
)
@pytest.mark.parametrize("environment", [{}, {"HRIMS_HOST": EVERYWHERE}, {"HRIMS_HOST": "::"}], indirect=True)
def test_without_the_setting_no_other_is(app: Flask, api: Browser, client: Browser, host: str) -> None:
    for path in PAGES:
        with ask(client, path, host) as answer:
            assert answer.status_code == 400, path
            assert "HRIMS_HOSTS" in answer.text
    check(ask(api, "/api/hrims/institutions", host), 400, "bad_host")


@pytest.mark.parametrize("environment", [{"HRIMS_HOST": "Web.Internal"}], indirect=True)
def test_the_name_on_which_it_listens_is_served(client: Browser) -> None:
    assert ask(client, "/sign-in", "web.internal:9002").status_code == 200
    assert ask(client, "/sign-in", "web.external").status_code == 400


@pytest.mark.parametrize("environment", [{}, SERVED], indirect=True)
@pytest.mark.parametrize(
    ("arrived", "host", "status"),
    [
        ("10.0.0.1", "10.0.0.1:9002", 200),
        ("10.0.0.1", "10.0.0.2:9002", 400),
        ("::ffff:10.0.0.1", "10.0.0.1", 200),
        ("fe80::1%eth0", "[fe80::1]:9002", 200),
        ("2001:db8::1", "[2001:DB8:0::1]", 200),
        ("2001:db8::1", "[2001:db8::2]", 400),
        ("web.example", "web.example", 400),
    ],
)
def test_a_probe_may_name_the_address_at_which_it_arrives(
    client: Browser, arrived: str, host: str, status: int
) -> None:
    probe = client.get("/healthz", environ_overrides={"HTTP_HOST": host, "SERVER_NAME": arrived})
    assert probe.status_code == status


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/sign-in", 200),
        ("http://localhost/sign-in", 200),
        ("http://evil.example/sign-in", 400),
        ("http://evil.example@localhost/sign-in", 400),
        ("http://[/sign-in", 400),
        ("evil.example:80", 400),
    ],
)
def test_the_host_in_a_whole_url_counts_as_well(client: Browser, target: str, status: int) -> None:
    answer = client.get("/sign-in", environ_overrides={"HTTP_HOST": "localhost", "RAW_URI": target})
    assert answer.status_code == status


def test_the_real_web_process_knows_at_which_address_a_request_arrives(dsn: str, tmp_path: Path) -> None:
    with Served(tmp_path, {"DATABASE_URL": dsn, "HRIMS_HOST": EVERYWHERE}) as web:
        url = f"http://127.0.0.2:{web.port}"
        for path in PAGES:
            for host, is_served in {
                "127.0.0.2": True,
                "127.0.0.3": False,
                "evil.example": False,
                "..": False,
            }.items():
                answer = httpx.get(url + path, headers={"Host": host}, trust_env=False)
                assert (answer.status_code != 400) is is_served, (path, host)
        log = web.log.read_text()
    assert "Traceback" not in log
    assert len(log) < 20_000


@pytest.mark.own_app
def test_a_refused_host_is_logged_once_in_a_while(client: Browser, caplog: pytest.LogCaptureFixture) -> None:
    for host in ("hrims.example:9002", "evil.example", "a\x1b[31m"):
        ask(client, "/", host)
    lines = [text for text in caplog.messages if text.startswith("host_refused")]
    assert [line.partition(" request_id")[0] for line in lines] == ["host_refused host=hrims.example count=1"]


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
