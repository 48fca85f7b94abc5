"""Nothing is changed by a request that a page of another site could make: each route with each forgery."""

import itertools
import re
from collections.abc import Iterator

import pytest
from flask import Flask

from hrims.access import keys, sessions
from hrims.config import load
from hrims.db import Connection
from hrims.web.core import app_state, csrf
from hrims.web.routes import ROUTES
from tests.support.users import PASSWORD, add_user
from tests.web.browsers import ADDRESS, Browser, new_app, new_browser, signed_in
from tests.web.error_shape import check

SEARCH = "/api/hrims/people/search"
"""A route that changes nothing and still needs a token, because it is a POST."""

UNSAFE = [(route.method, re.sub("<[^>]+>", "1", route.url)) for route in ROUTES if route.method != "GET"]

CHANGES = "SELECT count(*) FROM audit_log WHERE action NOT LIKE 'request.refused%'"

FORGED_ORIGINS = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "Same-Origin"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://localhost:8080"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://evil.example@localhost"},
    {"Origin": "file://localhost"},
    {"Origin": "http://["},
    {"Origin": "localhost"},
    {"Origin": "http://evil.example", "Referer": "http://localhost/sign-in"},
]

GENUINE_ORIGINS = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
    {"Origin": "http://LOCALHOST:80"},
    {"Origin": "https://localhost"},
]


@pytest.fixture
def forged_tokens(app: Flask, conn: Connection, administrator: Browser) -> dict[str, str]:
    """Provide tokens that do not belong to the administrator's session."""
    own = administrator.csrf()
    nonce, _, signature = own.partition(".")
    other_nonce, _, _ = signed_in(new_browser(app), conn, "asha", "administrator").csrf().partition(".")
    earlier = new_browser(app)
    user = conn.execute("SELECT id FROM users WHERE name = 'binti'").fetchone()
    assert user
    cookie = sessions.begin(conn, user[0], ADDRESS, hours=1)
    earlier.set_cookie(f"hrims_session_{keys.instance_id(conn)}", cookie)
    return {
        "none": "",
        "no signature": nonce,
        "empty signature": f"{nonce}.",
        "signature alone": f".{signature}",
        "wrong signature": f"{nonce}.{'0' * 64}",
        "nonce of another": f"{other_nonce}.{signature}",
        "longer": f"{own}0",
        "of another user": signed_in(new_browser(app), conn, "zuhura", "administrator").csrf(),
        "of another session": earlier.csrf(),
        "of another key": _signed_with(app, "another secret key", administrator),
        "not ASCII": f"{nonce}.\u00e9",
    }


def _signed_with(app: Flask, key: str, browser: Browser) -> str:
    before, app.secret_key = app.secret_key, key
    token = browser.csrf()
    app.secret_key = before
    return token


