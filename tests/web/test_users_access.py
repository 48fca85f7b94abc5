"""The buttons of a user's page that give access: set-up link, password, unlock, two-step sign-in."""

import re

import pyotp
import pytest
from flask import Flask

from hrims.access import keys, sessions, throttle, two_step, users
from hrims.db import Connection
from tests.access.accounts import SETTINGS
from tests.support.users import PASSWORD, actor_of, add_user
from tests.web.browsers import ADDRESS, Browser, new_browser
from tests.web.runs import institution

USERS = "/dashboard/admin/users"
NEW = "a dry monsoon"


def secret_on(page: str) -> str:
    """Return the link or password that a page shows once."""
    found = re.search(r'<code class="secret">([^<]+)</code>', page)
    assert found, page
    return found[1]


@pytest.fixture
def asha(conn: Connection) -> int:
    """Provide the id of the officer asha."""
    return add_user(conn, "asha", "officer")


@pytest.mark.own_app
@pytest.mark.parametrize("environment", [{"HRIMS_HTTPS_ONLY": "yes"}], indirect=True)
def test_a_set_up_link_is_never_in_clear_behind_tls(app: Flask, conn: Connection) -> None:
    """The proxy is not trusted, so its requests arrive as plain HTTP."""
    browser = new_browser(app)
    user_id = actor_of(conn, "binti", "administrator").user_id
    assert user_id
    session = sessions.begin(conn, user_id, ADDRESS, hours=1)
    browser.set_cookie(f"__Host-hrims_session_{keys.instance_id(conn)}", session)
    form = {"csrf_token": browser.csrf(), "name": "zuhura", "role": "viewer", "all_": "yes", "first": "link"}
    answer = browser.post(USERS, data=form, headers={"Origin": "https://localhost"})
    assert answer.status_code == 201
    assert secret_on(answer.text).startswith("https://localhost/set-up/")


def test_a_new_user_gets_a_set_up_link(administrator: Browser, app: Flask, conn: Connection) -> None:
    answer = administrator.press(USERS, name="Zuhura", role="viewer", all_="yes")
    assert answer.status_code == 201
    link = secret_on(answer.text)
    assert link.startswith("http://localhost/set-up/")
    user = users.find(conn, "zuhura")
    assert user
    assert user.password_hash is None
    browser = new_browser(app)
    assert browser.press(link.removeprefix("http://localhost"), new=NEW, repeated=NEW).status_code == 303
    assert browser.press("/sign-in", name="zuhura", password=NEW).location == "/dashboard/admin/fetch-data"
    assert browser.get("/dashboard/admin/fetch-data").status_code == 200


def test_or_a_password_that_must_be_changed(administrator: Browser, app: Flask) -> None:
    form = {"name": "zuhura", "role": "viewer", "all_": "yes", "first": "password"}
    password = secret_on(administrator.press(USERS, **form).text)
    browser = new_browser(app)
    assert browser.press("/sign-in", name="zuhura", password=password).status_code == 303
    assert browser.get("/dashboard/admin/people").location == "/dashboard/account/password"


def test_a_reset_password_must_be_changed(administrator: Browser, app: Flask, asha: int) -> None:
    password = secret_on(administrator.press(f"{USERS}/{asha}/reset-password").text)
    browser = new_browser(app)
    assert browser.press("/sign-in", name="asha", password=PASSWORD).status_code == 401
    assert browser.press("/sign-in", name="asha", password=password).status_code == 303
    assert browser.get("/dashboard/admin/people").location == "/dashboard/account/password"


def test_a_known_user_gets_another_link(administrator: Browser, app: Flask, asha: int) -> None:
    first, second = (secret_on(administrator.press(f"{USERS}/{asha}/link").text) for _ in range(2))
    browser = new_browser(app)
    paths = (link.removeprefix("http://localhost") for link in (first, second))
    assert [browser.get(path).status_code for path in paths] == [404, 200]


def test_a_user_is_unlocked(administrator: Browser, conn: Connection, asha: int) -> None:
    assert "Unlock" not in administrator.get(f"{USERS}/{asha}").text
    for _ in range(3):
        throttle.begin(conn, SETTINGS, "asha", "203.0.113.9")
    assert "forget 3 failed sign-ins" in administrator.get(f"{USERS}/{asha}").text
    assert administrator.press(f"{USERS}/{asha}/unlock").location == f"{USERS}/{asha}?saved=yes"
    assert throttle.count_failures(conn, SETTINGS, "asha") == 0


def test_two_step_sign_in_is_turned_off(administrator: Browser, conn: Connection, asha: int) -> None:
    session = sessions.find(conn, sessions.begin(conn, asha, None, hours=1))
    assert session
    two_step.start(conn, SETTINGS, session)
    app = pyotp.TOTP(two_step.find_enrolment(conn, SETTINGS, session, "").secret)
    two_step.confirm(conn, SETTINGS, users.identify(conn, "asha", "page"), session, app.at(60), 60)
    assert "Turn off two-step sign-in" in administrator.get(f"{USERS}/{asha}").text
    assert administrator.press(f"{USERS}/{asha}/two-step").status_code == 303
    assert not two_step.is_on(conn, asha)
    assert administrator.press(f"{USERS}/{asha}/two-step").status_code == 409


def test_a_user_of_the_provider_gets_no_password(administrator: Browser, conn: Connection, asha: int) -> None:
    conn.execute("INSERT INTO openid_identities VALUES ('https://id.example', 'x', %s)", (asha,))
    assert "has no password here" in administrator.get(f"{USERS}/{asha}").text
    for path in ("link", "reset-password"):
        assert administrator.press(f"{USERS}/{asha}/{path}").status_code == 409


def test_the_page_says_what_a_user_has_after_a_role_with_all(
    administrator: Browser, conn: Connection
) -> None:
    place = institution(conn)
    kassim = add_user(conn, "kassim", "auditor")
    page = f"{USERS}/{kassim}"
    assert 'name="institution"' in administrator.get(page).text, "the form of the role has institutions"
    assert administrator.press(f"{page}/role", role="officer").location == f"{page}?saved=yes"
    saved = administrator.get(f"{page}?saved=yes").text
    assert "Saved. kassim has the role officer and no institutions. Select institutions below." in saved
    assert add_user(conn, "kassim", "auditor") == kassim
    administrator.press(f"{page}/role", role="officer", all_="no", institution=str(place))
    assert (
        "Saved. kassim has the role officer and 1 institution." in administrator.get(f"{page}?saved=yes").text
    )
    user = users.find_view(conn, kassim)
    assert user
    assert user.institution_ids == [place]
