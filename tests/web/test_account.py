"""The page “My account”: password and sessions; then every refusal."""

import re

import pytest
from flask import Flask

from hrims.access import keys, passwords, sessions, users
from hrims.access.throttle import PAIR
from hrims.db import Connection
from tests.support.users import ADDRESS, PASSWORD
from tests.web.browsers import Browser, new_browser, session_of, signed_in, with_session

ACCOUNT = "/dashboard/account"
NEW = "a dry monsoon"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def another_session(app: Flask, conn: Connection, name: str = "asha") -> Browser:
    """Return another browser of a user."""
    user = users.find(conn, name)
    assert user
    browser = new_browser(app)
    token = sessions.begin(conn, user.id, "192.0.2.7", hours=1, user_agent=FIREFOX)
    browser.set_cookie(f"hrims_session_{keys.instance_id(conn)}", token)
    return browser


def is_in(browser: Browser) -> bool:
    """Return whether the browser is signed in."""
    return browser.get(ACCOUNT).status_code == 200


def change(browser: Browser, current: str = PASSWORD, new: str = NEW, repeated: str = NEW) -> object:
    """Send the form of the password; return status and text."""
    return browser.press(f"{ACCOUNT}/password", current=current, new=new, repeated=repeated)


def test_it_lists_the_sessions_of_the_user(officer: Browser, app: Flask, conn: Connection) -> None:
    another_session(app, conn)
    signed_in(new_browser(app), conn, "juma", "officer")
    page = officer.get(ACCOUNT).text
    rows = re.findall(r"<tr>.*?</tr>", page.partition("<tbody>")[2], re.DOTALL)
    assert len(rows) == 2
    [hers] = [row for row in rows if "This session" in row]
    [other] = [row for row in rows if "End session" in row]
    assert ADDRESS in hers
    assert "Firefox on Windows" in other
    assert "192.0.2.7" in other
    assert "juma" not in page


def test_the_header_leads_to_it(officer: Browser) -> None:
    assert f'href="{ACCOUNT}"' in officer.get("/dashboard/admin/people").text


@pytest.mark.parametrize("role", ["administrator", "officer", "auditor"])
def test_every_role_has_it(app: Flask, conn: Connection, role: str) -> None:
    browser = signed_in(new_browser(app), conn, "rashid", role)
    assert is_in(browser)
    answer = browser.press(f"{ACCOUNT}/password", current=PASSWORD, new=NEW, repeated=NEW)
    assert (answer.status_code, answer.location) == (303, f"{ACCOUNT}?done=password")
    assert "The password is changed" in browser.get(answer.location).text


def test_a_changed_password_ends_the_other_sessions(officer: Browser, app: Flask, conn: Connection) -> None:
    other = another_session(app, conn)
    assert change(officer).status_code == 303  # type: ignore[attr-defined] # a response
    assert (is_in(officer), is_in(other)) == (True, False)
    user = users.find(conn, "asha")
    assert user
    assert passwords.matches(NEW, user.password_hash)


def test_a_changed_password_renews_the_session(officer: Browser, app: Flask, conn: Connection) -> None:
    """Otherwise who has stolen the token of the session, or planted it, stays signed in with the user."""
    before, page = session_of(officer, conn), officer.csrf()
    thief = with_session(app, conn, before)
    assert is_in(thief)
    assert change(officer).status_code == 303  # type: ignore[attr-defined] # a response
    assert session_of(officer, conn) != before
    assert (is_in(officer), is_in(thief)) == (True, False)
    assert len(re.findall("This session", officer.get(ACCOUNT).text)) == 1
    stale = officer.post(f"{ACCOUNT}/sessions/end-others", data={"csrf_token": page})
    assert (stale.status_code, "Reload the page" in stale.text) == (400, True)


def test_a_refused_change_keeps_the_session(officer: Browser, app: Flask, conn: Connection) -> None:
    before, other = session_of(officer, conn), another_session(app, conn)
    assert change(officer, current="wrong password").status_code == 400  # type: ignore[attr-defined] # a response
    assert session_of(officer, conn) == before
    assert is_in(other)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"current": "wrong password"}, "The current password is wrong."),
        ({"repeated": "a dry monsoon!"}, "The two new passwords are different."),
        ({"new": "Password1234", "repeated": "Password1234"}, "easy to guess"),
        ({"new": PASSWORD, "repeated": PASSWORD}, "This is the current password."),
        ({"current": ""}, "Enter your current password."),
        ({"new": ""}, "Enter the new password."),
        ({"repeated": ""}, "Enter the new password twice."),
    ],
)
def test_a_wrong_form_is_refused_in_words(officer: Browser, form: dict[str, str], words: str) -> None:
    answer = officer.press(
        f"{ACCOUNT}/password", **{"current": PASSWORD, "new": NEW, "repeated": NEW, **form}
    )
    assert answer.status_code == 400
    assert words in answer.text
    assert PASSWORD not in answer.text
    assert NEW not in answer.text


