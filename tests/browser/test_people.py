"""People are found, looked at and asked for one by one; by mouse, by keyboard, without JavaScript."""

from typing import Any

import pytest
from playwright.sync_api import Page, StorageState, expect

from hrims.employees.masking import HIDDEN, mask_number
from tests.browser.stage import Stage
from tests.browser.steps import card, follow, press, rows, status
from tests.browser.test_keyboard import tab_to
from tests.browser.test_looks import expect_fit_for_everybody
from tests.browser.viewers import Viewers

PAGE = "/dashboard/admin/people"

SAVED = "Complete: the HRIMS record of this person is saved."


def person_of_list(stage: Stage, index: int = 3) -> dict[str, Any]:
    """Return a person at HRIMS."""
    return stage.simulator.people(vote="001")[index]


def ask_for(page: Page, key: str) -> None:
    """Asks HRIMS for one person."""
    page.get_by_label("ZanID or payroll number").fill(key)
    press(page, "Fetch person")


def test_a_person_is_asked_for_found_and_looked_at(
    page: Page, stage: Stage, viewers: Viewers, supervisor: StorageState
) -> None:
    one = person_of_list(stage)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="People").click()
    ask_for(page, one["zan_id"])
    expect(status(page)).to_have_text(SAVED)
    assert one["zan_id"] not in page.url
    expect(card(page)).to_contain_text("This person is new.")
    stage.simulator.change_person(one["zan_id"], **{"personalInfo.primaryPhone": "0770000009"})
    card(page).get_by_role("link", name=one["name"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(one["name"])
    expect(page.get_by_text("This person is on no institution's list")).to_be_visible()
    press(page, "Fetch this person again")
    expect(status(page)).to_have_text(SAVED)
    expect(card(page)).to_contain_text("This person's record changed.")
    page.get_by_label("ZanID, payroll number or name").fill(one["name"].split()[0].lower())
    press(page, "Search")
    ((name, zan_id, *_),) = rows(page, "1 person")
    assert (name, zan_id) == (one["name"], mask_number(one["zan_id"]))
    page.get_by_role("link", name=one["name"]).click()
    entries = page.get_by_role("listitem").filter(has=page.get_by_role("heading", level=3))
    expect(entries.nth(0)).to_contain_text("Phone number")
    expect(entries.nth(0)).to_contain_text(HIDDEN)
    expect(entries.nth(0)).to_contain_text("run 2, requested by asha")
    expect(entries.nth(1)).to_contain_text("First seen")
    assert one["zan_id"] not in page.url
    assert "0770000009" not in page.content()
    other = viewers.open(storage_state=supervisor)
    other.goto(page.url)
    expect(other.get_by_role("listitem").filter(has_text="Phone number").last).to_contain_text("0770000009")


def test_a_person_is_revealed_once(page: Page, stage: Stage) -> None:
    one = person_of_list(stage)
    page.goto(PAGE)
    ask_for(page, one["zan_id"])
    follow(page.get_by_role("link", name=one["name"]))
    address = page.url
    record = page.locator("#facts")
    expect(record).to_contain_text(mask_number(one["zan_id"]))
    expect(record).not_to_contain_text(one["zan_id"])
    expect_fit_for_everybody(page)
    press(page, "Reveal fields")
    expect(page.get_by_label("Reason")).to_be_focused()  # the browser asks for a reason
    tab_to(page, page.get_by_role("button", name="Reveal fields"))
    page.get_by_label("Reason").fill("The employee asked us to check the number")
    page.keyboard.press("Enter")
    expect(record).to_contain_text(one["zan_id"])
    expect(page.get_by_text("All fields are shown once. Your reason is recorded.")).to_be_visible()
    expect(page.get_by_role("button", name="Reveal fields")).to_have_count(0)
    expect_fit_for_everybody(page)
    assert page.url.partition("#")[0] == address
    page.goto(PAGE)
    page.goto(address)
    expect(record).not_to_contain_text(one["zan_id"])
    [(reason,)] = stage.rows(
        "SELECT reason FROM audit_log WHERE action = 'person.reveal' ORDER BY id DESC LIMIT 1"
    )
    assert reason == "The employee asked us to check the number"


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_a_short_reason_reveals_nothing(page: Page, stage: Stage, viewers: Viewers) -> None:
    viewers.expect_trouble("status of 400")
    one = person_of_list(stage)
    page.goto(PAGE)
    ask_for(page, one["zan_id"])
    page.get_by_role("link", name=one["name"]).click()
    # A browser pads no reason: the spaces are enough for it, but not for the server.
    page.get_by_label("Reason").fill("a         b")
    press(page, "Reveal fields")
    expect(page.get_by_role("alert")).to_contain_text("Give a reason of 10 to 300 characters")
    expect(page.locator("#facts")).not_to_contain_text(one["zan_id"])


def test_an_unknown_number(page: Page, stage: Stage) -> None:
    page.goto(PAGE)
    ask_for(page, "99999999")
    expect(status(page)).to_contain_text("HRIMS has no employee with this ZanID or payroll number.")
    expect(page.get_by_role("button", name="Retry run")).to_be_visible()
    expect_fit_for_everybody(page)


def test_by_keyboard_alone(page: Page, stage: Stage) -> None:
    page.goto(PAGE)
    one = person_of_list(stage)
    tab_to(page, page.get_by_label("ZanID or payroll number"))
    page.keyboard.type(one["payroll_number"])
    page.keyboard.press("Enter")
    expect(status(page)).to_have_text(SAVED)
    tab_to(page, page.get_by_label("ZanID, payroll number or name"), key="Shift+Tab")
    page.keyboard.type(one["zan_id"])
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name=one["name"])
    expect(link).to_be_visible()
    tab_to(page, link)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(one["name"])
    tab_to(page, page.get_by_role("button", name="Fetch this person again"))


def test_without_javascript(viewers: Viewers, stage: Stage, signed_in: StorageState) -> None:
    page = viewers.open(storage_state=signed_in, java_script_enabled=False)
    page.goto(PAGE)
    one = person_of_list(stage)
    ask_for(page, one["zan_id"])
    expect(status(page)).to_have_text(SAVED)
    page.get_by_label("ZanID, payroll number or name").fill(one["zan_id"])
    press(page, "Search")
    page.get_by_role("link", name=one["name"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(one["name"])


def test_every_state_fits_everybody(page: Page, stage: Stage) -> None:
    page.goto(PAGE)
    expect_fit_for_everybody(page)
    hold = stage.simulator.hold(operation="202")
    one = person_of_list(stage)
    ask_for(page, one["zan_id"])
    expect(status(page)).to_contain_text("Fetching this person from HRIMS.")
    expect_fit_for_everybody(page)
    stage.simulator.release(hold)
    expect(status(page)).to_have_text(SAVED)
    expect_fit_for_everybody(page)
    long = "Wizara ya Mambo ya Kale na Mapya ya Wananchi Wote " * 4
    stage.simulator.change_person(one["zan_id"], **{"employment.divisionName": long.strip()})
    ask_for(page, one["zan_id"])
    expect(card(page)).to_contain_text("This person's record changed.")
    page.get_by_label("ZanID, payroll number or name").fill(one["zan_id"])
    press(page, "Search")
    expect(page.get_by_role("heading", name="1 person")).to_be_visible()
    expect_fit_for_everybody(page)
    page.get_by_role("link", name=one["name"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(one["name"])
    expect_fit_for_everybody(page)


@pytest.mark.parametrize(
    "page", [{"viewport": {"width": 360, "height": 740}}, {"java_script_enabled": False}], indirect=True
)
def test_back_and_reload_find_the_results(page: Page, stage: Stage, viewers: Viewers) -> None:
    viewers.expect_trouble("status of 404")
    page.goto(PAGE)
    one = person_of_list(stage)
    ask_for(page, one["zan_id"])
    link = page.get_by_role("link", name=one["name"])
    expect(link).to_be_visible()
    page.goto(PAGE)
    page.get_by_label("ZanID, payroll number or name").fill(one["name"].lower())
    press(page, "Search")
    expect(page.get_by_role("heading", name="1 person")).to_be_in_viewport()
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(one["name"])
    page.go_back()
    expect(link).to_be_in_viewport()
    page.reload()
    expect(link).to_be_visible()
    expect(page.get_by_label("ZanID, payroll number or name")).to_have_value(one["name"].lower())
    for part in one["name"].lower().split():
        assert part not in page.url.lower()
    stage.conn.execute("UPDATE people_searches SET expires_at = now()")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("Search again.")
