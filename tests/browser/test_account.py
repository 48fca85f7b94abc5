"""“My account” as a user meets it: a set-up link, a password that must be changed, two steps, sessions."""

import re
import time
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Page, StorageState, expect

from hrims.access import setup_links, throttle, users
from hrims.access.users.store import insert_user
from tests.access.accounts import SETTINGS
from tests.browser.stage import Stage
from tests.browser.steps import follow
from tests.browser.test_looks import expect_fit_for_everybody
from tests.browser.viewers import Viewers, sign_in
from tests.support.users import BINTI, PASSWORD

NAME, NEW = "zuhura", "mango kettle boat"


@pytest.fixture
def zuhura(stage: Stage) -> Iterator[int]:
    """Provide the id of a new officer without a password."""
    id_ = insert_user(stage.conn, NAME, "officer", None)
    assert id_
    yield id_
    stage.conn.execute("DELETE FROM users WHERE id = %s", (id_,))


def fill(page: Page, button: str, **fields: str) -> None:
    """Fill a form in by its labels and send it."""
    for label, text in fields.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(text)
    page.get_by_role("button", name=button).click()


def code_of(app: pyotp.TOTP, steps: int = 0) -> str:
    """Return the code of now, or of other steps."""
    return app.at(int(time.time()) + 30 * steps)


def test_a_set_up_link_leads_to_the_first_sign_in(viewers: Viewers, stage: Stage, zuhura: int) -> None:
    viewers.expect_trouble("status of 40")
    token = setup_links.create_setup_link(stage.conn, BINTI, zuhura)
    page = viewers.open()
    page.goto(f"/set-up/{token}")
    expect(page.get_by_text(NAME)).to_be_visible()
    expect_fit_for_everybody(page)
    fill(page, "Set password", New_password="Password1234", New_password_again="Password1234")
    expect(page.get_by_role("alert")).to_contain_text("easy to guess")
    expect_fit_for_everybody(page)
    fill(page, "Set password", New_password=NEW, New_password_again=NEW)
    expect(page.get_by_role("status").filter(has_text="Your password is set")).to_be_visible()
    expect_fit_for_everybody(page)
    sign_in(page, NAME, NEW)
    expect(page.get_by_role("heading", name="Fetch data")).to_be_visible()
    page.goto(f"/set-up/{token}")
    expect(page.get_by_role("alert")).to_contain_text("was used, or has expired")


def test_a_password_that_must_be_changed(viewers: Viewers, stage: Stage, zuhura: int) -> None:
    users.set_password(stage.conn, BINTI, NAME, PASSWORD, must_change=True)
    page = viewers.open()
    page.goto("/dashboard/admin/people")
    sign_in(page, NAME)
    expect(page.get_by_text("You have to choose your own password")).to_be_visible()
    expect_fit_for_everybody(page)
    page.goto("/dashboard/admin/people")
    expect(page.get_by_role("heading", name="Change password")).to_be_visible()
    fill(page, "Change password", Current_password=PASSWORD, New_password=NEW, New_password_again=NEW)
    expect(page.get_by_role("heading", name="Fetch data")).to_be_visible()
    page.get_by_role("link", name=f"My account: {NAME}").click()
    expect(page.get_by_role("heading", name="My account")).to_be_visible()


def test_two_steps(viewers: Viewers, stage: Stage, zuhura: int) -> None:
    viewers.expect_trouble("status of 401")
    users.set_password(stage.conn, BINTI, NAME, PASSWORD)
    page = viewers.open()
    page.goto("/dashboard/account")
    sign_in(page, NAME)
    expect(page.get_by_role("button", name="Set up two-step sign-in")).to_be_visible()
    expect_fit_for_everybody(page)
    page.get_by_role("button", name="Set up two-step sign-in").click()
    app = pyotp.TOTP((page.locator("code.secret").text_content() or "").replace(" ", ""))
    expect_fit_for_everybody(page)
    fill(page, "Turn on two-step sign-in", Code=code_of(app, -1))
    expect(page.locator(".codes li")).to_have_count(10)
    codes = page.locator(".codes li").all_text_contents()
    expect_fit_for_everybody(page)
    page.get_by_role("link", name="Back to my account").click()
    expect(page.get_by_text("You have 10 recovery codes left.")).to_be_visible()
    expect_fit_for_everybody(page)
    other = viewers.open()
    other.goto("/dashboard/admin/people")
    sign_in(other, NAME)
    expect_fit_for_everybody(other)
    fill(other, "Sign in", Code="12345")
    expect(other.get_by_role("alert")).to_contain_text("This code is wrong")
    expect_fit_for_everybody(other)
    fill(other, "Sign in", Code=codes[0])
    expect(other).to_have_url(re.compile("/dashboard/admin/people$"))


def test_a_late_change_asks_for_the_password_and_shows_the_page_again(
    viewers: Viewers, stage: Stage, zuhura: int
) -> None:
    users.set_password(stage.conn, BINTI, NAME, PASSWORD)
    page, other = viewers.open(), viewers.open()
    for window in (other, page):
        window.goto("/dashboard/account")
        sign_in(window, NAME)
        expect(window.get_by_role("heading", name="My account")).to_be_visible()
    page.reload()
    late = "UPDATE sessions SET confirmed_at = now() - interval '1 hour' WHERE user_id = %s"
    stage.conn.execute(late, (zuhura,))
    expect_fit_for_everybody(page)
    page.get_by_role("button", name="End all other sessions").click()
    expect(page.get_by_text("Nothing was changed yet.")).to_be_visible()
    expect_fit_for_everybody(page)
    fill(page, "Confirm sign-in", Password=PASSWORD)
    expect(page).to_have_url(re.compile("/dashboard/account$"))
    page.get_by_role("button", name="End all other sessions").click()
    expect(page.get_by_text("All other sessions have ended.")).to_be_visible()
    other.reload()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_page_that_updates_itself_keeps_no_session_alive(
    viewers: Viewers, stage: Stage, zuhura: int
) -> None:
    users.set_password(stage.conn, BINTI, NAME, PASSWORD)
    page = viewers.open()
    page.goto("/dashboard/admin/fetch-data")
    sign_in(page, NAME)
    expect(page.get_by_label("Institution")).to_be_visible()
    idle = "UPDATE sessions SET last_seen_at = now() - interval '5 minutes' WHERE user_id = %s"
    stage.conn.execute(idle, (zuhura,))
    query = "SELECT last_seen_at > now() - interval '1 minute' FROM sessions WHERE user_id = %s"
    with page.expect_response("**/workers/banner", timeout=60_000):
        pass
    assert stage.conn.execute(query, (zuhura,)).fetchone() == (False,)
    with page.expect_response("**/fetch-data/choice*"):
        page.get_by_label("Institution").press("ArrowDown")
    assert stage.conn.execute(query, (zuhura,)).fetchone() == (True,)


def test_the_pages_of_users(viewers: Viewers, administrator: StorageState, stage: Stage, zuhura: int) -> None:
    throttle.begin(stage.conn, SETTINGS, NAME, "203.0.113.9")
    page = viewers.open(storage_state=administrator)
    page.goto("/dashboard/admin/users")
    expect_fit_for_everybody(page)
    follow(page.get_by_role("link", name=NAME))
    expect_fit_for_everybody(page)
    page.get_by_role("button", name=re.compile(r"^Unlock: forget \d failed")).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_role("button", name="Unlock")).to_have_count(0)
    page.get_by_text("Make set-up link").first.click()
    page.get_by_role("button", name="Make set-up link").click()
    expect(page.get_by_text("/set-up/")).to_be_visible()
    expect_fit_for_everybody(page)
