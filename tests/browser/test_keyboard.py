"""The whole story by keyboard alone, with the focus always to be seen."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.stage import NAME, Stage
from tests.browser.steps import HEALTH, card, expect_complete, expect_percent, status
from tests.browser.viewers import Viewers
from tests.support.users import PASSWORD

MOST_STOPS = 40
"""Presses of Tab after which a thing counts as out of reach."""

FOCUS = """() => {
    const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
    return {
        what: one.outerHTML.slice(0, 120),
        ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    };
}"""


def tab_to(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Presses Tab, or another key, until the focus is there; at every stop it must be seen."""
    for _ in range(MOST_STOPS):
        page.keyboard.press(key)
        expect_visible_focus(page)
        if wanted.evaluate("(one) => one === document.activeElement"):
            return
    raise AssertionError(f"{MOST_STOPS} presses of Tab do not lead to {wanted}")


def expect_visible_focus(page: Page) -> None:
    """Assert that the focused element is in view and has a ring."""
    focus = page.evaluate(FOCUS)
    assert focus["ring"], f"no ring around {focus['what']}"
    assert focus["inside"], f"out of view: {focus['what']}"


def test_the_whole_story_by_keyboard(viewers: Viewers, stage: Stage) -> None:
    stage.simulator.hold(after=4)
    page = viewers.open()
    page.goto("/")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type(NAME)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    picker = page.get_by_label("Institution")
    expect(picker).to_be_visible()
    tab_to(page, picker)
    page.keyboard.type(HEALTH.lower())
    expect(picker.locator("option:checked")).to_have_text(HEALTH)
    by_vote_code = page.get_by_role("button", name="Fetch by Vote Code")
    expect(by_vote_code).to_be_visible()
    tab_to(page, by_vote_code)
    page.keyboard.press("Enter")
    expect_percent(page, 40)
    cancel = page.get_by_role("button", name="Cancel run")
    tab_to(page, cancel)
    page.keyboard.press("Enter")
    expect(status(page)).to_contain_text("Cancelled")
    stage.simulator.release()
    tab_to(page, page.get_by_role("button", name="Retry run"))
    page.keyboard.press("Enter")
    expect_complete(page)
    tab_to(page, card(page).get_by_role("region", name="The first people of this run"))


def test_the_skip_link_leads_past_the_header(page: Page) -> None:
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Institution")).to_be_focused()


def test_the_page_size_is_reached(page: Page, stage: Stage) -> None:
    picker = page.get_by_label("Institution")
    tab_to(page, picker)
    page.keyboard.type(HEALTH.lower())
    summary = page.get_by_text("More options", exact=True)
    expect(summary).to_be_visible()
    tab_to(page, summary)
    page.keyboard.press("Enter")
    size = page.get_by_role("spinbutton", name="Page size")
    tab_to(page, size)
    page.keyboard.press("Control+A")
    page.keyboard.type("250")
    page.keyboard.press("Enter")
    expect_complete(page)
    assert stage.rows("SELECT page_size, pages FROM runs JOIN run_progress ON run_id = id") == [(250, 4)]
