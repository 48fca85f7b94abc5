"""An administrator adds an endpoint, tries it out and sends a message again, without JavaScript too."""

import re

import pytest
from playwright.sync_api import Page, StorageState, expect

from hrims.webhooks import actions as webhook_actions
from tests.browser.stage import Stage
from tests.browser.steps import follow, press
from tests.browser.test_looks import expect_fit_for_everybody
from tests.browser.viewers import Viewers
from tests.database.webhooks import endpoint
from tests.support.users import BINTI

PAGE = "/dashboard/admin/webhooks"


@pytest.fixture(params=[True, False], ids=["javascript", "without"])
def page(viewers: Viewers, administrator: StorageState, request: pytest.FixtureRequest) -> Page:
    """Provide an administrator's window, on the page."""
    opened = viewers.open(storage_state=administrator, java_script_enabled=request.param)
    opened.goto(PAGE)
    return opened


def test_an_endpoint_is_added_tried_out_switched_and_removed(page: Page, stage: Stage) -> None:
    page.get_by_label("URL").fill("https://receiver.invalid/hook")
    page.get_by_label("Description").fill("Payroll")
    press(page, "Add endpoint")
    expect(page.get_by_role("status").filter(has_text="whsec_")).to_be_visible()
    page.goto(PAGE)
    expect(page.get_by_text("whsec_")).to_have_count(0)
    press(page, "Send test message to endpoint 1")
    follow(page.get_by_role("region", name="Messages").get_by_role("link"))
    expect(page.get_by_role("heading", name="webhook.test")).to_be_visible()
    page.get_by_role("link", name="← Webhooks").click()
    press(page, "Disable endpoint 1")
    expect(page.get_by_role("article", name="Endpoint 1")).to_contain_text("disabled")
    page.get_by_role("article", name="Endpoint 1").get_by_text("Remove").first.click()
    press(page, "Remove endpoint 1")
    expect(page.get_by_text("No endpoints yet.")).to_be_visible()


def test_a_message_is_sent_again(page: Page, stage: Stage) -> None:
    webhook_actions.test(stage.conn, BINTI, endpoint(stage.conn).id)
    stage.conn.execute(
        "UPDATE webhook_messages SET state = 'failed', ended_at = now(), next_try_at = NULL, trouble = 'No.'"
    )
    page.goto(PAGE)
    follow(page.get_by_role("region", name="Messages").get_by_role("link"))
    press(page, "Resend message")
    expect(page.get_by_role("button", name="Resend message")).to_have_count(0)
    expect(page.get_by_text(re.compile("waiting"))).to_be_visible()


@pytest.mark.parametrize("page", [True], indirect=True)
def test_every_state_fits_everybody(page: Page, stage: Stage) -> None:
    expect_fit_for_everybody(page)
    page.get_by_label("URL").fill("https://receiver.invalid/" + "hook" * 100)
    press(page, "Add endpoint")
    expect(page.get_by_role("status").filter(has_text="whsec_")).to_be_visible()
    expect_fit_for_everybody(page)
    press(page, "Send test message to endpoint 1")
    stage.wait_for_rows("SELECT count(*) FROM webhook_tries", [(1,)])
    page.goto(PAGE)
    expect_fit_for_everybody(page)
    follow(page.get_by_role("region", name="Messages").get_by_role("link"))
    expect_fit_for_everybody(page)


def test_an_officer_sees_no_link(viewers: Viewers, signed_in: StorageState) -> None:
    opened = viewers.open(storage_state=signed_in)
    opened.goto("/dashboard/admin/fetch-data")
    expect(opened.get_by_role("link", name="People", exact=True)).to_be_visible()
    expect(opened.get_by_role("link", name="Webhooks")).to_have_count(0)
