"""The page follows a run through reloads, lost connections and restarts, and knows when to stop."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.stage import Stage
from tests.browser.steps import (
    HEALTH,
    card,
    choose,
    expect_complete,
    expect_percent,
    fetch,
    press,
    status,
)
from tests.browser.viewers import Viewers, sign_in

LOST = "Connection lost. Reconnecting …"


def test_a_reload_keeps_what_was_chosen_and_shows_the_run(page: Page, stage: Stage) -> None:
    stage.simulator.hold(after=4)
    choose(page)
    page.reload()
    expect(page.get_by_label("Institution").locator("option:checked")).to_have_text(HEALTH)
    press(page, "Fetch by Vote Code")
    expect_percent(page, 40)
    page.reload()
    expect_percent(page, 40)
    stage.simulator.release()
    expect_complete(page)


def test_a_lost_connection_is_shown_and_the_page_reconnects(
    page: Page, stage: Stage, viewers: Viewers
) -> None:
    viewers.expect_trouble("ERR_INTERNET_DISCONNECTED|^htmx:sendError")
    stage.simulator.hold(after=4)
    fetch(page)
    expect_percent(page, 40)
    page.context.set_offline(True)
    expect(page.get_by_text(LOST)).to_be_visible()
    stage.simulator.release()
    stage.wait_for_end(1)
    expect_percent(page, 40)
    page.context.set_offline(False)
    expect_complete(page)
    expect(page.get_by_text(LOST)).to_be_hidden()


def test_the_web_process_may_go_away_and_come_back(page: Page, stage: Stage, viewers: Viewers) -> None:
    viewers.expect_trouble("ERR_(CONNECTION|EMPTY|SOCKET)|^htmx:sendError")
    stage.simulator.hold(after=4)
    fetch(page)
    expect_percent(page, 40)
    stage.stop_web()
    expect(page.get_by_text(LOST)).to_be_visible()
    stage.start_web()
    expect(page.get_by_text(LOST)).to_be_hidden()
    expect_percent(page, 40)
    stage.simulator.release()
    expect_complete(page)


def test_polling_stops_when_the_run_has_ended(page: Page, stage: Stage) -> None:
    polls: list[Response] = []
    page.on("response", lambda told: polls.append(told) if "/fetch-data/r" in told.url else None)
    page.clock.install()
    page.reload()
    stage.simulator.hold(after=4)
    fetch(page)
    expect_percent(page, 40)
    with page.expect_response("**/fetch-data/runs/1"), page.expect_response("**/fetch-data/recent"):
        page.clock.run_for(60_000)
    stage.simulator.release()
    expect_complete(page)
    expect(page.locator("[hx-trigger*=every]:not(#banner)")).to_have_count(0)
    last = {told.url.rpartition("/")[2]: told.status for told in polls}
    assert last == {"1": 286, "recent": 286}
    seen = len(polls)
    page.clock.run_for(600_000)
    page.evaluate("fetch('/healthz').then((answer) => answer.ok)")
    assert len(polls) == seen


def test_the_list_of_runs_says_the_same_as_the_card_at_once(page: Page, stage: Stage) -> None:
    page.clock.install()
    page.reload()
    stage.simulator.hold(after=4)
    fetch(page)
    expect_percent(page, 40)
    page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    stage.simulator.release()
    stage.wait_for_end(1)
    # The card asks every second, the list every three.
    with page.expect_response("**/fetch-data/recent"):
        page.clock.run_for(1_500)
    page.clock.resume()
    expect_complete(page)
    expect(page.get_by_role("region", name="Latest runs").get_by_text("complete", exact=True)).to_be_visible()


def test_the_card_keeps_the_focus_while_it_is_polled(page: Page, stage: Stage) -> None:
    at_40 = stage.simulator.hold(after=4)
    stage.simulator.hold(after=4)
    fetch(page)
    expect_percent(page, 40)
    cancel = page.get_by_role("button", name="Cancel run")
    cancel.focus()
    before = cancel.element_handle()
    stage.simulator.wait_for(held=4)  # a page that came later would meet the second hold
    stage.simulator.release(at_40)
    expect_percent(page, 80)
    expect(cancel).to_be_focused()
    assert page.evaluate("(before) => before === document.activeElement", before)


def test_a_session_that_ends_leads_to_the_sign_in_and_back(viewers: Viewers, stage: Stage) -> None:
    viewers.expect_trouble("status of 401")
    page = viewers.open()
    page.goto("/")
    sign_in(page)
    stage.simulator.hold(after=4)
    fetch(page)
    expect_percent(page, 40)
    stage.conn.execute("DELETE FROM sessions WHERE created_at = (SELECT max(created_at) FROM sessions)")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page)
    expect_percent(page, 40)


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_without_javascript_the_whole_story_works_with_a_refresh(page: Page, stage: Stage) -> None:
    at_40 = stage.simulator.hold(after=4)
    stage.simulator.hold(after=4)
    page.get_by_label("Institution").select_option(label=HEALTH)
    press(page, "Show")
    press(page, "Fetch by Vote Code")
    expect_percent(page, 40)
    # A page that stands at one of its own anchors is requested again all the same.
    page.goto(f"{page.url}#main")
    stage.simulator.wait_for(held=4)  # a page that came later would meet the second hold
    stage.simulator.release(at_40)
    expect_percent(page, 80)
    press(page, "Cancel run")
    expect(status(page)).to_have_text("Cancelled. The 800 people saved until then stay.")
    stage.simulator.release()
    press(page, "Retry run")
    expect_complete(page)
    assert "http-equiv" not in page.content()
    expect(card(page).get_by_role("row")).to_have_count(11)