def test_a_stolen_session_guesses_no_password(officer: Browser) -> None:
    for _ in range(PAIR.free):
        assert change(officer, current="wrong password").status_code == 400  # type: ignore[attr-defined] # a response
    answer = officer.press(f"{ACCOUNT}/password", current=PASSWORD, new=NEW, repeated=NEW)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_one_session_is_ended(officer: Browser, app: Flask, conn: Connection) -> None:
    first, second = another_session(app, conn), another_session(app, conn)
    [path] = re.findall(rf'action="({ACCOUNT}/sessions/\d+/end)"', officer.get(ACCOUNT).text)[:1]
    answer = officer.press(path)
    assert (answer.status_code, answer.location) == (303, f"{ACCOUNT}?done=session")
    assert sorted([is_in(first), is_in(second)]) == [False, True]
    assert officer.press(path).status_code == 404


def test_the_session_of_another_user_is_not_ended(officer: Browser, app: Flask, conn: Connection) -> None:
    other = signed_in(new_browser(app), conn, "juma", "officer")
    row = conn.execute("SELECT max(id) FROM sessions").fetchone()
    assert row
    assert officer.press(f"{ACCOUNT}/sessions/{row[0]}/end").status_code == 404
    assert officer.press(f"{ACCOUNT}/sessions/x/end").status_code == 400
    assert is_in(other)


def test_all_other_sessions_are_ended(officer: Browser, app: Flask, conn: Connection) -> None:
    others = [another_session(app, conn) for _ in range(3)]
    answer = officer.press(f"{ACCOUNT}/sessions/end-others")
    assert (answer.status_code, answer.location) == (303, f"{ACCOUNT}?done=sessions")
    assert is_in(officer)
    assert not any(is_in(other) for other in others)


@pytest.mark.parametrize("path", ["", "/password"])
def test_a_token_has_no_account(api: Browser, path: str) -> None:
    assert api.get(f"{ACCOUNT}{path}").status_code == 303


class TestMustChange:
    """A user who must change the password."""

    @pytest.fixture
    def browser(self, officer: Browser, conn: Connection) -> Browser:
        """Provide the browser of such a user."""
        conn.execute("UPDATE users SET must_change_password = true")
        return officer

    @pytest.mark.parametrize("path", ["/", "/dashboard/admin/fetch-data", "/dashboard/admin/people", ACCOUNT])
    def test_every_page_leads_to_the_form(self, browser: Browser, path: str) -> None:
        answer = browser.get(path)
        assert (answer.status_code, answer.location) == (303, f"{ACCOUNT}/password")

    def test_the_form_has_no_links_to_other_pages_and_updates_nothing(self, browser: Browser) -> None:
        page = browser.get(f"{ACCOUNT}/password").text
        assert "You have to choose your own password" in page
        assert "<nav" not in page
        assert "hx-get" not in page
        assert "Sign out" in page

    def test_buttons_and_the_api_are_closed_too(self, browser: Browser) -> None:
        token = self.form_token(browser)
        answer = browser.post("/dashboard/admin/people", data={"csrf_token": token, "words": "x"})
        assert (answer.status_code, answer.location) == (303, f"{ACCOUNT}/password")
        answer = browser.post("/api/hrims/people/search", data='{"q": "x"}', headers={"X-CSRFToken": token})
        assert (answer.status_code, answer.get_json()["code"]) == (403, "password_change_required")
        answer = browser.get("/api/hrims/institutions")
        assert (answer.status_code, answer.get_json()["code"]) == (403, "password_change_required")

    def test_htmx_is_told_to_go_to_the_form(self, browser: Browser) -> None:
        answer = browser.get("/dashboard/admin/workers/banner", headers={"HX-Request": "true"})
        assert answer.headers["HX-Redirect"] == f"{ACCOUNT}/password"

    def test_the_change_opens_the_pages(self, browser: Browser, app: Flask, conn: Connection) -> None:
        before = session_of(browser, conn)
        form = {"csrf_token": self.form_token(browser), "current": PASSWORD, "new": NEW, "repeated": NEW}
        answer = browser.post(f"{ACCOUNT}/password", data=form)
        assert (answer.status_code, answer.location) == (303, "/dashboard/admin/fetch-data")
        assert session_of(browser, conn) != before
        assert not is_in(with_session(app, conn, before))
        assert browser.get(answer.location).status_code == 200

    def test_signing_out_is_possible(self, browser: Browser) -> None:
        answer = browser.post("/sign-out", data={"csrf_token": self.form_token(browser)})
        assert (answer.status_code, answer.location) == (303, "/sign-in")

    def form_token(self, browser: Browser) -> str:
        """Return the token of the only form that is open."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(f"{ACCOUNT}/password").text)
        assert found
        return found[1]
