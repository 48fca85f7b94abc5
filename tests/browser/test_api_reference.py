"""The page “API” in a browser: an operation opens, its structure is found, and everybody can read it."""

from playwright.sync_api import Page, expect

from tests.browser.test_looks import expect_fit_for_everybody

PAGE = "/dashboard/admin/api"


def test_an_operation_leads_to_its_structure(page: Page) -> None:
    page.goto(PAGE)
    page.get_by_text("POST /api/hrims/fetch-by-institution").click()
    operation = page.locator("details[open]")
    expect(operation).to_contain_text("A token of scope sync")
    expect_fit_for_everybody(page)
    operation.get_by_role("link", name="RunRequest").click()
    expect(page.get_by_role("heading", name="RunRequest", exact=True)).to_be_in_viewport()
