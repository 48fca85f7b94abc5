"""An officer looks at what a run would change before it does, applies it or throws it away, and compares
two runs.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, StorageState, expect

from hrims.employees.masking import HIDDEN, mask_number
from tests.browser.stage import Stage
from tests.browser.steps import HEALTH, choose, expect_complete, fetch, press, rows, status
from tests.browser.test_keyboard import tab_to
from tests.browser.test_looks import expect_fit_for_everybody
from tests.browser.viewers import Viewers

PHONE = "personalInfo.primaryPhone"

KINDS = (
    *("New", "Changed", "Unchanged", "Transfers", "Returning", "Missing", "Rejected"),
    "Without an institution",
)

WORKPLACE = "Shirika la Majaribio"
"""A workplace that the register lacks."""


def what(page: Page) -> Locator:
    """Return the tabs that say what the preview would change."""
    return page.get_by_role("navigation", name="Changes")


def preview(page: Page) -> None:
    """Chooses the ministry, presses Preview, and waits for the difference."""
    choose(page)
    press(page, "Preview by Vote Code")
    expect(what(page)).to_be_visible()


def show(page: Page, kind: str) -> None:
    """Look at one kind of change."""
    what(page).get_by_role("link", name=re.compile(f"^{kind} ")).click()
    expect(what(page).locator("[aria-current]")).to_contain_text(kind)


@pytest.fixture
def known(page: Page, stage: Stage) -> Iterator[list[str]]:
    """Fetch the ministry and change it at HRIMS: three phones, one workplace, and two unreadable records.

    Yield the ZanIDs of its people.
    """
    people = stage.simulator.people(vote="001")
    stage.wait_for_end(stage.enqueue("001", page_size=100))
    for one in people[3:6]:
        stage.simulator.change_person(one["zan_id"], **{PHONE: "0770000001"})
    stage.simulator.change_person(people[8]["zan_id"], workplace=WORKPLACE)
    for one in people[20:22]:
        stage.simulator.change_person(one["zan_id"], **{"personalInfo.birthDate": "soon"})
    yield [one["zan_id"] for one in people]
    for one in people[3:6]:
        stage.simulator.change_person(one["zan_id"], **{PHONE: one["phone_number"]})
    stage.simulator.change_person(people[8]["zan_id"], workplace=people[8]["current_workplace"])
    for one in people[20:22]:
        stage.simulator.change_person(one["zan_id"], **{"personalInfo.birthDate": one["date_of_birth"]})


def test_it_works_by_mouse(
    page: Page, stage: Stage, known: list[str], viewers: Viewers, supervisor: StorageState
) -> None:
    before = stage.rows("SELECT count(*), max(updated_at) FROM employees")
    preview(page)
    expect(what(page)).to_contain_text("Changed 4")
    assert stage.rows("SELECT count(*), max(updated_at) FROM employees") == before
    show(page, "Changed")
    table = page.get_by_role("region", name="Changed fields")
    expect(table.get_by_role("rowheader", name=mask_number(known[3])).first).to_be_visible()
    expect(table.get_by_role("cell", name=HIDDEN).nth(2)).to_be_visible()
    expect(table.get_by_role("cell", name="0770000001")).to_have_count(0)
    other = viewers.open(storage_state=supervisor)
    other.goto(page.url)
    table = other.get_by_role("region", name="Changed fields")
    expect(table.get_by_role("rowheader", name=known[3])).to_be_visible()
    expect(table.get_by_role("cell", name="0770000001")).to_have_count(3)
    show(page, "Rejected")
    assert [row[0] for row in rows(page, "Rejected records")] == ["21", "22"]
    show(page, "Without an institution")
    assert [WORKPLACE, "1"] in rows(page, "Workplaces without an institution")
    press(page, "Apply preview")
    expect(status(page)).to_contain_text("Complete: all 1,000")
    assert stage.rows("SELECT count(*) FROM employee_changes") == [(4,)]
    page.get_by_role("link", name="preview 2").click()
    expect(page.get_by_role("status").first).to_contain_text("This preview was applied by run 3")


def test_it_works_by_keyboard(page: Page, stage: Stage, known: list[str]) -> None:
    picker = page.get_by_label("Institution")
    tab_to(page, picker)
    page.keyboard.type(HEALTH.lower())
    button = page.get_by_role("button", name="Preview by Vote Code")
    expect(button).to_be_visible()
    tab_to(page, button)
    page.keyboard.press("Enter")
    expect(what(page)).to_be_visible()
    page.keyboard.press("Control+Home")
    tab_to(page, what(page).get_by_role("link", name="Transfers"))
    page.keyboard.press("Enter")
    expect(what(page).locator("[aria-current]")).to_contain_text("Transfers")
    tab_to(page, page.get_by_role("region", name="People who would move to another institution"))
    page.reload()
    tab_to(page, page.get_by_role("button", name="Apply preview"))
    page.keyboard.press("Enter")
    expect(status(page)).to_contain_text("Complete: all 1,000")


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_it_works_without_javascript(page: Page, stage: Stage) -> None:
    stage.simulator.hold(page=4)
    page.get_by_label("Institution").select_option(label=HEALTH)
    press(page, "Show")
    press(page, "Preview by Vote Code")
    expect(page.get_by_role("progressbar", name="People fetched")).to_have_attribute("value", "90")
    stage.simulator.release()
    expect(what(page)).to_contain_text("New 1,000")
    assert "http-equiv" not in page.content()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("Page 2")).to_be_visible()
    press(page, "Apply preview")
    expect_complete(page)
    assert stage.rows("SELECT count(*) FROM employees") == [(1000,)]


def test_it_shows_itself_when_the_preview_has_ended(page: Page, stage: Stage) -> None:
    hold = stage.simulator.hold(page=4)
    choose(page)
    press(page, "Preview by Vote Code")
    expect(page.get_by_role("progressbar", name="People fetched")).to_have_attribute("value", "90")
    stage.simulator.release(hold)
    expect(what(page)).to_contain_text("New 1,000")


def test_thrown_away_it_is_gone(page: Page, stage: Stage) -> None:
    preview(page)
    press(page, "Discard preview")
    expect(page.get_by_role("status").first).to_contain_text("This preview was discarded")
    expect(what(page)).to_have_count(0)
    assert stage.rows("SELECT count(*) FROM preview_people") == [(0,)]
    assert stage.rows("SELECT count(*) FROM employees") == [(0,)]


def test_what_changed_since_is_not_applied_but_shown(
    page: Page, stage: Stage, viewers: Viewers, known: list[str]
) -> None:
    viewers.expect_trouble("status of 409")
    preview(page)
    stage.conn.execute("UPDATE employees SET status = 'Retired' WHERE zan_id = %s", (known[50],))
    press(page, "Apply preview")
    expect(page.get_by_role("alert")).to_contain_text("The employees have changed since")
    expect(what(page)).to_contain_text("Changed 5")
    press(page, "Apply preview")
    expect(status(page)).to_contain_text("Complete: all 1,000")


def test_every_kind_fits_everybody(page: Page, stage: Stage, known: list[str]) -> None:
    preview(page)
    for kind in KINDS:
        show(page, kind)
        expect_fit_for_everybody(page)


def test_what_became_of_it_fits_everybody(page: Page, stage: Stage, known: list[str]) -> None:
    preview(page)
    address = page.url
    stage.stop_workers()
    press(page, "Apply preview")
    expect(status(page)).to_contain_text("no worker")
    page.goto(address)
    expect(page.get_by_text("is being applied")).to_be_visible()
    expect_fit_for_everybody(page)
    stage.start_worker()
    stage.wait_for_rows("SELECT count(*) FROM runs WHERE state <> 'completed'", [(0,)])
    page.reload()
    expect(page.get_by_text("was applied by")).to_be_visible()
    expect_fit_for_everybody(page)


def test_two_runs_side_by_side(page: Page, stage: Stage, known: list[str]) -> None:
    fetch(page)
    expect(status(page)).to_contain_text("Complete: all 1,000")
    page.get_by_role("link", name="Compare run 2").click()
    expect(page.get_by_label("First run")).to_have_value("1")
    expect(page.get_by_label("Second run")).to_have_value("2")
    press(page, "Compare runs")
    tabs = page.get_by_role("navigation", name="Differences")
    expect(tabs).to_contain_text("Changed 4")
    expect(tabs).to_contain_text("Only in run 1 2")
    table = page.get_by_role("region", name="Changed fields")
    expect(table.get_by_role("rowheader", name=mask_number(known[3])).first).to_be_visible()
    expect_fit_for_everybody(page)
    tabs.get_by_role("link", name="Only in run 1").click()
    assert [row[0] for row in rows(page, "People")] == [
        mask_number(zan_id) for zan_id in sorted(known[20:22])
    ]
    expect_fit_for_everybody(page)


def test_two_runs_by_keyboard(page: Page, stage: Stage) -> None:
    for _ in range(2):
        fetch(page)
        expect_complete(page)
    page.goto("/dashboard/admin/compare")
    picker = page.get_by_label("Institution")
    tab_to(page, picker)
    page.keyboard.type(HEALTH.lower())
    tab_to(page, page.get_by_role("button", name="Show runs"))
    page.keyboard.press("Enter")
    compare = page.get_by_role("button", name="Compare runs", exact=True)
    expect(compare).to_be_visible()
    tab_to(page, compare)
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Differences")).to_contain_text("In both 1,000")
