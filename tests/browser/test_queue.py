"""An administrator pauses the queue, lets it go on and sets its limit; everybody sees who waits for what."""

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.stage import Stage
from tests.browser.steps import fetch, press, status
from tests.browser.test_looks import expect_fit_for_everybody
from tests.browser.viewers import Viewers

PAGE = "/dashboard/admin/queue"

WHY = "The payroll is closed on Friday"


@pytest.fixture(params=[True, False], ids=["javascript", "without"])
def page(viewers: Viewers, administrator: StorageState, request: pytest.FixtureRequest) -> Page:
    """Provide an administrator's window, on the page."""
    opened = viewers.open(storage_state=administrator, java_script_enabled=request.param)
    opened.goto(PAGE)
    return opened


def test_it_is_paused_and_goes_on(page: Page, stage: Stage) -> None:
    expect(page.get_by_text("No unfinished runs.")).to_be_visible()
    page.get_by_label("Reason").fill(WHY)
    press(page, "Pause the queue")
    expect(page.locator("#status")).to_contain_text("Paused by binti")
    run_id = stage.enqueue("001")
    page.goto(PAGE)
    expect(page.get_by_role("row", name="WIZARA YA AFYA")).to_contain_text(f"binti paused the queue ({WHY})")
    press(page, "Resume the queue")
    expect(page.locator("#status")).to_contain_text(
        "The queue is running: at most 10,000 runs start per minute."
    )
    assert stage.wait_for_end(run_id).outcome == "complete"


def test_its_limit_is_set(page: Page, viewers: Viewers) -> None:
    viewers.expect_trouble("status of 400")
    page.get_by_label("Runs started per minute").fill("1")
    press(page, "Set the limit")
    expect(page.locator("#status")).to_contain_text("at most 1 run starts per minute")
    page.get_by_label("Runs started per minute").fill("none at all")
    press(page, "Set the limit")
    expect(page.get_by_role("alert")).to_contain_text("must be a whole number from 1 to 10,000")
    page.get_by_label("Runs started per minute").fill("")
    press(page, "Set the limit")
    expect(page.locator("#status")).to_contain_text("at most 10,000 runs start per minute")


def test_who_waits_for_a_turn_sees_when_it_comes(
    viewers: Viewers, stage: Stage, signed_in: StorageState
) -> None:
    stage.conn.execute("UPDATE queue_settings SET starts_by_person = 1")
    stage.wait_for_end(stage.enqueue("001"))
    opened = viewers.open(storage_state=signed_in)
    opened.goto("/dashboard/admin/fetch-data")
    fetch(opened, "TUME YA UTUMISHI SERIKALINI")
    expect(status(opened)).to_contain_text("Waiting: at most 1 run starts per minute.")
    expect(status(opened)).to_contain_text("Starts at about")
    stage.conn.execute("UPDATE run_starts SET at = at - interval '1 minute'")
    expect(status(opened)).to_contain_text("Complete")


@pytest.mark.parametrize("page", [True], indirect=True)
def test_every_state_fits_everybody(page: Page, stage: Stage) -> None:
    expect_fit_for_everybody(page)
    stage.conn.execute("UPDATE queue_settings SET starts_by_person = 1")
    stage.wait_for_end(stage.enqueue("001"))
    for vote in ("002", "003", "005", "006"):
        stage.enqueue(vote)
    page.goto(PAGE)
    expect(page.get_by_text("Waiting: at most 1 run starts per minute.").first).to_be_visible()
    expect_fit_for_everybody(page)
    page.get_by_label("Reason").fill(WHY)
    press(page, "Pause the queue")
    expect(page.get_by_role("button", name="Resume the queue")).to_be_visible()
    expect_fit_for_everybody(page)


def test_an_officer_sees_it_and_decides_nothing(
    viewers: Viewers, stage: Stage, signed_in: StorageState
) -> None:
    opened = viewers.open(storage_state=signed_in)
    opened.goto(PAGE)
    expect(opened.get_by_role("heading", name="Queue", exact=True)).to_be_visible()
    expect(opened.get_by_role("button", name="Pause the queue")).to_have_count(0)