def attempts(forged_tokens: dict[str, str], own: str) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield the form and the headers of each forgery."""
    for token in forged_tokens.values():
        yield {"csrf_token": token}, {}
        yield {}, {"X-CSRFToken": token}
        yield {"csrf_token": token}, {"Sec-Fetch-Site": "same-origin"}
    for headers in FORGED_ORIGINS:
        yield {"csrf_token": own}, headers
        yield {}, {"X-CSRFToken": own, **headers}


def test_every_forgery_at_every_route_is_refused(
    administrator: Browser,
    conn: Connection,
    forged_tokens: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    own, count = administrator.csrf(), 0
    before = conn.execute(CHANGES).fetchone()
    for (method, path), (form, headers) in itertools.product(UNSAFE, attempts(forged_tokens, own)):
        answer = administrator.open(path, method=method, data=form, headers=headers)
        assert answer.status_code == 400, (method, path, form, headers)
        if path.startswith("/api/"):
            check(answer, 400, "csrf")
        else:
            assert "Nothing was changed" in answer.text
        count += 1
    assert conn.execute(CHANGES).fetchone() == before
    assert administrator.get("/dashboard/admin/people").status_code == 200, "still signed in"
    with capsys.disabled():
        print(f"\n{count:,} forgeries of {len(UNSAFE)} routes refused")  # noqa: T201 - the figure


@pytest.mark.parametrize("headers", GENUINE_ORIGINS, ids=str)
def test_a_page_of_this_site_is_served(administrator: Browser, headers: dict[str, str]) -> None:
    answer = administrator.post(
        SEARCH, json={"words": "a"}, headers={"X-CSRFToken": administrator.csrf(), **headers}
    )
    assert answer.status_code == 200
    assert (
        administrator.post(
            "/dashboard/admin/people", data={"csrf_token": administrator.csrf()}, headers=headers
        ).status_code
        < 400
    )


@pytest.mark.parametrize("headers", FORGED_ORIGINS, ids=str)
def test_a_sign_in_must_come_from_the_page_too(
    client: Browser, conn: Connection, headers: dict[str, str]
) -> None:
    add_user(conn, "asha", "officer")
    form = {"name": "asha", "password": PASSWORD, "csrf_token": client.csrf()}
    assert client.post("/sign-in", data=form, headers=headers).status_code == 400
    assert conn.execute("SELECT count(*) FROM sessions").fetchone() == (0,)


def test_the_token_from_before_the_sign_in_ends_with_it(
    client: Browser, app: Flask, conn: Connection
) -> None:
    """Also if the cookie of that time is set again, as a page of a neighbouring host could do."""
    add_user(conn, "asha", "officer")
    before = client.csrf()
    name = app.config["SESSION_COOKIE_NAME"]
    cookie = client.get_cookie(name)
    assert cookie
    client.press("/sign-in", name="asha", password=PASSWORD)
    client.set_cookie(name, cookie.value)
    check(client.post(SEARCH, json={"words": "a"}, headers={"X-CSRFToken": before}), 400, "csrf")
    after = client.post(SEARCH, json={"words": "a"}, headers={"X-CSRFToken": client.csrf()})
    assert after.status_code == 200


def test_a_planted_cookie_of_another_browser_does_not_help(
    administrator: Browser, app: Flask, client: Browser
) -> None:
    token, name = client.csrf(), app.config["SESSION_COOKIE_NAME"]
    cookie = client.get_cookie(name)
    assert cookie
    administrator.set_cookie(name, cookie.value)
    check(administrator.post(SEARCH, json={"words": "a"}, headers={"X-CSRFToken": token}), 400, "csrf")


@pytest.mark.parametrize("place", ["query", "body", "cookie"])
def test_a_token_elsewhere_does_not_count(administrator: Browser, place: str) -> None:
    own = administrator.csrf()
    query = {"csrf_token": own} if place == "query" else {}
    body = {"words": "a", **({"csrf_token": own} if place == "body" else {})}
    if place == "cookie":
        administrator.set_cookie("csrf_token", own)
    check(administrator.post(SEARCH, json=body, query_string=query), 400, "csrf")


def test_each_page_has_another_token_of_the_same_session(administrator: Browser) -> None:
    first, second = administrator.csrf(), administrator.csrf()
    assert first != second
    for token in (first, second):
        answer = administrator.post(SEARCH, json={"words": "a"}, headers={"X-CSRFToken": token})
        assert answer.status_code == 200


def test_a_machine_with_a_token_needs_no_page(api: Browser) -> None:
    for headers in FORGED_ORIGINS:
        assert api.post(SEARCH, json={"words": "a"}, headers=headers).status_code == 200


class TestUnderTls:
    """With HRIMS_HTTPS_ONLY, behind a proxy."""

    URL = "https://localhost"

    @pytest.fixture
    def browser(self, environment: dict[str, str], conn: Connection) -> Iterator[Browser]:
        """Provide a browser without a session, and a user asha."""
        made = new_app(load({**environment, "HRIMS_HTTPS_ONLY": "yes", "HRIMS_TRUSTED_PROXIES": "1"}))
        add_user(conn, "asha", "officer")
        client = new_browser(made)
        client.environ_base["HTTP_X_FORWARDED_PROTO"] = "https"
        yield client
        app_state.state_of(made).close()

    def sign_in(self, browser: Browser, **headers: str) -> int:
        """Return the status of a sign-in with these headers."""
        found = re.search(
            r'name="csrf_token" value="([^"]+)"', browser.get("/sign-in", base_url=self.URL).text
        )
        assert found
        form = {"name": "asha", "password": PASSWORD, "csrf_token": found[1]}
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        status: int = browser.post("/sign-in", data=form, base_url=self.URL, headers=headers).status_code
        return status

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Referer": "http://localhost/sign-in"},
            {"Referer": "https://evil.example/localhost"},
            {"Origin": "http://localhost"},
            {"Origin": "https://localhost:8443"},
            {"Origin": "null", "Referer": "https://localhost/sign-in"},
            {"Sec_Fetch_Site": "cross-site", "Origin": "https://localhost"},
        ],
        ids=str,
    )
    def test_a_forgery_is_refused(self, browser: Browser, headers: dict[str, str]) -> None:
        assert self.sign_in(browser, **headers) == 400

    @pytest.mark.parametrize(
        "headers",
        [
            {"Referer": "https://localhost/sign-in"},
            {"Origin": "https://localhost"},
            {"Origin": "https://localhost:443"},
            {"Sec_Fetch_Site": "same-origin"},
        ],
        ids=str,
    )
    def test_the_page_is_served(self, browser: Browser, headers: dict[str, str]) -> None:
        assert self.sign_in(browser, **headers) == 303

    def test_its_cookies_are_those_of_this_host_alone(self, browser: Browser) -> None:
        page = browser.get("/sign-in", base_url=self.URL)
        token = re.findall(r'name="csrf_token" value="([^"]+)"', page.text)[0]
        form = {"name": "asha", "password": PASSWORD, "csrf_token": token}
        answer = browser.post("/sign-in", data=form, base_url=self.URL, headers={"Origin": self.URL})
        lines = [*page.headers.getlist("Set-Cookie"), *answer.headers.getlist("Set-Cookie")]
        names = {line.partition("=")[0].rpartition("_")[0] for line in lines}
        assert names == {"__Host-hrims_form", "__Host-hrims_session", "__Host-hrims_device"}
        for line in lines:
            attributes = line.split("; ")[1:]
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(attributes)
            assert not any(attribute.startswith("Domain") for attribute in attributes)


def test_without_tls_the_names_have_no_prefix(client: Browser, app: Flask) -> None:
    client.get("/sign-in")
    assert not app.config["SESSION_COOKIE_NAME"].startswith(csrf.HOST_PREFIX)
