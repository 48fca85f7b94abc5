"""What an officer does and looks at on the page; a page comes in, parts of it go out."""

import re

from playwright.sync_api import Locator, Page, expect

HEALTH = "WIZARA YA AFYA"
"""Has 1,000 people at the simulator: ten pages."""

COMPLETE = "Complete: all 1,000 that HRIMS lists are accounted for."


def choose(page: Page, institution: str = HEALTH) -> None:
    """Choose an institution and waits for its buttons."""
    page.get_by_label("Institution").select_option(label=institution)
    expect(page.get_by_role("button", name="Fetch by TIN")).to_be_visible()


def press(page: Page, button: str) -> None:
    """Press a button by its name."""
    page.get_by_role("button", name=button).click()


def follow(link: Locator) -> None:
    """Follow a link, and wait for its page: until then the browser shows the page that it leaves."""
    with link.page.expect_navigation():
        link.click()


def fetch(page: Page, institution: str = HEALTH, *, by: str = "Vote Code") -> None:
    """Choose an institution and presses its button."""
    choose(page, institution)
    press(page, f"Fetch by {by}")


def card(page: Page) -> Locator:
    """Return the card of the run."""
    return page.get_by_role("article", name=re.compile(r"^Run \d"))


def status(page: Page) -> Locator:
    """Return the sentence that says how the run stands."""
    return card(page).get_by_role("status")


def figure(page: Page, name: str) -> Locator:
    """Return a figure of the card by its name."""
    term = page.get_by_role("term").filter(has_text=re.compile(f"^{name}$"))
    return card(page).locator("dl > div").filter(has=term).get_by_role("definition")


def expect_percent(page: Page, percent: int) -> None:
    """Wait for the bar to stand there."""
    expect(card(page).get_by_role("progressbar", name="People saved")).to_have_attribute(
        "value", str(percent)
    )


def expect_complete(page: Page) -> None:
    """Wait for the run to say that all people are there."""
    expect(status(page)).to_have_text(COMPLETE)


def rows(page: Page, region: str) -> list[list[str]]:
    """Return the cells of a table, row by row, without its head. Waits for its region."""
    table = page.get_by_role("region", name=region).locator("tbody tr")
    expect(table.first).to_be_visible()
    return [[cell.strip() for cell in row.locator("td").all_inner_texts()] for row in table.all()]
