"""The pages of two-step sign-in: set up, used, turned off; then every refusal."""

import re
import time
import xml.etree.ElementTree as ET

import pyotp
import pytest
from flask import Flask

from hrims.db import Connection
from hrims.web.core.sign_in_checks import RECENT_MINUTES
from tests.support.users import PASSWORD
from tests.web.browsers import Browser, new_browser, session_of, signed_in, with_session

ACCOUNT = "/dashboard/account"
TWO_STEP = f"{ACCOUNT}/two-step"
SIGN_IN, CODE = "/sign-in", "/sign-in/code"


def set_up(browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """Turn two-step sign-in on; return the app and the recovery codes."""
    assert browser.press(TWO_STEP).location == TWO_STEP
    found = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', browser.get(TWO_STEP).text)
    assert found
    app = pyotp.TOTP(found[1].replace(" ", ""))
    answer = browser.press(f"{TWO_STEP}/confirm", code=code_of(app, -1))
    assert answer.status_code == 200
    return app, re.findall(r"<li><code>([a-z0-9-]{19})</code>", answer.text)


def code_of(app: pyotp.TOTP, steps: int = 0) -> str:
    """Return the code of now, or of other steps."""
    return app.at(int(time.time()) + 30 * steps)


def enter_password(browser: Browser, **form: str) -> str:
    """Send name and password; return the challenge on the page that asks for the code."""
    answer = browser.press(SIGN_IN, name="asha", password=PASSWORD, **form)
    assert answer.status_code == 200, answer.text
    assert "Enter code" in answer.text
    found = re.search(r'name="challenge" value="([^"]+)"', answer.text)
    assert found
    return found[1]


def test_it_works(officer: Browser, app: Flask) -> None:
    assert "Off. If it is on, you enter a code" in officer.get(ACCOUNT).text
    totp, recovery = set_up(officer)
    assert len(recovery) == 10
    assert "You have 10 recovery codes left." in officer.get(ACCOUNT).text
    browser = new_browser(app)
    challenge = enter_password(browser, next="/dashboard/admin/people")
    assert browser.get(ACCOUNT).status_code == 303
    answer = browser.press(CODE, challenge=challenge, code=code_of(totp), next="/dashboard/admin/people")
    assert (answer.status_code, answer.location) == (303, "/dashboard/admin/people")
    assert browser.get(ACCOUNT).status_code == 200


def test_the_picture_is_inline_and_fits_the_policy(officer: Browser) -> None:
    officer.press(TWO_STEP)
    page = officer.get(TWO_STEP).text
    [picture] = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    root = ET.fromstring(picture)  # noqa: S314 - our own page
    assert root.get("viewBox")
    assert "style" not in picture
    assert "otpauth" not in page


def test_a_recovery_code_signs_in_once(officer: Browser, app: Flask) -> None:
    _, recovery = set_up(officer)
    browser = new_browser(app)
    for status in (303, 401):
        challenge = enter_password(browser)
        assert browser.press(CODE, challenge=challenge, code=recovery[0]).status_code == status
        browser.press("/sign-out")
    assert "You have 9 recovery codes left." in officer.get(ACCOUNT).text


def test_a_wrong_code_is_refused_and_the_next_one_is_accepted(officer: Browser, app: Flask) -> None:
    totp, _ = set_up(officer)
    browser = new_browser(app)
    challenge = enter_password(browser)
    answer = browser.press(CODE, challenge=challenge, code="abc", next="/dashboard/admin/people")
    assert answer.status_code == 401
    assert "This code is wrong, or it was used before." in answer.text
    assert f'name="challenge" value="{challenge}"' in answer.text
    assert 'value="/dashboard/admin/people"' in answer.text
    assert browser.press(CODE, challenge=challenge, code="").status_code == 400
    assert browser.press(CODE, challenge=challenge, code=code_of(totp)).status_code == 303


def test_guesses_are_slowed_down(officer: Browser, app: Flask) -> None:
    set_up(officer)
    browser = new_browser(app)
    challenge = enter_password(browser)
    answers = [browser.press(CODE, challenge=challenge, code=f"{number:06}") for number in range(6)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_an_expired_challenge_leads_to_the_password(officer: Browser, app: Flask, conn: Connection) -> None:
    totp, _ = set_up(officer)
    browser = new_browser(app)
    challenge = enter_password(browser)
    conn.execute("UPDATE sign_in_challenges SET expires_at = now()")
    for form in ({"challenge": challenge}, {"challenge": "x"}):
        answer = browser.press(CODE, code=code_of(totp), **form)
        assert answer.status_code == 401
        assert "Enter your password again." in answer.text
        assert 'name="password"' in answer.text
    assert browser.press(CODE, code=code_of(totp)).status_code == 400


def test_a_code_confirms_too(officer: Browser, conn: Connection) -> None:
    totp, _ = set_up(officer)
    conn.execute("UPDATE sessions SET confirmed_at = now() - make_interval(mins => %s)", (RECENT_MINUTES,))
    answer = officer.press(f"{TWO_STEP}/off")
    assert "Password, or code of your app" in officer.get(answer.location).text
    assert officer.press("/sign-in/confirm", secret=code_of(totp), next=ACCOUNT).location == ACCOUNT
    assert officer.press(f"{TWO_STEP}/off").location == f"{ACCOUNT}?done=two-step-off"
    assert "Two-step sign-in is off." in officer.get(f"{ACCOUNT}?done=two-step-off").text


@pytest.mark.parametrize("path", ["", "/confirm", "/codes", "/off"])
def test_every_change_asks_for_the_password(officer: Browser, conn: Connection, path: str) -> None:
    conn.execute("UPDATE sessions SET confirmed_at = now() - make_interval(mins => %s)", (RECENT_MINUTES,))
    answer = officer.press(f"{TWO_STEP}{path}", code="123456")
    assert answer.location.startswith("/sign-in/confirm?next=/dashboard/account")
    assert conn.execute("SELECT count(*) FROM two_step").fetchone() == (0,)


def test_new_recovery_codes_replace_the_earlier_ones(officer: Browser) -> None:
    _, earlier = set_up(officer)
    newer = re.findall(r"<li><code>([a-z0-9-]{19})</code>", officer.press(f"{TWO_STEP}/codes").text)
    assert len(newer) == 10
    assert not {*earlier} & {*newer}


def test_a_wrong_first_code_is_refused(officer: Browser, conn: Connection) -> None:
    officer.press(TWO_STEP)
    for code, words in (("123", "This code is wrong"), ("", "Enter the code that your app shows.")):
        answer = officer.press(f"{TWO_STEP}/confirm", code=code)
        assert answer.status_code == 400
        assert words in answer.text
    assert conn.execute("SELECT confirmed_at FROM two_step").fetchone() == (None,)


def test_what_does_not_fit_the_state_leads_to_the_account(officer: Browser) -> None:
    assert officer.get(TWO_STEP).location == ACCOUNT
    for path in ("/confirm", "/codes", "/off"):
        answer = officer.press(f"{TWO_STEP}{path}", code="123456")
        assert (answer.status_code, answer.location) == (303, ACCOUNT)
    set_up(officer)
    answer = officer.press(TWO_STEP)
    assert (answer.status_code, answer.location) == (303, ACCOUNT)
    assert officer.get(TWO_STEP).location == ACCOUNT


def test_each_change_renews_the_session_and_ends_the_others(
    officer: Browser, app: Flask, conn: Connection
) -> None:
    first = session_of(officer, conn)
    others = [signed_in(new_browser(app), conn, "asha", "officer")]
    set_up(officer)
    second = session_of(officer, conn)
    others += [with_session(app, conn, first), signed_in(new_browser(app), conn, "asha", "officer")]
    assert officer.get(ACCOUNT).status_code == 200
    assert [other.get(ACCOUNT).status_code for other in others] == [303, 303, 200]
    assert officer.press(f"{TWO_STEP}/off").location == f"{ACCOUNT}?done=two-step-off"
    others.append(with_session(app, conn, second))
    assert len({first, second, session_of(officer, conn)}) == 3
    assert officer.get(ACCOUNT).status_code == 200
    assert [other.get(ACCOUNT).status_code for other in others] == [303] * 4


def test_a_wrong_first_code_keeps_every_session(officer: Browser, app: Flask, conn: Connection) -> None:
    other, before = signed_in(new_browser(app), conn, "asha", "officer"), session_of(officer, conn)
    officer.press(TWO_STEP)
    assert officer.press(f"{TWO_STEP}/confirm", code="000000").status_code == 400
    assert session_of(officer, conn) == before
    assert other.get(ACCOUNT).status_code == 200


def test_a_reset_by_an_administrator_ends_the_sessions_of_the_user(
    officer: Browser, administrator: Browser, conn: Connection
) -> None:
    set_up(officer)
    row = conn.execute("SELECT id FROM users WHERE name = 'asha'").fetchone()
    assert row
    assert administrator.press(f"/dashboard/admin/users/{row[0]}/two-step").status_code == 303
    assert officer.get(ACCOUNT).status_code == 303
    assert administrator.get(ACCOUNT).status_code == 200
