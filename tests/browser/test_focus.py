"""A button that starts a run, or acts on one, moves the view and the keyboard focus to the run's card."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import Stage
from tests.browser.steps import HEALTH, card, choose, expect_complete, expect_percent, fetch, press, status
from tests.browser.test_people import ask_for, person_of_list
from tests.support.sample import sampled

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}

MOVES = {"reduced_motion": "no-preference"}

WINDOWS = {
    "phone": PHONE | MOVES,
    "phone, reduced motion": PHONE | {"reduced_motion": "reduce"},
    "phone, no JavaScript": PHONE | {"java_script_enabled": False},
    "low desk": {"viewport": {"width": 1280, "height": 420}},
}

each_window = pytest.mark.parametrize("page", WINDOWS.values(), ids=WINDOWS, indirect=True)

a_window = pytest.mark.parametrize("page", sampled(WINDOWS.values(), [WINDOWS["phone"]]), indirect=True)
"""``make chaos`` has the windows in which the same code moves the focus."""


def expect_card_in_view(page: Page) -> None:
    """Wait until the card has the focus and its first line and its status are on the screen."""
    expect(card(page)).to_be_focused()
    expect(card(page).get_by_role("heading", level=2)).to_be_in_viewport(ratio=1)
    expect(status(page)).to_be_in_viewport()


def open_chosen(page: Page) -> None:
    """Open the page with an institution chosen, with or without JavaScript."""
    page.goto("/dashboard/admin/fetch-data")
    page.get_by_label("Institution").select_option(label=HEALTH)
    if page.get_by_role("button", name="Show", exact=True).is_visible():
        press(page, "Show")
    expect(page.get_by_role("button", name="Fetch by TIN")).to_be_visible()


@each_window
def test_fetch(page: Page, stage: Stage) -> None:
    stage.simulator.hold(after=2)
    open_chosen(page)
    press(page, "Fetch by Vote Code")
    expect_card_in_view(page)


@a_window
def test_preview(page: Page, stage: Stage) -> None:
    stage.simulator.hold(after=2)
    open_chosen(page)
    press(page, "Preview by TIN")
    expect_card_in_view(page)


@a_window
def test_one_person(page: Page, stage: Stage) -> None:
    stage.simulator.hold(operation="202")
    page.goto("/dashboard/admin/people")
    ask_for(page, person_of_list(stage)["zan_id"])
    expect_card_in_view(page)


@pytest.mark.parametrize("page", [PHONE], indirect=True)
class TestOnAPhone:
    """Other buttons."""

    def test_the_focus_stays_while_the_card_changes_and_is_the_place_to_tab_from(
        self, page: Page, stage: Stage
    ) -> None:
        at_40 = stage.simulator.hold(after=4)
        stage.simulator.hold(after=4)
        fetch(page)
        expect_percent(page, 40)
        expect_card_in_view(page)
        stage.simulator.wait_for(held=4)  # a page that came later would meet the second hold
        stage.simulator.release(at_40)
        expect_percent(page, 80)
        expect_card_in_view(page)
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Cancel run")).to_be_focused()

    def test_a_second_press_leads_to_the_first_run_and_says_so(self, page: Page, stage: Stage) -> None:
        stage.simulator.hold(after=2)
        fetch(page)
        expect_card_in_view(page)
        press(page, "Fetch by TIN")
        expect(
            page.get_by_text("This run had already been requested. No other run was started.")
        ).to_be_in_viewport()
        expect_card_in_view(page)
        assert stage.rows("SELECT count(*) FROM runs") == [(1,)]

    def test_cancel_and_try_again(self, page: Page, stage: Stage) -> None:
        stage.simulator.hold(after=2)
        fetch(page)
        press(page, "Cancel run")
        expect(status(page)).to_contain_text("Cancelled")
        expect_card_in_view(page)
        stage.simulator.release()
        press(page, "Retry run")
        expect_card_in_view(page)
        expect_complete(page)

    def test_apply_a_preview(self, page: Page, stage: Stage) -> None:
        choose(page)
        press(page, "Preview by Vote Code")
        press(page, "Apply preview")
        expect_card_in_view(page)
        expect_complete(page)
