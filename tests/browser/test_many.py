"""Many institutions at once: a batch, a schedule, who works; and one run with every attempt at it."""

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.stage import Stage
from tests.browser.steps import press
from tests.browser.test_looks import expect_fit_for_everybody
from tests.browser.viewers import Viewers

HEALTH = "WIZARA YA AFYA"

TREASURY = "Ofisi ya Msajili wa Hazina"

ALIVE = "SELECT count(*) FROM workers_v WHERE alive AND ended_at IS NULL"

POLL_MS = 10_500
"""Milliseconds after which every page has asked again whether a worker is running."""


@pytest.fixture(params=[True, False], ids=["javascript", "without"])
def page(viewers: Viewers, administrator: StorageState, request: pytest.FixtureRequest) -> Page:
    """Provide an administrator's window."""
    opened = viewers.open(storage_state=administrator, java_script_enabled=request.param)
    opened.goto("/")
    return opened


with_script = pytest.mark.parametrize("page", [True], indirect=True)


def go_to(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def ask_for_two(page: Page) -> None:
    go_to(page, "Batches")
    page.get_by_label("Selected institutions").check()
    page.get_by_text("Select institutions", exact=True).click()
    page.get_by_label(HEALTH).check()
    page.get_by_label(TREASURY).check()
    press(page, "Start batch")


def test_a_batch_is_asked_for_and_followed_to_its_end(page: Page, stage: Stage) -> None:
    ask_for_two(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Batch 1")
    for run_id in (1, 2):
        stage.wait_for_end(run_id)
    if page.evaluate("typeof htmx") == "undefined":
        page.reload()
    expect(page.locator("#status")).to_contain_text("Done: 2 complete.")
    cell = page.get_by_role("listitem").filter(has_text=HEALTH)
    expect(cell).to_contain_text("complete")
    cell.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Run ")
    expect(page.get_by_role("region", name="Attempts")).to_contain_text("finished")


@with_script
def test_the_failed_are_tried_again_and_all_is_cancelled(page: Page, stage: Stage) -> None:
    stage.simulator.fail("body404", vote="002")
    ask_for_two(page)
    for run_id in (1, 2):
        stage.wait_for_end(run_id)
    page.reload()
    expect(page.locator("#status")).to_contain_text("Done: 1 complete, 1 failed.")
    page.get_by_role("navigation", name="Status").get_by_role("link", name="Failed").click()
    expect(page.get_by_role("listitem").filter(has_text=TREASURY)).to_contain_text(
        "does not know this vote code"
    )
    stage.simulator.reset()
    stage.simulator.hold(vote="002")
    press(page, "Retry failed runs")
    expect(page.locator("#status")).to_contain_text("1 of 2 runs ended")
    page.get_by_text("Cancel batch", exact=True).click()
    press(page, "Cancel unfinished runs")
    expect(page.locator("#status")).to_contain_text("Done: 1 complete, 1 cancelled.")


def test_a_schedule_is_made_run_paused_and_removed(page: Page, stage: Stage) -> None:
    go_to(page, "Schedules")
    page.get_by_label("Name").fill("Every night")
    page.get_by_label("Selected institutions").check()
    page.get_by_text("Select institutions", exact=True).click()
    page.get_by_label(HEALTH).check()
    press(page, "Add schedule")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Every night")
    expect(page.get_by_text("Every day at 01:00, Africa/Dar_es_Salaam.")).to_be_visible()
    expect(page.locator("ol.times li")).to_have_count(5)
    press(page, "Pause schedule")
    expect(page.get_by_text("Paused by binti")).to_be_visible()
    press(page, "Resume schedule")
    press(page, "Run schedule now")
    expect(page.get_by_role("heading", level=1)).to_have_text("Batch 1")
    assert stage.wait_for_end(1).outcome == "complete"
    go_to(page, "Schedules")
    page.get_by_role("link", name="Every night").click()
    page.get_by_label("Name").fill("Each night")
    press(page, "Save")
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    page.get_by_text("Remove schedule", exact=True).first.click()
    press(page, "Remove schedule")
    expect(page.get_by_text("No schedules yet")).to_be_visible()


@with_script
def test_the_next_times_are_shown_while_one_types(page: Page) -> None:
    go_to(page, "Schedules")
    expect(page.locator("#upcoming li")).to_have_count(5)
    page.get_by_role("radio", name="Cron expression").check()
    page.get_by_role("textbox", name="Cron expression").fill("0 1 31 2 *")
    expect(page.locator("#upcoming")).to_contain_text("This cron line never comes.")
    page.get_by_role("textbox", name="Cron expression").fill("0 1 * * 6")
    expect(page.locator("#upcoming li")).to_have_count(5)


@with_script
def test_every_page_says_that_no_worker_runs(page: Page, stage: Stage) -> None:
    page.clock.install()
    go_to(page, "Workers")
    expect(page.get_by_role("region", name="Workers")).to_contain_text("alive")
    expect(page.locator("#banner")).to_be_empty()
    for worker in stage.workers:
        worker.kill()
        worker.wait()
    stage.wait_for_rows(ALIVE, [(0,)])
    page.clock.fast_forward(POLL_MS)
    expect(page.locator("#banner")).to_contain_text("No worker is running")
    expect(page.get_by_role("region", name="Workers")).to_contain_text("silent")
    stage.start_worker()
    stage.wait_for_rows(ALIVE, [(1,)])
    page.clock.fast_forward(POLL_MS)
    expect(page.locator("#banner")).to_be_empty()


@with_script
def test_an_institution_is_tied_to_a_pool_without_workers(page: Page, stage: Stage) -> None:
    page.goto("/dashboard/admin/institutions/1")
    page.get_by_label("Pool").fill("health")
    page.get_by_label("Attempts").fill("5")
    press(page, "Save")
    expect(page.get_by_label("Pool")).to_have_value("health")
    go_to(page, "Workers")
    expect(page.get_by_role("alert")).to_contain_text("The pool health has no worker")
    stage.enqueue("001")
    page.goto("/dashboard/admin/queue")
    expect(page.get_by_role("row", name=HEALTH)).to_contain_text("no worker of the pool health is running")


@with_script
def test_every_screen_fits_everybody(page: Page, stage: Stage) -> None:
    stage.simulator.fail("body404", vote="002")
    ask_for_two(page)
    for run_id in (1, 2):
        stage.wait_for_end(run_id)
    page.reload()
    expect(page.locator("#status")).to_contain_text("Done")
    expect_fit_for_everybody(page)
    page.goto("/dashboard/admin/batches")
    expect_fit_for_everybody(page)
    go_to(page, "Runs")
    expect(page.get_by_role("row", name=TREASURY)).to_contain_text("failed")
    expect_fit_for_everybody(page)
    page.get_by_role("link", name="Complete", exact=True).click()
    expect(page.get_by_role("row", name=TREASURY)).to_have_count(0)
    page.goto("/dashboard/admin/runs/1")
    page.get_by_text("Log of attempt 1").click()
    expect_fit_for_everybody(page)
    go_to(page, "Schedules")
    expect(page.locator("#upcoming li")).to_have_count(5)
    page.get_by_label("Name").fill("Every night")
    page.get_by_text("More options", exact=True).click()
    expect_fit_for_everybody(page)
    press(page, "Add schedule")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Every night")
    expect_fit_for_everybody(page)
    page.goto("/dashboard/admin/schedules")
    expect_fit_for_everybody(page)
    page.goto("/dashboard/admin/institutions/1")
    expect_fit_for_everybody(page)
    page.get_by_label("Pool").fill("health")
    press(page, "Save")
    go_to(page, "Workers")
    expect_fit_for_everybody(page)
