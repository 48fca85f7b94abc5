"""The password is asked for again before what matters, and the user gets to what was wanted."""

from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from hrims.access.throttle import PAIR
from hrims.db import Connection
from hrims.web.core import permissions
from hrims.web.core.permissions import Permission
from hrims.web.core.sign_in_checks import RECENT_MINUTES, require_recent_sign_in
from hrims.web.routes import ROUTES
from tests.support.users import PASSWORD
from tests.web.browsers import Browser

EXPORT = "/dashboard/admin/rejects/rejects.csv?state=open"
CONFIRM = "/sign-in/confirm"
ACCOUNT = "/dashboard/account"
END_OTHERS = f"{ACCOUNT}/sessions/end-others"


@pytest.fixture
def late(officer: Browser, conn: Connection) -> Browser:
    """Provide an officer's browser in which the password was typed long ago."""
    conn.execute("UPDATE sessions SET confirmed_at = now() - make_interval(mins => %s)", (RECENT_MINUTES,))
    return officer


def query_of(location: str) -> dict[str, list[str]]:
    """Return the query string of a redirect to the page that confirms."""
    assert urlsplit(location).path == CONFIRM
    return parse_qs(urlsplit(location).query)


def test_it_works(late: Browser, conn: Connection) -> None:
    answer = late.get(EXPORT)
    assert answer.status_code == 303
    assert query_of(answer.location) == {"next": [EXPORT]}
    page = late.get(answer.location).text
    assert "Confirm that it is you" in page
    assert "Nothing was changed yet" not in page
    answer = late.press(CONFIRM, secret=PASSWORD, next=EXPORT)
    assert (answer.status_code, answer.location) == (303, EXPORT)
    with late.get(EXPORT) as export:
        assert (export.status_code, export.mimetype) == (200, "text/csv")
    confirmed = "SELECT actor, details FROM audit_log WHERE action = 'session.confirm'"
    assert conn.execute(confirmed.encode()).fetchall() == [("asha", {"by": "password"})]


@pytest.mark.parametrize("path", ["/dashboard/admin/users", "/dashboard/admin/users/1"])
def test_the_pages_of_users_ask_too(administrator: Browser, conn: Connection, path: str) -> None:
    assert administrator.get(path).status_code == 200
    conn.execute("UPDATE sessions SET confirmed_at = now() - make_interval(mins => %s)", (RECENT_MINUTES,))
    assert query_of(administrator.get(path).location) == {"next": [path]}


def test_new_tokens_ask_too(late: Browser) -> None:
    assert late.get("/dashboard/admin/tokens").status_code == 200
    answer = late.press("/dashboard/admin/tokens", name="nightly")
    assert query_of(answer.location) == {"next": ["/dashboard/admin/tokens"], "form": ["yes"]}


def test_the_sensitive_permissions_ask_and_no_others(app: Flask) -> None:
    asking = {route.permission for route in ROUTES if permissions.needs_recent_sign_in(app, route.endpoint)}
    assert asking == {
        Permission.MANAGE_USERS,
        Permission.MANAGE_CONNECTION,
        Permission.OWN_TOKENS,
        Permission.EXPORT,
    }
    assert Permission.MANAGE_TOKENS in permissions.NEEDS_RECENT


def test_a_recent_sign_in_is_enough(officer: Browser, conn: Connection) -> None:
    conn.execute("UPDATE sessions SET confirmed_at = now() - interval '9 minutes'")
    with officer.get(EXPORT) as export:
        assert export.status_code == 200


def test_a_form_is_not_lost_silently(late: Browser) -> None:
    answer = late.press(END_OTHERS)
    assert query_of(answer.location) == {"next": [ACCOUNT], "form": ["yes"]}
    assert "Nothing was changed yet" in late.get(answer.location).text


@pytest.mark.parametrize(
    ("referer", "shown"),
    [
        ("http://localhost/dashboard/admin/rejects?state=all#x", "/dashboard/admin/rejects?state=all"),
        ("http://evil.example/dashboard/admin/rejects", ACCOUNT),
        ("http://localhost/sign-out", ACCOUNT),
        ("http://localhost/no-page", ACCOUNT),
        ("http://[", ACCOUNT),
        ("", ACCOUNT),
    ],
)
def test_a_form_leads_back_to_its_own_page(late: Browser, referer: str, shown: str) -> None:
    form = {"csrf_token": late.csrf()}
    answer = late.post(END_OTHERS, data=form, headers={"Referer": referer})
    assert query_of(answer.location)["next"] == [shown]


def test_htmx_is_told_to_go_to_the_page(late: Browser) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/dashboard/admin/rejects?page=2"}
    answer = late.get(EXPORT, headers=headers)
    assert answer.status_code == 403
    assert query_of(answer.headers["HX-Redirect"])["next"] == ["/dashboard/admin/rejects?page=2"]


@pytest.mark.own_app
def test_the_api_tells_a_session_and_asks_no_token(app: Flask, late: Browser, api: Browser) -> None:
    def show() -> str:
        require_recent_sign_in()
        return "shown"

    app.add_url_rule("/api/private", "private", show)
    permissions.attach(app, {"private": Permission.READ_RUNS})
    answer = late.get("/api/private")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "sign_in_not_recent")
    assert api.get("/api/private").text == "shown"


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("wrong password", "The current password is wrong."),
        ("", "Enter your password or a code."),
        ("123456", "This code is wrong"),
    ],
)
def test_a_wrong_password_is_refused(late: Browser, secret: str, words: str) -> None:
    answer = late.press(CONFIRM, secret=secret, next=EXPORT)
    assert answer.status_code == 400
    assert words in answer.text
    assert f'value="{EXPORT}"' in answer.text
    assert late.get(EXPORT).status_code == 303


def test_guesses_are_slowed_down(late: Browser) -> None:
    for _ in range(PAIR.free):
        assert late.press(CONFIRM, secret="wrong password").status_code == 400
    answer = late.press(CONFIRM, secret=PASSWORD)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("hostile", ["https://evil.example/", "//evil.example", "/sign-in/confirm", ""])
def test_it_never_leads_elsewhere(late: Browser, hostile: str) -> None:
    answer = late.press(CONFIRM, secret=PASSWORD, next=hostile)
    assert answer.location == "/dashboard/admin/fetch-data"


class TestActivity:
    """What keeps a session alive."""

    @pytest.mark.parametrize(
        ("path", "headers", "is_activity"),
        [
            ("/dashboard/admin/people", {}, True),
            ("/dashboard/admin/workers/banner", {"HX-Request": "true"}, False),
            ("/dashboard/admin/workers/banner", {"HX-Request": "true", "X-User-Activity": "yes"}, True),
            ("/api/hrims/institutions", {}, True),
            ("/api/hrims/sync-status/1", {"Accept": "text/event-stream"}, False),
        ],
    )
    def test_a_page_that_updates_itself_does_not(
        self, officer: Browser, conn: Connection, path: str, headers: dict[str, str], is_activity: bool
    ) -> None:
        conn.execute("UPDATE sessions SET last_seen_at = last_seen_at - interval '2 minutes'")
        officer.get(path, headers=headers)
        row = conn.execute("SELECT last_seen_at > now() - interval '1 minute' FROM sessions").fetchone()
        assert row == (is_activity,)

    def test_an_idle_session_ends(self, officer: Browser, conn: Connection) -> None:
        conn.execute("UPDATE sessions SET last_seen_at = last_seen_at - idle_limit")
        assert officer.get("/dashboard/admin/people").location == "/sign-in?next=/dashboard/admin/people"
