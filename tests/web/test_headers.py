"""What every answer carries, and how long static files are kept."""

import re
from hashlib import sha256

import pytest

from hrims.db import Connection
from hrims.web.routes import ROUTES
from tests import PROJECT
from tests.support.users import PASSWORD, add_user
from tests.web.browsers import Browser

VENDOR = PROJECT / "static" / "vendor"


@pytest.mark.parametrize(
    "path", ["/sign-in", "/nothing", "/api/nothing", "/healthz", "/static/hrims.css", "/static/nothing", "/"]
)
def test_every_answer_keeps_browsers_careful(client: Browser, path: str) -> None:
    with client.get(path) as answer:
        headers = answer.headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", headers["X-Request-Id"])
    assert "Strict-Transport-Security" not in headers


@pytest.mark.parametrize("path", ["/sign-in", "/nothing", "/api/nothing", "/healthz", "/static/nothing"])
def test_pages_and_the_api_are_kept_nowhere(client: Browser, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] == "no-store"


def test_static_files_are_kept_while_they_are_the_same(client: Browser) -> None:
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/sign-in").text)
    assert len(addresses) >= 5
    for address in addresses:
        with client.get(address) as answer:
            assert answer.status_code == 200, address
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for path in ("/static/hrims.css", "/static/hrims.css?v=old"):
        with client.get(path) as answer:
            assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["/sign-in", "/nothing"])
def test_a_page_has_no_inline_style_or_script(officer: Browser, client: Browser, path: str) -> None:
    for browser in (officer, client):
        page = browser.get(path, follow_redirects=True).text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:", page)


def test_the_page_says_who_is_signed_in_and_sends_its_token(officer: Browser) -> None:
    page = officer.get("/nothing").text
    assert "asha" in page
    assert re.search(r"""<body [^>]*hx-headers='{"X-CSRFToken": "[\w.-]+"}'""", page)


@pytest.mark.parametrize(
    "environment", [{"HRIMS_HTTPS_ONLY": "yes", "HRIMS_TRUSTED_PROXIES": "1"}], indirect=True
)
def test_behind_tls_cookies_are_sent_over_https_alone(client: Browser, conn: Connection) -> None:
    add_user(conn, "asha", "officer")
    client.environ_base["HTTP_X_FORWARDED_PROTO"] = "https"
    url = "https://localhost"
    form = {"name": "asha", "password": PASSWORD, "csrf_token": csrf_over_tls(client, url)}
    assert client.post("/sign-in", data=form, base_url=url).status_code == 400  # no Referer
    answer = client.post("/sign-in", data=form, base_url=url, headers={"Referer": f"{url}/sign-in"})
    assert answer.status_code == 303
    assert all("; Secure" in line for line in answer.headers.getlist("Set-Cookie"))
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


def csrf_over_tls(client: Browser, url: str) -> str:
    """Return the form token of the sign-in page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in", base_url=url).text)
    assert found
    return found[1]


def test_no_redirect_has_the_host_of_the_request(officer: Browser, client: Browser) -> None:
    paths = [re.sub("<[^>]+>", "1", route.url) for route in ROUTES if route.method == "GET"]
    for path in [*paths, "/nothing", "/static/vendor/pico.min.css"]:
        for odd in (
            path,
            f"/{path}",
            f"//evil.example{path}",
            f"{path}/",
            path[0] + path[1:].replace("/", "//"),
        ):
            for browser in (officer, client):
                with browser.get(environ_overrides={"PATH_INFO": odd}) as answer:
                    location = answer.headers.get("Location", "/")
                assert re.match(r"/(?!/)", location), odd


def test_the_files_of_others_are_those_named() -> None:
    named = re.findall(
        r"^\| `([^`]+)` \|.*`([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE
    )
    there = {path.name for path in VENDOR.iterdir()} - {"README.md"}
    assert {name for name, _ in named} == there
    for name, sum_ in named:
        assert sha256((VENDOR / name).read_bytes()).hexdigest() == sum_, name
