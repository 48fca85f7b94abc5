"""An administrator adds an endpoint, tries it out and sends a message again, without JavaScript too."""

import re

import pytest
from playwright.sync_api import Page, StorageState, expect

from hrims.access import users
from hrims.webhooks import endpoints
from tests.browser.stage import PASSWORD, Stage
from tests.browser.steps import press
from tests.browser.test_looks import expect_fit_for_everybody
from tests.browser.viewers import Viewers, sign_in
from tests.database.runs import ASHA
from tests.database.webhooks import BINTI, endpoint

PAGE = "/dashboard/admin/webhooks"


@pytest.fixture(params=[True, False], ids=["javascript", "without"])
def page(viewers: Viewers, stage: Stage, request: pytest.FixtureRequest) -> Page:
    """An administrator's window, on the page."""
    if not stage.rows("SELECT FROM users WHERE name = 'binti'"):
        users.add_user(stage.conn, ASHA, "binti", "administrator", PASSWORD)
    opened = viewers.open(java_script_enabled=request.param)
    opened.goto("/")
    sign_in(opened, "binti")
    opened.get_by_role("link", name="Webhooks").click()
    return opened


def test_an_endpoint_is_added_tried_out_switched_and_removed(page: Page, stage: Stage) -> None:
    page.get_by_label("Web address").fill("https://receiver.invalid/hook")
    page.get_by_label("What it is for").fill("Payroll")
    press(page, "Add the endpoint")
    expect(page.get_by_role("status").filter(has_text="whsec_")).to_be_visible()
    page.goto(PAGE)
    expect(page.get_by_text("whsec_")).to_have_count(0)
    press(page, "Send a test endpoint 1")
    page.get_by_role("region", name="Messages").get_by_role("link").click()
    expect(page.get_by_role("heading", name="webhook.test")).to_be_visible()
    page.get_by_role("link", name="← Webhooks").click()
    press(page, "Switch off endpoint 1")
    expect(page.get_by_role("article", name="Endpoint 1")).to_contain_text("off")
    page.get_by_role("article", name="Endpoint 1").get_by_text("Remove").first.click()
    press(page, "Remove the endpoint 1")
    expect(page.get_by_text("Nobody is told of anything yet.")).to_be_visible()


def test_a_message_is_sent_again(page: Page, stage: Stage) -> None:
    endpoints.test(stage.conn, BINTI, endpoint(stage.conn).id)
    stage.conn.execute(
        "UPDATE webhook_messages SET state = 'failed', ended_at = now(), next_try_at = NULL, trouble = 'No.'"
    )
    page.goto(PAGE)
    page.get_by_role("region", name="Messages").get_by_role("link").click()
    press(page, "Send again")
    expect(page.get_by_role("button", name="Send again")).to_have_count(0)
    expect(page.get_by_text(re.compile("waiting"))).to_be_visible()


@pytest.mark.parametrize("page", [True], indirect=True)
def test_every_state_fits_everybody(page: Page, stage: Stage) -> None:
    expect_fit_for_everybody(page)
    page.get_by_label("Web address").fill("https://receiver.invalid/" + "hook" * 100)
    press(page, "Add the endpoint")
    expect(page.get_by_role("status").filter(has_text="whsec_")).to_be_visible()
    expect_fit_for_everybody(page)
    press(page, "Send a test endpoint 1")
    stage.until_rows("SELECT count(*) FROM webhook_tries", [(1,)])
    page.goto(PAGE)
    expect_fit_for_everybody(page)
    page.get_by_role("region", name="Messages").get_by_role("link").click()
    expect_fit_for_everybody(page)


def test_an_officer_sees_no_link(viewers: Viewers, signed_in: StorageState) -> None:
    opened = viewers.open(storage_state=signed_in)
    opened.goto("/dashboard/admin/fetch-data")
    expect(opened.get_by_role("link", name="People", exact=True)).to_be_visible()
    expect(opened.get_by_role("link", name="Webhooks")).to_have_count(0)
